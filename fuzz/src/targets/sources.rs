//! What the targets that look for policies in files share.

use daypass_sources::{Found, MemoryTree, find};
use daypass_trust::document::{Node, Source, Value};

use crate::check::{located, readable};

/// Looks for policies in files that all have the same content, and compiles what is found.
pub(super) fn found(files: &[&str], data: &[u8]) {
    let tree = files.iter().fold(MemoryTree::new(), |tree, name| tree.with(name, data));
    let found = find(&[""], &tree);
    let text = String::from_utf8_lossy(data);
    let lines = text.split('\n').count();
    let sources: Vec<Source> = files.iter().map(|name| Source::new(*name, text.as_ref())).collect();
    let sources: Vec<&Source> = sources.iter().collect();
    checked(&found, lines, &sources);
    // The order of files, and what was read before, must not matter.
    let again = find(&[""], &tree);
    assert_eq!(again.policies.len(), found.policies.len());
    assert_eq!(again.unresolved, found.unresolved);
}

fn checked(found: &Found, lines: usize, sources: &[&Source]) {
    for unresolved in &found.unresolved {
        assert!((1..=lines).contains(&unresolved.location.line), "line of {lines}: {unresolved}");
        assert!(!unresolved.construct.is_empty() && !unresolved.why.is_empty(), "{unresolved:?}");
        readable(&unresolved.to_string());
    }
    for problem in &found.problems {
        assert!(!problem.message.is_empty(), "at {}", problem.location);
        readable(&problem.to_string());
    }
    for policy in &found.policies {
        assert!((1..=lines).contains(&policy.location.line), "line of {lines}: {}", policy.location);
        inside(&policy.tree, policy.source.text());
        match policy.compile() {
            Ok(compiled) if compiled.notes.is_empty() => {}
            Ok(compiled) => located(&compiled.notes, sources),
            Err(error) => located(&error.problems, sources),
        }
    }
}

/// Every value stands somewhere in the text.
fn inside(node: &Node, text: &str) {
    assert!(text.get(node.span.start..node.span.end).is_some(), "{:?} is no part of the text", node.span);
    match &node.value {
        Value::Array(items) => items.iter().for_each(|item| inside(item, text)),
        Value::Table(members) => members.iter().for_each(|member| inside(&member.node, text)),
        _ => {}
    }
}
