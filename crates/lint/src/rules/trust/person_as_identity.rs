use daypass_issuers::Identifies;
use daypass_trust::Facts;
use daypass_trust::document::Span;
use daypass_trust::form::JoinPart;

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "person-as-identity",
    name: "The identity is not that of the workload",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Gcp, Subject::Vault],
    what: "A claim that names a person, a run or a ref as what the cloud knows the caller by: `user_claim` of a Vault role, `google.subject` of a pool.",
    why: "What is granted to the identity is granted to everything that a person starts, in every repository that the pool or mount lets in; and the audit log names a person where a workload acted.",
    example: r#"user_claim = "actor""#,
    instead: r#"user_claim = "repository_id""#,
    references: &[
        "https://developer.hashicorp.com/vault/api-docs/auth/jwt",
        "https://docs.cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    match &view.compiled.facts {
        Facts::Vault(role) => {
            let Some(claim) = &role.user_claim else { return };
            found.extend(draft(view, "user_claim", claim.value.trim_start_matches('/'), claim.span));
        }
        Facts::Gcp(pool) => {
            for mapping in pool.providers.iter().flat_map(|provider| &provider.mapping) {
                if mapping.attribute != "google.subject" {
                    continue;
                }
                if let Some([JoinPart::Claim(path)]) = mapping.parts.as_deref() {
                    found.extend(draft(view, "google.subject", path.claim.as_str(), mapping.span));
                }
            }
        }
        _ => {}
    }
}

fn draft(view: &View<'_>, what: &str, claim: &str, span: Span) -> Option<Draft> {
    let issuer = view.issuers().into_iter().next()?;
    let spec = view.platform(issuer)?.claims.get(claim)?;
    let (kind, is_wide) = match spec.identifies {
        Identifies::Actor => ("a person", true),
        Identifies::Ref | Identifies::Environment => ("a ref or an environment of any repository", true),
        Identifies::Workflow | Identifies::Trigger | Identifies::Runner => ("no repository", true),
        Identifies::Run | Identifies::Commit | Identifies::Token | Identifies::Time => {
            ("a single run", false)
        }
        _ => return None,
    };
    let message = format!("`{what}` is `{claim}`, which names {kind} and not the workload");
    let draft = Draft::new(&view.found.source, span, view.role(), message);
    let draft = draft.help("use the subject or the id of the repository");
    let draft = if is_wide { draft.verdict(Verdict::Warn) } else { draft.severity(Severity::Low) };
    Some(super::assuming(view, draft))
}
