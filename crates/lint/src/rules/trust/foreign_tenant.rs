use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "foreign-tenant",
    name: "A tenant is named that is none of ours",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "An organisation that the estate does not list.",
    why: "Its jobs get the credential whenever they like, and so does whoever takes its name over.",
    example: r#"sub = "repo:contractor/app:ref:refs/heads/main""#,
    instead: "list it in `daypass.estate.toml` if it is one of yours, else give it a role of its own with little in it",
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::Foreign,
        |who| format!("a tenant is named that is none of ours: `{who}` gets in"),
        "list the organisation in the estate if it is one of yours",
    ));
}
