//! All tokens of a universe, as far as some formulas tell them apart: finitely many values for each part, and a search
//! through their combinations.
//!
//! A language that a policy tests is run over every part that the tested claim is made of, from every state that it can be
//! in there. Values of a part that no such run tells apart are one class: whatever holds of one token holds of every token
//! that differs from it only within classes. What a formula says of a class is not worked out here but asked of
//! `daypass_trust::evaluate`, so proving and deciding cannot come to differ.

mod build;
mod class;
mod diagram;
mod dimension;
mod formula;
mod language;
mod languages;
mod plausible;
mod scope;
mod search;
mod texts;
mod values;

use std::cell::RefCell;
use std::collections::HashMap;

use daypass_claims::{ClaimSet, ClaimValue};
use daypass_trust::evaluate::parts;
use daypass_trust::form::{Pattern, RequestKey};
use daypass_trust::{Context, Truth};

pub(crate) use build::expression_of;
pub(crate) use diagram::{Cube, Diagram, Diagrams, TooMany};
pub(crate) use dimension::{Class, Dimension, Subject};
pub(crate) use formula::{Formula, Leaf, LeafId, Leaves};
pub(crate) use language::{Language, patterns_of, words_of};
pub(crate) use languages::Languages;
pub(crate) use plausible::Hints;
pub(crate) use scope::Scope;
pub(crate) use search::{Choice, Found, GAVE_UP, Inexact};

use crate::universe::{PartId, Universe};

/// Tokens of a universe as far as some formulas tell them apart.
#[derive(Debug)]
pub(crate) struct Space<'u> {
    universe: &'u Universe,
    leaves: Vec<Leaf>,
    /// By leaf: what it depends on.
    scopes: Vec<Scope>,
    dimensions: Vec<Dimension>,
    /// By level: the dimension that diagrams ask about there.
    order: Vec<usize>,
    /// By dimension: its level.
    levels: Vec<usize>,
    /// What is true of every token.
    holds: Formula,
    /// What the request says beside the token.
    context: Context,
    languages: Languages,
    diagrams: RefCell<Diagrams>,
    leaf_diagrams: RefCell<HashMap<LeafId, Diagram>>,
}

impl Space<'_> {
    pub(crate) const fn universe(&self) -> &Universe {
        self.universe
    }

    /// What a leaf says of the tokens of these classes; every dimension that it depends on must be chosen.
    pub(crate) fn ask(&self, leaf: LeafId, chosen: &[Option<usize>]) -> Truth {
        let mut claims = ClaimSet::new();
        for name in self.scopes.get(leaf).into_iter().flat_map(|scope| &scope.claims) {
            if let Some(value) = self.universe.value_of(name, &|part| self.value(part, chosen)) {
                claims.insert(name.as_str(), value);
            }
        }
        match self.leaves.get(leaf) {
            Some(Leaf::Atom(atom)) => parts::atom(atom, &claims, &self.context_of(chosen)),
            Some(Leaf::Audience(audiences)) => parts::audience(audiences, &claims, &self.context_of(chosen)),
            Some(Leaf::Guard(guard)) => guard.holds(claims.get(guard.claim.as_str())).into(),
            Some(Leaf::Part(part, patterns)) => {
                let matches = |text: &str| {
                    let pattern = |(pattern, ignore_case): &(Pattern, bool)| {
                        pattern.matches(text, *ignore_case, &mut |_| None)
                    };
                    patterns.iter().any(pattern)
                };
                match self.value(*part, chosen) {
                    Some(ClaimValue::Array(items)) => {
                        items.iter().filter_map(ClaimValue::as_str).any(matches)
                    }
                    value => value.and_then(ClaimValue::as_str).is_some_and(matches),
                }
                .into()
            }
            None => Truth::Unknown,
        }
    }

    /// The value of a part: the chosen one, else the usual one.
    fn value<'v>(&'v self, part: PartId, chosen: &[Option<usize>]) -> Option<&'v ClaimValue> {
        let position = self.dimensions.iter().position(|dimension| dimension.subject == Subject::Part(part));
        let class = position.and_then(|position| {
            let class = chosen.get(position).copied().flatten()?;
            self.dimensions.get(position)?.classes.get(class)
        });
        match class {
            Some(class) => class.value.as_ref(),
            None => self.universe.part(part)?.usual(),
        }
    }

    /// What a leaf depends on.
    pub(crate) fn scope(&self, leaf: LeafId) -> Option<&Scope> {
        self.scopes.get(leaf)
    }

    /// What a dimension is called.
    pub(crate) fn name_of(&self, dimension: &Dimension) -> String {
        match &dimension.subject {
            Subject::Part(id) => self.universe.part(*id).map_or_else(String::new, |part| part.name.clone()),
            Subject::Request(key) => key.name(),
            Subject::Time => RequestKey::CurrentTime.name(),
        }
    }

    pub(crate) fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The dimension that diagrams ask about at a level, and its place.
    pub(crate) fn at_level(&self, level: usize) -> Option<(usize, &Dimension)> {
        let place = self.order.get(level).copied()?;
        Some((place, self.dimensions.get(place)?))
    }

    /// What every token is like.
    pub(crate) const fn holds(&self) -> &Formula {
        &self.holds
    }

    pub(crate) const fn leaves(&self) -> &Vec<Leaf> {
        &self.leaves
    }

    pub(crate) const fn languages(&self) -> &Languages {
        &self.languages
    }

    /// What nothing at hand tells apart is chosen from these diagrams.
    pub(crate) const fn diagrams(&self) -> &RefCell<Diagrams> {
        &self.diagrams
    }

    /// The value of a part in a token of these classes.
    pub(crate) fn part_value(&self, part: PartId, chosen: &[Option<usize>]) -> Option<ClaimValue> {
        self.value(part, chosen).cloned()
    }

    /// The value of a claim, or of a part by its name, in a token of these classes.
    pub(crate) fn claim_value(&self, name: &str, chosen: &[Option<usize>]) -> Option<ClaimValue> {
        self.universe.value_of(name, &|part| self.value(part, chosen))
    }

    /// Whether a part can be nothing else in tokens of these classes.
    pub(crate) fn is_only(&self, part: PartId, chosen: &[Option<usize>]) -> bool {
        let position = self.dimensions.iter().position(|dimension| dimension.subject == Subject::Part(part));
        let class = position.and_then(|position| {
            let class = chosen.get(position).copied().flatten()?;
            self.dimensions.get(position)?.classes.get(class)
        });
        class.is_some_and(|class| class.only)
    }

    /// The request that goes with a token of these classes.
    pub(crate) fn context_of(&self, chosen: &[Option<usize>]) -> Context {
        let mut context = self.context.clone();
        for (dimension, class) in self.dimensions.iter().zip(chosen) {
            let value =
                class.and_then(|class| dimension.classes.get(class)).and_then(|class| class.value.as_ref());
            match (&dimension.subject, value) {
                (Subject::Request(key), Some(value)) => context = context.with(key.clone(), value.clone()),
                (Subject::Time, Some(ClaimValue::String(text))) => {
                    if let Ok(time) = daypass_claims::Timestamp::parse(text) {
                        context = context.time(time);
                    }
                }
                _ => {}
            }
        }
        context
    }

    /// What the request of a token of these classes says, where something depends on it.
    pub(crate) fn request_of(&self, chosen: &[Option<usize>]) -> Vec<(RequestKey, ClaimValue)> {
        let of = |(dimension, class): (&Dimension, &Option<usize>)| {
            let value = dimension.classes.get((*class)?)?.value.clone()?;
            match &dimension.subject {
                Subject::Request(key) => Some((key.clone(), value)),
                Subject::Time => Some((RequestKey::CurrentTime, value)),
                Subject::Part(_) => None,
            }
        };
        self.dimensions.iter().zip(chosen).filter_map(of).collect()
    }

    /// The whole token of these classes.
    pub(crate) fn token(&self, chosen: &[Option<usize>]) -> ClaimSet {
        self.universe.token(|part| self.value(part, chosen))
    }
}
