//! Regular languages over one alphabet: patterns and expressions become deterministic automata.

mod alphabet;
#[cfg(test)]
mod derivatives;
mod dfa;
mod expression;
mod machine;
mod nfa;
mod pattern;
#[cfg(test)]
mod tests;

pub(crate) use alphabet::{Alphabet, Cuts, Symbol};
pub(crate) use dfa::{Columns, Dfa, DfaState};
pub(crate) use expression::{Unsupported, expression_cuts, expression_dfa, search_dfa};
pub(crate) use machine::Machine;
pub(crate) use pattern::{arn_dfa, pattern_cuts, union_dfa};

/// A language has more states than are worth building: an honest "unknown" is better than minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it needs an automaton of more than {limit} states")]
pub(crate) struct TooLarge {
    pub(crate) limit: usize,
}

/// The most states that one language may have. `*a` and twelve `?` need 8,192.
pub(crate) const STATES: usize = 2_048;
