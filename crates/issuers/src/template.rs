use std::fmt;

use daypass_claims::{ClaimName, ClaimValue};

/// A text made of literals and values, such as `repo:{repository}:ref:{ref}`.
///
/// It is the minting rule of a claim and, read the other way, the grammar of its values: a prover takes the
/// [`Piece`]s apart and asks what each value may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

/// One piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands as it is.
    Literal(String),
    /// A value that is filled in.
    Slot(Slot),
}

/// A reference to a claim, or to a part that is not itself a claim, and what is taken from its value.
///
/// Written `name`, `name|filter` or `name?`; the last renders as nothing where the value is absent or null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The claim or part.
    pub name: ClaimName,
    /// What is taken from the value; `None` for the whole of it.
    pub filter: Option<Filter>,
    /// Whether the value may be absent or null.
    pub optional: bool,
}

/// What is taken from a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// `segment N`: the Nth piece, from zero, of a text split at `/`.
    Segment(usize),
    /// `parent`: all but the last piece of a text split at `/`.
    Parent,
    /// `at /a/b`: a member of an object or an item of a list (a JSON pointer, RFC 6901, without escapes).
    At(Vec<String>),
    /// `unbraced`: the text between its braces.
    Unbraced,
    /// `host`: the host, with port, of an URL.
    Host,
}

/// Characters that a platform writes differently inside values (GitHub writes `:` as `%3A`).
pub type Escapes = Vec<(char, String)>;

/// The text is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{` without `}`, or the other way round.
    #[error("template `{0}` has an unbalanced brace")]
    Unbalanced(String),
    /// `{}`.
    #[error("template `{0}` has a placeholder without a name")]
    NoName(String),
    /// Something after `|` that is not a filter.
    #[error("`{0}` is not a filter (known: segment N, parent, at /POINTER, unbraced, host)")]
    Filter(String),
}

/// A template could not be filled in from the values at hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The value is not there, or is null.
    #[error("`{0}` is absent")]
    Absent(ClaimName),
    /// The value is a list or an object.
    #[error("`{name}` is {kind}, which has no text form")]
    NotText {
        /// The claim or part.
        name: ClaimName,
        /// What it is.
        kind: &'static str,
    },
    /// The text has not the form that the filter takes a piece of.
    #[error("`{name}` has nothing to take by `{filter}`")]
    Nothing {
        /// The claim or part.
        name: ClaimName,
        /// The filter, as it is written.
        filter: String,
    },
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let unbalanced = || TemplateError::Unbalanced(text.to_owned());
        let mut pieces = Vec::new();
        let push_literal = |pieces: &mut Vec<Piece>, literal: &str| {
            if literal.contains('}') {
                return Err(unbalanced());
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            Ok(())
        };
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (slot, after) =
                after.split_once('}').ok_or_else(|| TemplateError::Unbalanced(text.to_owned()))?;
            push_literal(&mut pieces, literal)?;
            pieces.push(Piece::Slot(Slot::parse(slot)?));
            rest = after;
        }
        push_literal(&mut pieces, rest)?;
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// The template as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Literals and slots, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The slots, in order.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(slot),
            Piece::Literal(_) => None,
        })
    }

    /// Fills the template in; `value` looks claims and parts up (a `ClaimSet`'s `get` will do where the template
    /// needs no parts).
    pub fn render<'v>(
        &self,
        escapes: &Escapes,
        value: impl Fn(&str) -> Option<&'v ClaimValue>,
    ) -> Result<String, RenderError> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Slot(slot) => match slot.take(value(slot.name.as_str()))? {
                    None if slot.optional => {}
                    None => return Err(RenderError::Absent(slot.name.clone())),
                    Some(value) => push_escaped(&mut text, &value, escapes),
                },
            }
        }
        Ok(text)
    }
}

impl Slot {
    /// Reads `name`, `name?`, `name|filter`.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let (name, filter) = text.split_once('|').map_or((text, None), |(name, filter)| (name, Some(filter)));
        let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        if name.is_empty() {
            return Err(TemplateError::NoName(text.to_owned()));
        }
        let filter = filter.map(Filter::parse).transpose()?;
        Ok(Self { name: ClaimName::from(name), filter, optional })
    }

    /// The text that the slot takes from `value`; `None` where there is no value or it is null.
    ///
    /// Numbers and booleans are written as in JSON.
    pub fn take(&self, value: Option<&ClaimValue>) -> Result<Option<String>, RenderError> {
        let Some(filter) = &self.filter else { return self.text_of(value) };
        let nothing = || RenderError::Nothing { name: self.name.clone(), filter: filter.to_string() };
        let Some(mut value) = value else { return Ok(None) };
        if let Filter::At(path) = filter {
            for step in path {
                value = member(value, step).ok_or_else(nothing)?;
            }
            return self.text_of(Some(value));
        }
        let Some(text) = self.text_of(Some(value))? else { return Ok(None) };
        let taken = match filter {
            Filter::Segment(index) => text.split('/').nth(*index),
            Filter::Parent => text.rsplit_once('/').map(|(parent, _)| parent),
            Filter::Unbraced => text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')),
            Filter::Host => text.split_once("://").and_then(|(_, rest)| rest.split('/').next()),
            Filter::At(_) => None,
        };
        taken.map(|taken| Some(taken.to_owned())).ok_or_else(nothing)
    }

    fn text_of(&self, value: Option<&ClaimValue>) -> Result<Option<String>, RenderError> {
        match value {
            None | Some(ClaimValue::Null) => Ok(None),
            Some(ClaimValue::String(text)) => Ok(Some(text.clone())),
            Some(value @ (ClaimValue::Bool(_) | ClaimValue::Number(_))) => Ok(Some(value.to_string())),
            Some(value @ (ClaimValue::Array(_) | ClaimValue::Object(_))) => {
                Err(RenderError::NotText { name: self.name.clone(), kind: value.kind() })
            }
        }
    }
}

impl Filter {
    fn parse(text: &str) -> Result<Self, TemplateError> {
        let refuse = || TemplateError::Filter(text.to_owned());
        match text.split_once(' ').unwrap_or((text, "")) {
            ("segment", index) => index.parse().map(Self::Segment).map_err(|_| refuse()),
            ("parent", "") => Ok(Self::Parent),
            ("unbraced", "") => Ok(Self::Unbraced),
            ("host", "") => Ok(Self::Host),
            ("at", pointer) => {
                let path = pointer.strip_prefix('/').ok_or_else(refuse)?;
                Ok(Self::At(path.split('/').map(str::to_owned).collect()))
            }
            _ => Err(refuse()),
        }
    }
}

fn member<'v>(value: &'v ClaimValue, step: &str) -> Option<&'v ClaimValue> {
    match value {
        ClaimValue::Object(members) => members.get(step),
        ClaimValue::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

fn push_escaped(text: &mut String, value: &str, escapes: &Escapes) {
    for c in value.chars() {
        match escapes.iter().find(|(from, _)| *from == c) {
            Some((_, to)) => text.push_str(to),
            None => text.push(c),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(index) => write!(f, "segment {index}"),
            Self::Parent => f.write_str("parent"),
            Self::At(path) => write!(f, "at /{}", path.join("/")),
            Self::Unbraced => f.write_str("unbraced"),
            Self::Host => f.write_str("host"),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, if self.optional { "?" } else { "" })?;
        self.filter.as_ref().map_or(Ok(()), |filter| write!(f, "|{filter}"))
    }
}

#[cfg(test)]
mod tests {
    use daypass_claims::ClaimSet;

    use super::*;

    fn render(template: &str, json: &str) -> Result<String, RenderError> {
        let claims = ClaimSet::from_json(json.as_bytes()).unwrap();
        Template::parse(template).unwrap().render(&vec![(':', "%3A".to_owned())], |name| claims.get(name))
    }

    #[test]
    fn values_are_escaped_and_literals_are_not() {
        let json = r#"{"repository":"acme/app","environment":"prod:eu"}"#;
        assert_eq!(
            render("repo:{repository}:environment:{environment}", json).unwrap(),
            "repo:acme/app:environment:prod%3Aeu"
        );
    }

    #[test]
    fn each_filter_takes_its_piece() {
        let json = r#"{"r":"acme/platform/app","u":"{1-2}","i":"https://ci.example:8443/x",
                       "k":{"sa":{"name":"deployer"}},"aud":["a","b"],"n":7,"b":true}"#;
        for (template, expected) in [
            ("{r|segment 0}", "acme"),
            ("{r|segment 2}", "app"),
            ("{r|parent}", "acme/platform"),
            ("{u|unbraced}", "1-2"),
            ("{i|host}", "ci.example%3A8443"),
            ("{k|at /sa/name}", "deployer"),
            ("{aud|at /1}", "b"),
            ("{n}/{b}", "7/true"),
        ] {
            assert_eq!(render(template, json).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let absent = |name: &str| RenderError::Absent(ClaimName::from(name));
        assert_eq!(render("{x}", "{}").unwrap_err(), absent("x"));
        assert_eq!(render("{x}", r#"{"x":null}"#).unwrap_err(), absent("x"));
        assert_eq!(render("step:{x?}", r#"{"x":null}"#).unwrap(), "step:");
        assert!(matches!(render("{x}", r#"{"x":[]}"#), Err(RenderError::NotText { kind: "a list", .. })));
        for template in ["{x|segment 1}", "{x|parent}", "{x|unbraced}", "{x|host}", "{x|at /y}"] {
            let refusal = render(template, r#"{"x":"plain"}"#);
            assert!(matches!(refusal, Err(RenderError::Nothing { .. })), "{template}");
        }
    }

    #[test]
    fn malformed_templates_are_refused() {
        let refusal = |text: &str| Template::parse(text).unwrap_err();
        for text in ["{a", "a}", "{a}}", "x{a} }"] {
            assert!(matches!(refusal(text), TemplateError::Unbalanced(_)), "{text}");
        }
        assert!(matches!(refusal("{}"), TemplateError::NoName(_)));
        assert!(matches!(refusal("{|parent}"), TemplateError::NoName(_)));
        for text in ["{a|upper}", "{a|segment}", "{a|segment x}", "{a|at x}", "{a|parent 1}"] {
            assert!(matches!(refusal(text), TemplateError::Filter(_)), "{text}");
        }
    }

    #[test]
    fn a_slot_prints_as_it_is_written() {
        for text in
            ["repository", "step_key?", "a|segment 1", "k|at /x/y", "b|unbraced", "p|parent", "iss|host"]
        {
            assert_eq!(Slot::parse(text).unwrap().to_string(), text);
        }
    }
}
