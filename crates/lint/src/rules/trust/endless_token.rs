use std::time::Duration;

use daypass_trust::Facts;
use daypass_trust::dialect::Located;

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "endless-token",
    name: "The token can be renewed for ever",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Vault],
    what: "A role of Vault whose tokens have a period and no explicit longest life.",
    why: "A token that leaves the job lives for as long as somebody renews it.",
    example: "token_period = 86400",
    instead: "token_ttl = 300
token_max_ttl = 900",
    references: &["https://developer.hashicorp.com/vault/api-docs/auth/jwt"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Facts::Vault(role) = &view.compiled.facts else { return };
    let is_set = |duration: &&Located<Duration>| !duration.value.is_zero();
    let Some(period) = role.token.period.as_ref().filter(is_set) else { return };
    if role.token.explicit_max_ttl.as_ref().is_some_and(|it| !it.value.is_zero()) {
        return;
    }
    let every = daypass_claims::format_duration(period.value);
    let message = format!("whoever has the token can renew it for ever, every {every}");
    let draft = Draft::new(&view.found.source, period.span, view.role(), message);
    found.push(
        draft.verdict(Verdict::Warn).help("set `token_ttl` and `token_max_ttl` to minutes, and no period"),
    );
}
