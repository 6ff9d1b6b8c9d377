use daypass_trust::Facts;
use daypass_trust::form::JoinPart;

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "ambiguous-subject",
    name: "Two different callers can have one subject",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Gcp],
    what: "A `google.subject` that is put together from claims without a separator that they cannot hold.",
    why: "`acme` + `x/app` and `acmex` + `/app` are the same text: what is granted to the one is granted to the other.",
    example: r#""google.subject" = "assertion.repository_owner + assertion.repository""#,
    instead: r#""google.subject" = "assertion.sub""#,
    references: &[
        "https://docs.cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Facts::Gcp(pool) = &view.compiled.facts else { return };
    for mapping in pool.providers.iter().flat_map(|provider| &provider.mapping) {
        let Some(parts) = mapping.parts.as_deref().filter(|_| mapping.attribute == "google.subject") else {
            continue;
        };
        let touching = parts.windows(2).find_map(|pair| match pair {
            [JoinPart::Claim(one), JoinPart::Claim(two)] => Some((one, two)),
            _ => None,
        });
        let Some((one, two)) = touching else { continue };
        let message =
            format!("nothing stands between `{one}` and `{two}`: two different pairs can be one subject");
        let draft = Draft::new(&view.found.source, mapping.span, view.role(), message);
        found.push(draft.verdict(Verdict::Warn).help("map `assertion.sub`, or put a `/` between the two"));
    }
}
