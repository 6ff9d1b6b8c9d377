use crate::finding::{Confidence, Draft, Severity};
use crate::reach::Reach;
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "repository-wide",
    name: "Every run of the repository gets in",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A role that any branch, tag, pull request or environment of the repository can assume.",
    why: "Whoever can push a branch has the credential before anybody has reviewed a line.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/app:*"}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:environment:production"}}"#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Reach::Repository(persona, witness) = Reach::of(view) else { return };
    let message = format!("every run of the repository gets in: `{}`", witness.subject());
    let draft = super::inside(view, persona, witness, message);
    found.extend(draft.map(|it| it.help("name the environment or the branch that deploys")));
}
