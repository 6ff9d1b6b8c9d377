use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The string cannot name anything: it is empty, too long or holds control characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Nothing between the quotes.
    #[error("{what} is empty")]
    Empty {
        /// Which identity string it is.
        what: &'static str,
    },
    /// More bytes than the cap.
    #[error("{what} has {length} bytes, at most {limit} are allowed")]
    TooLong {
        /// Which identity string it is.
        what: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The cap in bytes.
        limit: usize,
    },
    /// A control character, which no issuer mints and every log would choke on.
    #[error("{what} holds a control character (U+{code:04X})")]
    ControlCharacter {
        /// Which identity string it is.
        what: &'static str,
        /// The code point.
        code: u32,
    },
}

fn check(what: &'static str, text: &str, limit: usize) -> Result<(), IdentityError> {
    if text.is_empty() {
        return Err(IdentityError::Empty { what });
    }
    if text.len() > limit {
        return Err(IdentityError::TooLong { what, length: text.len(), limit });
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(IdentityError::ControlCharacter { what, code: u32::from(c) }),
        None => Ok(()),
    }
}

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident, $what:literal, $limit:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest that is accepted, in bytes.
            pub const LIMIT: usize = $limit;

            /// Checks that the text can name something: not empty, within the limit, no control characters.
            pub fn parse(text: &str) -> Result<Self, IdentityError> {
                check($what, text, $limit)?;
                Ok(Self(Arc::from(text)))
            }

            /// The text as it stands in the token.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdentityError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentityError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0.as_ref().to_owned()
            }
        }
    };
}

identity! {
    /// A relying party that a token is addressed to (`aud`).
    ///
    /// A CI job chooses the audience itself, so it proves the intended recipient and never authorises alone.
    Audience, "audience", 1024
}

identity! {
    /// Who the token speaks for (`sub`).
    ///
    /// OpenID Connect caps it at 255 bytes, Google at 127; CircleCI's V2 subjects are longer, so the cap is 1,024.
    Subject, "subject", 1024
}

identity! {
    /// The key that signed a token (`kid`): an untrusted lookup key, never a path, a URL or a query.
    KeyId, "key id", 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_long_and_control_are_refused_with_the_reason() {
        assert_eq!(Subject::parse(""), Err(IdentityError::Empty { what: "subject" }));
        assert_eq!(
            Subject::parse(&"x".repeat(1025)),
            Err(IdentityError::TooLong { what: "subject", length: 1025, limit: 1024 })
        );
        assert_eq!(
            Subject::parse("a\nb"),
            Err(IdentityError::ControlCharacter { what: "subject", code: 10 })
        );
        assert!(Subject::parse(&"x".repeat(1024)).is_ok());
    }

    #[test]
    fn case_is_kept_and_compared() {
        assert_ne!(Audience::parse("sts.amazonaws.com"), Audience::parse("STS.amazonaws.com"));
    }
}
