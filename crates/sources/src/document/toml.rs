//! daypass's own role files.

use daypass_trust::Dialect;
use daypass_trust::dialect::native::{Issuers, KnownIssuer};
use daypass_trust::document::{Member, Node, Source, Value, parse_toml};

use super::{policy_of, stem};
use crate::found::{Facts, Found, Origin, environment_of};

/// Reads a file with `[[role]]` or `[[trust]]`, one policy per role; whether it was one.
pub(super) fn read(source: &Source, named: bool, found: &mut Found) -> bool {
    let text = source.text();
    if !named && !["[[role", "[[trust", "role ", "trust "].iter().any(|word| text.contains(word)) {
        return false;
    }
    let tree = match parse_toml(source) {
        Ok(tree) => tree,
        Err(problem) => {
            if named || text.contains("[[role.trust]]") {
                found.problems.push(problem);
            }
            return false;
        }
    };
    let before = found.policies.len();
    if tree.get("trust").and_then(Node::as_array).is_some_and(|items| items.iter().all(is_trust)) {
        push(source, &tree, tree.clone(), stem(source), found);
    }
    for role in tree.get("role").and_then(Node::as_array).unwrap_or_default() {
        if role.get("trust").and_then(Node::as_array).is_none() {
            continue;
        }
        let name = role.get("name").and_then(Node::as_str).map_or_else(|| stem(source), str::to_owned);
        let list = Node { span: role.span, value: Value::Array(vec![role.clone()]) };
        let member = Member { name: "role".to_owned(), name_span: role.span, node: list };
        push(source, &tree, Node { span: role.span, value: Value::Table(vec![member]) }, name, found);
    }
    found.policies.len() > before
}

fn is_trust(node: &Node) -> bool {
    ["issuer", "audience", "claims", "from_role"].iter().any(|name| node.get(name).is_some())
}

fn push(source: &Source, file: &Node, tree: Node, role: String, found: &mut Found) {
    let mut policy = policy_of(source, Dialect::Daypass, tree, role.clone(), Origin::Document);
    let declared = policy.tree.get("role").and_then(|it| it.as_array()?.first()?.get("environment"));
    let environment = declared.and_then(Node::as_str).map(str::to_owned);
    policy.facts = Facts {
        environment: environment.clone().or_else(|| environment_of(&role)),
        name: Some(role),
        ..Facts::default()
    };
    policy.options.environment = environment;
    policy.options.issuers = issuers(file);
    found.push(policy);
}

/// The issuers that the file configures, if it does.
fn issuers(file: &Node) -> Issuers {
    let Some(listed) = file.get("issuer").and_then(Node::as_array) else { return Issuers::Any };
    let known = listed.iter().filter_map(|node| {
        let url = ["url", "issuer"].iter().find_map(|name| node.get(name)?.as_str());
        let platform = node.get("platform").and_then(Node::as_str);
        let found = url.or(platform).and_then(|text| Issuers::Any.resolve(text))?;
        let name = node.get("name").and_then(Node::as_str).map_or(found.name.clone(), str::to_owned);
        Some(KnownIssuer { name, ..found })
    });
    Issuers::Configured(known.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_of_a_file_is_a_policy() {
        let text = r#"
[[role]]
name = "deploy"
environment = "production"
[[role.trust]]
issuer = "https://token.actions.githubusercontent.com"
audience = "https://sts.example.com"
claims.repository_id = "2002"
claims.repository_owner_id = "1001"
claims.environment = "production"

[[role]]
name = "other"
[[role.trust]]
issuer = "https://token.actions.githubusercontent.com"
audience = "https://sts.example.com"
claims.repository_id = "2002"
claims.repository_owner_id = "1001"
"#;
        let mut found = Found::default();
        assert!(read(&Source::new("daypass.toml", text), false, &mut found));
        let roles: Vec<_> =
            found.policies.iter().map(|it| (it.role.as_str(), it.facts.environment.as_deref())).collect();
        assert_eq!(roles, [("deploy", Some("production")), ("other", None)]);
        for policy in &found.policies {
            policy.compile().unwrap();
        }
    }

    #[test]
    fn other_files_in_toml_are_none() {
        let mut found = Found::default();
        assert!(!read(&Source::new("Cargo.toml", "[package]\nname = \"trust me\"\n"), false, &mut found));
        assert!(!read(&Source::new("x.toml", "role = [{ name = \"x\" }]\n"), true, &mut found));
    }
}
