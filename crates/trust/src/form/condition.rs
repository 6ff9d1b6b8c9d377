use std::net::IpAddr;

use daypass_claims::{Number, Timestamp};

use super::{Expression, Pattern, Reading, Variable};
use crate::document::Span;

/// What must hold for a statement to match; evaluated in Kleene logic.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of these; true when empty.
    All(Vec<Condition>),
    /// At least one of these; false when empty.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// A test of one variable.
    Atom(Atom),
    /// Something whose meaning is not known, and why.
    Unknown(String),
    /// A condition as its author wrote it: the unit of explanation. Means what its body means.
    Clause(Box<Clause>),
}

/// A condition as its author wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// Which condition it is: `StringLike token.actions.githubusercontent.com:sub`, `claims.ref`.
    pub name: String,
    /// What it asks for, in words: `one of "a", "b"`.
    pub wants: String,
    /// Where it stands.
    pub span: Span,
    /// What it means.
    pub body: Condition,
}

/// A test of one variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    /// What is looked at.
    pub variable: Variable,
    /// How the dialect reads the value it finds.
    pub reading: Reading,
    /// Over which of its values the test runs.
    pub quantifier: Quantifier,
    /// The test.
    pub test: Test,
}

/// Over which values of a variable a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// The one value; a list never matches, and neither does an absent variable.
    Scalar,
    /// At least one item of the list; false when absent or empty.
    AnyOf,
    /// Every item of the list; **true when absent or empty**, as `ForAllValues` is in AWS.
    AllOf,
}

/// A test of one value.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The variable is there, with whatever value.
    Present,
    /// A string that the pattern matches whole.
    Text {
        /// The pattern; without wildcards it is equality.
        pattern: Pattern,
        /// Whether ASCII letter case is ignored.
        ignore_case: bool,
    },
    /// A string in which the expression is found; anchor it to match the whole.
    Regex(Expression),
    /// A number.
    Number(Comparison, Number),
    /// A boolean.
    Bool(bool),
    /// A point in time.
    Date(Comparison, Timestamp),
    /// An address in a network.
    Ip {
        /// The network's address.
        network: IpAddr,
        /// How many leading bits count.
        prefix: u8,
    },
    /// An ARN whose six parts match these patterns one by one.
    Arn(Vec<Pattern>),
    /// Bytes, base64 in the token.
    Binary(Vec<u8>),
    /// At least one of these.
    OneOf(Vec<Test>),
    /// Not this, of a value that is there.
    Not(Box<Test>),
}

/// How two ordered values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Whether a value that stands in `ordering` to the wanted one passes.
    pub fn accepts(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Condition {
    /// Always true.
    pub const TRUE: Self = Self::All(Vec::new());
    /// Always false.
    pub const FALSE: Self = Self::Any(Vec::new());

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The variable is there.
    pub const fn present(variable: Variable, reading: Reading) -> Self {
        Self::Atom(Atom { variable, reading, quantifier: Quantifier::Scalar, test: Test::Present })
    }

    /// Every atom in the condition.
    pub fn atoms(&self) -> Vec<&Atom> {
        let mut atoms = Vec::new();
        self.collect_atoms(&mut atoms);
        atoms
    }

    fn collect_atoms<'a>(&'a self, atoms: &mut Vec<&'a Atom>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect_atoms(atoms)),
            Self::Not(inner) => inner.collect_atoms(atoms),
            Self::Clause(clause) => clause.body.collect_atoms(atoms),
            Self::Atom(atom) => atoms.push(atom),
            Self::Unknown(_) => {}
        }
    }
}

impl Test {
    /// A string equal to `text`.
    pub fn equals(text: impl Into<String>) -> Self {
        Self::Text { pattern: Pattern::literal(text), ignore_case: false }
    }
}
