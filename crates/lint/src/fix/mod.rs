//! Changes of the text that mend a finding.

use serde::Serialize;

/// A change of the text that mends a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it does: lower-case, no full stop.
    pub about: String,
    /// The replacements, by place.
    pub edits: Vec<Edit>,
}

/// A replacement in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// The first byte that is replaced.
    pub start: usize,
    /// One past the last byte that is replaced.
    pub end: usize,
    /// What stands there instead.
    pub text: String,
}
