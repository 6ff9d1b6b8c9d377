//! How things look on a terminal.

mod evaluation;
mod problem;
pub(crate) mod style;
mod table;
mod time;

pub(crate) use evaluation::evaluation;
pub(crate) use problem::{problem_json, problems, warnings};
pub(crate) use table::Table;
pub(crate) use time::ago;

/// `1 role`, `2 roles`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
