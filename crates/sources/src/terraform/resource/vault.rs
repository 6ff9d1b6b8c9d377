use daypass_trust::CompileOptions;
use daypass_trust::Dialect;
use daypass_trust::document::{Member, Node, Span, Value};

use super::{Resource, get_in, table};
use crate::found::{Facts, FoundPolicy};
use crate::terraform::session::Session;

pub(super) const KINDS: [&str; 2] = ["vault_jwt_auth_backend", "vault_jwt_auth_backend_role"];

/// Arguments that belong to Terraform and not to Vault.
const META: [&str; 6] = ["backend", "count", "depends_on", "for_each", "namespace", "provider"];

/// Roles, and the mounts that they may be of.
#[derive(Default)]
pub(super) struct Collected {
    /// Roles with the path of their mount.
    roles: Vec<(String, FoundPolicy)>,
    mounts: Vec<(String, Node)>,
}

impl Collected {
    pub(super) fn read<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        let mut members = members(session, resource);
        parse_bound_claims(&mut members);
        let tree = table(resource.block.head, members);
        if resource.kind == "vault_jwt_auth_backend" {
            let kind = || resource.shown(session, "type").unwrap_or_else(|| "jwt".to_owned());
            let path = resource.shown(session, "path").unwrap_or_else(kind);
            self.mounts.push((path, tree));
            return;
        }
        let mount = resource.shown(session, "backend").unwrap_or_else(|| "jwt".to_owned());
        let Some(finished) = session.finish(&tree) else { return };
        let name = resource.shown(session, "role_name");
        let facts = Facts {
            environment: resource.environment(session, name.as_deref()),
            name,
            permissions: resource
                .get(session, "token_policies")
                .and_then(|node| {
                    Some(node.as_array()?.iter().filter_map(|item| session.shown(item)).collect())
                })
                .unwrap_or_default(),
            max_session: None,
        };
        let policy = resource.policy(session, Dialect::Vault, finished, CompileOptions::default(), facts);
        self.roles.push((mount, policy));
    }

    /// A role is joined with its mount, if the tree has exactly one of that path.
    pub(super) fn finish(self, session: &Session<'_>) {
        for (path, mut policy) in self.roles {
            let mut mounts = self.mounts.iter().filter(|(mount, _)| same_path(mount, &path));
            if let (Some((_, mount)), None) = (mounts.next(), mounts.next())
                && let Some(mount) = session.finish(mount)
            {
                let span = policy.tree.span;
                let mut config = mount.tree;
                if mount.source != policy.source {
                    crate::terraform::place(&mut config, span);
                }
                policy.tree = joined(span, config, policy.tree);
            }
            session.found.borrow_mut().push(policy);
        }
    }
}

fn joined(span: Span, config: Node, role: Node) -> Node {
    let member = |name: &str, node| Member { name: name.to_owned(), name_span: span, node };
    table(span, vec![member("config", config), member("role", role)])
}

fn same_path(a: &str, b: &str) -> bool {
    a.trim_matches('/') == b.trim_matches('/')
}

/// Makes of `bound_claims` what the provider sends to Vault: every value is text, and commas part alternatives unless
/// `disable_bound_claims_parsing` is set.
///
/// Reference: registry.terraform.io, hashicorp/vault, `vault_jwt_auth_backend_role`.
fn parse_bound_claims(members: &mut [Member]) {
    let named = |members: &[Member], name: &str| {
        members.iter().find(|member| member.name == name).map(|member| member.node.value.clone())
    };
    let whole = named(members, "disable_bound_claims_parsing").unwrap_or(Value::Bool(false));
    let Some(Member { node: Node { value: Value::Table(claims), .. }, .. }) =
        members.iter_mut().find(|member| member.name == "bound_claims")
    else {
        return;
    };
    for Member { node, .. } in claims {
        let text = match &node.value {
            Value::String(text) | Value::Number(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            _ => continue,
        };
        let several = text.contains(',');
        node.value = match &whole {
            Value::Unresolved(why) if several => Value::Unresolved(why.clone()),
            Value::Bool(false) if several => {
                let part =
                    |text: &str| Node { span: node.span, value: Value::String(text.trim().to_owned()) };
                Value::Array(text.split(',').map(part).collect())
            }
            _ => Value::String(text),
        };
    }
}

fn members<'p>(session: &Session<'p>, resource: &Resource<'_, 'p>) -> Vec<Member> {
    let attributes = resource.block.body.attributes().into_iter();
    attributes
        .filter(|(name, ..)| !META.contains(&name.as_str()))
        .filter_map(|(name, name_span, _)| {
            let node = get_in(session, resource.block, &name, &resource.env)?;
            Some(Member { name, name_span, node })
        })
        .collect()
}
