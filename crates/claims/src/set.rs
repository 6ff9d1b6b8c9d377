use std::collections::BTreeMap;

use serde::ser::{Serialize, Serializer};

use crate::json::{self, JsonError, JsonLimits};
use crate::{ClaimName, ClaimValue};

/// What a token says: claim names with their values.
///
/// A claim set carries no promise about who said it. Whether a signature vouches for it is in the types that
/// hold it (`daypass_token::VerifiedToken` against `daypass_token::UnverifiedToken`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClaimSet(BTreeMap<ClaimName, ClaimValue>);

impl ClaimSet {
    /// No claims.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one JSON object strictly: UTF-8, no duplicate members, bounded nesting, no number that would lose
    /// digits, nothing after the closing brace.
    pub fn from_json(bytes: &[u8]) -> Result<Self, JsonError> {
        json::parse_claim_set(bytes, JsonLimits::default())
    }

    /// The value of a claim; `None` is *absent*, which is not `null`.
    pub fn get(&self, name: &str) -> Option<&ClaimValue> {
        self.0.get(name)
    }

    /// Whether the claim is there, with whatever value.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Sets a claim and returns what was there.
    pub fn insert(&mut self, name: impl Into<ClaimName>, value: impl Into<ClaimValue>) -> Option<ClaimValue> {
        self.0.insert(name.into(), value.into())
    }

    /// Takes a claim out.
    pub fn remove(&mut self, name: &str) -> Option<ClaimValue> {
        self.0.remove(name)
    }

    /// The claims in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&ClaimName, &ClaimValue)> {
        self.0.iter()
    }

    /// The claim names in order.
    pub fn names(&self) -> impl Iterator<Item = &ClaimName> {
        self.0.keys()
    }

    /// How many claims there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of `aud`: one string or a list of strings (RFC 7519 section 4.1.3). `None` when the claim is
    /// absent or is anything else.
    pub fn audiences(&self) -> Option<Vec<&str>> {
        match self.get("aud")? {
            ClaimValue::String(one) => Some(vec![one]),
            ClaimValue::Array(items) => items.iter().map(ClaimValue::as_str).collect(),
            _ => None,
        }
    }
}

impl Serialize for ClaimSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

impl<N: Into<ClaimName>, V: Into<ClaimValue>> FromIterator<(N, V)> for ClaimSet {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(claims: I) -> Self {
        Self(claims.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl IntoIterator for ClaimSet {
    type Item = (ClaimName, ClaimValue);
    type IntoIter = std::collections::btree_map::IntoIter<ClaimName, ClaimValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audience_is_a_string_or_a_list_of_strings() {
        let read = |json: &str| ClaimSet::from_json(json.as_bytes()).unwrap();
        assert_eq!(read(r#"{"aud":"a"}"#).audiences(), Some(vec!["a"]));
        assert_eq!(read(r#"{"aud":["a","b"]}"#).audiences(), Some(vec!["a", "b"]));
        assert_eq!(read(r#"{"aud":[]}"#).audiences(), Some(vec![]));
        assert_eq!(read(r#"{"aud":["a",1]}"#).audiences(), None);
        assert_eq!(read(r#"{"aud":7}"#).audiences(), None);
        assert_eq!(read("{}").audiences(), None);
    }

    #[test]
    fn null_is_present() {
        let claims = ClaimSet::from_json(br#"{"environment":null}"#).unwrap();
        assert!(claims.contains("environment"));
        assert_eq!(claims.get("environment"), Some(&ClaimValue::Null));
        assert_eq!(claims.get("ref"), None);
    }
}
