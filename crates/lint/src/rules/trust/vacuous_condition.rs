use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "vacuous-condition",
    name: "A condition holds because what it looks at is not there",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "`ForAllValues:` or `...IfExists` over a key that is not in the request: misspelt, not filled by AWS, or left out by the token.",
    why: "AWS takes both for true where the key is absent. The condition looks narrow and lets everybody in.",
    example: r#"{"ForAllValues:StringEquals": {"token.actions.githubusercontent.com:subject": "repo:acme/app:ref:refs/heads/main"}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}"#,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::Vacuous,
        |who| format!("the condition holds where its key is absent: `{who}` gets in"),
        "use the plain operator, and a key that AWS fills",
    ));
}
