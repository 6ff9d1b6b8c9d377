//! The checker of certificates. It searches nothing and trusts no diagram: it goes through the cases that are written, sees to
//! it that they are all there are, and asks `daypass_trust::evaluate` what each condition says of them.

use daypass_claims::{ClaimValue, Issuer};
use daypass_trust::Truth;
use daypass_trust::form::Policy;

use super::{Branch, Cases, Certificate, difference, truth_of};
use crate::space::{Formula, LeafId, Space};
use crate::world::{Options, World, issuers_of, universes};

/// The most values that one condition is asked about in one case.
const MOST_QUESTIONS: usize = 20_000;

/// Why a certificate proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A policy is about issuers that it does not name.
    #[error("{0}, so no list of issuers is complete")]
    OpenIssuers(String),
    /// Tokens that can be minted are not spoken of.
    #[error("it does not speak of tokens of {issuer} with {form} subjects")]
    Missing {
        /// The issuer.
        issuer: Issuer,
        /// The form of subject.
        form: String,
    },
    /// It asks about something that no condition depends on.
    #[error("no condition depends on `{0}`")]
    NoPart(String),
    /// It names a value that stands for no class of its part.
    #[error("`{0}` has a branch for a value that stands for none of its classes")]
    NoValue(String),
    /// Some values of a part are in no branch.
    #[error("the branches of `{0}` leave values out")]
    Incomplete(String),
    /// A case is not decided by what it tells apart.
    #[error("a case is said to be plain and is not: {0}")]
    NotPlain(String),
}

impl Certificate {
    /// Whether this proves that everything that the first policy admits the second admits.
    pub fn check(&self, one: &Policy, two: &Policy, options: &Options) -> Result<(), CertificateError> {
        let issuers = issuers_of(&[one, two], options);
        if let Some(why) = issuers.others.into_iter().next() {
            return Err(CertificateError::OpenIssuers(why));
        }
        for issuer in &issuers.known {
            for universe in universes(issuer, &[one, two], options) {
                let written = self
                    .universes
                    .iter()
                    .find(|it| it.issuer == *issuer && it.form.as_deref() == universe.form())
                    .ok_or_else(|| CertificateError::Missing {
                        issuer: issuer.clone(),
                        form: universe.form().unwrap_or("its").to_owned(),
                    })?;
                let world = World::new(&universe, &[one, two], options, |_| Vec::new());
                let space = &world.space;
                let all: Vec<Vec<usize>> =
                    space.dimensions().iter().map(|it| (0..it.classes.len()).collect()).collect();
                Checker { space, formula: difference(&world) }.cases(&written.cases, &all)?;
            }
        }
        Ok(())
    }
}

struct Checker<'s, 'u> {
    space: &'s Space<'u>,
    formula: Formula,
}

impl Checker<'_, '_> {
    /// Checks cases, given the classes of every dimension that they are about.
    fn cases(&self, cases: &Cases, about: &[Vec<usize>]) -> Result<(), CertificateError> {
        let Cases::By { part, branches } = cases else { return self.plain(about) };
        let dimensions = self.space.dimensions();
        let named = dimensions.iter().position(|dimension| self.space.name_of(dimension) == *part);
        let at = named.ok_or_else(|| CertificateError::NoPart(part.clone()))?;
        let mut left = about.get(at).cloned().unwrap_or_default();
        for branch in branches {
            let classes = self.classes(at, branch).ok_or_else(|| CertificateError::NoValue(part.clone()))?;
            left.retain(|class| !classes.contains(class));
            let mut narrower = about.to_vec();
            if let Some(slot) = narrower.get_mut(at) {
                slot.retain(|class| classes.contains(class));
            }
            self.cases(&branch.then, &narrower)?;
        }
        if left.is_empty() { Ok(()) } else { Err(CertificateError::Incomplete(part.clone())) }
    }

    fn classes(&self, at: usize, branch: &Branch) -> Option<Vec<usize>> {
        let known = &self.space.dimensions().get(at)?.classes;
        let class = |value: &Option<String>| {
            known.iter().position(|class| class.value.as_ref().map(ClaimValue::to_string) == *value)
        };
        branch.values.iter().map(class).collect()
    }

    fn plain(&self, about: &[Vec<usize>]) -> Result<(), CertificateError> {
        match truth_of(&self.formula, &|leaf| self.leaf(leaf, about)) {
            Some(Truth::False) => Ok(()),
            truth => {
                let said = truth.map_or("it depends on more".to_owned(), |truth| format!("it is {truth:?}"));
                Err(CertificateError::NotPlain(said.to_lowercase()))
            }
        }
    }

    /// What a leaf says of all these classes, if it says the same of all.
    fn leaf(&self, leaf: LeafId, about: &[Vec<usize>]) -> Option<Truth> {
        let scope = self.space.scope(leaf)?;
        if !scope.inexact.is_empty() {
            return Some(Truth::Unknown);
        }
        let mut choices = vec![vec![None; about.len()]];
        for (dimension, kinds) in scope.support.iter().zip(&scope.kinds) {
            // Of classes that are of one kind to the leaf, one is asked about.
            let mut asked = Vec::new();
            let classes = about.get(*dimension)?.iter().filter(|class| {
                let kind = kinds.get(**class);
                let fresh = !asked.contains(&kind);
                asked.push(kind);
                fresh
            });
            let classes: Vec<usize> = classes.copied().collect();
            let with = |choice: &Vec<Option<usize>>, class: usize| {
                let mut choice = choice.clone();
                if let Some(slot) = choice.get_mut(*dimension) {
                    *slot = Some(class);
                }
                choice
            };
            choices = choices
                .iter()
                .flat_map(|choice| classes.iter().map(move |class| with(choice, *class)))
                .collect();
            if choices.len() > MOST_QUESTIONS {
                return None;
            }
        }
        let mut said = choices.iter().map(|choice| self.space.ask(leaf, choice));
        // Of no token at all, anything may be said.
        let Some(first) = said.next() else { return Some(Truth::False) };
        said.all(|truth| truth == first).then_some(first)
    }
}
