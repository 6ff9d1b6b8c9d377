//! What a refused caller is told.

use daypass_claims::ClaimSet;
use daypass_issuers::{Binds, Platform};
use daypass_store::DecisionId;
use daypass_token::VerifiedToken;
use daypass_trust::evaluate::{StatementTrace, Trace, TraceKind};
use daypass_trust::{Evaluation, Truth};

use crate::config::ExplainToCaller;
use crate::refusal::Refusal;

/// A refusal, as the caller hears of it.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The decision; the operator finds everything under it.
    pub decision: DecisionId,
    /// Why, for the wire to choose its code by.
    pub refusal: Refusal,
    /// What the caller may know beside the decision; empty for nothing.
    pub hint: String,
}

/// Words a refusal for the caller.
///
/// Before a token has verified, and about its times, audience and signature, the reason says only what the caller itself
/// presented. What trust wants is the operator's business: the caller learns at most which of *its own* claims did not
/// fit, and only if the trust is about its organisation; to all others every refusal reads the same, and so does a role
/// that does not exist.
pub(crate) fn refused(
    mode: ExplainToCaller,
    decision: DecisionId,
    refusal: Refusal,
    token: Option<(&VerifiedToken, Option<&Platform>)>,
) -> Refused {
    let hint = match (&refusal, mode) {
        (
            Refusal::Denied(_) | Refusal::Undecided(_) | Refusal::UnknownRole(_) | Refusal::RoleRefused(_),
            ExplainToCaller::Reference,
        ) => String::new(),
        (Refusal::Denied(evaluation) | Refusal::Undecided(evaluation), ExplainToCaller::OwnClaims) => {
            token.and_then(|(token, platform)| own_claims(evaluation, token, platform)).unwrap_or_default()
        }
        (Refusal::Denied(evaluation) | Refusal::Undecided(evaluation), ExplainToCaller::Full) => {
            full(evaluation)
        }
        (Refusal::UnknownRole(_) | Refusal::RoleRefused(_), ExplainToCaller::OwnClaims) => String::new(),
        // What the store or a library said is for the log.
        (Refusal::Random(_) | Refusal::Mint(_), _) => String::new(),
        (refusal, _) => refusal.to_string(),
    };
    Refused { decision, refusal, hint }
}

fn full(evaluation: &Evaluation) -> String {
    let misses: Vec<String> = evaluation.nearest_miss.iter().map(ToString::to_string).collect();
    if misses.is_empty() { evaluation.reasons.join("; ") } else { misses.join("; ") }
}

/// The caller's claims that stood in the way of the statement it came nearest to, if that statement is about it.
fn own_claims(evaluation: &Evaluation, token: &VerifiedToken, platform: Option<&Platform>) -> Option<String> {
    let nearest = evaluation.nearest_miss.first()?;
    let statement = evaluation.statements.iter().find(|statement| statement.label == nearest.statement)?;
    if !concerns(statement, token, platform) {
        return None;
    }
    let own: Vec<String> = evaluation
        .nearest_miss
        .iter()
        .filter(|miss| miss.statement == nearest.statement)
        .filter_map(|miss| own_claim(&miss.condition, token.claims()))
        .collect();
    (!own.is_empty()).then(|| format!("{} of the token does not fit", own.join(", ")))
}

/// Whether a statement is about the caller's issuer, audience and organisation.
fn concerns(statement: &StatementTrace, token: &VerifiedToken, platform: Option<&Platform>) -> bool {
    let bindings = |check: &&Trace| matches!(check.kind, TraceKind::Principal | TraceKind::Audience);
    if statement.checks.iter().filter(bindings).any(|check| check.result != Truth::True) {
        return false;
    }
    let Some(platform) = platform else { return false };
    let organisation: Vec<&str> = platform
        .tenants
        .organisation
        .iter()
        .chain(&platform.tenants.organisation_names)
        .map(|slot| slot.name.as_str())
        .collect();
    let about_organisation: Vec<&Trace> = statement
        .checks
        .iter()
        .filter(|check| organisation.iter().any(|claim| names_claim(&check.name, claim)))
        .collect();
    let by_issuer = platform.binds(token.issuer()).is_some_and(|binds| binds != Binds::Nothing);
    let all_hold = about_organisation.iter().all(|check| check.result == Truth::True);
    all_hold && (by_issuer || !about_organisation.is_empty())
}

/// Whether a condition, as its author wrote it, is about a claim.
fn names_claim(condition: &str, claim: &str) -> bool {
    condition.strip_suffix(claim).is_some_and(|before| before.ends_with(['.', ':']))
}

fn own_claim(condition: &str, claims: &ClaimSet) -> Option<String> {
    let (name, value) = claims.iter().find(|(name, _)| names_claim(condition, name.as_str()))?;
    Some(format!("`{name}` = {value}"))
}
