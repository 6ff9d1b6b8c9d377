//! The search for a token of which a formula holds.

use std::collections::BTreeSet;

use daypass_trust::Truth;

use super::diagram::{Cube, Diagram, TooMany};
use super::{Formula, LeafId, Space};

/// A class for each of the dimensions.
pub(crate) type Choice = Vec<Option<usize>>;

/// The most combinations of classes that one leaf is asked about.
const MOST_COMBINATIONS: usize = 12_000;

/// Why a search ends without an answer.
pub(crate) const GAVE_UP: &str = "there are too many combinations to go through";

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// Tokens of these classes.
    Token(Choice),
    /// There is none.
    None,
    /// Nobody can say, and why.
    Unknown(Vec<String>),
}

impl Found {
    /// The token, if there is one for certain.
    pub(crate) fn token(self) -> Option<Choice> {
        match self {
            Self::Token(choice) => Some(choice),
            Self::None | Self::Unknown(_) => None,
        }
    }

    /// Why nobody can say, where that is so.
    pub(crate) fn doubts(self) -> Option<Vec<String>> {
        match self {
            Self::Unknown(why) => Some(why),
            Self::None | Self::Token(_) => None,
        }
    }
}

/// How leaves are read whose truth is not the same throughout a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Inexact {
    /// As it is with the token that stands for the class.
    Represented,
    /// As unknown.
    Unknown,
}

impl Space<'_> {
    /// A token of which the formula holds for certain.
    pub(crate) fn find(&self, formula: &Formula) -> Found {
        self.seek(formula).unwrap_or_else(|TooMany| Found::Unknown(vec![GAVE_UP.to_owned()]))
    }

    fn seek(&self, formula: &Formula) -> Result<Found, TooMany> {
        let wanted = formula.clone().and(self.holds.clone());
        let diagram = self.diagram(&wanted, Inexact::Represented)?;
        if let Some(choice) = self.cheapest(diagram, Truth::True) {
            return Ok(Found::Token(choice));
        }
        if let Some(choice) = self.cheapest(diagram, Truth::Unknown) {
            return Ok(Found::Unknown(self.why_unknown(&wanted, &choice)));
        }
        // What nothing can make true needs no exact values.
        let inexact = self.inexact(&wanted);
        if inexact.is_empty() || self.diagram(&wanted, Inexact::Unknown)? == Diagram::FALSE {
            return Ok(Found::None);
        }
        Ok(Found::Unknown(inexact))
    }

    /// Why it is not known of every token whether the formula holds.
    pub(crate) fn doubts(&self, formula: &Formula) -> Result<Vec<String>, TooMany> {
        let mut doubts = self.inexact(formula);
        let wanted = formula.clone().and(self.holds.clone());
        let diagram = self.diagram(&wanted, Inexact::Represented)?;
        let unknown = {
            let mut diagrams = self.diagrams.borrow_mut();
            let (possible, certain) = (diagrams.possible(diagram)?, diagrams.certain(diagram)?);
            let uncertain = diagrams.not(certain)?;
            diagrams.both(possible, uncertain)?
        };
        if let Some(choice) = self.cheapest(unknown, Truth::True) {
            doubts.extend(self.why_unknown(formula, &choice));
        }
        Ok(doubts)
    }

    /// Why the classes of a formula's leaves may not be all there are.
    pub(crate) fn inexact(&self, formula: &Formula) -> Vec<String> {
        let mut why: Vec<String> = Vec::new();
        for leaf in formula.leaves() {
            for reason in self.scopes.get(leaf).into_iter().flat_map(|scope| &scope.inexact) {
                if !why.contains(reason) {
                    why.push(reason.clone());
                }
            }
        }
        why
    }

    /// The usual token but for what it needs to reach the goal.
    pub(crate) fn cheapest(&self, diagram: Diagram, goal: Truth) -> Option<Choice> {
        let path = self.diagrams.borrow().cheapest(diagram, goal)?;
        let mut choice: Choice =
            self.dimensions.iter().map(|dimension| (!dimension.classes.is_empty()).then_some(0)).collect();
        for (level, class) in path {
            if let Some(slot) = self.order.get(level).and_then(|dimension| choice.get_mut(*dimension)) {
                *slot = Some(class);
            }
        }
        Some(choice)
    }

    /// What a diagram says of a choice of classes for all dimensions.
    pub(crate) fn look_up(&self, diagram: Diagram, choice: &Choice) -> Option<Truth> {
        let diagrams = self.diagrams.borrow();
        let mut at = diagram;
        while let Some((level, follows)) = diagrams.asks(at) {
            let class = choice.get(*self.order.get(level)?).copied().flatten()?;
            at = follows.get(class).copied()?;
        }
        at.truth()
    }

    /// Cubes that together are all of which the diagram is true, at most so many; and whether there are more.
    pub(crate) fn cubes(&self, diagram: Diagram, most: usize) -> (Vec<Cube>, bool) {
        self.diagrams.borrow().cubes(diagram, self.order.len(), most)
    }

    /// Whether the diagram is true of every choice in the cube.
    pub(crate) fn covers(&self, diagram: Diagram, cube: &Cube) -> bool {
        self.diagrams.borrow().covers(diagram, cube)
    }

    /// Which choices make the formula true, false or unknown.
    pub(crate) fn diagram(&self, formula: &Formula, inexact: Inexact) -> Result<Diagram, TooMany> {
        match formula {
            Formula::Leaf(leaf) => self.leaf_diagram(*leaf, inexact),
            Formula::Known(truth) => Ok(Diagram::known(*truth)),
            Formula::Unknown(_) => Ok(Diagram::UNKNOWN),
            Formula::Not(inner) => {
                let inner = self.diagram(inner, inexact)?;
                self.diagrams.borrow_mut().not(inner)
            }
            Formula::All(parts) => {
                let mut all = Diagram::TRUE;
                for part in parts {
                    if all == Diagram::FALSE {
                        break;
                    }
                    let part = self.diagram(part, inexact)?;
                    all = self.diagrams.borrow_mut().both(all, part)?;
                }
                Ok(all)
            }
            Formula::Any(parts) => {
                let mut any = Diagram::FALSE;
                for part in parts {
                    if any == Diagram::TRUE {
                        break;
                    }
                    let part = self.diagram(part, inexact)?;
                    any = self.diagrams.borrow_mut().either(any, part)?;
                }
                Ok(any)
            }
        }
    }

    fn leaf_diagram(&self, leaf: LeafId, inexact: Inexact) -> Result<Diagram, TooMany> {
        let Some(scope) = self.scopes.get(leaf) else { return Ok(Diagram::UNKNOWN) };
        if inexact == Inexact::Unknown && !scope.inexact.is_empty() {
            return Ok(Diagram::UNKNOWN);
        }
        if let Some(known) = self.leaf_diagrams.borrow().get(&leaf) {
            return Ok(*known);
        }
        let kinds =
            scope.kinds.iter().map(|kinds| kinds.iter().max().map_or(0, |most| most.saturating_add(1)));
        if kinds.fold(1_usize, usize::saturating_mul) > MOST_COMBINATIONS {
            return Err(TooMany);
        }
        let mut choice: Choice = vec![None; self.dimensions.len()];
        let diagram = self.ask_leaf(leaf, 0, &mut choice)?;
        self.leaf_diagrams.borrow_mut().insert(leaf, diagram);
        Ok(diagram)
    }

    /// Asks what a leaf says of one class of every kind that it tells apart, from one dimension of its scope on.
    fn ask_leaf(&self, leaf: LeafId, at: usize, choice: &mut Choice) -> Result<Diagram, TooMany> {
        let scope = self.scopes.get(leaf).ok_or(TooMany)?;
        let (Some(dimension), Some(kinds)) = (scope.support.get(at).copied(), scope.kinds.get(at)) else {
            return Ok(Diagram::known(self.ask(leaf, choice)));
        };
        let mut of_kind: Vec<Option<Diagram>> = vec![None; kinds.len()];
        let mut follows = Vec::with_capacity(kinds.len());
        for (class, kind) in kinds.iter().enumerate() {
            let next = match of_kind.get(*kind).copied().flatten() {
                Some(known) => known,
                None => {
                    if let Some(slot) = choice.get_mut(dimension) {
                        *slot = Some(class);
                    }
                    let next = self.ask_leaf(leaf, at.saturating_add(1), choice)?;
                    if let Some(slot) = of_kind.get_mut(*kind) {
                        *slot = Some(next);
                    }
                    next
                }
            };
            follows.push(next);
        }
        if let Some(slot) = choice.get_mut(dimension) {
            *slot = None;
        }
        let level = self.levels.get(dimension).copied().ok_or(TooMany)?;
        self.diagrams.borrow_mut().ask(level, follows)
    }

    fn why_unknown(&self, formula: &Formula, choice: &Choice) -> Vec<String> {
        let mut why = Vec::new();
        self.decide(formula, choice, &mut why);
        let mut seen = BTreeSet::new();
        why.retain(|said| seen.insert(said.clone()));
        why
    }

    /// What a formula says of one choice; adds what it rests on that it is unknown.
    fn decide(&self, formula: &Formula, choice: &Choice, why: &mut Vec<String>) -> Truth {
        let mut inner = Vec::new();
        let mut each = |parts: &[Formula]| -> Vec<Truth> {
            parts.iter().map(|part| self.decide(part, choice, &mut inner)).collect()
        };
        let truth = match formula {
            Formula::Leaf(leaf) => {
                let truth = self.ask(*leaf, choice);
                if let (Truth::Unknown, Some(super::Leaf::Atom(atom))) = (truth, self.leaves.get(*leaf)) {
                    let (token, context) = (self.token(choice), self.context_of(choice));
                    inner.extend(daypass_trust::evaluate::parts::why_unknown(atom, &token, &context));
                }
                truth
            }
            Formula::Unknown(said) => {
                inner.push(said.clone());
                Truth::Unknown
            }
            Formula::Known(truth) => *truth,
            Formula::Not(part) => !self.decide(part, choice, &mut inner),
            Formula::All(parts) => Truth::all(each(parts)),
            Formula::Any(parts) => Truth::any(each(parts)),
        };
        // What is settled otherwise rests on nothing that is not known.
        if truth == Truth::Unknown {
            why.append(&mut inner);
        }
        truth
    }
}
