use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "custom-subject",
    name: "A subject that any organisation can have made for itself",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A subject that begins with something other than the repository, as organisations of GitHub can have it.",
    why: "Every organisation chooses the template of its subjects: a stranger's tokens can look the same, character by character.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "workflow:deploy:*"}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repository_owner_id:1001:repository_id:2002:environment:production"}}"#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::CustomSubject,
        |who| format!("any organisation can have such subjects made: `{who}` gets in"),
        "begin the template with the ids of the owner and the repository, or compare them beside the subject",
    ));
}
