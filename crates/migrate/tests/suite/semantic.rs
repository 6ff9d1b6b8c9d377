//! What YAML means, so that an edit can be seen to change nothing else.

use std::collections::BTreeMap;
use std::ops::Range;

use daypass_migrate::rewrite::Rewritten;
use daypass_pipelines::yaml::{Node, Value, parse};
use daypass_trust::document::Span;

/// A scalar or an empty collection: the names of the pairs around it, what it says, and its bytes.
#[derive(Debug)]
struct Leaf {
    path: String,
    value: String,
    span: Span,
}

/// Every leaf in the order of the file; comments, quotes and layout aside.
fn leaves(file: &str, text: &str) -> Vec<Leaf> {
    let mut all = Vec::new();
    for root in parse(&file.into(), text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}")) {
        descend(&root, "", &mut all);
    }
    all
}

fn descend(node: &Node, path: &str, all: &mut Vec<Leaf>) {
    let tag = node.tag.as_deref().unwrap_or_default();
    let mut leaf = |value: &str| {
        let value = format!("{tag}{value}");
        all.push(Leaf { path: path.to_owned(), value, span: node.place.span });
    };
    match &node.value {
        Value::Scalar(text) => leaf(text.as_str()),
        Value::Sequence(items) if items.is_empty() => leaf("[]"),
        Value::Mapping(pairs) if pairs.is_empty() => leaf("{}"),
        // Without its number in the list: one more step in front does not rename the rest, which keeps its order.
        Value::Sequence(items) => items.iter().for_each(|item| descend(item, &format!("{path}[]"), all)),
        Value::Mapping(pairs) => {
            for pair in pairs.iter() {
                descend(&pair.value, &format!("{path}.{}", pair.key.as_str().unwrap_or("?")), all);
            }
        }
    }
}

/// The leaves that no edit touched are what they were, in their order, and the others are what the edits wrote.
pub(crate) fn rest_means_the_same(rewritten: &Rewritten) {
    let (mut at, mut new): (usize, Vec<Range<usize>>) = (0, Vec::new());
    let mut came = 0;
    for edit in &rewritten.edits {
        let start = came + edit.span.start - at;
        came = start + edit.text.len();
        at = edit.span.end;
        new.push(start..came);
    }
    let gone = |span: Span| {
        rewritten.edits.iter().any(|edit| {
            let (start, end) = (edit.span.start, edit.span.end);
            if start == end {
                span.start < start && start < span.end
            } else {
                span.start < end && start <= span.end
            }
        })
    };
    let before = leaves(&rewritten.file, &rewritten.before);
    let kept: Vec<_> = before.iter().filter(|it| !gone(it.span)).map(|it| (&it.path, &it.value)).collect();
    let after = leaves(&rewritten.file, &rewritten.after);
    let old = after.iter().filter(|it| !new.iter().any(|range| range.contains(&it.span.start)));
    let old: Vec<_> = old.map(|it| (&it.path, &it.value)).collect();
    assert_eq!(old, kept, "{}", rewritten.diff());
}

/// Every scalar by its path.
fn meaning(file: &str, text: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for root in parse(&file.into(), text.as_bytes()).unwrap() {
        flat(&root, "", &mut out);
    }
    out
}

fn flat(node: &Node, path: &str, out: &mut BTreeMap<String, String>) {
    match &node.value {
        Value::Scalar(text) => {
            out.insert(path.to_owned(), text.as_str().to_owned());
        }
        Value::Sequence(items) => {
            for (at, item) in items.iter().enumerate() {
                // Steps are told by what they run, so that one more does not rename the rest.
                let name = ["run", "uses", "script"].iter().find_map(|key| item.get(key)?.as_str());
                let name = name.or_else(|| item.as_str()).map_or_else(|| at.to_string(), str::to_owned);
                flat(item, &format!("{path}[{name}]"), out);
            }
        }
        Value::Mapping(pairs) => {
            for pair in pairs.iter() {
                flat(&pair.value, &format!("{path}.{}", pair.key.as_str().unwrap_or("?")), out);
            }
        }
    }
}

/// The paths that differ, `-` for what went and `+` for what came.
pub(crate) fn difference(rewritten: &Rewritten) -> Vec<String> {
    let before = meaning(&rewritten.file, &rewritten.before);
    let after = meaning(&rewritten.file, &rewritten.after);
    let gone = before
        .iter()
        .filter(|(path, value)| after.get(*path) != Some(value))
        .map(|(path, _)| format!("- {path}"));
    let new = after
        .iter()
        .filter(|(path, value)| before.get(*path) != Some(value))
        .map(|(path, value)| format!("+ {path} = {value}"));
    gone.chain(new).collect()
}

/// Every byte outside the edits is as it was.
pub(crate) fn rest_is_unchanged(rewritten: &Rewritten) {
    let (mut at, mut expected) = (0, String::new());
    for edit in &rewritten.edits {
        assert!(edit.span.start >= at, "edits are in order and apart");
        expected.push_str(rewritten.before.get(at..edit.span.start).unwrap());
        expected.push_str(&edit.text);
        at = edit.span.end;
    }
    expected.push_str(rewritten.before.get(at..).unwrap());
    assert_eq!(expected, rewritten.after);
}
