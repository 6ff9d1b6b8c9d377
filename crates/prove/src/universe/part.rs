use daypass_claims::ClaimValue;
use daypass_issuers::{Identifies, Shape};

/// The place of a part in its universe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PartId(pub(crate) usize);

/// Something about a token that can be chosen on its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// What it is called: a claim, or a claim and a piece of it (`repository#0`).
    pub(crate) name: String,
    /// What it can be; the first is the usual one.
    pub(crate) kinds: Vec<Kind>,
    /// Whether it may be absent.
    pub(crate) optional: bool,
    /// Whether it is absent from the usual token.
    pub(crate) rare: bool,
    /// What it names, for plausible values.
    pub(crate) identifies: Identifies,
    /// What it is in the running example, if it is there.
    pub(crate) sample: Option<ClaimValue>,
}

/// A kind of value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A text of a language, given as an expression over the whole text.
    Text(String),
    /// A boolean.
    Flag,
    /// A whole number.
    Integer,
    /// A list of texts of a language.
    List(String),
    /// JSON null.
    Null,
    /// This, and nothing that can be reasoned about.
    Opaque(ClaimValue),
}

impl Part {
    /// A text that every token has.
    pub(crate) fn text(name: impl Into<String>, language: impl Into<String>, sample: Option<String>) -> Self {
        Self {
            name: name.into(),
            kinds: vec![Kind::Text(language.into())],
            optional: false,
            rare: false,
            identifies: Identifies::Other,
            sample: sample.map(ClaimValue::String),
        }
    }

    /// Whether this is a name that every token could have here, of a form of its own: of free text nothing is known.
    pub(crate) fn names(&self, text: &str) -> bool {
        let [Kind::Text(language)] = self.kinds.as_slice() else { return false };
        let shape = Shape::ALL.into_iter().find(|shape| shape.regex() == language);
        !self.optional && shape.is_some_and(|shape| shape != Shape::Text && shape.admits(text))
    }

    /// The same part, known to name this.
    pub(crate) const fn naming(mut self, identifies: Identifies) -> Self {
        self.identifies = identifies;
        self
    }

    /// What it is unless something else is asked for; `None` where the usual token lacks it.
    pub(crate) const fn usual(&self) -> Option<&ClaimValue> {
        if self.rare { None } else { self.sample.as_ref() }
    }
}

impl Kind {
    /// The language of its texts, or of its items' texts.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(expression) | Self::List(expression) => Some(expression),
            Self::Flag | Self::Integer | Self::Null | Self::Opaque(_) => None,
        }
    }
}
