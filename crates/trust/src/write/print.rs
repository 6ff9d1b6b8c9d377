//! Trees as text.

use crate::document::{Member, Node, Value};
use crate::literal::shown_text;

/// JSON, indented by two, ending in a line feed.
pub(super) fn json(node: &Node) -> String {
    let mut out = String::new();
    write_json(node, 0, &mut out);
    out.push('\n');
    out
}

fn write_json(node: &Node, depth: usize, out: &mut String) {
    let inner = depth.saturating_add(1);
    match &node.value {
        Value::Null | Value::Unresolved(_) => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(number),
        Value::String(text) | Value::Datetime(text) => out.push_str(&shown_text(text)),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(at, inner, out);
                write_json(item, inner, out);
            }
            line(depth, out);
            out.push(']');
        }
        Value::Table(members) if members.is_empty() => out.push_str("{}"),
        Value::Table(members) => {
            out.push('{');
            for (at, Member { name, node, .. }) in members.iter().enumerate() {
                separate(at, inner, out);
                out.push_str(&shown_text(name));
                out.push_str(": ");
                write_json(node, inner, out);
            }
            line(depth, out);
            out.push('}');
        }
    }
}

fn separate(at: usize, depth: usize, out: &mut String) {
    if at > 0 {
        out.push(',');
    }
    line(depth, out);
}

fn line(depth: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}

/// A value as TOML writes it within a line.
pub(super) fn toml(node: &Node) -> String {
    match &node.value {
        Value::Null | Value::Unresolved(_) => "\"\"".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.clone(),
        Value::Datetime(time) => time.clone(),
        // JSON's strings are TOML's basic strings.
        Value::String(text) => shown_text(text),
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Table(members) => {
            let members =
                members.iter().map(|member| format!("{} = {}", key(&member.name), toml(&member.node)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A key as TOML writes it.
pub(super) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { shown_text(name) }
}
