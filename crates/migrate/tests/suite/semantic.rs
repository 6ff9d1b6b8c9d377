//! What YAML means, so that an edit can be seen to change nothing else.

use std::collections::BTreeMap;

use daypass_migrate::rewrite::Rewritten;
use daypass_pipelines::yaml::{Node, Value, parse};

/// Every scalar by its path; comments, quotes and layout aside.
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

fn meaning(file: &str, text: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for root in parse(&file.into(), text.as_bytes()).unwrap() {
        flat(&root, "", &mut out);
    }
    out
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
