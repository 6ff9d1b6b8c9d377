use daypass_prove::dead;
use daypass_trust::form::{Atom, Clause, Condition, Policy, Statement, Test};

use crate::blame::{texts, written};
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, clauses};

pub(super) const RULE: Rule = Rule {
    id: "dead-alternative",
    name: "One of several alternatives lets nobody in",
    severity: Severity::Low,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A statement, or one of several values of a condition, that no token can meet, beside others that work.",
    why: "It is a job that is refused, or a name that nobody has and somebody else may take.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:acme/app:ref:refs/heads/main", "repo:acme/app"]}}"#,
    instead: r#"{"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}"#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

/// How many alternatives of one policy are asked about.
const MOST: usize = 16;

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.dead.as_ref().is_none_or(|dead| dead.answer != daypass_prove::Verdict::No) {
        return;
    }
    let mut asked = 0_usize;
    let several = view.allowing().count() > 1;
    for statement in view.allowing() {
        let alone = |statement: Statement| Policy { statements: vec![statement], ..view.policy().clone() };
        if several && asked < MOST {
            asked = asked.saturating_add(1);
            let answer = dead(&alone(statement.clone()), &view.prover);
            if answer.answer == daypass_prove::Verdict::Yes {
                let message = format!("{} lets nobody in", statement.label);
                let draft = Draft::new(&view.found.source, statement.span, view.role(), message);
                found.push(draft.why(answer.why).help("mend or remove it"));
                continue;
            }
        }
        for clause in clauses(&statement.condition) {
            let Condition::Atom(atom) = &clause.body else { continue };
            let Test::OneOf(tests) = &atom.test else { continue };
            for test in tests {
                if asked >= MOST {
                    return;
                }
                asked = asked.saturating_add(1);
                let only = Condition::Atom(Atom { test: test.clone(), ..atom.clone() });
                let narrowed =
                    Statement { condition: with(&statement.condition, clause, &only), ..statement.clone() };
                if dead(&alone(narrowed), &view.prover).answer == daypass_prove::Verdict::Yes {
                    let pattern = texts(test).first().map(|(pattern, _)| (*pattern).clone());
                    let span = pattern.map_or(clause.span, |pattern| written(view, clause, &pattern));
                    let message = format!("{}: no token has this value", clause.name);
                    let draft = Draft::new(&view.found.source, span, view.role(), message);
                    found.push(draft.help("mend or remove the value"));
                }
            }
        }
    }
}

/// The condition with another body for one of its clauses.
fn with(condition: &Condition, clause: &Clause, body: &Condition) -> Condition {
    match condition {
        Condition::All(parts) => Condition::All(parts.iter().map(|part| with(part, clause, body)).collect()),
        Condition::Clause(one) if **one == *clause => {
            Condition::Clause(Box::new(Clause { body: body.clone(), ..clause.clone() }))
        }
        other => other.clone(),
    }
}
