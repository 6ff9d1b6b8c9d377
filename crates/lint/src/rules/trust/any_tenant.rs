use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "any-tenant",
    name: "The tenant may be anything",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A pattern that every subject, or every organisation's, matches.",
    why: "It passes checks that only look for a condition on the subject, and keeps nobody out.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*"}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme@1001/app@2002:environment:production"}}"#,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html",
        "https://docs.github.com/en/actions/reference/security/oidc",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::AnyTenant,
        |who| format!("the pattern names no tenant: `{who}` gets in"),
        "write the organisation and the repository out",
    ));
}
