use std::collections::BTreeSet;

use super::Alphabet;
use super::alphabet::Symbol;

pub(crate) type State = usize;

/// A non-deterministic automaton in the making, over one alphabet. Parts are built from left to right: every building
/// function takes the state to go on from and returns the state reached.
#[derive(Clone, Debug)]
pub(crate) struct Nfa {
    /// By state: where each symbol leads. Symbols are sorted sets, because classes of characters have many.
    steps: Vec<Vec<(SymbolSet, State)>>,
    /// By state: where one gets without reading anything.
    silent: Vec<Vec<Silent>>,
}

/// A set of symbols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SymbolSet(pub(crate) Vec<bool>);

/// A step that reads nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Silent {
    pub(crate) to: State,
    pub(crate) only: Option<Edge>,
}

/// The edges of a text, at which alone some steps can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Start,
    End,
}

impl SymbolSet {
    pub(crate) fn none(alphabet: &Alphabet) -> Self {
        Self(vec![false; alphabet.len()])
    }

    pub(crate) fn all(alphabet: &Alphabet) -> Self {
        Self(vec![true; alphabet.len()])
    }

    pub(crate) fn insert(&mut self, symbol: Symbol) {
        if let Some(holds) = self.0.get_mut(usize::from(symbol)) {
            *holds = true;
        }
    }

    pub(crate) fn remove(&mut self, symbol: Symbol) {
        if let Some(holds) = self.0.get_mut(usize::from(symbol)) {
            *holds = false;
        }
    }

    fn contains(&self, symbol: Symbol) -> bool {
        self.0.get(usize::from(symbol)).copied().unwrap_or(false)
    }
}

impl Nfa {
    /// One state, the start.
    pub(crate) fn new() -> Self {
        Self { steps: vec![Vec::new()], silent: vec![Vec::new()] }
    }

    /// The start.
    pub(crate) const START: State = 0;

    /// A new state.
    pub(crate) fn state(&mut self) -> State {
        self.steps.push(Vec::new());
        self.silent.push(Vec::new());
        self.steps.len().saturating_sub(1)
    }

    /// Reads one of `symbols` to get from one state to another.
    pub(crate) fn step(&mut self, from: State, symbols: SymbolSet, to: State) {
        if let Some(steps) = self.steps.get_mut(from) {
            steps.push((symbols, to));
        }
    }

    /// Gets from one state to another without reading anything.
    pub(crate) fn skip(&mut self, from: State, to: State, only: Option<Edge>) {
        if let Some(silent) = self.silent.get_mut(from) {
            silent.push(Silent { to, only });
        }
    }

    /// How many states there are.
    pub(crate) const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Everything that can be reached from `states` without reading, at the given edges of the text.
    pub(super) fn closure(&self, states: &BTreeSet<State>, at: &[Edge]) -> BTreeSet<State> {
        let mut closed = states.clone();
        let mut open: Vec<State> = states.iter().copied().collect();
        while let Some(state) = open.pop() {
            for silent in self.silent.get(state).into_iter().flatten() {
                let allowed = silent.only.is_none_or(|edge| at.contains(&edge));
                if allowed && closed.insert(silent.to) {
                    open.push(silent.to);
                }
            }
        }
        closed
    }

    /// Where `symbol` leads from any of `states`, before anything is skipped.
    pub(super) fn read(&self, states: &BTreeSet<State>, symbol: Symbol) -> BTreeSet<State> {
        let steps = states.iter().filter_map(|state| self.steps.get(*state)).flatten();
        steps.filter(|(symbols, _)| symbols.contains(symbol)).map(|(_, to)| *to).collect()
    }
}
