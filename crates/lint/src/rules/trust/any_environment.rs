use daypass_prove::Persona;

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "any-environment",
    name: "Other environments get in",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A role that jobs in other environments can assume.",
    why: "A job may name an environment that does not exist yet; it is made on the spot, without protection rules.",
    example: r#"sub = "repo:acme/app:environment:*""#,
    instead: r#"sub = "repo:acme/app:environment:production""#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::reached(
        view,
        Persona::OtherEnvironment,
        "a job in another environment gets in",
        "write the environment out",
    ));
}
