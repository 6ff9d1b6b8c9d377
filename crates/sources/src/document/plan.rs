//! Terraform's plans and states: `terraform show -json`, and the state file itself.

use std::collections::BTreeMap;

use daypass_trust::document::{Node, Source, Value};

use crate::found::{Found, Origin};
use crate::terraform::{PlainResource, overlay, read_plain};

/// How deep modules may lie in one another.
const DEPTH_LIMIT: usize = 100;

/// Reads a plan or a state; whether it was one.
pub(super) fn read(source: &Source, node: &Node, found: &mut Found) -> bool {
    let mut resources = Vec::new();
    let shown = ["planned_values", "values"].iter().find_map(|name| node.get(name)?.get("root_module"));
    if let Some(root) = shown.filter(|_| node.get("format_version").is_some()) {
        let unknown = unknowns(node);
        module(root, &unknown, 0, &mut resources);
    } else if node.get("terraform_version").is_some()
        && node.get("lineage").is_some()
        && let Some(listed) = node.get("resources").and_then(Node::as_array)
    {
        for resource in listed {
            state(resource, &mut resources);
        }
    } else {
        return false;
    }
    read_plain(source, Origin::TerraformPlan, found, |_| resources);
    true
}

/// What is known after the plan is applied, by address.
fn unknowns(node: &Node) -> BTreeMap<&str, &Node> {
    let changes = node.get("resource_changes").and_then(Node::as_array).unwrap_or_default();
    changes
        .iter()
        .filter_map(|change| {
            Some((change.get("address")?.as_str()?, change.get("change")?.get("after_unknown")?))
        })
        .collect()
}

fn module(node: &Node, unknown: &BTreeMap<&str, &Node>, depth: usize, resources: &mut Vec<PlainResource>) {
    if depth >= DEPTH_LIMIT {
        return;
    }
    for resource in node.get("resources").and_then(Node::as_array).unwrap_or_default() {
        let get = |name| resource.get(name).and_then(Node::as_str);
        let (Some(kind), Some(address)) = (get("type"), get("address")) else { continue };
        let Some(values) = resource.get("values").filter(|_| get("mode") != Some("data")) else { continue };
        let mut values = Node { span: resource.span, value: values.value.clone() };
        if let Some(unknown) = unknown.get(address) {
            overlay(&mut values, unknown, "known after the plan is applied");
        }
        resources.push(PlainResource {
            kind: kind.to_owned(),
            address: address.to_owned(),
            module: module_of(address),
            values,
        });
    }
    for child in node.get("child_modules").and_then(Node::as_array).unwrap_or_default() {
        module(child, unknown, depth.saturating_add(1), resources);
    }
}

/// `module.a["b"]` of `module.a["b"].aws_iam_role.c`.
fn module_of(address: &str) -> Option<String> {
    if !address.starts_with("module.") {
        return None;
    }
    // The type and the name are the last two parts; an index of the resource may hold dots.
    let outside = address.split_once("[\"").filter(|(before, _)| before.matches('.').count() > 1);
    let plain = outside.map_or(address, |(before, _)| before);
    let end = plain.rmatch_indices('.').nth(1)?.0;
    address.get(..end).map(str::to_owned)
}

/// A resource of a state file, with its instances.
fn state(node: &Node, resources: &mut Vec<PlainResource>) {
    let get = |name| node.get(name).and_then(Node::as_str);
    let (Some(kind), Some(name)) = (get("type"), get("name")) else { return };
    if get("mode") == Some("data") {
        return;
    }
    let module = get("module").map(str::to_owned);
    for instance in node.get("instances").and_then(Node::as_array).unwrap_or_default() {
        let Some(attributes) = instance.get("attributes") else { continue };
        let index = match instance.get("index_key").map(|key| &key.value) {
            Some(Value::String(key)) => format!("[\"{key}\"]"),
            Some(Value::Number(key)) => format!("[{key}]"),
            _ => String::new(),
        };
        let prefix = module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
        resources.push(PlainResource {
            kind: kind.to_owned(),
            address: format!("{prefix}{kind}.{name}{index}"),
            module: module.clone(),
            values: Node { span: instance.span, value: attributes.value.clone() },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_of_an_address() {
        assert_eq!(module_of("aws_iam_role.a"), None);
        assert_eq!(module_of("module.x.aws_iam_role.a").as_deref(), Some("module.x"));
        assert_eq!(module_of("module.x.aws_iam_role.a[\"b.c\"]").as_deref(), Some("module.x"));
    }
}
