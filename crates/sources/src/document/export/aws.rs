//! `aws iam get-account-authorization-details`, `list-roles`, `get-role` and `get-open-id-connect-provider`.

use daypass_trust::Dialect;
use daypass_trust::document::{Node, Source, Value, parse_json};
use percent_encoding::percent_decode_str;

use crate::document::policy_of;
use crate::found::{Facts, Found, Origin, Unresolved, environment_of};
use crate::terraform::place;

/// Reads an export of AWS; whether it was one.
pub(super) fn read(source: &Source, node: &Node, found: &mut Found) -> bool {
    let listed = ["RoleDetailList", "Roles", "Role"].iter().find_map(|name| node.get(name)).unwrap_or(node);
    let items = listed.as_array().unwrap_or(std::slice::from_ref(listed));
    let roles: Vec<&Node> =
        items.iter().filter(|item| item.get("AssumeRolePolicyDocument").is_some()).collect();
    for role in &roles {
        read_role(source, role, found);
    }
    let provider = read_provider(node, found);
    let registered = node.get("OpenIDConnectProviderList").is_some();
    // An account may have no role at all.
    let empty = items.is_empty() && !std::ptr::eq(listed, node);
    !roles.is_empty() || provider || registered || empty
}

fn read_role(source: &Source, role: &Node, found: &mut Found) {
    let text = |name: &str| role.get(name).and_then(Node::as_str);
    let Some(document) = role.get("AssumeRolePolicyDocument") else { return };
    let name = text("RoleName").or_else(|| text("Arn")).unwrap_or("a role without a name").to_owned();
    let tree = match document_of(document) {
        Ok(tree) => tree,
        Err(why) => {
            let location = source.at(document.span);
            found.unresolved.push(Unresolved { location, construct: name, why });
            return;
        }
    };
    let mut policy = policy_of(source, Dialect::Aws, tree, name.clone(), Origin::Export);
    policy.location = source.at(role.span);
    let account = text("Arn").and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
    policy.module = account.clone();
    policy.options.account = account;
    let tags = role.get("Tags").and_then(Node::as_array).unwrap_or_default();
    let tagged = tags.iter().find_map(|tag| {
        let key = tag.get("Key")?.as_str()?.to_ascii_lowercase();
        matches!(key.as_str(), "environment" | "env" | "stage").then(|| tag.get("Value")?.as_str()).flatten()
    });
    let attached = role.get("AttachedManagedPolicies").and_then(Node::as_array).unwrap_or_default();
    policy.facts = Facts {
        environment: tagged.map(str::to_owned).or_else(|| environment_of(&name)),
        name: Some(name),
        max_session: role.get("MaxSessionDuration").and_then(|node| match &node.value {
            Value::Number(seconds) => seconds.parse().ok(),
            _ => None,
        }),
        permissions: attached
            .iter()
            .filter_map(|policy| Some(policy.get("PolicyArn")?.as_str()?.to_owned()))
            .collect(),
    };
    found.push(policy);
}

/// The command line decodes the document; the API gives it percent-encoded.
fn document_of(node: &Node) -> Result<Node, String> {
    let Some(text) = node.as_str() else { return Ok(node.clone()) };
    let decoded = if text.trim_start().starts_with('{') {
        text.to_owned()
    } else {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map_err(|_| "the policy is neither JSON nor percent-encoded JSON".to_owned())?.into_owned()
    };
    let mut tree =
        parse_json(&Source::new("", decoded)).map_err(|it| format!("the policy is {}", it.message))?;
    place(&mut tree, node.span);
    Ok(tree)
}

fn read_provider(node: &Node, found: &mut Found) -> bool {
    let clients = ["ClientIDList", "ClientIdList"].iter().find_map(|name| node.get(name)?.as_array());
    let (Some(url), Some(clients)) = (node.get("Url").and_then(Node::as_str), clients) else { return false };
    let audiences = clients.iter().map(|client| client.as_str().map(str::to_owned)).collect();
    found.providers.add(url, audiences);
    true
}
