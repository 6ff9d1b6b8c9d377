//! The search for a token of which a formula holds.

use daypass_trust::Truth;

use super::{Bounds, Formula, Space};

/// A class for some of the dimensions.
pub(crate) type Choice = Vec<Option<usize>>;

/// The most steps of one search.
const MOST_STEPS: usize = 400_000;

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

impl Space<'_> {
    /// A token of which the formula holds for certain.
    pub(crate) fn find(&self, formula: &Formula) -> Found {
        let wanted = formula.clone().and(self.holds.clone());
        let mut steps = MOST_STEPS;
        match self.descend(&wanted, Truth::True, &mut steps) {
            Search::Found(choice) => return Found::Token(choice),
            Search::GaveUp => return Found::Unknown(vec![Self::gave_up()]),
            Search::Nothing => {}
        }
        if let Some(why) = self.doubts(&wanted, &mut steps) {
            return Found::Unknown(why);
        }
        Found::None
    }

    /// Why there may be such a token although none is certain.
    fn doubts(&self, wanted: &Formula, steps: &mut usize) -> Option<Vec<String>> {
        match self.descend(wanted, Truth::Unknown, steps) {
            Search::Found(choice) => return Some(self.why_unknown(wanted, &choice)),
            Search::GaveUp => return Some(vec![Self::gave_up()]),
            Search::Nothing => {}
        }
        let used = self.dimensions_of(wanted);
        let inexact = self.dimensions.iter().enumerate().filter(|(at, _)| used.contains(at));
        let mut why: Vec<String> = inexact.flat_map(|(_, dimension)| dimension.inexact.clone()).collect();
        why.dedup();
        // What nothing can make true needs no exact values: a search that looks at none of them is enough.
        (!why.is_empty() && !self.refuted_without(wanted)).then_some(why)
    }

    /// Whether the formula is false whatever the values are that are not known exactly.
    fn refuted_without(&self, wanted: &Formula) -> bool {
        let mut steps = MOST_STEPS;
        let exact: Vec<usize> = (0..self.dimensions.len())
            .filter(|at| self.dimensions.get(*at).is_some_and(|dimension| dimension.inexact.is_empty()))
            .collect();
        let order: Vec<usize> =
            self.dimensions_of(wanted).into_iter().filter(|dimension| exact.contains(dimension)).collect();
        let mut choice: Choice = vec![None; self.dimensions.len()];
        matches!(self.walk(wanted, &order, &mut choice, &mut steps, Truth::Unknown), Search::Nothing)
    }

    fn gave_up() -> String {
        format!("there are too many combinations: gave up after {MOST_STEPS} steps")
    }

    fn why_unknown(&self, formula: &Formula, choice: &Choice) -> Vec<String> {
        let mut why: Vec<String> = Vec::new();
        for leaf in formula.leaves() {
            if self.truth(leaf, choice) != Some(Truth::Unknown) {
                continue;
            }
            if let Some(super::Leaf::Atom(atom)) = self.leaves.get(leaf) {
                let token = self.token(choice);
                let said =
                    daypass_trust::evaluate::parts::why_unknown(atom, &token, &self.context_of(choice));
                why.extend(said.filter(|said| !why.contains(said)));
            }
        }
        if why.is_empty() {
            why.extend(self.unknowns.iter().cloned());
        }
        why
    }

    /// The dimensions that a formula depends on, those of most leaves first.
    fn dimensions_of(&self, formula: &Formula) -> Vec<usize> {
        let mut uses: Vec<(usize, usize)> = Vec::new();
        for leaf in formula.leaves() {
            for dimension in self.support.get(leaf).into_iter().flatten() {
                match uses.iter_mut().find(|(known, _)| known == dimension) {
                    Some((_, count)) => *count = count.saturating_add(1),
                    None => uses.push((*dimension, 1)),
                }
            }
        }
        uses.sort_by_key(|(dimension, count)| (std::cmp::Reverse(*count), *dimension));
        uses.into_iter().map(|(dimension, _)| dimension).collect()
    }

    fn descend(&self, wanted: &Formula, goal: Truth, steps: &mut usize) -> Search {
        let order = self.dimensions_of(wanted);
        let mut choice: Choice = vec![None; self.dimensions.len()];
        match self.walk(wanted, &order, &mut choice, steps, goal) {
            Search::Found(mut choice) => {
                self.settle(&mut choice);
                Search::Found(choice)
            }
            other => other,
        }
    }

    /// Chooses the first class of whatever was left open.
    fn settle(&self, choice: &mut Choice) {
        for (class, dimension) in choice.iter_mut().zip(&self.dimensions) {
            if class.is_none() && !dimension.classes.is_empty() {
                *class = Some(0);
            }
        }
    }

    fn walk(
        &self,
        wanted: &Formula,
        order: &[usize],
        choice: &mut Choice,
        steps: &mut usize,
        goal: Truth,
    ) -> Search {
        let Some(left) = steps.checked_sub(1) else { return Search::GaveUp };
        *steps = left;
        let bounds = wanted.bounds(&|leaf| self.truth(leaf, choice).map_or(Bounds::OPEN, Bounds::exactly));
        if !at_least(bounds.most, goal) {
            return Search::Nothing;
        }
        if at_least(bounds.least, goal) {
            return Search::Found(choice.clone());
        }
        // Whatever is still open is something that the search was not to look at.
        let Some((dimension, rest)) = order.split_first() else { return Search::Found(choice.clone()) };
        let classes = self.dimensions.get(*dimension).map_or(0, |dimension| dimension.classes.len());
        for class in 0..classes {
            if let Some(slot) = choice.get_mut(*dimension) {
                *slot = Some(class);
            }
            match self.walk(wanted, rest, choice, steps, goal) {
                Search::Nothing => {}
                other => return other,
            }
        }
        if let Some(slot) = choice.get_mut(*dimension) {
            *slot = None;
        }
        Search::Nothing
    }
}

enum Search {
    Found(Choice),
    Nothing,
    GaveUp,
}

/// Whether a truth value is at least as true as another.
fn at_least(truth: Truth, goal: Truth) -> bool {
    let rank = |truth| match truth {
        Truth::False => 0,
        Truth::Unknown => 1,
        Truth::True => 2,
    };
    rank(truth) >= rank(goal)
}
