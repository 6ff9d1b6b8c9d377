//! The parts of a decision one by one, for whoever reasons about many tokens: the prover asks the very code that decides.

use std::sync::LazyLock;

use daypass_claims::ClaimSet;

use super::Evaluator;
use crate::context::Context;
use crate::form::{Atom, Audiences, Condition, Policy, Principals};
use crate::truth::Truth;

/// Parts are decided without the policy that they stand in.
static NONE: LazyLock<Policy> = LazyLock::new(Policy::default);

/// Whether a condition holds of a token.
pub fn condition(condition: &Condition, claims: &ClaimSet, context: &Context) -> Truth {
    Evaluator { policy: &NONE, claims, context }.truth(condition)
}

/// Whether a test of one variable holds of a token.
pub fn atom(atom: &Atom, claims: &ClaimSet, context: &Context) -> Truth {
    Evaluator { policy: &NONE, claims, context }.atom(atom).truth
}

/// Why nobody can say whether a test of one variable holds of a token, where that is so.
pub fn why_unknown(atom: &Atom, claims: &ClaimSet, context: &Context) -> Option<String> {
    Evaluator { policy: &NONE, claims, context }.atom(atom).why
}

/// Whether a token is addressed as a statement wants it.
pub fn audience(audiences: &Audiences, claims: &ClaimSet, context: &Context) -> Truth {
    Evaluator { policy: &NONE, claims, context }.addressed(audiences)
}

/// Whether a statement is about the bearer of a token.
pub fn principal(principals: &Principals, claims: &ClaimSet, context: &Context) -> Truth {
    Evaluator { policy: &NONE, claims, context }.principal(principals)
}
