//! `gcloud iam workload-identity-pools providers describe` or `list`, and `gcloud ... get-iam-policy`, as JSON.

use std::collections::{BTreeMap, BTreeSet};

use daypass_trust::Dialect;
use daypass_trust::document::{Location, Node, Source};

use crate::document::{policy_of, stem};
use crate::found::{Facts, Found, Origin, Unresolved, environment_of};
use crate::gcp::{document, pool_of};
use crate::terraform::place;

/// Providers and grants of several files, before they are put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    providers: Vec<Provider>,
    grants: Vec<Grant>,
}

#[derive(Clone, Debug)]
struct Provider {
    pool: String,
    source: Source,
    tree: Node,
}

#[derive(Clone, Debug)]
struct Grant {
    pool: String,
    /// The file without its ending: the listing does not say what it is the policy of.
    target: String,
    location: Location,
    role: Option<String>,
    binding: Node,
}

/// Reads an export of Google Cloud; whether it was one.
pub(super) fn read(source: &Source, node: &Node, found: &mut Found) -> bool {
    let items = node.as_array().unwrap_or(std::slice::from_ref(node));
    let providers: Vec<(&str, &Node)> = items.iter().filter_map(|item| Some((pool(item)?, item))).collect();
    if !providers.is_empty() && providers.len() == items.len() {
        for (pool, tree) in providers {
            let (pool, source) = (pool.to_owned(), source.clone());
            found.pools.providers.push(Provider { pool, source, tree: tree.clone() });
        }
        return true;
    }
    let Some(bindings) = node.get("bindings").and_then(Node::as_array) else { return false };
    if !bindings.iter().all(|binding| binding.get("members").is_some()) {
        return false;
    }
    for binding in bindings {
        let members = binding.get("members").and_then(Node::as_array).unwrap_or_default();
        let pools: BTreeSet<&str> =
            members.iter().filter_map(|member| Some(pool_of(member.as_str()?)?.1)).collect();
        for pool in pools {
            found.pools.grants.push(Grant {
                pool: pool.to_owned(),
                target: stem(source),
                location: source.at(binding.span),
                role: binding.get("role").and_then(Node::as_str).map(str::to_owned),
                binding: binding.clone(),
            });
        }
    }
    true
}

/// The pool of a provider, by the provider's name.
fn pool(provider: &Node) -> Option<&str> {
    let mapped = provider.get("attributeMapping").is_some() || provider.get("oidc").is_some();
    let (_, rest) = provider.get("name")?.as_str()?.split_once("/workloadIdentityPools/")?;
    let (pool, _) = rest.split_once("/providers/")?;
    (mapped && provider.get("bindings").is_none()).then_some(pool)
}

impl Parts {
    /// Adds the parts of other files.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.providers.append(&mut other.providers);
        self.grants.append(&mut other.grants);
    }

    /// One policy per pool and target; a pool without a grant is what it admits.
    pub(crate) fn finish(self, found: &mut Found) {
        let mut pools: BTreeMap<&str, Vec<&Provider>> = BTreeMap::new();
        for provider in &self.providers {
            pools.entry(&provider.pool).or_default().push(provider);
        }
        let mut targets: BTreeMap<(&str, &str), Vec<&Grant>> = BTreeMap::new();
        for grant in &self.grants {
            targets.entry((&grant.pool, &grant.target)).or_default().push(grant);
        }
        for ((pool, target), grants) in &targets {
            match pools.get(pool) {
                Some(providers) => push(target, providers, grants, found),
                None => found.unresolved.extend(grants.iter().map(|grant| Unresolved {
                    location: grant.location.clone(),
                    construct: format!("workloadIdentityPools/{pool}"),
                    why: format!("the providers of pool `{pool}` are not in the files"),
                })),
            }
        }
        for (pool, providers) in &pools {
            if !targets.keys().any(|(granted, _)| granted == pool) {
                push(pool, providers, &[], found);
            }
        }
    }
}

fn push(role: &str, providers: &[&Provider], grants: &[&Grant], found: &mut Found) {
    let Some(first) = providers.first() else { return };
    let (source, span) = (&first.source, first.tree.span);
    let fit = |node: &Node, file: &str| {
        let mut node = node.clone();
        if file != source.name() {
            place(&mut node, span);
        }
        node
    };
    let trees = providers.iter().map(|it| fit(&it.tree, it.source.name())).collect();
    let bindings: Vec<Node> = grants.iter().map(|it| fit(&it.binding, &it.location.file)).collect();
    let tree = document(span, trees, (!bindings.is_empty()).then_some(bindings));
    let mut policy = policy_of(source, Dialect::Gcp, tree, role.to_owned(), Origin::Export);
    policy.facts = Facts {
        environment: environment_of(role),
        name: Some(role.to_owned()),
        permissions: grants
            .iter()
            .filter_map(|grant| grant.role.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        max_session: None,
    };
    if let Some(grant) = grants.first() {
        policy.location = grant.location.clone();
    }
    found.push(policy);
}
