use daypass_prove::{Answer, Persona, Verdict};

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, leaves_principal_open};

pub(super) const RULE: Rule = Rule {
    id: "undecided",
    name: "Whether strangers get in cannot be told",
    severity: Severity::Info,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A policy of which nobody can say whether it lets other organisations in, and why.",
    why: "Something is left to the cloud or to a value that the files do not hold. What is not known is not called safe.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "${aws:PrincipalTag/subject}"}}"#,
    instead: "write the value out, or let the checker see the file that it comes from",
    references: &[],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if let Some(statement) = view.policy().statements.iter().find(|it| leaves_principal_open(it)) {
        let why = statement.principals.unknown.clone().unwrap_or_default();
        let message =
            format!("whose tokens are meant, and so whether strangers get in, cannot be told: {why}");
        found.push(Draft::new(&view.found.source, statement.span, view.role(), message).why([why]));
        return;
    }
    let unknown = |answer: &&Answer| answer.answer == Verdict::Unknown;
    let answer = view.answer(Persona::Stranger).filter(unknown);
    let Some(answer) = answer.or_else(|| view.dead.as_ref().filter(unknown)) else { return };
    let why = answer.why.first().map_or_else(String::new, |why| format!(": {why}"));
    let message = format!("whether strangers get in cannot be told{why}");
    let span = view.policy().statements.first().map_or(view.found.tree.span, |statement| statement.span);
    let draft = Draft::new(&view.found.source, span, view.role(), message);
    found.push(draft.why(answer.why.iter().cloned()));
}
