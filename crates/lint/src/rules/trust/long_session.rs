use std::time::Duration;

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "long-session",
    name: "Sessions outlast every job",
    severity: Severity::Low,
    confidence: Confidence::High,
    applies_to: &[Subject::Aws],
    what: "A role for CI tokens that allows sessions of more than four hours.",
    why: "A credential that leaves the job works until its session ends.",
    example: "max_session_duration = 43200",
    instead: "max_session_duration = 3600",
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html"],
    check: Check::Policy(check),
};

/// The longest session that passes, in seconds.
const LONGEST: u64 = 4 * 3_600;

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Some(seconds) = view.found.facts.max_session.filter(|seconds| *seconds > LONGEST) else { return };
    if view.allowing().next().is_none() {
        return;
    }
    let long = daypass_claims::format_duration(Duration::from_secs(seconds));
    let message = format!("a session of the role may last {long}");
    let draft = Draft::new(&view.found.source, view.found.tree.span, view.role(), message);
    found.push(draft.help("allow an hour, and let long jobs ask again"));
}
