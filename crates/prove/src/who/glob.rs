//! Languages as people write them: a few texts, and patterns with `*` and `?`.

use std::collections::{HashMap, HashSet};

use daypass_trust::form::Pattern;

use crate::automaton::{Alphabet, Columns, Dfa, DfaState, STATES, union_dfa};

/// The most patterns that one language is written as.
const MOST: usize = 8;
/// The most texts that a pattern is written without.
const MOST_EXCEPTIONS: usize = 4;
/// The most steps that are taken to find them.
const MOST_STEPS: usize = 4_000;

/// Texts and patterns that together are the language, within the domain that it is a part of; `None` where there is nothing
/// short to say. `words` are patterns to try: what the policies themselves say.
pub(super) fn globs(
    language: &Dfa,
    domain: &Dfa,
    alphabet: &Alphabet,
    words: &[String],
) -> Option<Vec<String>> {
    if let Some(mut few) = language.few(alphabet, MOST) {
        few.sort();
        return Some(few);
    }
    Tree::new(language, domain, alphabet).globs().or_else(|| from_words(language, domain, alphabet, words))
}

/// Patterns out of `words`, the fewer exceptions the better, that together are the language.
fn from_words(language: &Dfa, domain: &Dfa, alphabet: &Alphabet, words: &[String]) -> Option<Vec<String>> {
    let mut rest = language.clone();
    let mut found = Vec::new();
    for most_exceptions in [0, MOST_EXCEPTIONS] {
        for word in words {
            let pattern = Pattern::glob(word);
            let Ok(all) = union_dfa(&[(&pattern, false)], alphabet, STATES) else { continue };
            let within = all.combined(domain, alphabet, |one, two| one && two);
            let outside = within.combined(language, alphabet, |one, two| one && !two);
            let Some(mut but) = outside.few(alphabet, most_exceptions) else { continue };
            let left = rest.combined(&within, alphabet, |one, two| one && !two);
            if left == rest {
                continue;
            }
            but.sort();
            found.push(if but.is_empty() { word.clone() } else { format!("{word} but {}", but.join(", ")) });
            rest = left;
            if rest.is_empty() {
                found.sort();
                return Some(found);
            }
            if found.len() == MOST {
                return None;
            }
        }
    }
    None
}

/// A language and its domain, walked in step.
struct Tree<'a> {
    language: &'a Dfa,
    domain: &'a Dfa,
    alphabet: &'a Alphabet,
    /// Where some text of the domain is not one of the language.
    narrower: HashSet<(DfaState, DfaState)>,
    steps: usize,
}

impl<'a> Tree<'a> {
    fn new(language: &'a Dfa, domain: &'a Dfa, alphabet: &'a Alphabet) -> Self {
        let mut before: HashMap<(DfaState, DfaState), Vec<(DfaState, DfaState)>> = HashMap::new();
        let columns = Columns::of([language, domain], alphabet);
        let start = (Dfa::START, Dfa::START);
        let mut known = HashSet::from([start]);
        let mut open = vec![start];
        let mut narrower: Vec<(DfaState, DfaState)> = Vec::new();
        while let Some(pair) = open.pop() {
            if domain.accepts(pair.1) && !language.accepts(pair.0) {
                narrower.push(pair);
            }
            for symbol in columns.symbols() {
                let next = (language.step(pair.0, *symbol), domain.step(pair.1, *symbol));
                before.entry(next).or_default().push(pair);
                if known.insert(next) {
                    open.push(next);
                }
            }
        }
        let mut all: HashSet<(DfaState, DfaState)> = narrower.iter().copied().collect();
        while let Some(pair) = narrower.pop() {
            for from in before.get(&pair).into_iter().flatten() {
                if all.insert(*from) {
                    narrower.push(*from);
                }
            }
        }
        Self { language, domain, alphabet, narrower: all, steps: 0 }
    }

    /// Everything that begins in one of a few ways, and a few texts beside.
    fn globs(&mut self) -> Option<Vec<String>> {
        let mut found = Vec::new();
        self.walk((Dfa::START, Dfa::START), &mut String::new(), &mut found)?;
        found.sort();
        Some(found)
    }

    fn walk(&mut self, at: (DfaState, DfaState), text: &mut String, found: &mut Vec<String>) -> Option<()> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > MOST_STEPS || text.len() > 256 || found.len() > MOST {
            return None;
        }
        if !self.narrower.contains(&at) {
            let mut domain = self.alphabet.symbols().map(|symbol| self.domain.step(at.1, symbol));
            let ends = !domain.any(|next| self.domain.is_live(next));
            found.push(if ends { text.clone() } else { format!("{text}*") });
            return Some(());
        }
        if self.language.accepts(at.0) {
            found.push(text.clone());
        }
        for (next, character) in self.steps_from(at)? {
            text.push(character);
            self.walk(next, text, found)?;
            text.pop();
        }
        Some(())
    }

    /// Where texts go on to, each with the one character that leads there, or with `?` where every one does.
    fn steps_from(&self, at: (DfaState, DfaState)) -> Option<Vec<((DfaState, DfaState), char)>> {
        let step = |symbol| (self.language.step(at.0, symbol), self.domain.step(at.1, symbol));
        let possible = self.alphabet.symbols().filter(|symbol| self.domain.is_live(step(*symbol).1));
        let possible: Vec<_> = possible.collect();
        let goes_on: Vec<_> =
            possible.iter().filter(|symbol| self.language.is_live(step(**symbol).0)).collect();
        let single = |symbol| self.alphabet.only(symbol).filter(|c| !['*', '?'].contains(c));
        let singles: Option<Vec<_>> =
            goes_on.iter().map(|symbol| Some((step(**symbol), single(**symbol)?))).collect();
        if let Some(singles) = singles {
            return Some(singles);
        }
        let first = step(**goes_on.first()?);
        let all = goes_on.len() == possible.len() && goes_on.iter().all(|symbol| step(**symbol) == first);
        all.then(|| vec![(first, '?')])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automaton::{Cuts, expression_cuts, expression_dfa};

    fn written(language: &str, domain: &str, words: &[&str]) -> Option<Vec<String>> {
        let mut cuts = Cuts::default();
        for expression in [language, domain] {
            expression_cuts(expression, &mut cuts).unwrap();
        }
        for word in words {
            cuts.text(word);
        }
        let alphabet = Alphabet::new(&cuts);
        let domain = expression_dfa(domain, &alphabet, STATES).unwrap();
        let language = expression_dfa(language, &alphabet, STATES).unwrap();
        let language = language.combined(&domain, &alphabet, |one, two| one && two);
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        globs(&language, &domain, &alphabet, &words)
    }

    #[test]
    fn a_few_texts_are_listed() {
        assert_eq!(written("prod|dev", "[a-z]+", &[]).unwrap(), ["dev", "prod"]);
    }

    #[test]
    fn what_begins_alike_is_a_pattern_within_its_domain() {
        assert_eq!(written("refs/heads/.*|main", r"[^\s:]+", &[]).unwrap(), ["main", "refs/heads/*"]);
        assert_eq!(written("a.c.*", r"[a-z]+", &[]).unwrap(), ["a?c*"]);
    }

    #[test]
    fn what_ends_alike_is_found_among_the_words_of_a_policy() {
        assert_eq!(written(".*-prod", r"[^\s:]+", &["*", "*-prod", "x*"]).unwrap(), ["*-prod"]);
        assert_eq!(written("(aa)*", "a*", &["*"]), None);
        let but = written("x[ac-z].*|xb.+|yy.*", r"[a-z]+", &["x*", "yy*"]).unwrap();
        assert_eq!(but, ["x* but x, xb", "yy*"]);
    }
}
