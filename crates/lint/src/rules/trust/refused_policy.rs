use daypass_sources::FoundPolicy;
use daypass_trust::CompileError;
use daypass_trust::document::Problem;

use crate::finding::{Confidence, Draft, Finding, Severity};
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "refused-policy",
    name: "The document is no policy of its dialect",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A document that its own cloud, or daypass, refuses: an operator that does not exist, a member twice, a risk that was not accepted.",
    why: "It cannot be deployed, or means something other than it says: of two members of one name most readers keep one.",
    example: r#"{"StringLikes": {"token.actions.githubusercontent.com:sub": "repo:acme/app:*"}}"#,
    instead: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/app:*"}}"#,
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"],
    check: Check::Engine,
};

/// What is wrong with a policy that did not compile.
pub(crate) fn refused(policy: &FoundPolicy, error: &CompileError) -> Vec<Finding> {
    let of_source = |problem: &&Problem| *problem.location.file == *policy.source.name();
    let drafts = error.problems.iter().filter(of_source).map(|problem| {
        let draft = Draft::new(&policy.source, problem.span, &policy.role, problem.message.clone());
        Draft { help: problem.help.clone(), ..draft }
    });
    drafts.map(|draft| draft.finish(&RULE)).collect()
}
