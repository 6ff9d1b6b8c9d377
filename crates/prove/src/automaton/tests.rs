//! The automata against two other engines, and against their own definition.

use daypass_trust::form::{Pattern, Piece};
use proptest::prelude::*;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

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
