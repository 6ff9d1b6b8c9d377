use daypass_prove::Persona;

use crate::finding::{Confidence, Draft, Severity};
use crate::reach::Reach;
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "organisation-wide",
    name: "Every repository of the organisation gets in",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A role that jobs of other repositories of the organisation can assume.",
    why: "The weakest repository of the organisation decides who deploys: whoever can push to any of them gets the credential.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:environment:production"}}"#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Reach::Organisation(witness) = Reach::of(view) else { return };
    let message = format!("every repository of the organisation gets in: `{}`", witness.subject());
    let draft = super::inside(view, Persona::Sibling, witness, message);
    found.extend(draft.map(|it| it.help("name the one repository that deploys")));
}
