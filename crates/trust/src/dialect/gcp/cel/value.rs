//! What expressions stand for before a token is known.

use daypass_claims::Number;

use crate::form::{Atom, Condition, JoinPart, Quantifier, Reading, Test, Variable};

/// When an expression is true and when it is false; it fails where neither holds.
pub(in super::super) struct Logic {
    pub(in super::super) yes: Condition,
    pub(in super::super) no: Condition,
}

/// What an expression can be, each under its condition; it fails where none holds. The conditions exclude each other.
#[derive(Clone)]
pub(in super::super) struct Value(pub(super) Vec<Case>);

/// A value, and when an expression has it.
#[derive(Clone)]
pub(in super::super) struct Case {
    pub(super) when: Condition,
    pub(super) value: Simple,
}

/// A value without a choice.
#[derive(Clone)]
pub(in super::super) enum Simple {
    Text(String),
    Number(Number),
    Bool(bool),
    Null,
    /// Whatever the variable holds; fails where it is absent.
    Variable(Variable),
    /// How long what the variable holds is.
    Size(Variable),
    List(Vec<Value>),
    Root(Root),
    /// A value that is not known, and why.
    Unknown(String),
}

/// The names that expressions begin with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Root {
    Assertion,
    Google,
    Attribute,
}

/// The most cases that are kept apart.
const MOST_CASES: usize = 32;
/// The most parts that the condition of a choice has.
const HEAVIEST: usize = 4_096;

impl Logic {
    pub(super) const ERROR: Self = Self { yes: Condition::FALSE, no: Condition::FALSE };

    pub(super) const fn constant(value: bool) -> Self {
        if value {
            Self { yes: Condition::TRUE, no: Condition::FALSE }
        } else {
            Self { yes: Condition::FALSE, no: Condition::TRUE }
        }
    }

    pub(super) fn unknown(why: impl Into<String>) -> Self {
        let why = why.into();
        Self { yes: Condition::Unknown(why.clone()), no: Condition::Unknown(why) }
    }

    /// True where the condition holds, else false.
    pub(in super::super) fn of(condition: Condition) -> Self {
        Self { yes: condition.clone(), no: condition.negated() }
    }

    pub(super) fn negated(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }

    pub(super) fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        let (yes, no) = parts.into_iter().map(|part| (part.yes, part.no)).unzip();
        Self { yes: all(yes), no: any(no) }
    }

    pub(super) fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        let (yes, no) = parts.into_iter().map(|part| (part.yes, part.no)).unzip();
        Self { yes: any(yes), no: all(no) }
    }

    /// This, where the condition holds; else a failure.
    pub(super) fn when(self, condition: &Condition) -> Self {
        let both = |one| all(vec![condition.clone(), one]);
        Self { yes: both(self.yes), no: both(self.no) }
    }

    /// `test ? then : otherwise`.
    pub(super) fn choice(test: &Self, then: Self, otherwise: Self) -> Self {
        let (then, otherwise) = (then.when(&test.yes), otherwise.when(&test.no));
        let chosen = Self { yes: any(vec![then.yes, otherwise.yes]), no: any(vec![then.no, otherwise.no]) };
        if weight(&chosen.yes).saturating_add(weight(&chosen.no)) > HEAVIEST {
            return Self::unknown("the expression makes too many choices");
        }
        chosen
    }
}

impl Value {
    /// The cases, each taken further; those of the results are joined.
    pub(super) fn then(self, mut further: impl FnMut(Simple) -> Self) -> Self {
        let mut cases = Vec::new();
        for Case { when, value } in self.0 {
            let next = further(value).0.into_iter();
            cases.extend(
                next.map(|case| Case { when: all(vec![when.clone(), case.when]), value: case.value }),
            );
        }
        Self::of(cases)
    }

    /// `test ? then : otherwise`.
    pub(super) fn choice(test: &Logic, then: Self, otherwise: Self) -> Self {
        let under = |condition: &Condition, value: Self| {
            let condition = condition.clone();
            value
                .0
                .into_iter()
                .map(move |case| Case { when: all(vec![condition.clone(), case.when]), ..case })
        };
        Self::of(under(&test.yes, then).chain(under(&test.no, otherwise)).collect())
    }

    fn of(cases: Vec<Case>) -> Self {
        let heavy: usize = cases.iter().map(|case| weight(&case.when)).sum();
        if cases.len() > MOST_CASES || heavy > HEAVIEST {
            return Simple::Unknown("the expression makes too many choices".to_owned()).into();
        }
        Self(cases)
    }

    /// A failure, whatever the token.
    pub(super) const fn error() -> Self {
        Self(Vec::new())
    }

    /// A test of the value, case by case.
    pub(in super::super) fn test(&self, mut test: impl FnMut(&Simple) -> Logic) -> Logic {
        let (yes, no) = self
            .0
            .iter()
            .map(|case| {
                let logic = test(&case.value).when(&case.when);
                (logic.yes, logic.no)
            })
            .unzip();
        Logic { yes: any(yes), no: any(no) }
    }

    /// The parts that a text is joined of, if the value is one text that never fails but for its claims.
    pub(in super::super) fn parts(&self) -> Option<Vec<JoinPart>> {
        match self.0.as_slice() {
            [Case { when, value }] if *when == Condition::TRUE => value.parts(),
            _ => None,
        }
    }

    /// Whether the value is there: it does not fail.
    pub(super) fn defined(&self) -> Condition {
        let there = self.0.iter().map(|case| all(vec![case.when.clone(), case.value.defined()]));
        any(there.collect())
    }
}

impl From<Simple> for Value {
    fn from(value: Simple) -> Self {
        Self(vec![Case { when: Condition::TRUE, value }])
    }
}

impl From<Logic> for Value {
    fn from(logic: Logic) -> Self {
        let case = |when, value| Case { when, value: Simple::Bool(value) };
        let cases = [case(logic.yes, true), case(logic.no, false)];
        Self::of(cases.into_iter().filter(|case| case.when != Condition::FALSE).collect())
    }
}

impl Simple {
    pub(super) fn unsupported(what: &str) -> Self {
        Self::Unknown(format!("`{what}` in an expression of CEL is not modelled"))
    }

    /// Whether the value is there.
    pub(super) fn defined(&self) -> Condition {
        match self {
            Self::Variable(variable) | Self::Size(variable) => present(variable),
            Self::List(items) => all(items.iter().map(Value::defined).collect()),
            Self::Unknown(why) => Condition::Unknown(why.clone()),
            _ => Condition::TRUE,
        }
    }

    /// The parts of a text.
    pub(super) fn parts(&self) -> Option<Vec<JoinPart>> {
        match self {
            Self::Text(text) => Some(vec![JoinPart::Text(text.clone())]),
            Self::Variable(Variable::Claim(path)) => Some(vec![JoinPart::Claim(path.clone())]),
            Self::Variable(Variable::Joined(parts)) => Some(parts.clone()),
            _ => None,
        }
    }
}

/// All of these, without what is always true; false if one of them always is.
pub(super) fn all(parts: Vec<Condition>) -> Condition {
    if parts.contains(&Condition::FALSE) {
        return Condition::FALSE;
    }
    let mut kept: Vec<Condition> = parts.into_iter().filter(|part| *part != Condition::TRUE).collect();
    if kept.len() == 1 { kept.swap_remove(0) } else { Condition::All(kept) }
}

/// One of these, without what is always false; true if one of them always is.
pub(super) fn any(parts: Vec<Condition>) -> Condition {
    if parts.contains(&Condition::TRUE) {
        return Condition::TRUE;
    }
    let mut kept: Vec<Condition> = parts.into_iter().filter(|part| *part != Condition::FALSE).collect();
    if kept.len() == 1 { kept.swap_remove(0) } else { Condition::Any(kept) }
}

/// How many parts a condition has.
fn weight(condition: &Condition) -> usize {
    let inner = match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().map(weight).sum(),
        Condition::Not(inner) => weight(inner),
        Condition::Clause(clause) => weight(&clause.body),
        Condition::Atom(_) | Condition::Unknown(_) => 0,
    };
    inner.saturating_add(1)
}

/// A test of the one value that a variable holds.
pub(super) fn scalar(variable: &Variable, test: Test) -> Condition {
    atom(variable, Quantifier::Scalar, test)
}

pub(super) fn atom(variable: &Variable, quantifier: Quantifier, test: Test) -> Condition {
    Condition::Atom(Atom { variable: variable.clone(), reading: Reading::Strict, quantifier, test })
}

pub(super) fn present(variable: &Variable) -> Condition {
    Condition::present(variable.clone(), Reading::Strict)
}
