//! Rules about pipelines: what a job does with a token, and what it does without one.

use crate::Rule;

/// The rules, in the order of their page.
pub(super) const RULES: &[Rule] = &[];
