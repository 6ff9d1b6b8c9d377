//! The functions of Terraform that trust is written with. One that is not here makes its result unknown, by name.

mod collection;
mod encoding;
mod text;

use daypass_trust::document::{Node, Span, Value};

use super::env::Env;
use super::operator;
use super::session::Session;
use super::value::Val;

/// A call with its arguments evaluated.
struct Call<'c, 'p> {
    session: &'c Session<'p>,
    name: &'c str,
    arguments: &'c [Val],
    span: Span,
    env: &'c Env<'p>,
}

/// Calls a function.
pub(super) fn call<'p>(
    session: &Session<'p>,
    name: &str,
    arguments: &[Val],
    span: Span,
    env: &Env<'p>,
) -> Val {
    let call = Call { session, name, arguments, span, env };
    // A function of functions that carry an unknown part along says so itself; every other one needs to know all.
    if let Some(value) =
        encoding::call(&call).or_else(|| collection::passing(&call)).or_else(|| text::passing(&call))
    {
        return value;
    }
    if let Some(unknown) = arguments.iter().find(|argument| session.why_unknown(&argument.node).is_some()) {
        let why = session.why_unknown(&unknown.node).unwrap_or_default();
        return Val { failed: unknown.failed, ..Val::unknown(why, span) };
    }
    collection::call(&call)
        .or_else(|| text::call(&call))
        .or_else(|| convert(&call))
        .unwrap_or_else(|| Val::unknown(format!("function `{name}` is not modelled"), span))
}

fn convert(call: &Call<'_, '_>) -> Option<Val> {
    let first = call.node(0);
    Some(match call.name {
        "tostring" => match first.map(|node| call.session.as_text(node)) {
            Some(Ok(text)) => call.string(text),
            _ => call.failure("takes one value that can be a text"),
        },
        "tonumber" => match first.and_then(operator::number) {
            Some(number) => call.value(Value::Number(operator::written(number))),
            None => call.failure("takes one number"),
        },
        "tobool" => match first.and_then(operator::truth) {
            Some(truth) => call.value(Value::Bool(truth)),
            None => call.failure("takes one truth"),
        },
        "min" | "max" => {
            let numbers: Option<Vec<f64>> =
                call.arguments.iter().map(|argument| operator::number(&argument.node)).collect();
            let choose = if call.name == "min" { f64::min } else { f64::max };
            match numbers.and_then(|numbers| numbers.into_iter().reduce(choose)) {
                Some(number) => call.value(Value::Number(operator::written(number))),
                None => call.failure("takes numbers"),
            }
        }
        _ => return None,
    })
}

impl Call<'_, '_> {
    fn node(&self, index: usize) -> Option<&Node> {
        self.arguments.get(index).map(|argument| &argument.node)
    }

    fn text(&self, index: usize) -> Option<&str> {
        self.node(index)?.as_str()
    }

    fn list(&self, index: usize) -> Option<&[Node]> {
        self.node(index)?.as_array()
    }

    fn value(&self, value: Value) -> Val {
        Val::of(value, self.span)
    }

    fn string(&self, text: impl Into<String>) -> Val {
        Val::string(text, self.span)
    }

    fn boolean(&self, truth: bool) -> Val {
        self.value(Value::Bool(truth))
    }

    fn items(&self, items: Vec<Node>) -> Val {
        let items = items.into_iter().map(|item| self.session.adopt(item, self.span)).collect();
        self.value(Value::Array(items))
    }

    fn failure(&self, what: &str) -> Val {
        Val::failure(format!("function `{}` {what}", self.name), self.span)
    }
}
