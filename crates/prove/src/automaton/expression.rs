//! Regular expressions as automata.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use super::nfa::{Edge, Nfa, State, SymbolSet};
use super::{Alphabet, Cuts, Dfa, TooLarge};

/// The most states of the automaton that an expression is first made into.
const LARGEST: usize = 20_000;

/// Why there is no automaton for an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsupported {
    /// It is no expression.
    #[error("`{0}` is no regular expression")]
    Syntax(String),
    /// It looks at word boundaries or at lines.
    #[error("the expression looks at {0}")]
    Look(&'static str),
    /// It is large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Cuts an alphabet so that the expression can be built over it.
pub(crate) fn expression_cuts(text: &str, cuts: &mut Cuts) -> Result<(), Unsupported> {
    collect(&parse(text)?, cuts);
    Ok(())
}

/// The language of texts that match the expression as a whole.
pub(crate) fn expression_dfa(text: &str, alphabet: &Alphabet, limit: usize) -> Result<Dfa, Unsupported> {
    let hir = parse(text)?;
    let mut nfa = Nfa::new();
    let end = append(&mut nfa, Nfa::START, &hir, alphabet)?;
    Ok(Dfa::of(&nfa, end, alphabet, limit)?)
}

/// The language of texts some part of which matches the expression.
pub(crate) fn search_dfa(text: &str, alphabet: &Alphabet, limit: usize) -> Result<Dfa, Unsupported> {
    let hir = parse(text)?;
    let mut nfa = Nfa::new();
    let anything = |nfa: &mut Nfa, from: State| {
        let looping = nfa.state();
        nfa.skip(from, looping, None);
        nfa.step(looping, SymbolSet::all(alphabet), looping);
        looping
    };
    let from = anything(&mut nfa, Nfa::START);
    let end = append(&mut nfa, from, &hir, alphabet)?;
    let end = anything(&mut nfa, end);
    Ok(Dfa::of(&nfa, end, alphabet, limit)?)
}

fn parse(text: &str) -> Result<Hir, Unsupported> {
    regex_syntax::parse(text).map_err(|_| Unsupported::Syntax(text.chars().take(80).collect()))
}

fn collect(hir: &Hir, cuts: &mut Cuts) {
    match hir.kind() {
        HirKind::Literal(literal) => cuts.text(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().for_each(|range| cuts.range(range.start(), range.end()));
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().for_each(|range| cuts.range(char::from(range.start()), char::from(range.end())));
        }
        HirKind::Repetition(repetition) => collect(&repetition.sub, cuts),
        HirKind::Capture(capture) => collect(&capture.sub, cuts),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            for part in parts {
                collect(part, cuts);
            }
        }
        HirKind::Empty | HirKind::Look(_) => {}
    }
}

fn append(nfa: &mut Nfa, from: State, hir: &Hir, alphabet: &Alphabet) -> Result<State, Unsupported> {
    if nfa.len() > LARGEST {
        return Err(TooLarge { limit: LARGEST }.into());
    }
    match hir.kind() {
        HirKind::Empty => Ok(from),
        HirKind::Literal(literal) => {
            let mut at = from;
            for c in String::from_utf8_lossy(&literal.0).chars() {
                let mut symbols = SymbolSet::none(alphabet);
                symbols.insert(alphabet.symbol(c));
                let next = nfa.state();
                nfa.step(at, symbols, next);
                at = next;
            }
            Ok(at)
        }
        HirKind::Class(class) => {
            let mut symbols = SymbolSet::none(alphabet);
            let mut add = |from: char, to: char| alphabet.range(from, to).for_each(|it| symbols.insert(it));
            match class {
                Class::Unicode(class) => class.iter().for_each(|range| add(range.start(), range.end())),
                Class::Bytes(class) => {
                    class.iter().for_each(|range| add(char::from(range.start()), char::from(range.end())));
                }
            }
            let next = nfa.state();
            nfa.step(from, symbols, next);
            Ok(next)
        }
        HirKind::Look(look) => {
            let edge = match look {
                Look::Start => Edge::Start,
                Look::End => Edge::End,
                Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF => {
                    return Err(Unsupported::Look("lines"));
                }
                _ => return Err(Unsupported::Look("word boundaries")),
            };
            let next = nfa.state();
            nfa.skip(from, next, Some(edge));
            Ok(next)
        }
        HirKind::Repetition(repetition) => repeat(nfa, from, repetition, alphabet),
        HirKind::Capture(capture) => append(nfa, from, &capture.sub, alphabet),
        HirKind::Concat(parts) => parts.iter().try_fold(from, |at, part| append(nfa, at, part, alphabet)),
        HirKind::Alternation(parts) => {
            let end = nfa.state();
            for part in parts {
                let start = nfa.state();
                nfa.skip(from, start, None);
                let last = append(nfa, start, part, alphabet)?;
                nfa.skip(last, end, None);
            }
            Ok(end)
        }
    }
}

fn repeat(
    nfa: &mut Nfa,
    from: State,
    repetition: &Repetition,
    alphabet: &Alphabet,
) -> Result<State, Unsupported> {
    let mut at = from;
    for _ in 0..repetition.min {
        at = append(nfa, at, &repetition.sub, alphabet)?;
    }
    match repetition.max {
        None => {
            let looping = nfa.state();
            nfa.skip(at, looping, None);
            let last = append(nfa, looping, &repetition.sub, alphabet)?;
            nfa.skip(last, looping, None);
            Ok(looping)
        }
        Some(max) => {
            let end = nfa.state();
            nfa.skip(at, end, None);
            for _ in repetition.min..max {
                at = append(nfa, at, &repetition.sub, alphabet)?;
                nfa.skip(at, end, None);
            }
            Ok(end)
        }
    }
}
