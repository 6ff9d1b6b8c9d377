use daypass_trust::form::OtherPrincipal;

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "impossible-principal",
    name: "A principal is named that can never come",
    severity: Severity::Low,
    confidence: Confidence::High,
    applies_to: &[Subject::Aws],
    what: "A principal that was deleted, or one with a wildcard in its ARN, which AWS does not expand.",
    why: "It lets nobody in, and whoever reads the policy thinks that it does.",
    example: r#""AWS": "arn:aws:iam::111122223333:role/ci-*""#,
    instead: r#""AWS": "arn:aws:iam::111122223333:role/ci-deploy""#,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    for statement in &view.policy().statements {
        for principal in &statement.principals.others {
            let message = match principal {
                OtherPrincipal::Nobody(text) => {
                    format!("`{text}` is nobody: AWS expands no wildcard in a principal")
                }
                OtherPrincipal::Deleted(id) => {
                    format!("`{id}` is what is left of a principal that was deleted")
                }
                _ => continue,
            };
            let draft = Draft::new(&view.found.source, statement.span, view.role(), message);
            found.push(draft.help("name a principal that exists, or remove it"));
        }
    }
}
