//! The automata against two other engines, and against their own definition.

use daypass_trust::form::{Pattern, Piece};
use proptest::prelude::*;

use super::derivatives::{CHARACTERS, Term};
use super::*;

fn dfa_of(pattern: &Pattern, ignore_case: bool) -> (Dfa, Alphabet) {
    let mut cuts = Cuts::default();
    pattern_cuts(pattern, ignore_case, &mut cuts);
    cuts.text("ab/:é");
    let alphabet = Alphabet::new(&cuts);
    (union_dfa(&[(pattern, ignore_case)], &alphabet, STATES).unwrap(), alphabet)
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        "[abA/:é]{1,2}".prop_map(Piece::Text),
        Just(Piece::One),
        Just(Piece::Run),
        Just(Piece::RunWithin),
    ]
}

fn pattern() -> impl Strategy<Value = Pattern> {
    prop::collection::vec(piece(), 0..5).prop_map(|pieces| {
        let mut pattern = Pattern::default();
        for piece in pieces {
            pattern.push(piece);
        }
        pattern
    })
}

/// Expressions of a small language that every engine has.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[ab/]",
        Just(".".to_owned()),
        Just("[^a]".to_owned()),
        Just("^".to_owned()),
        Just("$".to_owned())
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}{b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(?:{a}|{b})")),
            inner.clone().prop_map(|a| format!("(?:{a})*")),
            inner.clone().prop_map(|a| format!("(?:{a}){{1,2}}")),
            inner.prop_map(|a| format!("(?:{a})?")),
        ]
    })
}

/// A language, as an automaton and as the other engine has it.
#[derive(Clone, Debug)]
enum Drawn {
    Pattern(Pattern),
    Expression(Term),
}

impl Drawn {
    fn term(&self) -> Term {
        match self {
            Self::Pattern(pattern) => Term::of_pattern(pattern),
            Self::Expression(term) => term.clone(),
        }
    }

    /// As it is built for a question: over its own alphabet, and then over the question's.
    fn dfa(&self, alphabet: &Alphabet) -> Dfa {
        let mut cuts = Cuts::default();
        let machine = match self {
            Self::Pattern(pattern) => {
                pattern_cuts(pattern, false, &mut cuts);
                Machine::new(&cuts, |own| Ok(union_dfa(&[(pattern, false)], own, STATES)?))
            }
            Self::Expression(term) => {
                expression_cuts(&term.written(), &mut cuts).unwrap();
                Machine::new(&cuts, |own| expression_dfa(&term.written(), own, STATES))
            }
        };
        machine.unwrap().over(alphabet)
    }
}

fn term() -> impl Strategy<Value = Term> {
    let leaf = prop_oneof![
        prop::sample::select(&CHARACTERS[..6]).prop_map(|c| Term::one([c])),
        Just(Term::one(CHARACTERS)),
        Just(Term::one(CHARACTERS.into_iter().filter(|c| *c != 'a'))),
        Just(Term::Empty),
    ];
    leaf.prop_recursive(4, 10, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| one.then(other)),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| one.or(other)),
            inner.prop_map(Term::many),
        ]
    })
}

fn drawn() -> impl Strategy<Value = Drawn> {
    prop_oneof![pattern().prop_map(Drawn::Pattern), term().prop_map(Drawn::Expression)]
}

/// The length of the shortest text.
fn shortest(dfa: &Dfa, alphabet: &Alphabet) -> Option<usize> {
    let mut known = vec![Dfa::START];
    let mut from = 0;
    for length in 0.. {
        let reached = known.get(from..).filter(|states| !states.is_empty())?.to_vec();
        if reached.iter().any(|state| dfa.accepts(*state)) {
            return Some(length);
        }
        from = known.len();
        for next in reached.iter().flat_map(|state| alphabet.symbols().map(|it| dfa.step(*state, it))) {
            if !known.contains(&next) {
                known.push(next);
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn two_engines_agree_on_inclusion_intersection_and_the_shortest_text(one in drawn(), other in drawn()) {
        let mut cuts = Cuts::default();
        cuts.text(&CHARACTERS.iter().collect::<String>());
        let alphabet = Alphabet::new(&cuts);
        let (left, right) = (one.dfa(&alphabet), other.dfa(&alphabet));
        let both = left.combined(&right, &alphabet, |one, other| one && other);
        let only = left.combined(&right, &alphabet, |one, other| one && !other);
        let (one, other) = (one.term(), other.term());
        for (dfa, term) in [
            (&left, one.clone()),
            (&both, one.clone().and(other.clone())),
            (&only, one.clone().and(other.clone().not())),
        ] {
            let length = term.shortest();
            prop_assert_eq!(dfa.is_empty(), length.is_none(), "{:?} and {:?}", one, other);
            prop_assert_eq!(shortest(dfa, &alphabet), length, "{:?} and {:?}", one, other);
        }
    }

    #[test]
    fn a_pattern_is_its_automaton(pattern in pattern(), ignore_case: bool, text in "[abAB/:éx]{0,8}") {
        let (dfa, alphabet) = dfa_of(&pattern, ignore_case);
        prop_assert_eq!(dfa.contains(&text, &alphabet), pattern.matches(&text, ignore_case, &mut |_| None));
    }

    #[test]
    fn an_expression_is_its_automaton(text in expression(), subject in "[ab/x]{0,6}") {
        let mut cuts = Cuts::default();
        expression_cuts(&text, &mut cuts).unwrap();
        cuts.text("abx/");
        let alphabet = Alphabet::new(&cuts);
        let searched = search_dfa(&text, &alphabet, STATES).unwrap();
        let engine = regex::Regex::new(&text).unwrap();
        prop_assert_eq!(searched.contains(&subject, &alphabet), engine.is_match(&subject), "search {}", text);
        let whole = expression_dfa(&text, &alphabet, STATES).unwrap();
        let anchored = regex::Regex::new(&format!("^(?:{text})$")).unwrap();
        prop_assert_eq!(whole.contains(&subject, &alphabet), anchored.is_match(&subject), "whole {}", text);
    }
}

#[test]
fn the_smallest_automaton_is_the_same_for_the_same_language() {
    let build = |text: &str| {
        let mut cuts = Cuts::default();
        cuts.text("repo:acme/");
        let alphabet = Alphabet::new(&cuts);
        expression_dfa(text, &alphabet, STATES).unwrap()
    };
    assert_eq!(build("a(?:c|m)*"), build("(?:a(?:c|m)*)(?:c*m*)*"));
    assert_ne!(build("a(?:c|m)*"), build("a(?:c|m)+"));
}

#[test]
fn a_pattern_that_explodes_is_refused() {
    let pattern = Pattern::glob("*a?????????????");
    let mut cuts = Cuts::default();
    pattern_cuts(&pattern, false, &mut cuts);
    let alphabet = Alphabet::new(&cuts);
    assert_eq!(union_dfa(&[(&pattern, false)], &alphabet, STATES), Err(TooLarge { limit: STATES }));
}

#[test]
fn what_looks_at_words_or_lines_is_not_supported() {
    let alphabet = Alphabet::new(&Cuts::default());
    let refusal = |text: &str| search_dfa(text, &alphabet, STATES).unwrap_err().to_string();
    assert_eq!(refusal(r"\bacme\b"), "the expression looks at word boundaries");
    assert_eq!(refusal(r"(?m)^acme$"), "the expression looks at lines");
    assert_eq!(refusal("("), "`(` is no regular expression");
}
