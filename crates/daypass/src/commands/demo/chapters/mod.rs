//! The chapters of the story, in the order in which they are told.

pub(super) mod exchange;
pub(super) mod platform;
pub(super) mod record;
pub(super) mod refusals;

use super::stage::{Answer, SESSION};

/// An answer in a line, as steps expect it.
fn outcome(answer: &Answer, role: &str) -> String {
    match answer {
        Answer::Session(_) => format!("assumed {role} as {SESSION}"),
        Answer::Token(_) => format!("issued a token of {role}"),
        Answer::Refused { reason, .. } => format!("refused: {reason}"),
    }
}
