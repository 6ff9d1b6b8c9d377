//! YAML with places: documents as trees whose every key and value knows which bytes it is.
//!
//! Values stay texts (`on`, `yes` and `0755` are what the file says; a reader decides what they mean), duplicate keys
//! are kept, and an alias is the node it stands for, with a note of where it is used. Nothing is resolved by
//! copying: shared nodes are shared, and what a file would expand to is counted and bounded.

mod parse;

use std::collections::HashSet;
use std::sync::Arc;

use daypass_trust::document::Span;

pub(crate) use parse::text;
pub use parse::{Limits, YamlError, parse, parse_within};

use crate::{Place, Text};

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    /// Where the value is written; for an alias, where its anchor is.
    pub place: Place,
    /// Where the alias stands, if the value was reached through one.
    pub alias: Option<Box<Place>>,
    /// The tag as written, such as `!reference`.
    pub tag: Option<Arc<str>>,
    /// The value.
    pub value: Value,
    /// Nodes that the value expands to, itself included.
    weight: usize,
    /// Levels of nesting below it.
    height: usize,
}

/// What a [`Node`] is.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, number, boolean or null: whatever is not a collection.
    Scalar(Text),
    /// A list.
    Sequence(Arc<[Node]>),
    /// A mapping, in the order of the file; keys may repeat.
    Mapping(Arc<[Pair]>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: Node,
    /// The value.
    pub value: Node,
}

impl Pair {
    /// The key's text, if it is one.
    pub fn name(&self) -> Option<&Text> {
        self.key.text()
    }

    /// The bytes from the key's first to the value's last; up to the alias where the value is one.
    pub fn place(&self) -> Place {
        self.key.place.to(self.value.use_place())
    }
}

impl Node {
    /// A text, made by a reader and not by the file.
    pub fn scalar(text: Text) -> Self {
        let place = text.place.clone();
        Self::made(Value::Scalar(text), place)
    }

    /// A list that stands at a place, made by a reader and not by the file.
    pub fn sequence(items: Vec<Self>, place: Place) -> Self {
        Self::made(Value::Sequence(items.into()), place)
    }

    /// A mapping that stands at a place, made by a reader and not by the file.
    pub fn mapping(pairs: Vec<Pair>, place: Place) -> Self {
        Self::made(Value::Mapping(pairs.into()), place)
    }

    fn made(value: Value, place: Place) -> Self {
        let mut node = Self { place, alias: None, tag: None, value, weight: 1, height: 0 };
        node.weigh();
        node
    }

    fn weigh(&mut self) {
        let of = |nodes: &mut dyn Iterator<Item = &Self>| {
            nodes.fold((1_usize, 0_usize), |(weight, height), node| {
                (weight.saturating_add(node.weight), height.max(node.height.saturating_add(1)))
            })
        };
        (self.weight, self.height) = match &self.value {
            Value::Scalar(_) => (1, 0),
            Value::Sequence(items) => of(&mut items.iter()),
            Value::Mapping(pairs) => of(&mut pairs.iter().flat_map(|pair| [&pair.key, &pair.value])),
        };
    }

    /// How many nodes the value is once every alias is written out.
    pub const fn weight(&self) -> usize {
        self.weight
    }

    /// Where the value is used: the alias if there is one, else the value itself.
    pub fn use_place(&self) -> &Place {
        self.alias.as_deref().unwrap_or(&self.place)
    }

    /// The text, if it is a scalar.
    pub fn text(&self) -> Option<&Text> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The text, if it is a scalar.
    pub fn as_str(&self) -> Option<&str> {
        self.text().map(Text::as_str)
    }

    /// Whether it is nothing: an empty value, `~` or `null`, unquoted.
    pub fn is_null(&self) -> bool {
        self.text().is_some_and(|text| {
            text.style == crate::Style::Plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
        })
    }

    /// The boolean, if it is one in any of the spellings that CI systems take.
    pub fn as_bool(&self) -> Option<bool> {
        let text = self.as_str()?;
        if ["true", "yes", "on"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Some(true);
        }
        ["false", "no", "off"].iter().any(|word| text.eq_ignore_ascii_case(word)).then_some(false)
    }

    /// The items, if it is a list.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The items of a list, or the value itself where one may be written without a list.
    pub fn one_or_more(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            Value::Scalar(_) if self.is_null() => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// Whether it is a mapping.
    pub const fn is_mapping(&self) -> bool {
        matches!(self.value, Value::Mapping(_))
    }

    /// The pairs as they are written, merge keys included, if it is a mapping.
    pub fn pairs(&self) -> &[Pair] {
        match &self.value {
            Value::Mapping(pairs) => pairs,
            _ => &[],
        }
    }

    /// The value of a key: the last one of that name, else one that a merge key brings in.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.pair(name).map(|pair| &pair.value)
    }

    /// The pair of a key, chosen as [`Node::get`] does.
    pub fn pair(&self, name: &str) -> Option<&Pair> {
        let own = self.pairs().iter().rev().find(|pair| pair.key.as_str() == Some(name));
        own.or_else(|| self.merged().find_map(|node| node.pair(name)))
    }

    /// The pairs with text keys in effect: duplicates decided for the last, merge keys resolved.
    pub fn entries(&self) -> Vec<(&Text, &Pair)> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        self.collect_entries(&mut seen, &mut found);
        found
    }

    fn collect_entries<'n>(&'n self, seen: &mut HashSet<&'n str>, found: &mut Vec<(&'n Text, &'n Pair)>) {
        let start = found.len();
        for pair in self.pairs().iter().rev() {
            let Some(name) = pair.name().filter(|_| !is_merge(pair)) else { continue };
            if seen.insert(name.as_str()) {
                found.push((name, pair));
            }
        }
        if let Some(own) = found.get_mut(start..) {
            own.reverse();
        }
        for node in self.merged() {
            node.collect_entries(seen, found);
        }
    }

    fn merged(&self) -> impl Iterator<Item = &Self> {
        let merges = self.pairs().iter().filter(|pair| is_merge(pair));
        merges.flat_map(|pair| pair.value.one_or_more()).filter(|node| node.is_mapping())
    }

    /// The node whose bytes are exactly these, where one is: how an editor finds again what a finding points at.
    pub fn at(&self, span: Span) -> Option<&Self> {
        if self.place.span == span {
            return Some(self);
        }
        let within = |node: &&Self| node.alias.is_none();
        match &self.value {
            Value::Scalar(_) => None,
            Value::Sequence(items) => items.iter().filter(within).find_map(|item| item.at(span)),
            Value::Mapping(pairs) => {
                let nodes = pairs.iter().flat_map(|pair| [&pair.key, &pair.value]);
                nodes.filter(within).find_map(|node| node.at(span))
            }
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.value {
            Value::Scalar(_) => "scalar",
            Value::Sequence(_) => "sequence",
            Value::Mapping(_) => "mapping",
        };
        write!(f, "{kind} at {}", self.place)
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scalar(text) => text.fmt(f),
            Self::Sequence(items) => items.fmt(f),
            Self::Mapping(pairs) => pairs.fmt(f),
        }
    }
}

fn is_merge(pair: &Pair) -> bool {
    pair.name().is_some_and(|name| name.as_str() == "<<" && name.style == crate::Style::Plain)
}

#[cfg(test)]
mod tests;
