use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "no-tenant",
    name: "Nothing says whose tokens are meant",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A statement that lets tokens in by their issuer, and perhaps their audience, on an issuer that many organisations share.",
    why: "Every customer of the CI platform can mint such a token. The audience is no protection: the job that asks for a token chooses it.",
    example: r#"{"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}"#,
    instead: r#"{"StringEquals": {
  "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
  "token.actions.githubusercontent.com:sub": "repo:acme@1001/app@2002:environment:production"
}}"#,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html",
        "https://docs.github.com/en/actions/reference/security/oidc",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::NoTenant,
        |who| format!("nothing says whose tokens are meant: `{who}` gets in"),
        "name the organisation and the repository, best by the subject or by their ids",
    ));
}
