use daypass_prove::Persona;

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "pull-request",
    name: "Pull requests get in",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A role that a job of a pull request can assume, or one that a pull request sets off.",
    why: "A pull request runs code that nobody has merged. On platforms that mint tokens for such runs it has the credential before any review.",
    example: r#"sub = "repo:acme/app:pull_request""#,
    instead: r#"sub = "repo:acme/app:environment:production""#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::reached(
        view,
        Persona::PullRequest,
        "a pull request of the repository gets in",
        "ask for an environment with protection rules, or for the branch that deploys",
    ));
}
