//! The rules, a file each, and the list of them.

mod pipeline;
mod trust;

use std::sync::LazyLock;

use crate::Rule;

pub(crate) use trust::{refused, useless_ignore};

/// Every rule: those about trust, then those about pipelines, in the order of the reference page.
pub static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| trust::RULES.iter().chain(pipeline::RULES).copied().collect());

/// The rule of an id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}
