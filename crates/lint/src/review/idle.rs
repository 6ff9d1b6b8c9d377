//! Parts of a trust policy that no session needed: statements, and values of conditions that ask for one of several.
//!
//! A part was not used if the policy with that part alone admits no token with a subject that was seen, and that is proved. Every
//! token with such a subject that the policy admits gets in by way of another part, so that it does without all of these at once.
//! What no token meets at all is left to the rule `dead-alternative`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daypass_claims::Issuer;
use daypass_prove::{Verdict, dead};
use daypass_trust::document::Span;
use daypass_trust::form::{
    Atom, Clause, Condition, Pattern, Policy, Quantifier, Statement, Test, TokenIssuers,
};
use serde::Serialize;

use super::Trust;
use crate::blame::{replace, texts};
use crate::view::{admits_tokens, clauses, equals, value_span};

/// Subjects that were seen, by who vouched for them.
pub(super) type Subjects = BTreeMap<Issuer, BTreeSet<String>>;

/// A part of a trust policy that no session needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Idle {
    /// The file that it stands in.
    pub file: Arc<str>,
    /// The 1-based line.
    pub line: usize,
    /// A statement by its name, or a value with the condition that asks for it.
    pub what: String,
}

/// What was not used of a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Unused {
    pub(super) parts: Vec<Idle>,
    /// Indices of statements that were not used at all.
    statements: BTreeSet<usize>,
}

/// How many parts of a policy are asked about.
const MOST: usize = 32;

/// The parts that nobody needed of those who were seen.
pub(super) fn find(trust: &Trust<'_>, seen: &Subjects) -> Unused {
    let mut unused = Unused::default();
    let mut left = MOST;
    let mut asked = |index: usize, condition: &Condition| {
        let more = left.checked_sub(1);
        left = more.unwrap_or_default();
        more.is_some() && is_unused(trust, index, condition, seen)
    };
    let allowing = || trust.policy.statements.iter().enumerate().filter(|(_, it)| admits_tokens(it));
    let several = allowing().nth(1).is_some();
    for (index, statement) in allowing() {
        if several && asked(index, &statement.condition) {
            unused.statements.insert(index);
            unused.parts.push(trust.idle(statement.span, statement.label.clone()));
            continue;
        }
        for (clause, value, span, condition) in values(trust, statement) {
            if asked(index, &condition) {
                unused.parts.push(trust.idle(span, format!("`{value}` of {}", clause.name)));
            }
        }
    }
    unused
}

impl Unused {
    /// The policy with its statements in another order: first those that were used, which are the ones to write from.
    pub(super) fn put_last(&self, policy: &Policy) -> Policy {
        let (last, first): (Vec<_>, Vec<_>) =
            policy.statements.iter().cloned().enumerate().partition(|(at, _)| self.statements.contains(at));
        let statements = first.into_iter().chain(last).map(|(_, it)| it).collect();
        Policy { statements, ..policy.clone() }
    }
}

/// The values of which a statement's conditions ask for one: each with its clause, where it stands, and the statement's whole
/// condition if it were the only one.
fn values<'t>(
    trust: &Trust<'t>,
    statement: &'t Statement,
) -> impl Iterator<Item = (&'t Clause, String, Span, Condition)> {
    clauses(&statement.condition).into_iter().flat_map(move |clause| {
        let tests = match &clause.body {
            // Of lists every item of which has to be one of these, none may do without several.
            Condition::Atom(Atom { quantifier: Quantifier::AllOf, .. }) => &[][..],
            Condition::Atom(Atom { test: Test::OneOf(tests), .. }) => tests,
            _ => &[],
        };
        tests.iter().filter_map(move |test| {
            let Condition::Atom(atom) = &clause.body else { return None };
            let texts = texts(test);
            let [(pattern, _)] = texts.as_slice() else { return None };
            let mut condition = statement.condition.clone();
            replace(&mut condition, clause, &Condition::Atom(Atom { test: test.clone(), ..atom.clone() }));
            Some((clause, pattern.to_string(), trust.written(clause, pattern), condition))
        })
    })
}

/// Whether a statement with this condition, and no other that admits tokens, is of use to nobody who was seen, though it is to
/// somebody.
fn is_unused(trust: &Trust<'_>, index: usize, condition: &Condition, seen: &Subjects) -> bool {
    let alone = |issuer: Option<(&Issuer, &BTreeSet<String>)>| {
        let others = |(at, it): &(usize, Statement)| *at == index || !admits_tokens(it);
        let statements = trust.policy.statements.iter().cloned().enumerate().filter(others);
        let narrowed = statements.map(|(at, mut it)| {
            if at == index {
                it.condition = condition.clone();
                if let Some((issuer, subjects)) = issuer {
                    narrow(&mut it, issuer, subjects);
                }
            }
            it
        });
        Policy { statements: narrowed.collect(), ..trust.policy.clone() }
    };
    let answer = |policy: &Policy| dead(policy, &trust.prover).answer;
    seen.iter().all(|it| answer(&alone(Some(it))) == Verdict::Yes) && answer(&alone(None)) == Verdict::No
}

/// The same statement for these subjects alone.
fn narrow(statement: &mut Statement, issuer: &Issuer, subjects: &BTreeSet<String>) {
    if let TokenIssuers::Exactly(issuers) = &mut statement.principals.tokens {
        issuers.retain(|it| it == issuer);
    }
    let any = Condition::Any(subjects.iter().map(|subject| equals("sub", subject)).collect());
    statement.condition = Condition::All(vec![any, statement.condition.clone()]);
}

impl Trust<'_> {
    fn idle(&self, span: Span, what: String) -> Idle {
        let place = self.found.source.at(span);
        Idle { file: place.file, line: place.line, what }
    }

    /// Where a value stands.
    fn written(&self, clause: &Clause, pattern: &Pattern) -> Span {
        value_span(self.found, clause, |text| Pattern::glob(text) == *pattern)
    }
}
