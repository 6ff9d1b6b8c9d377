use daypass_trust::document::{Node, Span, Value};

use super::Edit;
use crate::view::View;

/// The document with other texts in the place of one of its strings, and the change of the file that makes it so.
///
/// `None` where the file does not write the string out: what comes from a variable is changed there, and not here.
pub(crate) fn replacing(view: &View<'_>, span: Span, texts: &[String]) -> Option<(Node, Edit)> {
    let source = &view.found.source;
    let mut tree = view.found.tree.clone();
    let in_list = replace(&mut tree, span, texts)?;
    let old = source.slice(span).strip_prefix('"')?.strip_suffix('"')?;
    // What would be an escape or a template in JSON, TOML or HCL is left to people.
    let plain = |text: &str| !text.contains(['"', '\\', '$', '%', '\n', '\r', '\t']);
    if !plain(old) || !texts.iter().all(|text| plain(text)) {
        return None;
    }
    let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
    let joined = quoted.join(", ");
    let text = if texts.len() == 1 || in_list { joined } else { format!("[{joined}]") };
    Some((tree, Edit { start: span.start, end: span.end, text }))
}

/// Puts the texts where the string of that place was; whether that is in a list.
fn replace(node: &mut Node, span: Span, texts: &[String]) -> Option<bool> {
    let string = |text: &String| Node { span, value: Value::String(text.clone()) };
    match &mut node.value {
        Value::Array(items) => {
            if let Some(at) = items.iter().position(|item| item.span == span && item.as_str().is_some()) {
                items.splice(at..=at, texts.iter().map(string));
                return Some(true);
            }
            items.iter_mut().find_map(|item| replace(item, span, texts))
        }
        Value::Table(members) => members.iter_mut().find_map(|member| {
            if member.node.span == span && member.node.as_str().is_some() {
                member.node.value = match texts {
                    [one] => Value::String(one.clone()),
                    several => Value::Array(several.iter().map(string).collect()),
                };
                return Some(false);
            }
            replace(&mut member.node, span, texts)
        }),
        _ => None,
    }
}
