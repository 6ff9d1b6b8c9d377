use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "negative-only",
    name: "It is only said who is not meant",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "The tenant is named only by negated conditions.",
    why: "Everybody else gets in; the next organisation of a stranger has another name.",
    example: r#"{"StringNotLike": {"token.actions.githubusercontent.com:sub": "repo:evil/*"}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}"#,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::NegativeOnly,
        |who| format!("it is only said who is not meant: `{who}` gets in"),
        "say who is meant",
    ));
}
