//! Proofs that one policy admits nothing that another does not, written down so that they can be checked without searching.

mod check;

use daypass_claims::{ClaimValue, Issuer};
use daypass_trust::Truth;
use daypass_trust::form::Policy;
use serde::{Deserialize, Serialize};

pub use check::CertificateError;

use crate::space::{Diagram, Formula, Inexact, LeafId, Space, TooMany};
use crate::world::{Issuers, Options, World, issuers_of, universes};

/// The most cases that a certificate distinguishes.
const MOST_CASES: usize = 20_000;

/// A proof that everything that one policy admits another admits, case by case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// One proof for each issuer and form of its subjects.
    pub universes: Vec<UniverseProof>,
}

/// The proof for the tokens of one issuer whose subjects have one form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UniverseProof {
    /// Whose tokens.
    pub issuer: Issuer,
    /// The form of their subjects, where the issuer has several.
    pub form: Option<String>,
    /// Why none of them is admitted by the first policy and not by the second.
    pub cases: Cases,
}

/// Cases that together are all there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cases {
    /// What is told apart so far is enough: whatever else a token is like, the first policy refuses it, or the second admits
    /// it, or there is no such token.
    Plain,
    /// It depends on a part of the token.
    By {
        /// The part: a claim or a piece of one.
        part: String,
        /// Every class of its values is in one of these.
        branches: Vec<Branch>,
    },
}

/// Values of a part for which the same cases are told apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// One value for each class, as its JSON text; `None` is absence.
    pub values: Vec<Option<String>>,
    /// The cases.
    pub then: Cases,
}

/// Writes down why everything that the first policy admits the second admits; `None` where that is not so, is not known, or
/// takes too many cases.
pub fn certify(one: &Policy, two: &Policy, options: &Options) -> Option<Certificate> {
    let Issuers { known, others } = issuers_of(&[one, two], options);
    if !others.is_empty() {
        return None;
    }
    let mut proofs = Vec::new();
    for issuer in &known {
        for universe in universes(issuer, &[one, two], options) {
            let world = World::new(&universe, &[one, two], options, |_| Vec::new());
            let cases = Writer::new(&world.space, difference(&world)).ok()?.write()?;
            let form = universe.form().map(str::to_owned);
            proofs.push(UniverseProof { issuer: issuer.clone(), form, cases });
        }
    }
    Some(Certificate { universes: proofs })
}

/// Of which tokens it is to be shown that there are none: of today, admitted by the first policy and not by the second.
fn difference(world: &World<'_>) -> Formula {
    let mut all: Vec<Formula> = world.today.iter().map(|fact| fact.holds.clone()).collect();
    if let [one, two] = world.admits.as_slice() {
        all.extend([one.clone(), two.clone().negated()]);
    }
    all.push(world.space.holds().clone());
    Formula::All(all)
}

/// What a formula is, given what is known of its leaves; `None` where that leaves it open.
fn truth_of(formula: &Formula, leaf: &impl Fn(LeafId) -> Option<Truth>) -> Option<Truth> {
    match formula {
        Formula::Leaf(id) => leaf(*id),
        Formula::Known(truth) => Some(*truth),
        Formula::Unknown(_) => Some(Truth::Unknown),
        Formula::Not(inner) => truth_of(inner, leaf).map(|truth| !truth),
        Formula::All(parts) => join(parts.iter().map(|part| truth_of(part, leaf)), Truth::False),
        Formula::Any(parts) => join(parts.iter().map(|part| truth_of(part, leaf)), Truth::True),
    }
}

/// One that settles it settles it, whatever the others are.
fn join(parts: impl Iterator<Item = Option<Truth>>, settles: Truth) -> Option<Truth> {
    let parts: Vec<Option<Truth>> = parts.collect();
    if parts.contains(&Some(settles)) {
        return Some(settles);
    }
    let known: Option<Vec<Truth>> = parts.into_iter().collect();
    known.map(|known| if settles == Truth::False { Truth::all(known) } else { Truth::any(known) })
}

/// Writes the cases of one universe.
struct Writer<'s, 'u> {
    space: &'s Space<'u>,
    formula: Formula,
    leaves: Vec<LeafId>,
    /// By leaf of the formula: what it says, as far as the cases leave it open.
    diagrams: Vec<Diagram>,
    left: usize,
}

impl<'s, 'u> Writer<'s, 'u> {
    fn new(space: &'s Space<'u>, formula: Formula) -> Result<Self, TooMany> {
        let leaves = formula.leaves();
        let diagrams: Result<Vec<Diagram>, TooMany> =
            leaves.iter().map(|leaf| space.diagram(&Formula::Leaf(*leaf), Inexact::Unknown)).collect();
        Ok(Self { space, formula, leaves, diagrams: diagrams?, left: MOST_CASES })
    }

    fn write(mut self) -> Option<Cases> {
        let diagrams = self.diagrams.clone();
        self.cases(&diagrams)
    }

    fn cases(&mut self, diagrams: &[Diagram]) -> Option<Cases> {
        self.left = self.left.checked_sub(1)?;
        let known = |leaf: LeafId| {
            let at = self.leaves.binary_search(&leaf).ok()?;
            diagrams.get(at)?.truth()
        };
        match truth_of(&self.formula, &known) {
            Some(Truth::False) => return Some(Cases::Plain),
            Some(Truth::True | Truth::Unknown) => return None,
            None => {}
        }
        let level = self.first_level(diagrams)?;
        let (_, dimension) = self.space.at_level(level)?;
        let mut branches: Vec<(Vec<Diagram>, Vec<Option<String>>)> = Vec::new();
        for (class, its) in dimension.classes.iter().enumerate() {
            let next = self.follow(diagrams, level, class);
            let value = its.value.as_ref().map(ClaimValue::to_string);
            match branches.iter_mut().find(|(known, _)| *known == next) {
                Some((_, values)) => values.push(value),
                None => branches.push((next, vec![value])),
            }
        }
        let part = self.space.name_of(dimension);
        let mut written = Vec::with_capacity(branches.len());
        for (next, values) in branches {
            written.push(Branch { values, then: self.cases(&next)? });
        }
        Some(Cases::By { part, branches: written })
    }

    /// The first level that some leaf still asks about.
    fn first_level(&self, diagrams: &[Diagram]) -> Option<usize> {
        let all = self.space.diagrams().borrow();
        diagrams.iter().filter_map(|diagram| all.asks(*diagram)).map(|(level, _)| level).min()
    }

    fn follow(&self, diagrams: &[Diagram], level: usize, class: usize) -> Vec<Diagram> {
        let all = self.space.diagrams().borrow();
        let next = diagrams.iter().map(|diagram| match all.asks(*diagram) {
            Some((asked, follows)) if asked == level => follows.get(class).copied().unwrap_or(*diagram),
            _ => *diagram,
        });
        next.collect()
    }
}
