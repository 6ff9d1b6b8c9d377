//! Claim values as they are written in a catalogue file.

use std::collections::BTreeMap;
use std::fmt;

use daypass_claims::{ClaimName, ClaimValue, Number};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A claim value in TOML. There is no null (TOML has none) and no float or date (no platform mints one).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written(pub(crate) ClaimValue);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

/// Reads an optional value.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ClaimValue>, D::Error> {
    Written::deserialize(deserializer).map(|Written(value)| Some(value))
}

/// Reads a list of values.
pub(crate) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ClaimValue>, D::Error> {
    let values = Vec::<Written>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|Written(value)| value).collect())
}

/// Reads a table of values.
pub(crate) fn table<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<ClaimName, ClaimValue>, D::Error> {
    let values = BTreeMap::<String, Written>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|(name, Written(value))| (ClaimName::from(name), value)).collect())
}

struct WrittenVisitor;

/// The member under which the TOML reader hands a date over.
const DATE: &str = "$__toml_private_datetime";

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an integer, a boolean, a list or a table")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Written, E> {
        Ok(Written(ClaimValue::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Written, E> {
        Ok(Written(ClaimValue::Number(Number::Integer(value.into()))))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Written, E> {
        Ok(Written(ClaimValue::from(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Written, A::Error> {
        let mut items = Vec::new();
        while let Some(Written(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Written(ClaimValue::Array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Written, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, Written(value))) = access.next_entry::<String, Written>()? {
            if name == DATE {
                return Err(A::Error::custom("a date is no claim value; write it as a string"));
            }
            members.insert(name, value);
        }
        Ok(Written(ClaimValue::Object(members)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Row {
        #[serde(deserialize_with = "optional")]
        v: Option<ClaimValue>,
    }

    fn read(toml: &str) -> Result<String, toml::de::Error> {
        toml::from_str::<Row>(toml).map(|row| row.v.unwrap().to_string())
    }

    #[test]
    fn every_json_kind_but_null_and_float_can_be_written() {
        assert_eq!(read(r#"v = "x""#).unwrap(), r#""x""#);
        assert_eq!(read("v = 7").unwrap(), "7");
        assert_eq!(read("v = true").unwrap(), "true");
        assert_eq!(read(r#"v = ["a", { b = 1 }]"#).unwrap(), r#"["a",{"b":1}]"#);
        assert!(read("v = 1.5").is_err());
        assert!(read("v = 2026-01-01").is_err());
    }
}
