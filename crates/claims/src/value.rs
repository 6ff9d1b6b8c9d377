use std::collections::BTreeMap;
use std::fmt;

use serde::ser::{Serialize, Serializer};

/// The value of a claim: JSON, with numbers that never lose a digit.
///
/// Values compare type-strictly: the string `"9919"` and the number `9919` are different, `null` is not absent,
/// and an empty list is not an empty string.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimValue {
    /// JSON `null`.
    Null,
    /// `true` or `false`; many platforms write the strings `"true"` and `"false"` instead, which are strings.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<ClaimValue>),
    /// An object; member order carries no meaning.
    Object(BTreeMap<String, ClaimValue>),
}

/// A JSON number, exact.
///
/// Whole numbers keep all their digits; anything written with a fraction or an exponent is a float. A whole
/// number that neither holds exactly is refused when the token is read.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number in the range of `i64` and `u64`.
    Integer(i128),
    /// A number with a fraction or an exponent; always finite.
    Float(f64),
}

impl ClaimValue {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_array(&self) -> Option<&[ClaimValue]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&BTreeMap<String, ClaimValue>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What JSON calls this kind of value, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl Number {
    /// The value as a float, for comparisons of magnitude. Exact below 2^53.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a comparison of magnitude; equality of integers is exact"
    )]
    pub const fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// The value without its fraction, towards zero.
    #[expect(clippy::cast_possible_truncation, reason = "a float saturates, and whoever asks wants no more")]
    pub const fn truncated(self) -> Self {
        match self {
            Self::Integer(_) => self,
            Self::Float(value) => Self::Integer(value as i128),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (a, b) => a.as_f64().total_cmp(&b.as_f64()).is_eq(),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
        }
    }
}

/// Writes compact JSON, as it would stand in a token.
impl fmt::Display for ClaimValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Float(value) => serializer.serialize_f64(value),
            Self::Integer(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => serializer.serialize_i64(value),
                (_, Ok(value)) => serializer.serialize_u64(value),
                _ => serializer.serialize_i128(value),
            },
        }
    }
}

impl Serialize for ClaimValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::String(value) => serializer.serialize_str(value),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members),
        }
    }
}

impl From<&str> for ClaimValue {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for ClaimValue {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for ClaimValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for ClaimValue {
    fn from(value: i64) -> Self {
        Self::Number(Number::Integer(i128::from(value)))
    }
}

impl<V: Into<ClaimValue>> From<Vec<V>> for ClaimValue {
    fn from(items: Vec<V>) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_kinds_of_nothing_are_four_values() {
        let nothings = [
            ClaimValue::Null,
            ClaimValue::from(""),
            ClaimValue::Array(vec![]),
            ClaimValue::Object(BTreeMap::new()),
        ];
        for (i, a) in nothings.iter().enumerate() {
            for (j, b) in nothings.iter().enumerate() {
                assert_eq!(i == j, a == b);
            }
        }
    }

    #[test]
    fn large_integers_compare_by_every_digit() {
        let a = Number::Integer(9_007_199_254_740_993);
        let b = Number::Integer(9_007_199_254_740_992);
        assert_ne!(a, b);
        assert_eq!(ClaimValue::Number(a).to_string(), "9007199254740993");
    }
}
