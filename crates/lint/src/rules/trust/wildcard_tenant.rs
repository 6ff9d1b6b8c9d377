use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "wildcard-tenant",
    name: "A wildcard stands for a tenant",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A wildcard in the place of an organisation, or inside its name. Wildcards of AWS and Entra cross `:` and `/`.",
    why: "What follows the wildcard is for the caller to choose: a repository of the same name, a branch of the same name.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*/app:ref:refs/heads/main"}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}"#,
    references: &[
        "https://unit42.paloaltonetworks.com/oidc-misconfigurations-in-ci-cd/",
        "https://docs.github.com/en/actions/reference/security/oidc",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::WildcardTenant,
        |who| format!("a wildcard stands for the tenant: `{who}` gets in"),
        "write the organisation and the repository out",
    ));
}
