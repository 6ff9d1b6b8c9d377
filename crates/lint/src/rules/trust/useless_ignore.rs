use daypass_trust::document::{Source, Span};

use crate::finding::{Confidence, Draft, Finding, Severity};
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "useless-ignore",
    name: "An ignore comment does nothing",
    severity: Severity::Low,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A comment that ignores a rule that does not exist, gives no reason, or has nothing to ignore.",
    why: "It looks as if somebody had accepted something. A comment that outlives its finding hides the next one.",
    example: "# daypass:ignore repository-wide",
    instead: "# daypass:ignore repository-wide every branch of the sandbox deploys",
    references: &[],
    check: Check::Engine,
};

/// A comment that does nothing, and why.
pub(crate) fn useless_ignore(source: &Source, span: Span, message: String) -> Finding {
    let draft = Draft::new(source, span, "", message);
    draft.help("write `daypass:ignore RULE REASON`, or remove the comment").finish(&RULE)
}
