//! What a job can mint, as a formula.

use std::collections::BTreeSet;

use daypass_claims::ClaimName;
use daypass_issuers::{Mintable, ValueSet};
use daypass_trust::form::{
    Atom, ClaimPath, Condition, Expression, Pattern, Quantifier, Reading, Test, Variable,
};

use crate::space::{Formula, Leaves};
use crate::universe::{Kind, Model, Universe};

/// The tokens of a universe that a job can mint at most: what is not known of it is taken to be anything.
pub(crate) fn tokens_of(job: &Mintable, universe: &Universe, leaves: &mut Leaves) -> Formula {
    let mut all = vec![values(&ClaimName::from("aud"), &job.audiences, universe, leaves)];
    for (name, set) in &job.claims {
        // A claim that nobody looks at and that no subject is made of tells nothing.
        if universe.model(name.as_str()).is_some() {
            all.push(values(name, set, universe, leaves));
        }
    }
    Formula::All(all)
}

fn values(name: &ClaimName, set: &ValueSet, universe: &Universe, leaves: &mut Leaves) -> Formula {
    let (list, text) = kinds(name, universe);
    let claim = Claim { name, list, text };
    claim.of(set, leaves)
}

/// Whether tokens have a list there, and whether they have anything else: some platforms write one audience as a text.
fn kinds(name: &ClaimName, universe: &Universe) -> (bool, bool) {
    let Some(Model::Part(part)) = universe.model(name.as_str()) else { return (false, true) };
    let Some(part) = universe.part(*part) else { return (false, true) };
    let is_list = |kind: &Kind| matches!(kind, Kind::List(_));
    let list = part.kinds.iter().any(is_list);
    (list, !list || !part.kinds.iter().all(is_list))
}

struct Claim<'n> {
    name: &'n ClaimName,
    list: bool,
    text: bool,
}

impl Claim<'_> {
    fn of(&self, set: &ValueSet, leaves: &mut Leaves) -> Formula {
        match set {
            ValueSet::Absent => self.atom(Quantifier::Scalar, Test::Present, leaves).negated(),
            ValueSet::Any | ValueSet::Unknown(_) => Formula::TRUE,
            ValueSet::Exactly(values) if self.list && self.text => {
                Formula::Any(vec![self.one_of(values, leaves), self.items(values, leaves)])
            }
            ValueSet::Exactly(values) if self.list => self.items(values, leaves),
            ValueSet::Exactly(values) => self.one_of(values, leaves),
            ValueSet::Matching(pattern) => match Expression::parse(&format!("^(?:{})$", pattern.regex)) {
                Ok(expression) => self.atom(self.quantifier(), Test::Regex(expression), leaves),
                Err(_) => Formula::TRUE,
            },
            // Whatever is not known of the inner set is not known of the outer one.
            ValueSet::Not(inner) if is_open(inner) => Formula::TRUE,
            ValueSet::Not(inner) => {
                let there = self.atom(Quantifier::Scalar, Test::Present, leaves);
                there.and(self.of(inner, leaves).negated())
            }
            ValueSet::AllOf(sets) => Formula::All(sets.iter().map(|set| self.of(set, leaves)).collect()),
            ValueSet::AnyOf(sets) => Formula::Any(sets.iter().map(|set| self.of(set, leaves)).collect()),
        }
    }

    /// A text that is one of these.
    fn one_of(&self, values: &BTreeSet<String>, leaves: &mut Leaves) -> Formula {
        leaves.claim(self.name, values.iter().map(|value| Pattern::literal(value.as_str())).collect())
    }

    /// A list of these items, each of them and no other.
    fn items(&self, values: &BTreeSet<String>, leaves: &mut Leaves) -> Formula {
        let tests: Vec<Test> = values.iter().map(|value| Test::equals(value.as_str())).collect();
        let mut all = vec![self.atom(Quantifier::AllOf, Test::OneOf(tests.clone()), leaves)];
        all.extend(tests.into_iter().map(|test| self.atom(Quantifier::AnyOf, test, leaves)));
        Formula::All(all)
    }

    const fn quantifier(&self) -> Quantifier {
        if self.list { Quantifier::AnyOf } else { Quantifier::Scalar }
    }

    fn atom(&self, quantifier: Quantifier, test: Test, leaves: &mut Leaves) -> Formula {
        let variable = Variable::Claim(ClaimPath::claim(self.name.clone()));
        leaves.condition(&Condition::Atom(Atom { variable, reading: Reading::Strict, quantifier, test }))
    }
}

/// Whether a set holds something that is not known, or that no expression is made of.
fn is_open(set: &ValueSet) -> bool {
    match set {
        ValueSet::Unknown(_) => true,
        ValueSet::Matching(pattern) => Expression::parse(&pattern.regex).is_err(),
        ValueSet::Not(inner) => is_open(inner),
        ValueSet::AllOf(sets) | ValueSet::AnyOf(sets) => sets.iter().any(is_open),
        ValueSet::Absent | ValueSet::Any | ValueSet::Exactly(_) => false,
    }
}
