//! Documents with places: JSON and TOML read into one tree whose every node knows where it stands.
//!
//! Dialects, policy tests and the configuration read this tree, so every message they give points at a line and a
//! column. Duplicate members are kept, because a reader that silently keeps one of two is how a policy comes to say
//! something other than its author reads.

mod json;
mod reader;
mod source;
mod toml;

pub use json::parse_json;
pub use reader::{Fields, Problems};
pub use source::{Location, Problem, Source, Span};
pub use toml::parse_toml;

/// A value with its place in the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A string.
    String(String),
    /// A TOML date or time, as it is written.
    Datetime(String),
    /// A list.
    Array(Vec<Node>),
    /// An object or table, members in the order of the source; names may repeat.
    Table(Vec<Member>),
    /// Something that the document leaves to others, such as a variable of Terraform, and why it is not known here.
    Unresolved(String),
}

/// A member of an object or table.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// What this kind of value is called in messages.
    pub const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
            Value::Unresolved(_) => "unresolved",
        }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members, if it is a table.
    pub fn as_table(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Table(members) => Some(members),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_array(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The first member of that name, if this is a table that has one.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.as_table()?.iter().find(|member| member.name == name).map(|member| &member.node)
    }

    /// Why the value is not known, if it is not.
    pub fn unresolved(&self) -> Option<&str> {
        match &self.value {
            Value::Unresolved(why) => Some(why),
            _ => None,
        }
    }

    /// Every string in the tree with its place, names of members included.
    pub fn strings(&self) -> Vec<(&str, Span)> {
        let mut found = Vec::new();
        self.collect_strings(&mut found);
        found
    }

    fn collect_strings<'n>(&'n self, found: &mut Vec<(&'n str, Span)>) {
        match &self.value {
            Value::String(text) => found.push((text, self.span)),
            Value::Array(items) => items.iter().for_each(|item| item.collect_strings(found)),
            Value::Table(members) => {
                for member in members {
                    found.push((&member.name, member.name_span));
                    member.node.collect_strings(found);
                }
            }
            _ => {}
        }
    }

    /// How many characters the value has as JSON, white space not counted.
    pub fn json_length(&self) -> usize {
        let text = |text: &str| {
            let escaped = |c: char| match c {
                '"' | '\\' => 2,
                c if c.is_control() => 6,
                c if c.is_whitespace() => 0,
                _ => 1,
            };
            text.chars().map(escaped).sum::<usize>().saturating_add(2)
        };
        let between = |count: usize| count.saturating_sub(1).saturating_add(2);
        match &self.value {
            Value::Null => 4,
            Value::Bool(value) => value.to_string().len(),
            Value::Number(number) => number.len(),
            Value::String(string) | Value::Datetime(string) => text(string),
            Value::Array(items) => items.iter().map(Self::json_length).sum::<usize>() + between(items.len()),
            Value::Table(members) => {
                let length = |member: &Member| text(&member.name) + 1 + member.node.json_length();
                members.iter().map(length).sum::<usize>() + between(members.len())
            }
            Value::Unresolved(_) => 0,
        }
    }

    /// Applies `replace` to every string in the tree, in place; what it refuses is returned with the place.
    pub fn map_strings(
        &mut self,
        replace: &mut dyn FnMut(&str) -> Result<Option<String>, String>,
    ) -> Vec<(Span, String)> {
        let mut refused = Vec::new();
        self.walk_strings(replace, &mut refused);
        refused
    }

    fn walk_strings(
        &mut self,
        replace: &mut dyn FnMut(&str) -> Result<Option<String>, String>,
        refused: &mut Vec<(Span, String)>,
    ) {
        match &mut self.value {
            Value::String(text) => match replace(text) {
                Ok(Some(new)) => *text = new,
                Ok(None) => {}
                Err(why) => refused.push((self.span, why)),
            },
            Value::Array(items) => {
                for item in items {
                    item.walk_strings(replace, refused);
                }
            }
            Value::Table(members) => {
                for member in members {
                    member.node.walk_strings(replace, refused);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Datetime(_) | Value::Unresolved(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_document_does_not_depend_on_how_it_is_set_out() {
        let length = |text: &str| parse_json(&Source::new("p", text)).unwrap().json_length();
        let compact = r#"{"a":[1,true,null,"x\"y"],"b":{}}"#;
        assert_eq!(length(compact), compact.len());
        assert_eq!(length("{ \"a\" : [1, true,\n null, \"x\\\"y\"], \"b\": { } }"), compact.len());
        assert_eq!(length(r#""a b""#), 4, "white space is not counted in strings either");
    }
}
