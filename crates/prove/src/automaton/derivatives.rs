//! A second engine, as plain as can be: expressions with intersection and complement, and what is left of them after a
//! character (Brzozowski, "Derivatives of Regular Expressions", 1964). Nothing of it is shared with the automata.

use std::collections::{BTreeSet, VecDeque};

use daypass_trust::form::{Pattern, Piece};

/// The characters that it knows. The last one stands for all others.
pub(super) const CHARACTERS: [char; 7] = ['a', 'A', 'b', '/', ':', 'é', 'x'];

/// An expression, kept in a form in which few are different that mean the same: there are finitely many derivatives of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Term {
    /// No text.
    Nothing,
    /// The empty text.
    Empty,
    /// One of these characters.
    One(BTreeSet<char>),
    Then(Box<Self>, Box<Self>),
    Many(Box<Self>),
    Any(BTreeSet<Self>),
    All(BTreeSet<Self>),
    Not(Box<Self>),
}

impl Term {
    pub(super) fn one(characters: impl IntoIterator<Item = char>) -> Self {
        Self::One(characters.into_iter().collect())
    }

    pub(super) fn anything() -> Self {
        Self::one(CHARACTERS).many()
    }

    pub(super) fn then(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::Empty, other) => other,
            (one, Self::Empty) => one,
            (Self::Then(first, second), other) => Self::Then(first, Box::new(second.then(other))),
            (one, other) => Self::Then(Box::new(one), Box::new(other)),
        }
    }

    pub(super) fn many(self) -> Self {
        match self {
            Self::Nothing | Self::Empty => Self::Empty,
            Self::Many(inner) => Self::Many(inner),
            other => Self::Many(Box::new(other)),
        }
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        let mut terms = BTreeSet::new();
        for term in [self, other] {
            match term {
                Self::Any(inner) => terms.extend(inner),
                Self::Nothing => {}
                other => drop(terms.insert(other)),
            }
        }
        match terms.len() {
            0 => Self::Nothing,
            1 => terms.pop_first().unwrap(),
            _ => Self::Any(terms),
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        let mut terms = BTreeSet::new();
        for term in [self, other] {
            match term {
                Self::All(inner) => terms.extend(inner),
                Self::Nothing => return Self::Nothing,
                other => drop(terms.insert(other)),
            }
        }
        if terms.len() == 1 { terms.pop_first().unwrap() } else { Self::All(terms) }
    }

    /// The texts that a pattern matches.
    pub(super) fn of_pattern(pattern: &Pattern) -> Self {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.chars().fold(Self::Empty, |all, c| all.then(Self::one([c]))),
            Piece::One => Self::one(CHARACTERS),
            Piece::RunWithin => {
                Self::one(CHARACTERS.into_iter().filter(|c| !Piece::SEPARATORS.contains(c))).many()
            }
            Piece::Run | Piece::Variable(..) => Self::anything(),
        };
        pattern.pieces.iter().map(piece).fold(Self::Empty, Self::then)
    }

    /// The expression in the syntax of expressions, which has no intersection and no complement.
    #[expect(clippy::unreachable, reason = "what has no syntax is not drawn")]
    pub(super) fn written(&self) -> String {
        match self {
            Self::Nothing | Self::All(_) | Self::Not(_) => unreachable!("{self:?}"),
            Self::Empty => "(?:)".to_owned(),
            Self::One(characters) if characters.contains(&'x') => {
                let others = CHARACTERS.iter().filter(|c| !characters.contains(c)).collect::<String>();
                if others.is_empty() { "(?s:.)".to_owned() } else { format!("[^{others}]") }
            }
            Self::One(characters) => format!("[{}]", characters.iter().collect::<String>()),
            Self::Then(one, other) => format!("{}{}", one.written(), other.written()),
            Self::Many(inner) => format!("(?:{})*", inner.written()),
            Self::Any(terms) => {
                format!("(?:{})", terms.iter().map(Self::written).collect::<Vec<_>>().join("|"))
            }
        }
    }

    /// Whether the empty text is meant.
    fn takes_nothing(&self) -> bool {
        match self {
            Self::Nothing | Self::One(_) => false,
            Self::Empty | Self::Many(_) => true,
            Self::Then(one, other) => one.takes_nothing() && other.takes_nothing(),
            Self::Any(terms) => terms.iter().any(Self::takes_nothing),
            Self::All(terms) => terms.iter().all(Self::takes_nothing),
            Self::Not(inner) => !inner.takes_nothing(),
        }
    }

    /// What may follow a character.
    fn after(&self, c: char) -> Self {
        match self {
            Self::Nothing | Self::Empty => Self::Nothing,
            Self::One(characters) if characters.contains(&c) => Self::Empty,
            Self::One(_) => Self::Nothing,
            Self::Then(one, other) => {
                let rest = one.after(c).then((**other).clone());
                if one.takes_nothing() { rest.or(other.after(c)) } else { rest }
            }
            Self::Many(inner) => inner.after(c).then(self.clone()),
            Self::Any(terms) => terms.iter().map(|term| term.after(c)).fold(Self::Nothing, Self::or),
            Self::All(terms) => {
                let after = terms.iter().map(|term| term.after(c));
                after.reduce(Self::and).unwrap_or(Self::Nothing)
            }
            Self::Not(inner) => inner.after(c).not(),
        }
    }

    /// The length of the shortest text, if there is one.
    pub(super) fn shortest(&self) -> Option<usize> {
        let mut known = BTreeSet::from([self.clone()]);
        let mut open = VecDeque::from([(self.clone(), 0)]);
        while let Some((term, length)) = open.pop_front() {
            if term.takes_nothing() {
                return Some(length);
            }
            for next in CHARACTERS.into_iter().map(|c| term.after(c)) {
                if known.insert(next.clone()) {
                    open.push_back((next, length + 1));
                }
            }
        }
        None
    }
}
