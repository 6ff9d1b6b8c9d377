//! YAML with places. Tags become members, as CloudFormation's short forms do in its own JSON.

use std::collections::HashMap;

use daypass_trust::document::{Member, Node, Problem, Source, Span, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

/// How deep collections may lie in one another.
const DEPTH_LIMIT: usize = 100;
/// How many values a document may have with its aliases written out: an alias of an alias of an alias grows fast.
const VALUES_LIMIT: usize = 500_000;

/// Reads the first document of a stream.
pub(super) fn parse(source: &Source) -> Result<Node, Problem> {
    let offsets = Offsets::of(source.text());
    let mut builder = Builder::default();
    for event in Parser::new_from_str(source.text()) {
        let (event, span) = event.map_err(|error| problem(source, &offsets, &error))?;
        let span = Span::new(offsets.byte(span.start.index()), offsets.byte(span.end.index()));
        if let Event::DocumentEnd = event {
            break;
        }
        builder.take(event, span).map_err(|(span, message)| Problem::new(source, span, message))?;
    }
    builder.root.ok_or_else(|| Problem::new(source, Span::default(), "not valid YAML: the document is empty"))
}

fn problem(source: &Source, offsets: &Offsets, error: &ScanError) -> Problem {
    let at = offsets.byte(error.marker().index());
    Problem::new(source, Span::new(at, at), format!("not valid YAML: {}", error.info()))
}

/// The parser counts characters, spans count bytes.
enum Offsets {
    Ascii(usize),
    Other(Vec<usize>, usize),
}

impl Offsets {
    fn of(text: &str) -> Self {
        if text.is_ascii() {
            Self::Ascii(text.len())
        } else {
            Self::Other(text.char_indices().map(|(at, _)| at).collect(), text.len())
        }
    }

    fn byte(&self, character: usize) -> usize {
        match self {
            Self::Ascii(length) => character.min(*length),
            Self::Other(offsets, length) => offsets.get(character).copied().unwrap_or(*length),
        }
    }
}

/// A collection that is not closed yet.
struct Open {
    start: usize,
    tag: Option<String>,
    anchor: usize,
    kind: Collection,
}

enum Collection {
    List(Vec<Node>),
    Table { members: Vec<Member>, key: Option<(String, Span)> },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    values: usize,
    root: Option<Node>,
}

type Refusal = (Span, String);

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Refusal> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.and_then(|tag| short(&tag.handle, &tag.suffix));
                let value = scalar(&text, style, tag.is_some());
                self.close(Node { span, value }, tag, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                let tag = tag.and_then(|tag| short(&tag.handle, &tag.suffix));
                self.start(Open { start: span.start, tag, anchor, kind: Collection::List(Vec::new()) }, span)
            }
            Event::MappingStart(anchor, tag) => {
                let tag = tag.and_then(|tag| short(&tag.handle, &tag.suffix));
                let kind = Collection::Table { members: Vec::new(), key: None };
                self.start(Open { start: span.start, tag, anchor, kind }, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.kind {
                    Collection::List(items) => Value::Array(items),
                    Collection::Table { members, .. } => Value::Table(members),
                };
                let node = Node { span: Span::new(open.start, span.end.max(open.start)), value };
                self.close(node, open.tag, open.anchor)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let Some((mut node, size)) = known else {
                    return Err((span, "the alias means nothing that is complete".to_owned()));
                };
                self.count(size, span)?;
                crate::terraform::place(&mut node, span);
                self.put(node)
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, open: Open, span: Span) -> Result<(), Refusal> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err((span, format!("more than {DEPTH_LIMIT} collections lie in one another")));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, node: Node, tag: Option<String>, anchor: usize) -> Result<(), Refusal> {
        let span = node.span;
        self.count(1, span)?;
        let node = match tag {
            Some(name) => {
                let member = Member { name, name_span: span, node };
                Node { span, value: Value::Table(vec![member]) }
            }
            None => node,
        };
        if anchor > 0 {
            let size = crate::terraform::size(&node);
            // A copy is kept for the aliases, and it counts too.
            self.count(size, span)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        self.put(node)
    }

    fn put(&mut self, node: Node) -> Result<(), Refusal> {
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = self.root.take().or(Some(node)),
            Some(Collection::List(items)) => items.push(node),
            Some(Collection::Table { members, key }) => match key.take() {
                Some((name, name_span)) => members.push(Member { name, name_span, node }),
                None => {
                    let name = match node.value {
                        Value::String(text) | Value::Number(text) => text,
                        Value::Bool(value) => value.to_string(),
                        Value::Null => "null".to_owned(),
                        _ => return Err((node.span, "a key is a text".to_owned())),
                    };
                    *key = Some((name, node.span));
                }
            },
        }
        Ok(())
    }

    fn count(&mut self, values: usize, span: Span) -> Result<(), Refusal> {
        self.values = self.values.saturating_add(values);
        if self.values > VALUES_LIMIT {
            return Err((span, format!("the document has more than {VALUES_LIMIT} values with its aliases")));
        }
        Ok(())
    }
}

/// `!Ref` is `Ref`, `!Sub` is `Fn::Sub`; tags of YAML itself say nothing here.
fn short(handle: &str, suffix: &str) -> Option<String> {
    if handle != "!" || suffix.is_empty() {
        return None;
    }
    Some(match suffix {
        "Ref" | "Condition" => suffix.to_owned(),
        other => format!("Fn::{other}"),
    })
}

/// A plain scalar may be a value of another type than text (YAML 1.2's core schema).
fn scalar(text: &str, style: ScalarStyle, tagged: bool) -> Value {
    if style != ScalarStyle::Plain || tagged {
        return Value::String(text.to_owned());
    }
    let number =
        text.bytes().next().is_some_and(|first| first.is_ascii_digit() || matches!(first, b'-' | b'+'))
            && text.parse::<f64>().is_ok();
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        // An account id begins with a zero at times: what is written is what counts.
        _ if number => Value::Number(text.to_owned()),
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, Problem> {
        parse(&Source::new("t.yaml", text))
    }

    #[test]
    fn places_are_in_bytes() {
        let source = Source::new("t.yaml", "ü: x\nb: !Sub 'é ${A}'\n");
        let tree = parse(&source).unwrap();
        let sub = tree.get("b").unwrap().get("Fn::Sub").unwrap();
        assert_eq!(sub.as_str(), Some("é ${A}"));
        assert_eq!(source.at(sub.span).to_string(), "t.yaml:2:4");
        assert_eq!(source.slice(sub.span), "!Sub 'é ${A}'", "a short form is a part of the value");
    }

    #[test]
    fn short_forms_become_members() {
        let tree = read("a: !Ref X\nb: !Join ['', [x, !GetAtt A.Arn]]\nc: !!str 1\nd: 012\n").unwrap();
        assert_eq!(tree.get("a").unwrap().get("Ref").unwrap().as_str(), Some("X"));
        assert!(tree.get("b").unwrap().get("Fn::Join").unwrap().as_array().is_some());
        assert_eq!(tree.get("d").unwrap().value, Value::Number("012".into()));
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let before = format!("*a{}, ", level - 1).repeat(10);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", ")));
        }
        let error = read(&text).unwrap_err();
        assert!(error.message.contains("with its aliases"), "{error}");
    }

    #[test]
    fn what_is_no_yaml_is_a_located_problem() {
        for text in ["", "a: [", "a: b: c", "{a", "*x", "a: &x [*x]"] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = "[".repeat(5_000);
        assert!(read(&deep).is_err());
        let complex = read("? [a]\n: b\n").unwrap_err();
        assert_eq!(complex.message, "a key is a text");
    }
}
