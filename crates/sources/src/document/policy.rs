//! Policies by themselves, as the clouds' APIs show them.

use daypass_trust::Dialect;
use daypass_trust::document::{Node, Source};

use super::{policy_of, stem};
use crate::aws::is_trust_policy;
use crate::found::{Facts, Found, Origin, environment_of};

/// Reads a document that is one policy, or a list of them; whether it was.
pub(super) fn read(source: &Source, node: &Node, found: &mut Found) -> bool {
    let Some(dialect) = dialect(node) else { return false };
    let name = name(node).map(str::to_owned);
    let role = name.clone().unwrap_or_else(|| stem(source));
    let mut policy = policy_of(source, dialect, node.clone(), role, Origin::Document);
    policy.facts = Facts {
        environment: environment_of(name.as_deref().unwrap_or(source.name())),
        name,
        ..Facts::default()
    };
    found.push(policy);
    true
}

/// The dialect of a document, by members that only its documents have.
pub(super) fn dialect(node: &Node) -> Option<Dialect> {
    let has = |node: &Node, name: &str| node.get(name).is_some();
    let any = |node: &Node, names: &[&str]| names.iter().any(|name| has(node, name));
    if is_trust_policy(node) {
        return Some(Dialect::Aws);
    }
    if is_credential(node) {
        return Some(Dialect::Azure);
    }
    let role = node.get("role").unwrap_or(node);
    let role = role.get("data").unwrap_or(role);
    let bound = ["bound_audiences", "bound_claims", "bound_subject", "user_claim"];
    if any(role, &bound) && !has(node, "type") {
        return Some(Dialect::Vault);
    }
    let mapping = ["attributeMapping", "attribute_mapping"];
    let providers = node.get("providers").and_then(Node::as_array).unwrap_or_default();
    (any(node, &mapping) || providers.iter().any(|it| any(it, &mapping))).then_some(Dialect::Gcp)
}

/// Whether a node is a federated identity credential, or a list of them.
fn is_credential(node: &Node) -> bool {
    let items = node.get("value").unwrap_or(node);
    let items = items.as_array().unwrap_or(std::slice::from_ref(items));
    !items.is_empty()
        && items.iter().all(|item| {
            let item = item.get("properties").unwrap_or(item);
            let matches = ["subject", "claimsMatchingExpression"].iter().any(|name| item.get(name).is_some());
            matches && item.get("issuer").is_some() && item.get("audiences").is_some()
        })
}

fn name(node: &Node) -> Option<&str> {
    let role = node.get("role").unwrap_or(node);
    ["role_name", "displayName", "name"].iter().find_map(|name| role.get(name)?.as_str())
}
