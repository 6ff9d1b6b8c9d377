//! The classes that the values of one part fall into: what no language at hand tells apart.

use std::collections::{HashMap, HashSet};

use crate::automaton::{Alphabet, Dfa, DfaState, Symbol};

use super::texts::Escapes;

/// The most states and classes that one part may have.
const MOST_STATES: usize = 60_000;
pub(super) const MOST_CLASSES: usize = 400;

/// What a language says of a part's value at one place of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Probe {
    /// Which language.
    pub(super) dfa: usize,
    /// Where it stands before the value.
    pub(super) from: DfaState,
    /// How the value's characters are written there.
    pub(super) escapes: Escapes,
    /// What is written after it.
    pub(super) suffix: String,
    /// Whether the text ends there.
    pub(super) last: bool,
}

/// A text that stands for all that no probe tells from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextClass {
    pub(super) text: String,
    /// Whether it is the only text of its class.
    pub(super) only: bool,
}

/// The texts of a language that the probes tell apart, and why there may be more.
pub(super) struct TextClasses {
    pub(super) classes: Vec<TextClass>,
    pub(super) cut_short: bool,
}

/// Everything that the classes of one part depend on.
pub(super) struct Reader<'a> {
    pub(super) alphabet: &'a Alphabet,
    pub(super) dfas: &'a [Dfa],
    pub(super) probes: &'a [Probe],
}

impl Reader<'_> {
    fn step(&self, probe: &Probe, state: DfaState, symbol: Symbol) -> DfaState {
        let Some(dfa) = self.dfas.get(probe.dfa) else { return state };
        match escape_of(&probe.escapes, self.alphabet, symbol) {
            Some(written) => dfa.run(state, written, self.alphabet),
            None => dfa.step(state, symbol),
        }
    }

    /// What a probe that ended in `state` says.
    fn verdict(&self, probe: &Probe, state: DfaState) -> DfaState {
        let Some(dfa) = self.dfas.get(probe.dfa) else { return state };
        let after = dfa.run(state, &probe.suffix, self.alphabet);
        if probe.last { DfaState::from(dfa.accepts(after)) } else { after }
    }

    /// What the probes say of a text.
    pub(super) fn signature(&self, text: &str) -> Vec<DfaState> {
        let of = |probe: &Probe| {
            let step = |state, c| self.step(probe, state, self.alphabet.symbol(c));
            self.verdict(probe, text.chars().fold(probe.from, step))
        };
        self.probes.iter().map(of).collect()
    }

    /// Every class of the language, each with the first of `wanted` that is in it, else with its shortest text.
    pub(super) fn classes(&self, language: &Dfa, wanted: &[String]) -> TextClasses {
        let walk = self.walk(language);
        let counts = walk.counts(self.alphabet);
        let mut at: HashMap<Vec<DfaState>, usize> = HashMap::new();
        let mut classes: Vec<TextClass> = Vec::new();
        let mut texts: Vec<u8> = Vec::new();
        for text in wanted.iter().filter(|text| language.contains(text, self.alphabet)) {
            at.entry(self.signature(text)).or_insert_with(|| {
                classes.push(TextClass { text: text.clone(), only: false });
                texts.push(0);
                classes.len().saturating_sub(1)
            });
        }
        let mut cut_short = walk.cut_short;
        for (place, state) in walk.states.iter().enumerate() {
            let Some((domain, probes)) = state.split_first() else { continue };
            if !language.accepts(*domain) {
                continue;
            }
            let verdicts = self.probes.iter().zip(probes);
            let signature: Vec<DfaState> =
                verdicts.map(|(probe, state)| self.verdict(probe, *state)).collect();
            if classes.len() >= MOST_CLASSES && !at.contains_key(&signature) {
                cut_short = true;
                continue;
            }
            let class = *at.entry(signature).or_insert_with(|| {
                classes.push(TextClass { text: walk.text(place, self.alphabet), only: false });
                texts.push(0);
                classes.len().saturating_sub(1)
            });
            if let Some(count) = texts.get_mut(class) {
                *count = count.saturating_add(counts.get(place).copied().unwrap_or(MANY)).min(MANY);
            }
        }
        for (class, count) in classes.iter_mut().zip(texts) {
            class.only = count == 1 && !cut_short;
        }
        TextClasses { classes, cut_short }
    }

    /// The texts of the language that have one of these signatures; `None` where there are too many states to go through.
    pub(super) fn texts_of(&self, language: &Dfa, signatures: &HashSet<Vec<DfaState>>) -> Option<Dfa> {
        let walk = self.walk(language);
        if walk.cut_short {
            return None;
        }
        // What leads nowhere is one state more.
        let lost = DfaState::try_from(walk.states.len()).ok()?;
        let symbols = self.alphabet.len();
        let mut table = vec![lost; walk.states.len().saturating_add(1).saturating_mul(symbols)];
        for (from, symbol, to) in &walk.edges {
            let at = from.saturating_mul(symbols).saturating_add(usize::from(*symbol));
            if let Some(slot) = table.get_mut(at) {
                *slot = DfaState::try_from(*to).ok()?;
            }
        }
        let accepting = walk.states.iter().map(|state| {
            state.split_first().is_some_and(|(domain, probes)| {
                let verdicts = self.probes.iter().zip(probes);
                let signature = verdicts.map(|(probe, state)| self.verdict(probe, *state)).collect();
                language.accepts(*domain) && signatures.contains::<Vec<DfaState>>(&signature)
            })
        });
        let accepting = accepting.chain(std::iter::once(false)).collect();
        Some(Dfa::of_table(symbols, table, accepting))
    }

    /// Walks all probes and the language in step, shortest texts first.
    fn walk(&self, language: &Dfa) -> Walk {
        let start: Vec<DfaState> =
            std::iter::once(language.start()).chain(self.probes.iter().map(|probe| probe.from)).collect();
        let live = language.live();
        let is_live =
            |state: DfaState| usize::try_from(state).ok().and_then(|at| live.get(at)) == Some(&true);
        let mut known: HashMap<Vec<DfaState>, usize> = HashMap::from([(start.clone(), 0)]);
        let mut walk = Walk { states: vec![start], came: vec![None], edges: Vec::new(), cut_short: false };
        let mut place = 0;
        while let Some(state) = walk.states.get(place).cloned() {
            let Some((domain, probes)) = state.split_first() else { break };
            for symbol in self.alphabet.symbols() {
                let next_domain = language.step(*domain, symbol);
                if !is_live(next_domain) {
                    continue;
                }
                let steps =
                    self.probes.iter().zip(probes).map(|(probe, state)| self.step(probe, *state, symbol));
                let next: Vec<DfaState> = std::iter::once(next_domain).chain(steps).collect();
                let to = match known.get(&next) {
                    Some(to) => *to,
                    None if known.len() >= MOST_STATES => {
                        walk.cut_short = true;
                        continue;
                    }
                    None => {
                        let to = walk.states.len();
                        known.insert(next.clone(), to);
                        walk.states.push(next);
                        walk.came.push(Some((place, symbol)));
                        to
                    }
                };
                walk.edges.push((place, symbol, to));
            }
            place = place.saturating_add(1);
        }
        walk
    }
}

/// So many texts that it does not matter how many.
const MANY: u8 = 2;

/// Everywhere that texts of a language lead.
struct Walk {
    states: Vec<Vec<DfaState>>,
    /// By state: where it was come from first.
    came: Vec<Option<(usize, Symbol)>>,
    /// From where by which symbol to where.
    edges: Vec<(usize, Symbol, usize)>,
    cut_short: bool,
}

impl Walk {
    /// By state: how many texts lead there, up to [`MANY`].
    fn counts(&self, alphabet: &Alphabet) -> Vec<u8> {
        let characters: Vec<u8> =
            alphabet.symbols().map(|symbol| if alphabet.only(symbol).is_some() { 1 } else { MANY }).collect();
        let mut counts = vec![0_u8; self.states.len()];
        loop {
            let mut next = vec![0_u8; self.states.len()];
            if let Some(start) = next.first_mut() {
                *start = 1;
            }
            for (from, symbol, to) in &self.edges {
                let characters = characters.get(usize::from(*symbol)).copied().unwrap_or(MANY);
                let texts = counts.get(*from).copied().unwrap_or(0).saturating_mul(characters);
                if let Some(count) = next.get_mut(*to) {
                    *count = count.saturating_add(texts).min(MANY);
                }
            }
            if next == counts {
                return counts;
            }
            counts = next;
        }
    }

    fn text(&self, place: usize, alphabet: &Alphabet) -> String {
        let mut text = Vec::new();
        let mut at = place;
        while let Some((before, symbol)) = self.came.get(at).copied().flatten() {
            text.push(alphabet.representative(symbol));
            at = before;
        }
        text.into_iter().rev().collect()
    }
}

fn escape_of<'e>(escapes: &'e Escapes, alphabet: &Alphabet, symbol: Symbol) -> Option<&'e str> {
    escapes.iter().find(|(from, _)| alphabet.symbol(*from) == symbol).map(|(_, to)| to.as_str())
}

/// Where texts of `domain` lead a language that stands at `from`.
pub(super) fn reached(
    dfa: &Dfa,
    from: DfaState,
    escapes: &Escapes,
    domain: &Dfa,
    alphabet: &Alphabet,
) -> HashSet<DfaState> {
    let mut ends = HashSet::new();
    let mut known = HashSet::from([(from, domain.start())]);
    let mut open = vec![(from, domain.start())];
    while let Some((state, place)) = open.pop() {
        if domain.accepts(place) {
            ends.insert(state);
        }
        for symbol in alphabet.symbols() {
            let next = match escape_of(escapes, alphabet, symbol) {
                Some(written) => dfa.run(state, written, alphabet),
                None => dfa.step(state, symbol),
            };
            let next = (next, domain.step(place, symbol));
            if known.insert(next) {
                open.push(next);
            }
        }
    }
    ends
}
