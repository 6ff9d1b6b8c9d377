use daypass_trust::document::{Member, Node, Value};

use super::Call;
use crate::terraform::operator;
use crate::terraform::value::{Val, same, set};

/// Functions that put collections together without looking into their elements.
pub(super) fn passing(call: &Call<'_, '_>) -> Option<Val> {
    match call.name {
        "concat" => {
            let lists: Option<Vec<&[Node]>> =
                call.arguments.iter().map(|argument| argument.node.as_array()).collect();
            Some(call.items(lists?.concat()))
        }
        "tolist" => Some(call.items(call.list(0)?.to_vec())),
        // An unknown element may be the same as another: a set of it is as long as the list at most, which is all that
        // conditions ask.
        "toset" | "distinct" => Some(call.items(unique(call.list(0)?))),
        "flatten" => {
            let mut items = Vec::new();
            flatten(call.node(0)?, &mut items);
            Some(call.items(items))
        }
        "tomap" | "sensitive" | "nonsensitive" => call.arguments.first().cloned(),
        "one" => match call.list(0)? {
            [] => Some(call.value(Value::Null)),
            [only] => Some(Val::from(only.clone())),
            _ => Some(call.failure("takes a list of one element at most")),
        },
        "merge" => {
            let mut members: Vec<Member> = Vec::new();
            for argument in call.arguments.iter().filter(|argument| argument.node.value != Value::Null) {
                for member in argument.node.as_table()? {
                    let node = call.session.adopt(member.node.clone(), call.span);
                    let same_file = call.session.project.map.same_file(member.name_span, call.span);
                    let name_span = if same_file { member.name_span } else { call.span };
                    set(&mut members, Member { name: member.name.clone(), name_span, node });
                }
            }
            Some(call.value(Value::Table(members)))
        }
        "values" => Some(call.items(sorted(call.node(0)?)?.into_iter().map(|it| it.node.clone()).collect())),
        "lookup" => {
            let table = call.node(0)?.as_table()?;
            let key = call.text(1).filter(|key| call.session.why_marked(key).is_none())?;
            match table.iter().find(|member| member.name == key) {
                Some(member) => Some(Val::from(member.node.clone())),
                None => {
                    Some(call.arguments.get(2).cloned().unwrap_or_else(|| call.failure("finds no such key")))
                }
            }
        }
        "element" => {
            let items = call.list(0)?;
            let at = match &call.node(1)?.value {
                Value::Number(text) => text.parse::<usize>().ok()?,
                _ => return None,
            };
            let item = at.checked_rem(items.len()).and_then(|at| items.get(at));
            Some(
                item.map_or_else(
                    || call.failure("takes a list that is not empty"),
                    |it| Val::from(it.clone()),
                ),
            )
        }
        "coalesce" => {
            // The first that is neither null nor empty; an unknown one before it may turn out to be either.
            for argument in call.arguments {
                match &argument.node.value {
                    Value::Null => {}
                    Value::String(text) if text.is_empty() => {}
                    Value::Unresolved(_) => return None,
                    _ => return Some(argument.clone()),
                }
            }
            Some(call.failure("finds no value"))
        }
        "coalescelist" => {
            let lists: Option<Vec<&[Node]>> =
                call.arguments.iter().map(|argument| argument.node.as_array()).collect();
            let first = lists?.into_iter().find(|list| !list.is_empty());
            Some(first.map_or_else(|| call.failure("finds no list"), |list| call.items(list.to_vec())))
        }
        _ => None,
    }
}

/// Functions of known collections.
pub(super) fn call(call: &Call<'_, '_>) -> Option<Val> {
    Some(match call.name {
        "length" => match call.node(0).map(|node| &node.value) {
            Some(Value::String(text)) => count(call, text.chars().count()),
            Some(Value::Array(items)) => count(call, items.len()),
            Some(Value::Table(members)) => count(call, members.len()),
            _ => call.failure("takes a text or a collection"),
        },
        "compact" => match call.list(0) {
            Some(items) => {
                let kept = items.iter().filter(|item| item.value != Value::Null && item.as_str() != Some(""));
                call.items(kept.cloned().collect())
            }
            None => call.failure("takes a list"),
        },
        "contains" => match (call.list(0), call.node(1)) {
            (Some(items), Some(wanted)) => {
                call.boolean(items.iter().any(|item| same(&item.value, &wanted.value)))
            }
            _ => call.failure("takes a list and a value"),
        },
        "keys" => match call.node(0).and_then(sorted) {
            Some(members) => {
                let names = members.into_iter().map(|it| call.string(it.name.clone()).node);
                call.items(names.collect())
            }
            None => call.failure("takes a map"),
        },
        "zipmap" => match (call.list(0), call.list(1)) {
            (Some(names), Some(values)) if names.len() == values.len() => {
                let mut members = Vec::new();
                for (name, value) in names.iter().zip(values) {
                    let Some(text) = name.as_str() else { return Some(call.failure("takes texts as keys")) };
                    let node = call.session.adopt(value.clone(), call.span);
                    set(&mut members, Member { name: text.to_owned(), name_span: call.span, node });
                }
                call.value(Value::Table(members))
            }
            _ => call.failure("takes two lists of one length"),
        },
        "reverse" => match call.list(0) {
            Some(items) => call.items(items.iter().rev().cloned().collect()),
            None => call.failure("takes a list"),
        },
        "sort" => match call.list(0).map(<[Node]>::to_vec) {
            Some(mut items) => {
                items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
                call.items(items)
            }
            None => call.failure("takes a list"),
        },
        "setunion" => {
            let lists: Option<Vec<&[Node]>> =
                call.arguments.iter().map(|argument| argument.node.as_array()).collect();
            match lists {
                Some(lists) => call.items(unique(&lists.concat())),
                None => call.failure("takes sets"),
            }
        }
        "setproduct" => setproduct(call),
        "range" => range(call),
        "slice" => slice(call),
        "anytrue" | "alltrue" => match call.list(0) {
            Some(items) => {
                let mut truths = items.iter().map(|item| operator::truth(item) == Some(true));
                call.boolean(if call.name == "anytrue" { truths.any(|it| it) } else { truths.all(|it| it) })
            }
            None => call.failure("takes a list"),
        },
        _ => return None,
    })
}

fn count(call: &Call<'_, '_>, count: usize) -> Val {
    call.value(Value::Number(count.to_string()))
}

fn unique(items: &[Node]) -> Vec<Node> {
    let mut kept: Vec<Node> = Vec::new();
    for item in items {
        if !kept.iter().any(|other| same(&other.value, &item.value)) {
            kept.push(item.clone());
        }
    }
    kept
}

fn flatten(node: &Node, items: &mut Vec<Node>) {
    match node.as_array() {
        Some(inner) => inner.iter().for_each(|item| flatten(item, items)),
        None => items.push(node.clone()),
    }
}

/// Terraform's maps are in the order of their keys.
fn sorted(node: &Node) -> Option<Vec<&Member>> {
    let mut members: Vec<&Member> = node.as_table()?.iter().collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Some(members)
}

fn setproduct(call: &Call<'_, '_>) -> Val {
    const LIMIT: usize = 10_000;
    let mut rows: Vec<Vec<Node>> = vec![Vec::new()];
    for argument in call.arguments {
        let Some(items) = argument.node.as_array() else { return call.failure("takes lists") };
        if rows.len().saturating_mul(items.len()) > LIMIT {
            return call.failure("makes too many combinations");
        }
        let longer = |row: &Vec<Node>| {
            items.iter().map(|item| row.iter().chain([item]).cloned().collect()).collect::<Vec<Vec<Node>>>()
        };
        rows = rows.iter().flat_map(longer).collect();
    }
    let rows = rows.into_iter().map(|row| call.items(row).node).collect();
    call.value(Value::Array(rows))
}

fn range(call: &Call<'_, '_>) -> Val {
    const LIMIT: i64 = 10_000;
    let numbers: Option<Vec<i64>> = call
        .arguments
        .iter()
        .map(|argument| match &argument.node.value {
            Value::Number(text) => text.parse().ok(),
            _ => None,
        })
        .collect();
    let (start, end) = match numbers.as_deref() {
        Some([end]) => (0, *end),
        Some([start, end]) => (*start, *end),
        _ => return Val::unknown("`range` with these arguments is not modelled", call.span),
    };
    let end = end.min(start.saturating_add(LIMIT));
    call.value(Value::Array((start..end).map(|at| call.value(Value::Number(at.to_string())).node).collect()))
}

fn slice(call: &Call<'_, '_>) -> Val {
    let at = |index: usize| match &call.node(index)?.value {
        Value::Number(text) => text.parse::<usize>().ok(),
        _ => None,
    };
    match (call.list(0), at(1), at(2)) {
        (Some(items), Some(start), Some(end)) => match items.get(start..end) {
            Some(items) => call.items(items.to_vec()),
            None => call.failure("goes past the end of the list"),
        },
        _ => call.failure("takes a list and two numbers"),
    }
}
