//! The classes that the values of one part fall into: what no language at hand tells apart.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::plausible::Candidate;
use crate::automaton::{Alphabet, Columns, Dfa, DfaState, Symbol};

/// The most steps that are taken to find the classes of one part, and the most classes that it may have.
const MOST_STEPS: usize = 400_000;
pub(super) const MOST_CLASSES: usize = 400;

/// What a language says of a part's value at one place of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Probe {
    /// Which language.
    pub(super) dfa: usize,
    /// The same as it reads values whose characters are written differently there.
    pub(super) read: usize,
    /// Where it stands before the value.
    pub(super) from: DfaState,
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

/// What the probes say of a text, probe by probe.
pub(super) type Signature = Vec<DfaState>;

/// Everything that the classes of one part depend on.
pub(super) struct Reader<'a> {
    pub(super) alphabet: &'a Alphabet,
    pub(super) dfas: &'a [Dfa],
    pub(super) probes: &'a [Probe],
}

impl Reader<'_> {
    /// What a probe that ended in `state` says.
    fn verdict(&self, probe: &Probe, state: DfaState) -> DfaState {
        let Some(dfa) = self.dfas.get(probe.dfa) else { return state };
        let after = dfa.run(state, &probe.suffix, self.alphabet);
        if probe.last { DfaState::from(dfa.accepts(after)) } else { after }
    }

    /// What the probes say of a text.
    pub(super) fn signature(&self, text: &str) -> Signature {
        let symbols: Vec<Symbol> = text.chars().map(|c| self.alphabet.symbol(c)).collect();
        self.signature_of_symbols(&symbols)
    }

    fn signature_of_symbols(&self, symbols: &[Symbol]) -> Signature {
        let of = |probe: &Probe| {
            let Some(read) = self.dfas.get(probe.read) else { return probe.from };
            let end = symbols.iter().fold(probe.from, |state, symbol| read.step(state, *symbol));
            self.verdict(probe, end)
        };
        self.probes.iter().map(of).collect()
    }

    /// What the probes say of the texts that lead to a state of a walk.
    fn signature_of(&self, walk: &Walk, runs: &[DfaState]) -> Signature {
        let ends = walk.run_of.iter().map(|run| runs.get(*run).copied().unwrap_or_default());
        self.probes.iter().zip(ends).map(|(probe, end)| self.verdict(probe, end)).collect()
    }

    /// Every class of the language, each with the first of `wanted` that is in it, else with its shortest text.
    pub(super) fn classes<'c>(
        &self,
        language: &Dfa,
        wanted: impl Iterator<Item = &'c Candidate>,
    ) -> TextClasses {
        let walk = self.walk(language);
        let counts = walk.counts(self.alphabet);
        let signature_at = |state: &Rc<[DfaState]>| {
            let (domain, runs) = state.split_first()?;
            language.accepts(*domain).then(|| self.signature_of(&walk, runs))
        };
        let signatures: Vec<Option<Signature>> = walk.states.iter().map(signature_at).collect();
        let told_apart = signatures.iter().flatten().collect::<HashSet<_>>().len();
        let mut at: HashMap<Signature, usize> = HashMap::new();
        let mut classes: Vec<TextClass> = Vec::new();
        let mut texts: Vec<u8> = Vec::new();
        for Candidate { text, symbols } in wanted {
            if at.len() == told_apart && !walk.cut_short {
                break;
            }
            let end = symbols.iter().fold(Dfa::START, |state, symbol| language.step(state, *symbol));
            if !language.accepts(end) {
                continue;
            }
            at.entry(self.signature_of_symbols(symbols)).or_insert_with(|| {
                classes.push(TextClass { text: text.clone(), only: false });
                texts.push(0);
                classes.len().saturating_sub(1)
            });
        }
        let mut cut_short = walk.cut_short;
        for (place, signature) in signatures.into_iter().enumerate() {
            let Some(signature) = signature else { continue };
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
    pub(super) fn texts_of(&self, language: &Dfa, signatures: &HashSet<Signature>) -> Option<Dfa> {
        let walk = self.walk(language);
        if walk.cut_short {
            return None;
        }
        // What leads nowhere is one state more.
        let lost = DfaState::try_from(walk.states.len()).ok()?;
        let width = walk.columns.symbols().len();
        let mut table = vec![lost; walk.states.len().saturating_add(1).saturating_mul(width)];
        for (from, column, to) in &walk.edges {
            let at = from.saturating_mul(width).saturating_add(*column);
            if let Some(slot) = table.get_mut(at) {
                *slot = DfaState::try_from(*to).ok()?;
            }
        }
        let accepting = walk.states.iter().map(|state| {
            state.split_first().is_some_and(|(domain, runs)| {
                language.accepts(*domain) && signatures.contains(&self.signature_of(&walk, runs))
            })
        });
        let accepting = accepting.chain(std::iter::once(false)).collect();
        Some(Dfa::of_table(&walk.columns, table, accepting))
    }

    /// Walks all probes and the language in step, shortest texts first.
    fn walk(&self, language: &Dfa) -> Walk {
        // Probes that only differ in what comes after the value go the same way.
        let mut runs: Vec<(&Dfa, DfaState)> = Vec::new();
        let mut places: HashMap<(usize, DfaState), usize> = HashMap::new();
        let mut run_of = Vec::with_capacity(self.probes.len());
        for probe in self.probes {
            let Some(read) = self.dfas.get(probe.read) else { continue };
            run_of.push(*places.entry((probe.read, probe.from)).or_insert_with(|| {
                runs.push((read, probe.from));
                runs.len().saturating_sub(1)
            }));
        }
        let start: Vec<DfaState> =
            std::iter::once(Dfa::START).chain(runs.iter().map(|(_, from)| *from)).collect();
        let columns =
            Columns::of(std::iter::once(language).chain(runs.iter().map(|(dfa, _)| *dfa)), self.alphabet);
        let mut known: HashMap<Rc<[DfaState]>, usize> = HashMap::new();
        let start: Rc<[DfaState]> = start.into();
        known.insert(Rc::clone(&start), 0);
        let mut walk = Walk {
            columns: columns.clone(),
            states: vec![start],
            came: vec![None],
            edges: Vec::new(),
            run_of,
            cut_short: false,
        };
        let mut next: Vec<DfaState> = Vec::new();
        let most = MOST_STEPS.checked_div(runs.len().saturating_add(1)).unwrap_or_default();
        let mut place = 0;
        while let Some(state) = walk.states.get(place).cloned() {
            let Some((domain, at)) = state.split_first() else { break };
            for (column, symbol) in columns.symbols().iter().enumerate() {
                let next_domain = language.step(*domain, *symbol);
                if !language.is_live(next_domain) {
                    continue;
                }
                next.clear();
                next.push(next_domain);
                next.extend(runs.iter().zip(at).map(|((dfa, _), state)| dfa.step(*state, *symbol)));
                let to = match known.get(next.as_slice()) {
                    Some(to) => *to,
                    None if walk.edges.len() >= most => {
                        walk.cut_short = true;
                        continue;
                    }
                    None => {
                        let to = walk.states.len();
                        let fresh: Rc<[DfaState]> = next.as_slice().into();
                        known.insert(Rc::clone(&fresh), to);
                        walk.states.push(fresh);
                        walk.came.push(Some((place, *symbol)));
                        to
                    }
                };
                walk.edges.push((place, column, to));
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
    /// The symbols that are told apart.
    columns: Columns,
    /// The language's state, and that of each run.
    states: Vec<Rc<[DfaState]>>,
    /// By state: where it was come from first.
    came: Vec<Option<(usize, Symbol)>>,
    /// From where by which column to where, in the order of the states.
    edges: Vec<(usize, usize, usize)>,
    /// By probe: its run.
    run_of: Vec<usize>,
    cut_short: bool,
}

impl Walk {
    /// By state: how many texts lead there, up to [`MANY`].
    fn counts(&self, alphabet: &Alphabet) -> Vec<u8> {
        let columns = self.columns.symbols().iter().zip(self.columns.single());
        let is_one = |(symbol, single): (&Symbol, bool)| single && alphabet.only(*symbol).is_some();
        let characters: Vec<u8> = columns.map(|it| if is_one(it) { 1 } else { MANY }).collect();
        let mut edges: Vec<&[(usize, usize, usize)]> = vec![&[]; self.states.len()];
        for out in self.edges.chunk_by(|one, other| one.0 == other.0) {
            if let Some(slot) = out.first().and_then(|(from, ..)| edges.get_mut(*from)) {
                *slot = out;
            }
        }
        let mut counts = vec![0_u8; self.states.len()];
        // Texts that are not yet followed on.
        let mut open = vec![(0_usize, 1_u8)];
        while let Some((at, more)) = open.pop() {
            let Some(count) = counts.get_mut(at).filter(|count| **count < MANY) else { continue };
            *count = count.saturating_add(more).min(MANY);
            for (_, column, to) in edges.get(at).copied().unwrap_or_default() {
                let characters = characters.get(*column).copied().unwrap_or(MANY);
                open.push((*to, more.saturating_mul(characters).min(MANY)));
            }
        }
        counts
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

/// Where texts of `domain` lead a language, read as it is read there, that stands in one of these states.
pub(super) fn reached(
    read: &Dfa,
    from: &BTreeSet<DfaState>,
    domain: &Dfa,
    alphabet: &Alphabet,
) -> BTreeSet<DfaState> {
    let mut ends = BTreeSet::new();
    let mut known = vec![false; read.states().saturating_mul(domain.states())];
    let mut is_new = |(state, place): (DfaState, DfaState)| {
        let at = usize::try_from(state).ok()?.checked_mul(domain.states())?;
        let slot = known.get_mut(at.checked_add(usize::try_from(place).ok()?)?)?;
        (!std::mem::replace(slot, true)).then_some(())
    };
    let mut open: Vec<(DfaState, DfaState)> = from.iter().map(|state| (*state, Dfa::START)).collect();
    let columns = Columns::of([read, domain], alphabet);
    while let Some((state, place)) = open.pop() {
        if domain.accepts(place) {
            ends.insert(state);
        }
        for symbol in columns.symbols() {
            let next = (read.step(state, *symbol), domain.step(place, *symbol));
            if domain.is_live(next.1) && is_new(next).is_some() {
                open.push(next);
            }
        }
    }
    ends
}
