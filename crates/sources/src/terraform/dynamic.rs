use daypass_trust::document::{Node, Value};

use super::env::Env;
use super::eval::entries;
use super::project::literal;
use super::reference::table;
use super::session::Session;
use super::syntax::{Block, Body};
use super::value::Val;

/// A block that is written out, or that a `dynamic` block stands for.
pub(super) struct Inner<'p> {
    pub(super) block: Block<'p>,
    /// The names that it sees.
    pub(super) env: Env<'p>,
    /// Why it is not known whether it is there, or how often.
    pub(super) perhaps: Option<String>,
}

impl<'p> Session<'p> {
    /// The blocks of a kind within a block, those of `dynamic` blocks included.
    ///
    /// A dynamic block over something unknown stands for one block whose iterator is unknown.
    pub(super) fn blocks(&self, body: Body<'p>, kind: &str, env: &Env<'p>) -> Vec<Inner<'p>> {
        let written = body.blocks(kind, 0).into_iter();
        let mut found: Vec<Inner<'p>> =
            written.map(|block| Inner { block, env: env.clone(), perhaps: None }).collect();
        for dynamic in body.blocks("dynamic", 1) {
            if dynamic.labels.first().is_none_or(|label| label != kind) {
                continue;
            }
            let (Some(each), Some(content)) =
                (dynamic.body.attribute("for_each"), dynamic.body.blocks("content", 0).into_iter().next())
            else {
                continue;
            };
            let iterator = match dynamic.body.attribute("iterator") {
                Some(_) => iterator_name(dynamic.body).unwrap_or_else(|| kind.to_owned()),
                None => kind.to_owned(),
            };
            let collection = self.eval(each, env).node;
            let span = collection.span;
            let mut perhaps = None;
            let pairs = entries(&collection).unwrap_or_else(|why| {
                perhaps = Some(why.clone());
                let unknown = Node { span, value: Value::Unresolved(why) };
                vec![(unknown.clone(), unknown)]
            });
            for (key, value) in pairs {
                // The key of an element of a set is the element.
                let key = if collection.as_array().is_some() { value.clone() } else { key };
                let item = table(vec![("key", key), ("value", value)], span);
                let env = env.with(&iterator, Val::from(item));
                found.push(Inner { block: content.clone(), env, perhaps: perhaps.clone() });
            }
        }
        found
    }
}

fn iterator_name(body: Body<'_>) -> Option<String> {
    use super::syntax::ExprKind;
    match body.attribute("iterator")?.kind {
        ExprKind::Native(expression) => expression.as_variable().map(|name| name.as_str().to_owned()),
        ExprKind::Json(_) | ExprKind::Plain(_) => literal(body, "iterator"),
    }
}
