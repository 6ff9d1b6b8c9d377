use daypass_claims::ClaimValue;
use daypass_prove::{Persona, Witness};
use daypass_trust::Facts;
use daypass_trust::dialect::gcp::{LONGEST_SUBJECT, Mapping, Member};
use daypass_trust::form::JoinPart;

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "oversized-subject",
    name: "A subject is longer than Google takes",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Gcp],
    what: "A binding that names a `google.subject` of more than 127 bytes, or a mapping that makes one of the intended job's token.",
    why: "Google exchanges no token whose subject has more than 127 bytes, so nobody gets in by such a binding. A mapping that is near the limit works for one repository and fails for the next, whose name is longer, and subjects with ids are longer than those without.",
    example: r#"member = "principal://iam.googleapis.com/.../subject/repo:acme-international-platform@1001/customer-facing-web-application@2002:environment:production-europe-west-primary""#,
    instead: r#""google.subject" = "assertion.repository_id + ':' + assertion.environment", and what else matters in the attribute condition"#,
    references: &[
        "https://docs.cloud.google.com/iam/docs/workload-identity-federation",
        "https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers",
    ],
    check: Check::Policy(check),
};

const HELP: &str =
    "map `google.subject` to something shorter, such as an id, and ask for the rest in the condition";

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Facts::Gcp(pool) = &view.compiled.facts else { return };
    for binding in &pool.bindings {
        if let Member::Subject(subject) = &binding.member
            && subject.len() > LONGEST_SUBJECT
        {
            let message = format!(
                "nobody has this subject: it has {} bytes, and Google exchanges no token for more than {LONGEST_SUBJECT}",
                subject.len()
            );
            let draft = Draft::new(&view.found.source, binding.text.span, view.role(), message);
            found.push(draft.help(HELP));
        }
    }
    let Some(witness) = view.admitted(Persona::Intended) else { return };
    let of_issuer = pool.providers.iter().filter(|provider| {
        provider.issuer.as_ref().is_some_and(|issuer| issuer.value == witness.issuer.as_str())
    });
    let mappings = of_issuer.flat_map(|it| &it.mapping).filter(|it| it.attribute == "google.subject");
    for mapping in mappings {
        let Some(subject) = subject_of(mapping, witness).filter(|it| it.len() > LONGEST_SUBJECT) else {
            continue;
        };
        let message = format!(
            "the subject of the intended job has {} bytes, and Google exchanges no token for more than {LONGEST_SUBJECT}",
            subject.len()
        );
        let draft = Draft::new(&view.found.source, mapping.span, view.role(), message);
        found.push(draft.shown_by(Persona::Intended, witness).help(HELP));
    }
}

/// What the token is mapped to, where that is claims and texts joined.
fn subject_of(mapping: &Mapping, witness: &Witness) -> Option<String> {
    let mut subject = String::new();
    for part in mapping.parts.as_ref()? {
        match part {
            JoinPart::Text(text) => subject.push_str(text),
            JoinPart::Claim(path) if path.steps.is_empty() => {
                subject.push_str(witness.claims.get(path.claim.as_str()).and_then(ClaimValue::as_str)?);
            }
            JoinPart::Claim(_) => return None,
        }
    }
    Some(subject)
}
