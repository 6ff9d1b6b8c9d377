//! Parts of records that are read leniently: a member of another kind than expected is one that is not there.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A string of a record, borrowed from it unless it has escapes. Anything else is the empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Text<'_> {
    /// This, or the other where this is empty.
    pub(crate) fn or<'t>(&'t self, other: &'t str) -> &'t str {
        if self.is_empty() { other } else { self }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(value.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Text<'de>, E> {
        // Some exports write ids and codes as numbers.
        Ok(Text(Cow::Owned(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(value.to_string())))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Text<'de>, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Text<'de>, A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

/// An object of a record; the default of its kind where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lenient<T>(pub(crate) T);

impl<T> Deref for Lenient<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(access))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<T, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
}

/// The first object of a list; the default of its kind where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct First<T>(pub(crate) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FirstVisitor(PhantomData)).map(Self)
    }
}

struct FirstVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for FirstVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<T, A::Error> {
        let first = access.next_element::<Lenient<T>>()?.unwrap_or_default();
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.0)
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Sample<'a> {
        #[serde(borrow)]
        name: Text<'a>,
        #[serde(borrow)]
        inner: Lenient<Inner<'a>>,
        #[serde(borrow)]
        list: First<Inner<'a>>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Inner<'a> {
        #[serde(borrow)]
        id: Text<'a>,
    }

    #[test]
    fn a_member_of_another_kind_is_one_that_is_not_there() {
        for other in ["null", "true", "1.5", "[1, {}]", "{\"x\": 1}"] {
            let text =
                format!(r#"{{"name": {other}, "inner": {{"id": {other}}}, "list": [{{"id": {other}}}, 2]}}"#);
            let sample: Sample<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!((&*sample.name, &*sample.inner.id, &*sample.list.0.id), ("", "", ""), "{text}");
        }
        for other in ["null", "true", "1", "-1", "1.5", "\"x\"", "[{\"id\": \"x\"}]"] {
            let text = format!(r#"{{"name": "n", "inner": {other}, "list": []}}"#);
            let sample: Sample<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!((&*sample.name, &*sample.inner.id), ("n", ""), "{text}");
        }
    }

    #[test]
    fn escapes_are_undone_and_the_rest_is_borrowed() {
        let text = r#"{"name": "a\u0041", "list": [{"id": 7}, {"id": "no"}]}"#;
        let sample: Sample<'_> = serde_json::from_str(text).unwrap();
        assert_eq!((&*sample.name, &*sample.list.0.id), ("aA", "7"));
        assert!(matches!(sample.name.0, Cow::Owned(_)));
        let sample: Sample<'_> = serde_json::from_str(r#"{"name": "a"}"#).unwrap();
        assert!(matches!(sample.name.0, Cow::Borrowed("a")));
    }
}
