//! Workload identity pools of Google Cloud: attribute mapping, attribute condition, and the bindings that name principals.
//!
//! A document is a provider, a list of providers, or a pool. Beside a provider or in a pool stand the bindings that name
//! principals of the pool; without any the policy is who the pool admits. The providers of a pool share its subjects and
//! attributes, so each binding admits through every one of them.
//!
//! | member | also | |
//! |---|---|---|
//! | `providers` | `workloadIdentityPoolProviders` | the providers of a pool |
//! | `bindings` | | members (`principalSet://...`), or bindings with `role` and `members` |
//! | `name` | `workload_identity_pool_provider_id` | the provider's resource, or its id |
//! | `attributeMapping` | `attribute_mapping` | attributes and their expressions |
//! | `attributeCondition` | `attribute_condition` | what else must be true; none, and every token of the issuer is accepted |
//! | `oidc` | its members flat | `issuerUri` (`issuer_uri`, `issuer`), `allowedAudiences`, `jwksJson` |
//! | `disabled`, `state` | | such a provider exchanges nothing |
//!
//! A token is admitted where its issuer and audience are the provider's, `google.subject` is a string, the attribute condition
//! is true, and a binding names the attributes that it is mapped to. The mapping of another attribute counts where something
//! speaks of it: what Google makes of one that fails is not documented. Not modelled: that a subject has at most
//! [127 bytes](LONGEST_SUBJECT), and the sizes of all attributes together; both only ever refuse.
//!
//! What is known of the language of the expressions stands at the head of `gcp/cel/mod.rs`.
//!
//! Reference: IAM's REST reference (`projects.locations.workloadIdentityPools`, 2026-10) and "Principal identifiers".

mod binding;
mod cel;
mod provider;

use crate::dialect::api::{Object, Remarks};
use crate::dialect::{CompileError, CompileOptions, Compiled, Dialect, Facts};
use crate::document::{Node, Source};
use crate::form::{Condition, Effect, Permission, Permissions, Policy, Statement};

pub use binding::{Binding, Member};
pub use provider::{Mapping, Provider};

/// How many bytes a `google.subject` can have.
pub const LONGEST_SUBJECT: usize = 127;
/// How many characters the expression of a mapping can have.
pub const LONGEST_MAPPING: usize = 2_048;
/// How many characters an attribute condition can have.
pub const LONGEST_CONDITION: usize = 4_096;
/// How many attributes of its own a provider can map.
pub const MOST_ATTRIBUTES: usize = 50;

/// What a document says beside who is admitted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pool {
    /// The providers, in the order of the document.
    pub providers: Vec<Provider>,
    /// The members of bindings that name principals of a pool, in the order of the document.
    pub bindings: Vec<Binding>,
    /// For each statement of the policy the provider that it goes through and the binding that it is about, by index.
    pub statements: Vec<(usize, Option<usize>)>,
}

/// Compiles a provider or a pool.
pub fn compile(source: &Source, tree: &Node, options: &CompileOptions) -> Result<Compiled, CompileError> {
    let mut remarks = Remarks::new(source);
    let (pool, statements) = read(tree, options, &mut remarks).unwrap_or_default();
    let Remarks { problems, notes, .. } = remarks;
    let policy = Policy { dialect: Dialect::Gcp, statements, source: source.clone() };
    let facts = Facts::Gcp(Box::new(pool));
    Ok(problems.into_result(Compiled { policy, notes, accepted_risks: Vec::new(), facts })?)
}

fn read<'a>(
    tree: &'a Node,
    options: &CompileOptions,
    remarks: &mut Remarks<'a>,
) -> Option<(Pool, Vec<Statement>)> {
    let (nodes, bindings, disabled) = parts(tree, remarks)?;
    let bindings = bindings.map(|node| binding::read(node, remarks));
    let mut pool = Pool::default();
    let mut statements = Vec::new();
    for node in nodes {
        let Some((provider, compiled)) = provider::read(node, options, remarks) else { continue };
        let at = pool.providers.len();
        let through = label(&provider, at);
        let resource = provider.name.as_deref().and_then(|name| name.split_once("/providers/"));
        let resource = resource.map(|(pool, _)| pool);
        let mut admit = |label: String, binding: Option<usize>, asked: Vec<Condition>| {
            let mut conditions = compiled.conditions.clone();
            if disabled {
                conditions.push(Condition::FALSE);
            }
            let is_subject =
                asked.iter().any(|one| matches!(one, Condition::Clause(it) if it.name == "google.subject"));
            conditions.extend(compiled.subject.clone().filter(|_| !is_subject));
            conditions.extend(asked);
            pool.statements.push((at, binding));
            statements.push(Statement {
                label,
                effect: Effect::Allow,
                principals: compiled.principals.clone(),
                permissions: Permissions::NONE.with(Permission::AssumeWithToken),
                audiences: compiled.audiences.clone(),
                condition: Condition::All(conditions),
                span: node.span,
            });
        };
        match bindings.as_deref() {
            None => admit(through, None, Vec::new()),
            Some(bindings) => {
                for (index, binding) in bindings.iter().enumerate().filter(|(_, one)| one.is_about(resource))
                {
                    let written = binding.text.value.as_deref().unwrap_or("a member that is not known here");
                    let who = written.split_once("/workloadIdentityPools/").map_or(written, |(_, who)| who);
                    admit(format!("{through}, {who}"), Some(index), binding.clauses(&compiled.attributes));
                }
            }
        }
        pool.providers.push(provider);
    }
    pool.bindings = bindings.unwrap_or_default();
    Some((pool, statements))
}

/// The providers, the bindings where there are any, and whether the pool as a whole is off.
fn parts<'a>(tree: &'a Node, remarks: &mut Remarks<'a>) -> Option<(Vec<&'a Node>, Option<&'a Node>, bool)> {
    if let Some(providers) = tree.as_array() {
        return Some((providers.iter().collect(), None, false));
    }
    let listed = ["providers", "workloadIdentityPoolProviders"];
    if tree.unresolved().is_some() || listed.iter().all(|name| tree.get(name).is_none()) {
        return Some((vec![tree], tree.get("bindings").filter(|node| has_bindings(node)), false));
    }
    let mut fields = Object::of(tree, "a pool", remarks)?;
    let providers = fields.take(&listed, remarks)?;
    let bindings =
        fields.take(&["bindings"], remarks).map(|member| &member.node).filter(|node| has_bindings(node));
    let disabled = fields.boolean(&["disabled"], remarks).unwrap_or(false);
    let deleted = fields.text(&["state"], remarks).is_some_and(|state| state.value == Ok("DELETED"));
    fields.ignore(&IGNORED);
    fields.finish(remarks);
    let providers = providers.node.as_array().unwrap_or(std::slice::from_ref(&providers.node));
    Some((providers.iter().collect(), bindings, disabled || deleted))
}

/// A list without bindings is as good as none.
fn has_bindings(node: &Node) -> bool {
    node.as_array().is_none_or(|items| !items.is_empty())
}

/// Members of a pool that say nothing about who is admitted.
const IGNORED: [&str; 11] = [
    "description",
    "displayName",
    "display_name",
    "etag",
    "id",
    "mode",
    "name",
    "nextPageToken",
    "project",
    "workloadIdentityPoolId",
    "workload_identity_pool_id",
];

fn label(provider: &Provider, index: usize) -> String {
    let id = provider.name.as_deref().and_then(|name| name.rsplit('/').next());
    id.map_or_else(|| format!("provider {}", index.saturating_add(1)), |id| format!("provider {id}"))
}

#[cfg(test)]
mod tests;
