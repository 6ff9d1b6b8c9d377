//! The languages that tests of text tell apart.

use daypass_issuers::{Guard, Test as GuardTest};
use daypass_trust::TAGS_CLAIM;
use daypass_trust::form::{Audiences, Pattern, Piece, Reading, RequestKey, Test, Variable};

use super::values::Thresholds;
use super::{Leaf, Leaves};
use crate::automaton::{
    Alphabet, Cuts, Dfa, STATES, Unsupported, arn_dfa, expression_cuts, pattern_cuts, search_dfa, union_dfa,
};
use crate::universe::Universe;

/// A language of texts that some test is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    /// Texts that one of the patterns matches; with it whether letter case is ignored.
    Patterns(Vec<(Pattern, bool)>),
    /// Texts in which the expression is found.
    Search(String),
    /// ARNs.
    Arn(Vec<Pattern>),
    /// Texts with something other than ASCII in them: how letter case is ignored there is not documented.
    NotAscii,
}

/// What a test looks at beyond languages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Needs {
    pub(crate) languages: Vec<Language>,
    /// Values at which a test changes its answer.
    pub(crate) values: Thresholds,
    /// Why the languages and values may not be all that is told apart.
    pub(crate) inexact: Vec<String>,
}

impl Language {
    pub(crate) fn cuts(&self, cuts: &mut Cuts) -> Result<(), Unsupported> {
        match self {
            Self::Patterns(patterns) => {
                for (pattern, ignore_case) in patterns {
                    pattern_cuts(pattern, *ignore_case, cuts);
                }
            }
            Self::Search(text) => expression_cuts(text, cuts)?,
            Self::Arn(parts) => {
                cuts.character(':');
                for part in parts {
                    pattern_cuts(part, false, cuts);
                }
            }
            Self::NotAscii => expression_cuts(r"\p{ascii}*", cuts)?,
        }
        Ok(())
    }

    pub(crate) fn dfa(&self, alphabet: &Alphabet) -> Result<Dfa, Unsupported> {
        match self {
            Self::Patterns(patterns) => {
                let patterns: Vec<(&Pattern, bool)> =
                    patterns.iter().map(|(pattern, ignore_case)| (pattern, *ignore_case)).collect();
                Ok(union_dfa(&patterns, alphabet, STATES)?)
            }
            Self::Search(text) => search_dfa(text, alphabet, STATES),
            Self::Arn(parts) => Ok(arn_dfa(parts, alphabet, STATES)?),
            Self::NotAscii => search_dfa(r"[^\p{ascii}]", alphabet, STATES),
        }
    }

    /// Texts of the language, or close to it, as people would write them.
    pub(crate) fn literals(&self) -> Vec<String> {
        let of = |pattern: &Pattern| {
            let pieces = pattern.pieces.iter().filter_map(|piece| match piece {
                Piece::Text(text) => Some(text.clone()),
                _ => None,
            });
            pieces.collect::<Vec<_>>()
        };
        match self {
            Self::Patterns(patterns) => patterns.iter().flat_map(|(pattern, _)| of(pattern)).collect(),
            Self::Arn(parts) => parts.iter().flat_map(of).collect(),
            Self::Search(text) => words(text),
            Self::NotAscii => vec!["é".to_owned()],
        }
    }
}

/// The texts that leaves name, whole or in part.
pub(crate) fn words_of(leaves: &Leaves) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for leaf in leaves.all() {
        let needs = match leaf {
            Leaf::Atom(atom) => Needs::of_test(&atom.test, atom.reading),
            Leaf::Part(_, patterns) => Needs::of_patterns(patterns),
            Leaf::Audience(_) | Leaf::Guard(_) => continue,
        };
        for word in needs.languages.iter().flat_map(Language::literals) {
            if !found.contains(&word) {
                found.push(word);
            }
        }
    }
    found
}

/// The words of an expression.
fn words(expression: &str) -> Vec<String> {
    let outside = |c: char| "^$()[]{}|*+?\\".contains(c);
    expression.split(outside).filter(|word| word.len() > 1).map(str::to_owned).collect()
}

impl Needs {
    pub(crate) fn of_test(test: &Test, reading: Reading) -> Self {
        let mut needs = Self::default();
        needs.test(test);
        if matches!(reading, Reading::Strict | Reading::Vault) {
            needs.values.take_types_strictly();
        }
        needs
    }

    pub(crate) fn of_audiences(audiences: &Audiences) -> Self {
        let mut needs = Self::default();
        let named = audiences.named().iter();
        let patterns = named.map(|one| (Pattern::literal(one.as_str()), false)).collect();
        needs.languages.push(Language::Patterns(patterns));
        needs
    }

    pub(crate) fn of_patterns(patterns: &[(Pattern, bool)]) -> Self {
        Self { languages: vec![Language::Patterns(patterns.to_vec())], ..Self::default() }
    }

    pub(crate) fn of_guard(guard: &Guard) -> Self {
        let mut needs = Self::default();
        match &guard.test {
            GuardTest::Present => {}
            GuardTest::NotEmpty => {
                needs.languages.push(Language::Patterns(vec![(Pattern::default(), false)]));
            }
            GuardTest::OneOf(values) => {
                let texts = values.iter().filter_map(|value| value.as_str());
                let patterns = texts.map(|text| (Pattern::literal(text), false)).collect();
                needs.languages.push(Language::Patterns(patterns));
            }
            GuardTest::Prefix(prefix) => {
                let mut pattern = Pattern::literal(prefix.as_str());
                pattern.push(Piece::Run);
                needs.languages.push(Language::Patterns(vec![(pattern, false)]));
            }
        }
        needs
    }

    fn test(&mut self, test: &Test) {
        match test {
            Test::Present => {}
            Test::Text { pattern, ignore_case } => self.pattern(pattern, *ignore_case),
            Test::Regex(expression) => self.languages.push(Language::Search(expression.as_str().to_owned())),
            Test::Arn(parts) => {
                self.variables(parts);
                self.languages.push(Language::Arn(parts.clone()));
            }
            Test::OneOf(tests) => self.one_of(tests),
            Test::Not(inner) => self.test(inner),
            Test::Bool(_) => self.values.flags = true,
            Test::Number(_, wanted) => self.values.numbers.push(*wanted),
            Test::Date(_, wanted) => self.values.times.push(*wanted),
            Test::Ip { network, prefix } => self.values.others.extend(addresses(*network, *prefix)),
            Test::Binary(_) => self.inexact.push("bytes in base64 are not reasoned about".to_owned()),
        }
    }

    /// Alternatives are one language: which of them a text is of does not matter.
    fn one_of(&mut self, tests: &[Test]) {
        let mut patterns = Vec::new();
        for test in tests {
            match test {
                Test::Text { pattern, ignore_case } if !has_variable(pattern) => {
                    patterns.push((pattern.clone(), *ignore_case));
                }
                other => self.test(other),
            }
        }
        if patterns.iter().any(|(_, ignore_case)| *ignore_case) {
            self.languages.push(Language::NotAscii);
        }
        if !patterns.is_empty() {
            self.languages.push(Language::Patterns(patterns));
        }
    }

    fn pattern(&mut self, pattern: &Pattern, ignore_case: bool) {
        self.variables(std::slice::from_ref(pattern));
        if ignore_case {
            self.languages.push(Language::NotAscii);
        }
        self.languages.push(Language::Patterns(vec![(pattern.clone(), ignore_case)]));
    }

    fn variables(&mut self, patterns: &[Pattern]) {
        if patterns.iter().any(has_variable) {
            self.inexact
                .push("a value that names another value of the request is not reasoned about".to_owned());
        }
    }
}

/// The patterns of a test, as people would write them.
pub(crate) fn patterns_of(test: &Test) -> Vec<String> {
    match test {
        Test::Text { pattern, .. } => vec![pattern.to_string()],
        Test::Arn(parts) => parts.iter().map(Pattern::to_string).collect(),
        Test::OneOf(tests) => tests.iter().flat_map(patterns_of).collect(),
        Test::Not(inner) => patterns_of(inner),
        _ => Vec::new(),
    }
}

/// The test as it is of tokens without session tags, if the universe's tokens have none: a pattern that names a tag then means
/// its default, and without one matches nothing.
pub(super) fn without_tags(test: &Test, universe: &Universe) -> Test {
    if universe.model(TAGS_CLAIM).is_some() {
        return test.clone();
    }
    match test {
        Test::Text { pattern, ignore_case } => match without_tag(pattern) {
            Some(pattern) => Test::Text { pattern, ignore_case: *ignore_case },
            None => Test::OneOf(Vec::new()),
        },
        Test::OneOf(tests) => Test::OneOf(tests.iter().map(|test| without_tags(test, universe)).collect()),
        Test::Not(inner) => Test::Not(Box::new(without_tags(inner, universe))),
        other => other.clone(),
    }
}

fn without_tag(pattern: &Pattern) -> Option<Pattern> {
    let mut resolved = Pattern::default();
    for piece in &pattern.pieces {
        match piece {
            Piece::Variable(Variable::Request(RequestKey::Tag(_)), default) => {
                resolved.push(Piece::Text(default.clone()?));
            }
            other => resolved.push(other.clone()),
        }
    }
    Some(resolved)
}

fn has_variable(pattern: &Pattern) -> bool {
    pattern.pieces.iter().any(|piece| matches!(piece, Piece::Variable(..)))
}

/// Addresses in and just outside a network.
fn addresses(network: std::net::IpAddr, prefix: u8) -> Vec<String> {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    let size = |bits: u8| 1_u128.checked_shl(u32::from(bits.saturating_sub(prefix))).unwrap_or(0);
    match network {
        IpAddr::V4(base) => {
            let base = u32::from(base);
            let size = u32::try_from(size(32)).unwrap_or(0);
            let near = [base, base.wrapping_add(size), base.wrapping_sub(1)];
            near.into_iter().map(|bits| Ipv4Addr::from(bits).to_string()).collect()
        }
        IpAddr::V6(base) => {
            let base = u128::from(base);
            let near = [base, base.wrapping_add(size(128)), base.wrapping_sub(1)];
            near.into_iter().map(|bits| Ipv6Addr::from(bits).to_string()).collect()
        }
    }
}
