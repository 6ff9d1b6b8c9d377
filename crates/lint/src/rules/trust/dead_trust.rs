use daypass_trust::Facts;

use super::misspelt_issuer::misspelt;
use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, clauses};

pub(super) const RULE: Rule = Rule {
    id: "dead-trust",
    name: "Nobody gets in",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A policy that admits no token that its issuers can mint.",
    why: "The job that the role is for is refused. What usually follows is a wider policy that nobody looks at twice; and a name that nobody has today may be somebody else's tomorrow.",
    example: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:*"}}"#,
    instead: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/app:environment:production"}}"#,
    references: &[
        "https://docs.github.com/en/actions/reference/security/oidc",
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if is_for_nobody(view) {
        let message =
            "nobody gets in: a role of type `oidc` admits no token, and this one sends no browser back";
        let draft = Draft::new(&view.found.source, view.found.tree.span, view.role(), message);
        found.push(
            draft.verdict(Verdict::Dead).help("write `role_type = \"jwt\"`; without one the type is `oidc`"),
        );
    }
    let Some(dead) = view.dead.as_ref().filter(|dead| dead.answer == daypass_prove::Verdict::Yes) else {
        return;
    };
    if misspelt(view).is_some() {
        return;
    }
    let clauses = view.policy().statements.iter().flat_map(|statement| {
        clauses(&statement.condition).into_iter().map(move |clause| (statement, clause))
    });
    let killers = clauses.filter(|(statement, clause)| {
        let named = format!("{}: {}", statement.label, clause.name);
        dead.why.iter().any(|why| why.starts_with(&named))
    });
    let span = killers.map(|(_, clause)| clause.span).next();
    let span = span.or_else(|| view.policy().statements.first().map(|it| it.span)).unwrap_or_default();
    let message = match dead.why.as_slice() {
        [why] => format!("nobody gets in: {why}"),
        [why, ..] => format!("nobody gets in: {why}, among others"),
        [] => "nobody gets in".to_owned(),
    };
    let draft = Draft::new(&view.found.source, span, view.role(), message);
    let draft = draft.verdict(Verdict::Dead).why(dead.why.iter().cloned());
    found.push(super::assuming(
        view,
        draft.help("ask for what the tokens of the intended job hold, or remove the trust"),
    ));
}

/// Whether a role of Vault is for logins in a browser, and cannot be used for them either.
fn is_for_nobody(view: &View<'_>) -> bool {
    matches!(&view.compiled.facts, Facts::Vault(role) if role.admits_tokens == Some(false) && !role.redirects)
}
