//! `[admin]`: the separate listener, and who may use it.

use daypass_trust::CompileOptions;
use daypass_trust::dialect::native;
use daypass_trust::document::{Fields, Node, Problem, Source};

use super::load::Loader;
use super::server;
use super::{AdminConfig, AdminTrust};
use crate::admin::Scope;

pub(super) fn read(
    loader: &mut Loader<'_>,
    source: &Source,
    fields: &mut Fields<'_>,
    options: &CompileOptions,
) -> Option<AdminConfig> {
    let empty = Node { span: fields.span(), value: daypass_trust::document::Value::Table(Vec::new()) };
    let node = fields.take("admin").map_or(&empty, |member| &member.node);
    let mut admin = Fields::of(source, node, "`admin`", &mut loader.problems)?;
    let listen = server::address(loader, source, &mut admin, "listen", 8081);
    let mut trust = Vec::new();
    if let Some(member) = admin.take("trust") {
        for node in member.node.as_array().unwrap_or(std::slice::from_ref(&member.node)) {
            trust.extend(read_trust(loader, source, node, options));
        }
    }
    let token_file =
        admin.string("token_file", &mut loader.problems).map(|(path, _)| loader.path(path).into_string());
    admin.finish(&mut loader.problems);
    let (listen, span) = listen?;
    if !listen.ip().is_loopback() {
        let problem =
            Problem::new(source, span, format!("the admin listener is for loopback, this is {listen}"));
        loader.problems.push(problem.help("reach it through a tunnel or a local proxy that authenticates"));
    }
    Some(AdminConfig { listen, token_file, trust })
}

/// A trust statement with `scopes` beside it.
fn read_trust(
    loader: &mut Loader<'_>,
    source: &Source,
    node: &Node,
    options: &CompileOptions,
) -> Option<AdminTrust> {
    let mut fields = Fields::of(source, node, "`admin.trust`", &mut loader.problems)?;
    let scopes = fields.strings("scopes", &mut loader.problems);
    let statement: Vec<_> = fields.rest().into_iter().cloned().collect();
    let Some(names) = scopes.filter(|scopes| !scopes.is_empty()) else {
        let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let problem = Problem::new(source, node.span, "`scopes` is missing");
        loader.problems.push(problem.help(format!("what they may do: {}", known.join(", "))));
        return None;
    };
    let mut scopes = Vec::with_capacity(names.len());
    for (name, span) in names {
        match Scope::ALL.into_iter().find(|scope| scope.as_str() == name) {
            Some(scope) => scopes.push(scope),
            None => loader.problems.push(Problem::new(source, span, format!("no scope is called `{name}`"))),
        }
    }
    let table = Node { span: node.span, value: daypass_trust::document::Value::Table(statement) };
    let list = Node { span: node.span, value: daypass_trust::document::Value::Array(vec![table]) };
    match native::compile_statements(source, &list, options) {
        Ok(compiled) => Some(AdminTrust { policy: compiled.policy, scopes }),
        Err(error) => {
            error.problems.into_iter().for_each(|problem| loader.problems.push(problem));
            None
        }
    }
}
