use daypass_trust::form::{Permission, Variable};

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, clauses};

pub(super) const RULE: Rule = Rule {
    id: "unsupported-key",
    name: "A condition looks at a key that is never there",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A condition on a key that the cloud does not fill for this issuer, by its own dated list, on a key of another issuer, or on a claim that no token has.",
    why: "A plain test of an absent key fails for every token, a negated one and one with `IfExists` or `ForAllValues:` holds for every token. It does nothing that its author wanted.",
    example: r#"{"StringEquals": {"oidc.circleci.com/org/ORG:oidc.circleci.com/vcs-ref": "refs/heads/main"}}"#,
    instead: r#"{"StringLike": {"oidc.circleci.com/org/ORG:sub": "org/ORG/project/PROJECT/user/*/vcs-origin/github.com/acme/app/vcs-ref/refs/heads/main"}}"#,
    references: &[
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    // Statements about SAML assertions or other principals have keys of their own.
    let about_tokens =
        view.policy().statements.iter().filter(|it| it.permissions.contains(Permission::AssumeWithToken));
    for statement in about_tokens {
        for clause in clauses(&statement.condition) {
            let why = clause.body.atoms().into_iter().find_map(|atom| match &atom.variable {
                Variable::Never { why, .. } => Some(why.clone()),
                _ => None,
            });
            let Some(why) = why else { continue };
            let draft = Draft::new(&view.found.source, clause.span, view.role(), why);
            found.push(draft.help(format!("{} has no effect that its author wanted", clause.name)));
        }
    }
}
