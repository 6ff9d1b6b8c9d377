use daypass_prove::Persona;

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "any-branch",
    name: "Other branches get in",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A role that a branch besides the one that deploys can assume.",
    why: "Whoever can push a branch chooses its name and its code.",
    example: r#"sub = "repo:acme/app:ref:refs/heads/main*""#,
    instead: r#"sub = "repo:acme/app:ref:refs/heads/main""#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::reached(
        view,
        Persona::AnyBranch,
        "another branch of the repository gets in",
        "write the branch out, without a wildcard",
    ));
}
