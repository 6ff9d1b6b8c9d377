use serde::Serialize;

use crate::Witness;

/// What a question was answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Nobody can say.
    Unknown,
}

/// How far an answer about a set of tokens goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exactness {
    /// These tokens and no others.
    Exact,
    /// These tokens, and perhaps fewer.
    AtMost,
    /// These tokens, and perhaps more.
    AtLeast,
}

/// An answer, with a token where one shows it and the reasons where it is not plain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Yes, no, or unknown.
    pub answer: Verdict,
    /// How far it goes.
    pub exactness: Exactness,
    /// The token that shows it.
    pub witness: Option<Witness>,
    /// What it rests on, or what stands in the way.
    pub why: Vec<String>,
}

impl Answer {
    pub(crate) const fn yes(witness: Option<Witness>, why: Vec<String>) -> Self {
        Self { answer: Verdict::Yes, exactness: Exactness::Exact, witness, why }
    }

    pub(crate) const fn no(witness: Option<Witness>, why: Vec<String>) -> Self {
        Self { answer: Verdict::No, exactness: Exactness::Exact, witness, why }
    }

    pub(crate) const fn unknown(why: Vec<String>) -> Self {
        Self { answer: Verdict::Unknown, exactness: Exactness::AtMost, witness: None, why }
    }
}
