//! Patterns of the trust form as automata.

use daypass_trust::form::{Pattern, Piece};

use super::nfa::{Nfa, State, SymbolSet};
use super::{Alphabet, Cuts, Dfa, TooLarge};

/// What a wildcard can stand for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wild {
    /// Anything.
    Any,
    /// Anything but a colon: within a part of an ARN.
    NoColon,
}

/// Cuts an alphabet so that the pattern can be built over it.
pub(crate) fn pattern_cuts(pattern: &Pattern, ignore_case: bool, cuts: &mut Cuts) {
    for piece in &pattern.pieces {
        match piece {
            Piece::Text(text) => {
                cuts.text(text);
                if ignore_case {
                    cuts.text(&text.to_ascii_lowercase());
                    cuts.text(&text.to_ascii_uppercase());
                }
            }
            Piece::RunWithin => Piece::SEPARATORS.into_iter().for_each(|c| cuts.character(c)),
            Piece::One | Piece::Run | Piece::Variable(..) => {}
        }
    }
}

/// The union of the languages of several patterns, each with whether it ignores letter case. What a variable stands for is
/// not known here: it counts as any text.
pub(crate) fn union_dfa(
    patterns: &[(&Pattern, bool)],
    alphabet: &Alphabet,
    limit: usize,
) -> Result<Dfa, TooLarge> {
    let mut nfa = Nfa::new();
    let end = nfa.state();
    for (pattern, ignore_case) in patterns {
        let from = nfa.state();
        nfa.skip(Nfa::START, from, None);
        let last = append(&mut nfa, from, &pattern.pieces, *ignore_case, Wild::Any, alphabet);
        nfa.skip(last, end, None);
    }
    Dfa::of(&nfa, end, alphabet, limit)
}

/// The language of an ARN whose six parts match these patterns: wildcards stay within their part, but for the last.
pub(crate) fn arn_dfa(parts: &[Pattern], alphabet: &Alphabet, limit: usize) -> Result<Dfa, TooLarge> {
    let mut nfa = Nfa::new();
    let mut at = nfa.state();
    nfa.skip(Nfa::START, at, None);
    for (place, part) in parts.iter().enumerate() {
        let last = place.saturating_add(1) == parts.len();
        if place > 0 {
            at = character(&mut nfa, at, ':', false, alphabet);
        }
        let wild = if last { Wild::Any } else { Wild::NoColon };
        at = append(&mut nfa, at, &part.pieces, false, wild, alphabet);
    }
    Dfa::of(&nfa, at, alphabet, limit)
}

fn append(
    nfa: &mut Nfa,
    from: State,
    pieces: &[Piece],
    ignore_case: bool,
    wild: Wild,
    alphabet: &Alphabet,
) -> State {
    let any = || {
        let mut symbols = SymbolSet::all(alphabet);
        if wild == Wild::NoColon {
            symbols.remove(alphabet.symbol(':'));
        }
        symbols
    };
    let mut at = from;
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                for c in text.chars() {
                    at = character(nfa, at, c, ignore_case, alphabet);
                }
            }
            Piece::One => {
                let next = nfa.state();
                nfa.step(at, any(), next);
                at = next;
            }
            Piece::Run | Piece::Variable(..) => at = repeat(nfa, at, any()),
            Piece::RunWithin => {
                let mut symbols = any();
                for c in Piece::SEPARATORS {
                    symbols.remove(alphabet.symbol(c));
                }
                at = repeat(nfa, at, symbols);
            }
        }
    }
    at
}

fn character(nfa: &mut Nfa, from: State, c: char, ignore_case: bool, alphabet: &Alphabet) -> State {
    let mut symbols = SymbolSet::none(alphabet);
    symbols.insert(alphabet.symbol(c));
    if ignore_case {
        symbols.insert(alphabet.symbol(c.to_ascii_lowercase()));
        symbols.insert(alphabet.symbol(c.to_ascii_uppercase()));
    }
    let next = nfa.state();
    nfa.step(from, symbols, next);
    next
}

/// Any number of `symbols`, also none.
fn repeat(nfa: &mut Nfa, from: State, symbols: SymbolSet) -> State {
    let looping = nfa.state();
    nfa.skip(from, looping, None);
    nfa.step(looping, symbols, looping);
    looping
}
