use std::collections::BTreeSet;

use daypass_trust::document::{Member, Node, Source, Value};

use super::env::{Env, Instance};
use super::map::global;
use super::project::Project;
use super::resource::{Collected, Resource};
use super::session::Session;
use super::syntax::{Block, Body};
use super::value::each_span;
use crate::found::{Found, Origin};
use crate::tree::MemoryTree;

/// A resource whose values are there to be read, in the words of Terraform's providers.
pub(crate) struct PlainResource {
    pub(crate) kind: String,
    /// What people call it.
    pub(crate) address: String,
    /// The module or stack that it is part of.
    pub(crate) module: Option<String>,
    /// Its values; the place of the table is the resource's.
    pub(crate) values: Node,
}

/// Texts with parts that are not known, for those who put values together.
pub(crate) struct Marks<'s, 'p>(&'s Session<'p>);

impl Marks<'_, '_> {
    /// What stands for an unknown part in a text.
    pub(crate) fn unknown(&self, why: &str) -> String {
        super::value::mark(self.0.unknown_number(why))
    }
}

/// Reads resources whose values are known: those of a plan, or of another language in these words.
pub(crate) fn read(
    source: &Source,
    origin: Origin,
    found: &mut Found,
    resources: impl FnOnce(&Marks<'_, '_>) -> Vec<PlainResource>,
) {
    let tree = MemoryTree::new();
    let project = Project::load(&tree, &BTreeSet::new());
    let (session, module) = Session::new(&project, "", None);
    let base = project.map.add(source.clone());
    let mut resources = resources(&Marks(&session));
    for resource in &mut resources {
        each_span(&mut resource.values, &|span| global(span, base));
    }
    let mut collected = Collected::default();
    for resource in resources.iter().filter(|it| super::resource::concerns(false, &it.kind)) {
        let block =
            Block { labels: Vec::new(), body: Body::plain(&resource.values), head: resource.values.span };
        let env = Env::top(&module, &std::rc::Rc::new(Instance::Single), 0);
        let (kind, address) = (resource.kind.as_str(), resource.address.clone());
        // A plain value belongs to no module of the session: its address says where it belongs.
        collected.read(&session, &Resource { kind, address, block: &block, env });
    }
    collected.finish(&session);
    let mut read = session.found.into_inner();
    for policy in &mut read.policies {
        policy.origin = origin;
        let resource = resources.iter().find(|it| it.address == policy.role);
        policy.module = resource.and_then(|it| it.module.clone());
    }
    found.append(read);
}

/// Puts what is known only later into values: `after_unknown` of a plan is `true` where a value is.
pub(crate) fn overlay(values: &mut Node, unknown: &Node, why: &str) {
    match (&mut values.value, &unknown.value) {
        (value, Value::Bool(true)) => *value = Value::Unresolved(why.to_owned()),
        (Value::Table(members), Value::Table(unknowns)) => {
            for unknown in unknowns {
                match members.iter_mut().find(|member| member.name == unknown.name) {
                    Some(member) => overlay(&mut member.node, &unknown.node, why),
                    None if unknown.node.value == Value::Bool(true) => members.push(Member {
                        name: unknown.name.clone(),
                        name_span: values.span,
                        node: Node { span: values.span, value: Value::Unresolved(why.to_owned()) },
                    }),
                    None => {}
                }
            }
        }
        (Value::Array(items), Value::Array(unknowns)) => {
            for (item, unknown) in items.iter_mut().zip(unknowns) {
                overlay(item, unknown, why);
            }
        }
        _ => {}
    }
}
