//! The strict JSON reader for everything that a token or a user claims.
//!
//! RFC 7515 section 4 and RFC 7519 section 4 let a parser take the last of two members of one name; two parsers
//! that choose differently are an attack, so duplicates are refused outright.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::{ClaimName, ClaimSet, ClaimValue, Number};

/// Bounds on what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLimits {
    /// How deep objects and lists may nest.
    pub depth: usize,
    /// How many values there may be in all.
    pub values: usize,
}

impl Default for JsonLimits {
    /// 16 levels and 4,096 values: an order of magnitude above the richest CI token.
    fn default() -> Self {
        Self { depth: 16, values: 4_096 }
    }
}

/// The text is not the JSON that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line} column {column}")]
pub struct JsonError {
    /// What is wrong, lower-case.
    pub message: String,
    /// 1-based line; 0 where the text as a whole is meant.
    pub line: usize,
    /// 1-based column in bytes.
    pub column: usize,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        Self { message: text.strip_suffix(&place).unwrap_or(&text).to_owned(), line, column }
    }
}

/// Reads one JSON value of any kind under `limits`.
pub fn parse_value(bytes: &[u8], limits: JsonLimits) -> Result<ClaimValue, JsonError> {
    let budget = Budget { values: Cell::new(limits.values) };
    parse(bytes, ValueSeed { depth: limits.depth, budget: &budget })
}

pub(crate) fn parse_claim_set(bytes: &[u8], limits: JsonLimits) -> Result<ClaimSet, JsonError> {
    let budget = Budget { values: Cell::new(limits.values) };
    parse(bytes, ClaimSetSeed { depth: limits.depth, budget: &budget })
}

fn parse<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value, JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = seed.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

struct Budget {
    values: Cell<usize>,
}

impl Budget {
    fn spend<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.values.get().checked_sub(1).ok_or_else(|| E::custom("too many values"))?;
        self.values.set(left);
        Ok(())
    }
}

/// Reads members into `insert`, which says whether the name was there before.
fn read_members<'de, A, N, F>(
    mut access: A,
    depth: usize,
    budget: &Budget,
    mut insert: F,
) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    N: serde::Deserialize<'de> + AsRef<str>,
    F: FnMut(N, ClaimValue) -> Option<String>,
{
    let depth = depth.checked_sub(1).ok_or_else(|| A::Error::custom("nested too deeply"))?;
    while let Some(name) = access.next_key::<N>()? {
        let value = access.next_value_seed(ValueSeed { depth, budget })?;
        if let Some(name) = insert(name, value) {
            let shown: String = name.chars().take(64).collect();
            return Err(A::Error::custom(format_args!("duplicate member {shown:?}")));
        }
    }
    Ok(())
}

struct ClaimSetSeed<'b> {
    depth: usize,
    budget: &'b Budget,
}

impl<'de> DeserializeSeed<'de> for ClaimSetSeed<'_> {
    type Value = ClaimSet;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ClaimSet, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ClaimSetSeed<'_> {
    type Value = ClaimSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<ClaimSet, A::Error> {
        let mut claims = ClaimSet::new();
        read_members(access, self.depth, self.budget, |name: ClaimName, value| {
            claims.insert(name.clone(), value).map(|_| name.as_str().to_owned())
        })?;
        Ok(claims)
    }
}

#[derive(Clone, Copy)]
struct ValueSeed<'b> {
    depth: usize,
    budget: &'b Budget,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ClaimValue;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ClaimValue, D::Error> {
        self.budget.spend()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ClaimValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Number(Number::Integer(i128::from(value))))
    }

    fn visit_u64<E>(self, value: u64) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Number(Number::Integer(i128::from(value))))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<ClaimValue, E> {
        // Whole numbers beyond 64 bits arrive here too, with digits already lost: two identifiers could
        // become one. Everything past 2^53 is therefore refused.
        if !value.is_finite() || value.abs() > 9_007_199_254_740_992.0 {
            return Err(E::custom("number cannot be held exactly"));
        }
        Ok(ClaimValue::Number(Number::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<ClaimValue, E> {
        Ok(ClaimValue::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<ClaimValue, E> {
        Ok(ClaimValue::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<ClaimValue, A::Error> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| A::Error::custom("nested too deeply"))?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(ValueSeed { depth, budget: self.budget })? {
            items.push(item);
        }
        Ok(ClaimValue::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<ClaimValue, A::Error> {
        let mut members = BTreeMap::new();
        read_members(access, self.depth, self.budget, |name: String, value| {
            members.insert(name.clone(), value).map(|_| name)
        })?;
        Ok(ClaimValue::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(text: &str) -> String {
        ClaimSet::from_json(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn duplicates_are_refused_at_every_level_with_their_place() {
        assert_eq!(refusal(r#"{"sub":"a","sub":"b"}"#), "duplicate member \"sub\" at line 1 column 21");
        assert!(refusal(r#"{"x":{"y":1,"y":1}}"#).starts_with("duplicate member \"y\""));
        assert!(refusal(r#"{"x":[{"y":1,"\u0079":1}]}"#).starts_with("duplicate member \"y\""));
    }

    #[test]
    fn only_one_object_and_nothing_behind_it() {
        for text in ["", "[]", "\"x\"", "{} {}", "{}x", "null", "{\"a\":1,}", "{'a':1}", "\u{feff}{}"] {
            assert!(ClaimSet::from_json(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(ClaimSet::from_json(b"{\"a\":\"\xff\"}").is_err());
        assert!(ClaimSet::from_json(br#"{"a":"\ud800"}"#).is_err());
    }

    #[test]
    fn nesting_and_count_are_bounded() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(15), "]".repeat(15));
        assert!(ClaimSet::from_json(deep.as_bytes()).is_ok());
        let deeper = format!("{{\"a\":{}{}}}", "[".repeat(16), "]".repeat(16));
        assert!(refusal(&deeper).starts_with("nested too deeply"));
        let many = format!("{{\"a\":[{}0]}}", "0,".repeat(4_096));
        assert!(refusal(&many).starts_with("too many values"));
    }

    #[test]
    fn a_number_that_would_lose_digits_is_refused() {
        assert!(ClaimSet::from_json(br#"{"id":18446744073709551615}"#).is_ok());
        for lossy in ["18446744073709551616", "-9223372036854775809", "1e400", "1e17"] {
            assert!(ClaimSet::from_json(format!("{{\"id\":{lossy}}}").as_bytes()).is_err(), "{lossy}");
        }
    }

    fn json_value() -> impl Strategy<Value = ClaimValue> {
        let leaf = prop_oneof![
            Just(ClaimValue::Null),
            any::<bool>().prop_map(ClaimValue::Bool),
            any::<i64>().prop_map(|n| ClaimValue::Number(Number::Integer(n.into()))),
            ".{0,12}".prop_map(ClaimValue::String),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(ClaimValue::Array),
                prop::collection::btree_map(".{0,6}", inner, 0..6).prop_map(ClaimValue::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(value in json_value()) {
            let text = value.to_string();
            prop_assert_eq!(parse_value(text.as_bytes(), JsonLimits::default()).unwrap(), value);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _ = ClaimSet::from_json(&bytes);
        }
    }
}
