use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::alphabet::Symbol;
use super::nfa::{Edge, Nfa};
use super::{Alphabet, TooLarge};

/// A state of a [`Dfa`].
pub(crate) type DfaState = u32;

/// A deterministic automaton: a regular language over one alphabet. Complete: every symbol leads somewhere from every
/// state, to a state that nothing leads out of where the text is lost. There are no two states from which the same texts are
/// accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Dfa {
    /// What its table has columns for.
    columns: Columns,
    table: Arc<Table>,
    /// The state from which no text is accepted, if there is one.
    lost: Option<DfaState>,
}

/// Symbols by what they lead to: those that lead to the same states everywhere share a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Columns {
    /// By symbol: its column.
    of: Vec<Symbol>,
    /// By column: its first symbol.
    first: Vec<Symbol>,
}

/// Where columns lead. It starts in its first state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Table {
    width: usize,
    /// By state and column.
    to: Vec<DfaState>,
    accepting: Vec<bool>,
}

impl Columns {
    /// Every symbol by itself.
    fn each(alphabet: &Alphabet) -> Self {
        let all: Vec<Symbol> = alphabet.symbols().collect();
        Self { of: all.clone(), first: all }
    }

    /// The symbols that none of some automata tells apart.
    pub(crate) fn of<'d>(dfas: impl IntoIterator<Item = &'d Dfa>, alphabet: &Alphabet) -> Self {
        let mut columns = Self { of: vec![0; alphabet.len()], first: vec![0] };
        for dfa in dfas {
            let mut known: HashMap<(Symbol, Symbol), Symbol> = HashMap::new();
            let mut first = Vec::new();
            for (symbol, (slot, other)) in columns.of.iter_mut().zip(&dfa.columns.of).enumerate() {
                let fresh = to_symbol(first.len());
                *slot = *known.entry((*slot, *other)).or_insert_with(|| {
                    first.push(to_symbol(symbol));
                    fresh
                });
            }
            columns.first = first;
        }
        columns
    }

    /// The first symbol of every column, in order.
    pub(crate) fn symbols(&self) -> &[Symbol] {
        &self.first
    }

    /// By column: whether it has one symbol only.
    pub(crate) fn single(&self) -> Vec<bool> {
        let mut counts = vec![0_usize; self.first.len()];
        for column in &self.of {
            if let Some(count) = counts.get_mut(usize::from(*column)) {
                *count = count.saturating_add(1);
            }
        }
        counts.into_iter().map(|count| count == 1).collect()
    }
}

impl Dfa {
    /// Where it starts.
    pub(crate) const START: DfaState = 0;

    /// The language of an automaton whose accepting state is `end`.
    pub(crate) fn of(nfa: &Nfa, end: usize, alphabet: &Alphabet, limit: usize) -> Result<Self, TooLarge> {
        let start = nfa.closure(&BTreeSet::from([Nfa::START]), &[Edge::Start]);
        // Whether the empty text is in the language is asked at both its edges at once.
        let empty = nfa.closure(&BTreeSet::from([Nfa::START]), &[Edge::Start, Edge::End]).contains(&end);
        let mut states: HashMap<BTreeSet<usize>, DfaState> = HashMap::from([(start.clone(), 0)]);
        let mut accepting = vec![empty];
        let mut to = Vec::new();
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
                to.push(state);
            }
        }
        Ok(Self::of_table(&Columns::each(alphabet), to, accepting))
    }

    /// The language of a complete table, by state and column, that starts in its first state.
    pub(crate) fn of_table(columns: &Columns, to: Vec<DfaState>, accepting: Vec<bool>) -> Self {
        let table = Table { width: columns.first.len(), to, accepting }.minimal();
        let (columns, table) = table.narrow(columns);
        let lost = table.lost();
        Self { columns, table: Arc::new(table), lost }
    }

    /// The same language over a finer alphabet: by symbol of that one, the symbol here that it is a piece of.
    pub(crate) fn over(&self, symbols: &[Symbol]) -> Self {
        let column = |symbol: &Symbol| self.columns.of.get(usize::from(*symbol)).copied().unwrap_or_default();
        let of: Vec<Symbol> = symbols.iter().map(column).collect();
        let mut first = vec![0; self.columns.first.len()];
        for (symbol, column) in of.iter().enumerate().rev() {
            if let Some(slot) = first.get_mut(usize::from(*column)) {
                *slot = to_symbol(symbol);
            }
        }
        Self { columns: Columns { of, first }, table: Arc::clone(&self.table), lost: self.lost }
    }

    /// The automaton that reads in place of some symbols the texts that are written for them. Its states are these.
    pub(crate) fn reading(&self, written: &[(Symbol, &str)], alphabet: &Alphabet) -> Self {
        let mut to = Vec::new();
        for state in (0..self.table.accepting.len()).map(to_state) {
            to.extend(alphabet.symbols().map(|symbol| {
                let text = written.iter().find(|(from, _)| *from == symbol);
                text.map_or_else(|| self.step(state, symbol), |(_, text)| self.run(state, text, alphabet))
            }));
        }
        let each = Columns::each(alphabet);
        let table = Table { width: each.first.len(), to, accepting: self.table.accepting.clone() };
        let (columns, table) = table.narrow(&each);
        Self { columns, table: Arc::new(table), lost: self.lost }
    }

    /// How many transitions there are.
    pub(crate) fn size(&self) -> usize {
        self.table.to.len()
    }

    /// How many states there are.
    pub(crate) fn states(&self) -> usize {
        self.table.accepting.len()
    }

    /// Whether nothing leads out of a state: every text that got there goes on the same.
    pub(crate) fn is_final(&self, state: DfaState) -> bool {
        self.table.row(to_index(state)).iter().all(|to| *to == state)
    }

    /// Whether a text of the language can still be reached.
    pub(crate) fn is_live(&self, state: DfaState) -> bool {
        self.lost != Some(state)
    }

    /// The texts of which `keeps` holds, given whether they are in this language and whether they are in the other.
    pub(crate) fn combined(
        &self,
        other: &Self,
        alphabet: &Alphabet,
        keeps: impl Fn(bool, bool) -> bool,
    ) -> Self {
        let start = (Self::START, Self::START);
        let mut known = HashMap::from([(start, 0)]);
        let mut pairs = vec![start];
        let (mut table, mut accepting) = (Vec::new(), Vec::new());
        let columns = Columns::of([self, other], alphabet);
        let mut at = 0;
        while let Some((one, two)) = pairs.get(at).copied() {
            accepting.push(keeps(self.accepts(one), other.accepts(two)));
            for symbol in columns.symbols() {
                let next = (self.step(one, *symbol), other.step(two, *symbol));
                let fresh = to_state(pairs.len());
                let state = *known.entry(next).or_insert_with(|| {
                    pairs.push(next);
                    fresh
                });
                table.push(state);
            }
            at = at.saturating_add(1);
        }
        Self::of_table(&columns, table, accepting)
    }

    /// Whether there is no text in the language.
    pub(crate) fn is_empty(&self) -> bool {
        !self.table.accepting.contains(&true)
    }

    /// Where a symbol leads.
    pub(crate) fn step(&self, state: DfaState, symbol: Symbol) -> DfaState {
        let column = self.columns.of.get(usize::from(symbol)).copied().unwrap_or_default();
        let at = to_index(state).saturating_mul(self.table.width).saturating_add(usize::from(column));
        self.table.to.get(at).copied().unwrap_or(state)
    }

    /// Where a text leads.
    pub(crate) fn run(&self, from: DfaState, text: &str, alphabet: &Alphabet) -> DfaState {
        text.chars().fold(from, |state, c| self.step(state, alphabet.symbol(c)))
    }

    /// Whether a text that ends in this state is in the language.
    pub(crate) fn accepts(&self, state: DfaState) -> bool {
        self.table.accepting.get(to_index(state)).copied().unwrap_or(false)
    }

    /// Whether the text is in the language.
    pub(crate) fn contains(&self, text: &str, alphabet: &Alphabet) -> bool {
        self.accepts(self.run(Self::START, text, alphabet))
    }

    /// Every text of the language, if there are at most so many and every one of them is told by its symbols.
    pub(crate) fn few(&self, alphabet: &Alphabet, most: usize) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let mut open = VecDeque::from([(Self::START, String::new())]);
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
                if self.is_live(next) {
                    open.push_back((next, format!("{text}{}", alphabet.only(symbol)?)));
                }
            }
        }
        Some(found)
    }
}

impl Table {
    /// The same language with as few states as possible, numbered in the order in which they are reached.
    fn minimal(&self) -> Self {
        let class = self.indistinguishable();
        let mut names: HashMap<usize, DfaState> = HashMap::new();
        let mut representatives: Vec<usize> = Vec::new();
        let mut all = Vec::new();
        let mut name = |state: usize, representatives: &mut Vec<usize>| -> DfaState {
            let fresh = DfaState::try_from(names.len()).unwrap_or(DfaState::MAX);
            *names.entry(class_of(&class, to_state(state))).or_insert_with(|| {
                representatives.push(state);
                fresh
            })
        };
        name(0, &mut representatives);
        let mut at = 0;
        while let Some(state) = representatives.get(at).copied() {
            for to in self.row(state).to_vec() {
                let to = name(to_index(to), &mut representatives);
                all.push(to);
            }
            at += 1;
        }
        let accepting = representatives
            .iter()
            .map(|state| self.accepting.get(*state).copied().unwrap_or(false))
            .collect();
        Self { width: self.width, to: all, accepting }
    }

    /// By state: a number that states share from which the same texts are accepted (Hopcroft's algorithm).
    fn indistinguishable(&self) -> Vec<usize> {
        let count = self.accepting.len();
        let before = self.before();
        let mut class: Vec<usize> = vec![0; count];
        let (yes, no): (Vec<usize>, Vec<usize>) =
            (0..count).partition(|state| self.accepting.get(*state) == Some(&true));
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
            for column in 0..self.width {
                let mut touched: HashMap<usize, Vec<usize>> = HashMap::new();
                let at = |state: &usize| state.saturating_mul(self.width).saturating_add(column);
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

    /// By state and column: the states from which it leads there.
    fn before(&self) -> Vec<Vec<usize>> {
        let mut before = vec![Vec::new(); self.to.len()];
        for (at, to) in self.to.iter().enumerate() {
            let (Some(from), Some(column)) = (at.checked_div(self.width), at.checked_rem(self.width)) else {
                continue;
            };
            let place = to_index(*to).saturating_mul(self.width).saturating_add(column);
            if let Some(states) = before.get_mut(place) {
                states.push(from);
            }
        }
        before
    }

    fn row(&self, state: usize) -> &[DfaState] {
        let from = state.saturating_mul(self.width);
        self.to.get(from..from.saturating_add(self.width)).unwrap_or_default()
    }

    /// The state from which no text is accepted: there is at most one, and nothing leads out of it.
    fn lost(&self) -> Option<DfaState> {
        let states = self.accepting.iter().enumerate().filter(|(_, accepts)| !**accepts);
        let mut states = states.map(|(state, _)| to_state(state));
        states.find(|state| self.row(to_index(*state)).iter().all(|to| to == state))
    }

    /// The same with columns in common for all symbols that lead to the same states.
    fn narrow(&self, columns: &Columns) -> (Columns, Self) {
        let column = |at: usize| self.to.iter().skip(at).step_by(self.width.max(1)).copied();
        let mut known: HashMap<Vec<DfaState>, Symbol> = HashMap::new();
        let mut kept: Vec<usize> = Vec::new();
        let mut place = |at: usize| {
            let fresh = to_symbol(known.len());
            *known.entry(column(at).collect()).or_insert_with(|| {
                kept.push(at);
                fresh
            })
        };
        let places: Vec<Symbol> = (0..self.width).map(&mut place).collect();
        let of = columns.of.iter().map(|at| places.get(usize::from(*at)).copied().unwrap_or_default());
        let first = kept.iter().filter_map(|at| columns.first.get(*at).copied());
        let columns = Columns { of: of.collect(), first: first.collect() };
        let states = 0..self.accepting.len();
        let to = states.flat_map(|state| {
            let row = self.row(state);
            kept.iter().map(move |at| row.get(*at).copied().unwrap_or_default())
        });
        (columns, Self { width: kept.len(), to: to.collect(), accepting: self.accepting.clone() })
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

fn to_symbol(at: usize) -> Symbol {
    Symbol::try_from(at).unwrap_or(Symbol::MAX)
}
