use daypass_prove::Persona;

use crate::finding::{Confidence, Draft, Severity};
use crate::reach::{Reach, differs_by_case};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "ignored-case",
    name: "Letter case is ignored",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Aws, Subject::Gcp],
    what: "A comparison without regard to letter case over a claim that names a branch or an environment.",
    why: "`MAIN` and `main` are two branches, and the protection of the one says nothing about the other.",
    example: r#"{"StringEqualsIgnoreCase": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}"#,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let Reach::Parts = Reach::of(view) else { return };
    let Some(witness) = view.admitted(Persona::AnyBranch).filter(|witness| differs_by_case(view, witness))
    else {
        return;
    };
    let message = format!("another branch gets in, which differs in letter case: `{}`", witness.subject());
    let draft = super::inside(view, Persona::AnyBranch, witness, message);
    found.extend(draft.map(|it| it.help("compare letter case, too")));
}
