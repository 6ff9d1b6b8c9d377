use std::rc::Rc;

use daypass_trust::document::{Member, Node, Span, Value};

/// Opens and closes the number of an unknown part in a text that is otherwise known. Both are of a private-use plane, and
/// what a file holds of them is no number that was given out.
const OPEN: char = '\u{F0000}';
const CLOSE: char = '\u{F0001}';

/// A value of an expression. Spans count through all files (`SourceMap`).
#[derive(Clone, Debug)]
pub(crate) struct Val {
    /// The value. A text may hold unknown parts (`mark`).
    pub(crate) node: Node,
    /// The tree that this text is the JSON of, with its places.
    pub(crate) json: Option<Rc<Node>>,
    /// Where the bytes of this text stand.
    pub(crate) text: Option<Rc<Vec<Piece>>>,
    /// Whether Terraform would stop here, as opposed to the value being unknown: what `try` goes past.
    pub(crate) failed: bool,
}

/// A part of a text and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// Its first byte in the text.
    pub(crate) at: usize,
    /// Where it stands.
    pub(crate) span: Span,
    /// Whether it stands there byte by byte.
    pub(crate) exact: bool,
}

impl Val {
    /// A value of its own.
    pub(crate) fn of(value: Value, span: Span) -> Self {
        Self::from(Node { span, value })
    }

    /// A text.
    pub(crate) fn string(text: impl Into<String>, span: Span) -> Self {
        Self::of(Value::String(text.into()), span)
    }

    /// A value that is not known.
    pub(crate) fn unknown(why: impl Into<String>, span: Span) -> Self {
        Self::of(Value::Unresolved(why.into()), span)
    }

    /// What Terraform would refuse.
    pub(crate) fn failure(why: impl Into<String>, span: Span) -> Self {
        Self { failed: true, ..Self::unknown(why, span) }
    }

    /// The whole text of a file.
    pub(crate) fn file(text: String, span: Span) -> Self {
        let piece = Piece { at: 0, span, exact: true };
        Self { text: Some(Rc::new(vec![piece])), ..Self::string(text, span) }
    }
}

impl From<Node> for Val {
    fn from(node: Node) -> Self {
        Self { node, json: None, text: None, failed: false }
    }
}

/// The text that stands for an unknown part.
pub(crate) fn mark(number: usize) -> String {
    format!("{OPEN}{number}{CLOSE}")
}

/// Whether a text has unknown parts.
pub(crate) fn marked(text: &str) -> bool {
    text.contains(OPEN)
}

/// The parts of a text: what is known, and the numbers of what is not.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((known, marked)) = rest.split_once(OPEN) {
        if !known.is_empty() {
            parts.push(Part::Known(known));
        }
        let (number, after) = marked.split_once(CLOSE).unwrap_or((marked, ""));
        if let Ok(number) = number.parse() {
            parts.push(Part::Unknown(number));
        }
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Known(rest));
    }
    parts
}

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    /// Known text.
    Known(&'t str),
    /// The number of something unknown.
    Unknown(usize),
}

/// How many nodes a tree has.
pub(crate) fn size(node: &Node) -> usize {
    let below = match &node.value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Table(members) => members.iter().map(|member| size(&member.node)).sum(),
        Value::String(text) => text.len() / 64,
        _ => 0,
    };
    1_usize.saturating_add(below)
}

/// Puts a whole tree at one place.
pub(crate) fn place(node: &mut Node, span: Span) {
    node.span = span;
    match &mut node.value {
        Value::Array(items) => items.iter_mut().for_each(|item| place(item, span)),
        Value::Table(members) => {
            for member in members {
                member.name_span = span;
                place(&mut member.node, span);
            }
        }
        _ => {}
    }
}

/// Moves every span of a tree.
pub(crate) fn each_span(node: &mut Node, change: &dyn Fn(Span) -> Span) {
    node.span = change(node.span);
    match &mut node.value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_span(item, change)),
        Value::Table(members) => {
            for member in members {
                member.name_span = change(member.name_span);
                each_span(&mut member.node, change);
            }
        }
        _ => {}
    }
}

/// Whether two values are the same, wherever they stand.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, &b.value))
        }
        (Value::Table(a), Value::Table(b)) => {
            a.len() == b.len()
                && a.iter().all(|member| {
                    let other = b.iter().find(|other| other.name == member.name);
                    other.is_some_and(|other| same(&member.node.value, &other.node.value))
                })
        }
        (a, b) => a == b,
    }
}

/// Sets a member, in its place if there is one of that name.
pub(crate) fn set(members: &mut Vec<Member>, new: Member) {
    match members.iter_mut().find(|member| member.name == new.name) {
        Some(member) => *member = new,
        None => members.push(new),
    }
}

/// Where a span of a text stands.
pub(crate) fn trace(pieces: &[Piece], span: Span) -> Option<Span> {
    let at = |offset: usize| {
        let index = pieces.partition_point(|piece| piece.at <= offset).checked_sub(1)?;
        pieces.get(index).copied()
    };
    let (first, last) = (at(span.start)?, at(span.end.saturating_sub(1).max(span.start))?);
    let start = if first.exact {
        first.span.start.saturating_add(span.start.saturating_sub(first.at))
    } else {
        first.span.start
    };
    let end = if last.exact {
        last.span.start.saturating_add(span.end.saturating_sub(last.at))
    } else {
        last.span.end
    };
    Some(Span::new(start, end.max(start)))
}

/// A tree as JSON text. What is unknown is written by `unknown`.
pub(crate) fn to_json(node: &Node, unknown: &mut dyn FnMut(&str) -> String) -> String {
    let mut text = String::new();
    write_json(node, unknown, &mut text);
    text
}

fn write_json(node: &Node, unknown: &mut dyn FnMut(&str) -> String, text: &mut String) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(number),
        Value::String(string) | Value::Datetime(string) => quote(string, text),
        Value::Unresolved(why) => {
            let marked = unknown(why);
            quote(&marked, text);
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_json(item, unknown, text);
            }
            text.push(']');
        }
        Value::Table(members) => {
            text.push('{');
            for (index, member) in members.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                quote(&member.name, text);
                text.push(':');
                write_json(&member.node, unknown, text);
            }
            text.push('}');
        }
    }
}

fn quote(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if u32::from(c) < 0x20 => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parts_are_told_from_known_text() {
        let text = format!("repo:{}/app{}", mark(0), mark(12));
        assert_eq!(
            parts(&text),
            [Part::Known("repo:"), Part::Unknown(0), Part::Known("/app"), Part::Unknown(12)]
        );
        assert_eq!(
            parts("\u{F0000}x\u{F0001}y"),
            [Part::Known("y")],
            "what a file holds of them is no number"
        );
    }

    #[test]
    fn a_place_in_a_text_is_found_in_its_pieces() {
        let exact = Piece { at: 0, span: Span::new(100, 104), exact: true };
        let inserted = Piece { at: 4, span: Span::new(104, 110), exact: false };
        let after = Piece { at: 14, span: Span::new(110, 113), exact: true };
        let pieces = [exact, inserted, after];
        assert_eq!(trace(&pieces, Span::new(1, 3)), Some(Span::new(101, 103)));
        assert_eq!(trace(&pieces, Span::new(5, 6)), Some(Span::new(104, 110)));
        assert_eq!(trace(&pieces, Span::new(2, 16)), Some(Span::new(102, 112)));
    }
}
