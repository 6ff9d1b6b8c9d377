use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "open-prefix",
    name: "A name may go on after what is written",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A pattern, or a test for a beginning, that ends within the name of an organisation or group.",
    why: "Anybody can register a name that begins like it: `acme*` is also `acme-evil`.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme*"}}"#,
    instead: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/app:*"}}"#,
    references: &[
        "https://unit42.paloaltonetworks.com/oidc-misconfigurations-in-ci-cd/",
        "https://docs.github.com/en/actions/reference/security/oidc",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::OpenPrefix,
        |who| format!("the name may go on after what is written: `{who}` gets in"),
        "end the name with the separator that follows it",
    ));
}
