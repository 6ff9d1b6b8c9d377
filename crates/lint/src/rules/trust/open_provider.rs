use daypass_prove::{Persona, personas};
use daypass_trust::Facts;
use daypass_trust::document::Value;
use daypass_trust::form::Policy;

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "open-provider",
    name: "The pool lets strangers in, and only its bindings keep them out",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Gcp],
    what: "A provider of a pool that exchanges the tokens of any organisation, where the grants name who is meant.",
    why: "Strangers are principals of the pool. The next grant that somebody writes, to `principalSet://.../*` say, lets them all in.",
    example: "attribute_condition is missing",
    instead: r#"attribute_condition = "assertion.repository_owner_id == '1001'""#,
    references: &[
        "https://docs.cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Facts::Gcp(pool) = &view.compiled.facts else { return };
    if pool.bindings.is_empty() || view.is_open() {
        return;
    }
    let mut unbound = view.found.clone();
    if let Value::Table(members) = &mut unbound.tree.value {
        members.retain(|member| member.name != "bindings");
    }
    let Ok(compiled) = unbound.compile() else { return };
    for (provider, statement) in pool.providers.iter().zip(&compiled.policy.statements) {
        let alone = Policy { statements: vec![statement.clone()], ..compiled.policy.clone() };
        let answers = personas(&alone, view.options.home.as_ref(), &view.prover);
        let stranger = answers.into_iter().find(|it| it.persona == Persona::Stranger);
        let Some(witness) = stranger.and_then(|it| it.answer.witness) else { continue };
        let message = format!("the provider accepts tokens of strangers: `{}`", witness.subject());
        let draft = Draft::new(&view.found.source, provider.span, view.role(), message)
            .verdict(Verdict::Warn)
            .shown_by(Persona::Stranger, &witness)
            .help("give the provider an attribute condition on the id of the organisation");
        found.push(draft);
    }
}
