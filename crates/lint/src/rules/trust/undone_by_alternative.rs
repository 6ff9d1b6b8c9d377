use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "undone-by-alternative",
    name: "One of several alternatives undoes the others",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A statement, a value or a branch of an `or` that lets strangers in, beside others that do not.",
    why: "Statements, values and branches add up: the widest of them is what the policy is worth.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:acme/app:ref:refs/heads/main", "*"]}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}"#,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::Alternative,
        |who| format!("this alternative undoes the others, which keep strangers out: `{who}` gets in"),
        "remove it, or give it a role of its own",
    ));
}
