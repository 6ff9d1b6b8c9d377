use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Visitor};

/// The name of a claim, exactly as the issuer writes it (`repository_id`, `oidc.circleci.com/project-id`).
///
/// Names are case-sensitive and may hold any character, dots and slashes among them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ClaimName(Arc<str>);

impl ClaimName {
    /// Names a claim.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name as it stands in the token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ClaimName {
    /// From the text where it lies: every token that comes in has some thirty names.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = ClaimName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a claim")
            }

            fn visit_str<E>(self, name: &str) -> Result<ClaimName, E> {
                Ok(ClaimName::from(name))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

impl AsRef<str> for ClaimName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for ClaimName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ClaimName {
    fn from(name: &str) -> Self {
        Self(Arc::from(name))
    }
}

impl From<String> for ClaimName {
    fn from(name: String) -> Self {
        Self(Arc::from(name))
    }
}
