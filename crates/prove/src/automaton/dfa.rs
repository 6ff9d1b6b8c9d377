use std::collections::{BTreeSet, HashMap, VecDeque};

use super::alphabet::Symbol;
use super::nfa::{Edge, Nfa};
use super::{Alphabet, TooLarge};

/// A state of a [`Dfa`].
pub(crate) type DfaState = u32;

/// A deterministic automaton: a regular language over one alphabet. Complete: every symbol leads somewhere from every
/// state, to a state that nothing leads out of where the text is lost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Dfa {
    symbols: usize,
    start: DfaState,
    /// By state and symbol.
    table: Vec<DfaState>,
    accepting: Vec<bool>,
}

impl Dfa {
    /// The language of an automaton whose accepting state is `end`.
    pub(crate) fn of(nfa: &Nfa, end: usize, alphabet: &Alphabet, limit: usize) -> Result<Self, TooLarge> {
        let start = nfa.closure(&BTreeSet::from([Nfa::START]), &[Edge::Start]);
        // Whether the empty text is in the language is asked at both its edges at once.
        let empty = nfa.closure(&BTreeSet::from([Nfa::START]), &[Edge::Start, Edge::End]).contains(&end);
        let mut states: HashMap<BTreeSet<usize>, DfaState> = HashMap::from([(start.clone(), 0)]);
        let mut accepting = vec![empty];
        let mut table = Vec::new();
        let mut open = VecDeque::from([start]);
        while let Some(set) = open.pop_front() {
            for symbol in alphabet.symbols() {
                let next = nfa.closure(&nfa.read(&set, symbol), &[]);
                let known = states.len();
                let state = match states.get(&next) {
                    Some(state) => *state,
                    None if known >= limit => return Err(TooLarge { limit }),
                    None => {
                        let state = DfaState::try_from(known).map_err(|_| TooLarge { limit })?;
                        accepting.push(nfa.closure(&next, &[Edge::End]).contains(&end));
                        states.insert(next.clone(), state);
                        open.push_back(next);
                        state
                    }
                };
                table.push(state);
            }
        }
        Ok(Self { symbols: alphabet.len(), start: 0, table, accepting }.minimal())
    }

    /// The language of a complete table that starts in its first state.
    pub(crate) fn of_table(symbols: usize, table: Vec<DfaState>, accepting: Vec<bool>) -> Self {
        Self { symbols, start: 0, table, accepting }.minimal()
    }

    /// The texts of which `keeps` holds, given whether they are in this language and whether they are in the other.
    pub(crate) fn combined(
        &self,
        other: &Self,
        alphabet: &Alphabet,
        keeps: impl Fn(bool, bool) -> bool,
    ) -> Self {
        let start = (self.start, other.start);
        let mut known = HashMap::from([(start, 0)]);
        let mut pairs = vec![start];
        let (mut table, mut accepting) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some((one, two)) = pairs.get(at).copied() {
            accepting.push(keeps(self.accepts(one), other.accepts(two)));
            for symbol in alphabet.symbols() {
                let next = (self.step(one, symbol), other.step(two, symbol));
                let fresh = to_state(pairs.len());
                let state = *known.entry(next).or_insert_with(|| {
                    pairs.push(next);
                    fresh
                });
                table.push(state);
            }
            at = at.saturating_add(1);
        }
        Self::of_table(alphabet.len(), table, accepting)
    }

    /// Whether there is no text in the language.
    pub(crate) fn is_empty(&self) -> bool {
        !self.accepting.contains(&true)
    }

    /// The same language with as few states as possible, numbered in the order in which they are reached.
    fn minimal(&self) -> Self {
        let class = self.indistinguishable();
        let mut names: HashMap<usize, DfaState> = HashMap::new();
        let mut representatives: Vec<usize> = Vec::new();
        let mut table = Vec::new();
        let mut name = |state: usize, representatives: &mut Vec<usize>| -> DfaState {
            let fresh = DfaState::try_from(names.len()).unwrap_or(DfaState::MAX);
            *names.entry(class_of(&class, to_state(state))).or_insert_with(|| {
                representatives.push(state);
                fresh
            })
        };
        name(to_index(self.start), &mut representatives);
        let mut at = 0;
        while let Some(state) = representatives.get(at).copied() {
            for to in self.row(state).to_vec() {
                let to = name(to_index(to), &mut representatives);
                table.push(to);
            }
            at += 1;
        }
        let accepting = representatives
            .iter()
            .map(|state| self.accepting.get(*state).copied().unwrap_or(false))
            .collect();
        Self { symbols: self.symbols, start: 0, table, accepting }
    }

    /// By state: a number that states share from which the same texts are accepted (Hopcroft's algorithm).
    fn indistinguishable(&self) -> Vec<usize> {
        let count = self.accepting.len();
        let before = self.before();
        let mut class: Vec<usize> = vec![0; count];
        let (yes, no): (Vec<usize>, Vec<usize>) =
            (0..count).partition(|state| self.accepts(to_state(*state)));
        let mut members: Vec<Vec<usize>> = vec![no];
        if !yes.is_empty() {
            regroup(&mut class, &yes, members.len());
            members.push(yes);
        }
        let mut open: VecDeque<usize> = (0..members.len()).collect();
        let mut waits = vec![true; members.len()];
        while let Some(splitter) = open.pop_front() {
            set(&mut waits, splitter, false);
            let inside = members.get(splitter).cloned().unwrap_or_default();
            for symbol in 0..self.symbols {
                let mut touched: HashMap<usize, Vec<usize>> = HashMap::new();
                let at = |state: &usize| state.saturating_mul(self.symbols).saturating_add(symbol);
                for from in inside.iter().filter_map(|state| before.get(at(state))).flatten() {
                    let class = class.get(*from).copied().unwrap_or_default();
                    touched.entry(class).or_default().push(*from);
                }
                for (old, moved) in touched {
                    let Some(all) = members.get_mut(old) else { continue };
                    if moved.len() == all.len() {
                        continue;
                    }
                    let fresh = waits.len();
                    regroup(&mut class, &moved, fresh);
                    all.retain(|state| class.get(*state) == Some(&old));
                    // The smaller half is enough, unless the other is still to come.
                    let next =
                        if waits.get(old) == Some(&true) || moved.len() <= all.len() { fresh } else { old };
                    members.push(moved);
                    waits.push(false);
                    set(&mut waits, next, true);
                    open.push_back(next);
                }
            }
        }
        class
    }

    /// By state and symbol: the states from which it leads there.
    fn before(&self) -> Vec<Vec<usize>> {
        let mut before = vec![Vec::new(); self.table.len()];
        for (at, to) in self.table.iter().enumerate() {
            let (Some(from), Some(symbol)) = (at.checked_div(self.symbols), at.checked_rem(self.symbols))
            else {
                continue;
            };
            let place = to_index(*to).saturating_mul(self.symbols).saturating_add(symbol);
            if let Some(states) = before.get_mut(place) {
                states.push(from);
            }
        }
        before
    }

    fn row(&self, state: usize) -> &[DfaState] {
        let from = state.saturating_mul(self.symbols);
        self.table.get(from..from.saturating_add(self.symbols)).unwrap_or_default()
    }

    /// Where it starts.
    pub(crate) const fn start(&self) -> DfaState {
        self.start
    }

    /// Where a symbol leads.
    pub(crate) fn step(&self, state: DfaState, symbol: Symbol) -> DfaState {
        let at = to_index(state).saturating_mul(self.symbols).saturating_add(usize::from(symbol));
        self.table.get(at).copied().unwrap_or(state)
    }

    /// Where a text leads.
    pub(crate) fn run(&self, from: DfaState, text: &str, alphabet: &Alphabet) -> DfaState {
        text.chars().fold(from, |state, c| self.step(state, alphabet.symbol(c)))
    }

    /// Whether a text that ends in this state is in the language.
    pub(crate) fn accepts(&self, state: DfaState) -> bool {
        self.accepting.get(to_index(state)).copied().unwrap_or(false)
    }

    /// Whether the text is in the language.
    pub(crate) fn contains(&self, text: &str, alphabet: &Alphabet) -> bool {
        self.accepts(self.run(self.start, text, alphabet))
    }

    /// Every text of the language, if there are at most so many and every one of them is told by its symbols.
    pub(crate) fn few(&self, alphabet: &Alphabet, most: usize) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let mut open = VecDeque::from([(self.start, String::new())]);
        let live = self.live();
        let mut steps = 0_usize;
        while let Some((state, text)) = open.pop_front() {
            steps = steps.saturating_add(1);
            if steps > most.saturating_mul(64) || open.len() > most.saturating_mul(4) {
                return None;
            }
            if self.accepts(state) {
                found.push(text.clone());
                if found.len() > most {
                    return None;
                }
            }
            for symbol in alphabet.symbols() {
                let next = self.step(state, symbol);
                if live.get(to_index(next)) == Some(&true) {
                    open.push_back((next, format!("{text}{}", alphabet.only(symbol)?)));
                }
            }
        }
        Some(found)
    }

    /// By state: whether a text of the language can still be reached.
    pub(crate) fn live(&self) -> Vec<bool> {
        let before = self.before();
        let mut live = self.accepting.clone();
        let mut open: Vec<usize> = (0..live.len()).filter(|state| live.get(*state) == Some(&true)).collect();
        while let Some(state) = open.pop() {
            let from = state.saturating_mul(self.symbols);
            let row = before.get(from..from.saturating_add(self.symbols)).unwrap_or_default();
            for from in row.iter().flatten() {
                if live.get(*from) == Some(&false) {
                    set(&mut live, *from, true);
                    open.push(*from);
                }
            }
        }
        live
    }
}

/// Moves states to another class.
fn regroup(class: &mut [usize], states: &[usize], to: usize) {
    for state in states {
        if let Some(slot) = class.get_mut(*state) {
            *slot = to;
        }
    }
}

fn set(all: &mut [bool], at: usize, value: bool) {
    if let Some(slot) = all.get_mut(at) {
        *slot = value;
    }
}

fn class_of(class: &[usize], state: DfaState) -> usize {
    class.get(to_index(state)).copied().unwrap_or(0)
}

const fn to_index(state: DfaState) -> usize {
    state as usize
}

fn to_state(state: usize) -> DfaState {
    DfaState::try_from(state).unwrap_or(DfaState::MAX)
}
