//! Resources that are about trust, one file per cloud.

mod aws;
mod azure;
mod gcp;
mod vault;

use std::collections::BTreeMap;

use daypass_trust::document::{Member, Node, Span, Value};
use daypass_trust::{CompileOptions, Dialect};

use super::env::Env;
use super::finish::Finished;
use super::session::Session;
use super::syntax::Block;
use crate::found::{Facts, FoundPolicy, Origin};

/// One instance of a resource or data source.
pub(super) struct Resource<'r, 'p> {
    pub(super) kind: &'r str,
    pub(super) address: String,
    pub(super) block: &'r Block<'p>,
    pub(super) env: Env<'p>,
}

/// What is read before it can be put together.
#[derive(Default)]
pub(super) struct Collected {
    aws: aws::Collected,
    gcp: gcp::Collected,
    vault: vault::Collected,
}

/// Whether resources of that type are read.
pub(super) fn concerns(data: bool, kind: &str) -> bool {
    if data {
        return kind == "aws_iam_policy_document";
    }
    aws::KINDS.contains(&kind)
        || azure::KINDS.contains(&kind)
        || vault::KINDS.contains(&kind)
        || gcp::concerns(kind)
}

impl Collected {
    /// Reads a resource.
    pub(super) fn read<'p>(&mut self, session: &Session<'p>, resource: &Resource<'_, 'p>) {
        if resource.kind == "aws_iam_policy_document" || aws::KINDS.contains(&resource.kind) {
            self.aws.read(session, resource);
        } else if azure::KINDS.contains(&resource.kind) {
            azure::read(session, resource);
        } else if vault::KINDS.contains(&resource.kind) {
            self.vault.read(session, resource);
        } else {
            self.gcp.read(session, resource);
        }
    }

    /// Puts together what belongs together.
    pub(super) fn finish(self, session: &Session<'_>) {
        self.aws.finish(session);
        self.gcp.finish(session);
        self.vault.finish(session);
    }
}

impl<'p> Resource<'_, 'p> {
    /// An attribute, if it is set.
    fn get(&self, session: &Session<'p>, name: &str) -> Option<Node> {
        get_in(session, self.block, name, &self.env)
    }

    /// An attribute as a text for people.
    fn shown(&self, session: &Session<'p>, name: &str) -> Option<String> {
        session.shown(&self.get(session, name)?)
    }

    /// What the tags say about the environment, or a name.
    fn environment(&self, session: &Session<'p>, name: Option<&str>) -> Option<String> {
        let tags = ["tags", "labels"].iter().find_map(|it| self.get(session, it));
        let tagged = tags.and_then(|tags| {
            let tag = tags.as_table()?.iter().find(|tag| {
                matches!(tag.name.to_ascii_lowercase().as_str(), "environment" | "env" | "stage")
            })?;
            session.shown(&tag.node)
        });
        tagged
            .or_else(|| crate::found::environment_of(name?))
            .or_else(|| crate::found::environment_of(&self.address))
    }

    /// A policy that was found here.
    fn policy(
        &self,
        session: &Session<'p>,
        dialect: Dialect,
        finished: Finished,
        options: CompileOptions,
        facts: Facts,
    ) -> FoundPolicy {
        FoundPolicy {
            dialect,
            source: finished.source,
            tree: finished.tree,
            role: self.address.clone(),
            location: session.project.map.locate(self.block.head),
            module: module_of(&self.env),
            origin: Origin::Terraform,
            options,
            facts,
        }
    }
}

/// The address of the module, if it is not the root.
fn module_of(env: &Env<'_>) -> Option<String> {
    let address = env.module.address.trim_end_matches('.');
    (!address.is_empty()).then(|| address.to_owned())
}

/// An attribute of a block, if it is set.
fn get_in<'p>(session: &Session<'p>, block: &Block<'p>, name: &str, env: &Env<'p>) -> Option<Node> {
    let expression = block.body.attribute(name)?;
    let node = session.adopt(session.eval(expression, env).node, expression.span());
    (node.value != Value::Null).then_some(node)
}

/// Attributes under other names, as a table at the place of the block.
fn renamed<'p>(
    session: &Session<'p>,
    block: &Block<'p>,
    env: &Env<'p>,
    names: &BTreeMap<&str, &str>,
) -> Vec<Member> {
    let mut members = Vec::new();
    for (name, name_span, _) in block.body.attributes() {
        if let Some(renamed) = names.get(name.as_str())
            && let Some(node) = get_in(session, block, &name, env)
        {
            members.push(Member { name: (*renamed).to_owned(), name_span, node });
        }
    }
    members
}

/// The strings of a list, if all are known.
fn known_strings(session: &Session<'_>, node: &Node) -> Option<Vec<String>> {
    if session.why_unknown(node).is_some() {
        return None;
    }
    let items = node.as_array().unwrap_or(std::slice::from_ref(node));
    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn table(span: Span, members: Vec<Member>) -> Node {
    Node { span, value: Value::Table(members) }
}
