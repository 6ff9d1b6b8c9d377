use daypass_prove::{Persona, Witness};
use daypass_trust::form::Statement;

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, claims_of};

pub(super) const RULE: Rule = Rule {
    id: "no-audience",
    name: "The audience is not asked for",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A policy without a condition on `aud`, where it is not known that the provider accepts one audience only.",
    why: "A token that a job asked for to show it somewhere else is good here, too: whoever receives it there can bring it.",
    example: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}"#,
    instead: r#"{"StringEquals": {
  "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
  "token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"
}}"#,
    references: &[
        "https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.is_open() {
        return;
    }
    let Some(witness) = view.admitted(Persona::OtherAudience) else { return };
    let Some(statement) = view.admitting(witness).filter(|it| !asks_for_audience(it)) else { return };
    let audience = audience_of(witness);
    let message = format!("a token made for somebody else gets in: its audience is `{audience}`");
    let draft = Draft::new(&view.found.source, statement.span, view.role(), message)
        .verdict(Verdict::Warn)
        .shown_by(Persona::OtherAudience, witness)
        .help("ask for the audience, or show the registration of the provider that accepts one only");
    found.push(super::assuming(view, draft));
}

/// Whether a statement says anything about the audience.
pub(super) fn asks_for_audience(statement: &Statement) -> bool {
    !statement.audiences.named().is_empty()
        || claims_of(&statement.condition).iter().any(|claim| claim == "aud")
}

/// The audiences of a token, as a text.
pub(super) fn audience_of(witness: &Witness) -> String {
    witness.claims.audiences().unwrap_or_default().join(", ")
}
