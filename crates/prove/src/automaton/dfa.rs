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

    /// The same language with as few states as possible, numbered in the order in which they are reached.
    fn minimal(&self) -> Self {
        let count = self.accepting.len();
        let mut class: Vec<usize> = self.accepting.iter().map(|accepting| usize::from(*accepting)).collect();
        let mut classes = class.iter().collect::<BTreeSet<_>>().len();
        loop {
            let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
            let mut next = Vec::with_capacity(count);
            for state in 0..count {
                let row = self.row(state).iter().map(|to| class_of(&class, *to));
                let key: Vec<usize> = class.get(state).copied().into_iter().chain(row).collect();
                let fresh = known.len();
                next.push(*known.entry(key).or_insert(fresh));
            }
            let refined = known.len();
            class = next;
            if refined == classes {
                break;
            }
            classes = refined;
        }
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
        let live = self.live(alphabet);
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
    pub(crate) fn live(&self, alphabet: &Alphabet) -> Vec<bool> {
        let mut live = self.accepting.clone();
        let mut changed = true;
        while changed {
            changed = false;
            for state in 0..live.len() {
                let reaches = live.get(state) == Some(&false)
                    && alphabet
                        .symbols()
                        .any(|symbol| live.get(to_index(self.step(to_state(state), symbol))) == Some(&true));
                if let (true, Some(slot)) = (reaches, live.get_mut(state)) {
                    *slot = true;
                    changed = true;
                }
            }
        }
        live
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
