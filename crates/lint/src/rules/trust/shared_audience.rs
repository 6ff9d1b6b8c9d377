use daypass_prove::Persona;

use super::no_audience::{asks_for_audience, audience_of};
use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, claims_of, clauses};

pub(super) const RULE: Rule = Rule {
    id: "shared-audience",
    name: "The audience is one that others get tokens for",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A policy that accepts several audiences, or any, so that a token made for another party is good here.",
    why: "The platform's default audience is in every token of a job that does not choose one: whoever was given such a token can bring it here.",
    example: r#"{"StringEquals": {"token.actions.githubusercontent.com:aud": ["sts.amazonaws.com", "https://github.com/acme"]}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}"#,
    references: &["https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.is_open() {
        return;
    }
    let Some(witness) = view.admitted(Persona::OtherAudience) else { return };
    let Some(statement) = view.admitting(witness).filter(|it| asks_for_audience(it)) else { return };
    let audience = audience_of(witness);
    // A pool's own audience has two spellings.
    let plain = |text: &str| text.trim_start_matches("https:").to_owned();
    if view.admitted(Persona::Intended).is_some_and(|it| plain(&audience_of(it)) == plain(&audience)) {
        return;
    }
    let clause = clauses(&statement.condition)
        .into_iter()
        .find(|clause| claims_of(&clause.body).iter().any(|claim| claim == "aud"));
    let span = clause.map_or(statement.span, |clause| view.value_span(clause, |text| text == audience));
    let message = format!("a token made for somebody else gets in: its audience is `{audience}`");
    let draft = Draft::new(&view.found.source, span, view.role(), message)
        .verdict(Verdict::Warn)
        .shown_by(Persona::OtherAudience, witness)
        .help("accept one audience, and one that jobs ask for on purpose");
    found.push(super::assuming(view, draft));
}
