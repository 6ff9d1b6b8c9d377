//! Type constraints of variables: they fill in what a caller leaves out.

use daypass_trust::document::{Member, Node, Value};
use hcl_edit::expr::{Expression, ObjectKey};

use super::env::Env;
use super::session::Session;
use super::syntax::{Expr, ExprKind};
use super::value::{Val, same};

impl<'p> Session<'p> {
    /// A value as the type of its variable makes it: attributes left out become their defaults or null.
    pub(super) fn constrain(&self, value: Val, constraint: Expr<'_>, env: &Env<'p>) -> Val {
        let mut value = value;
        match constraint.kind {
            ExprKind::Native(kind) => self.convert(&mut value.node, kind, env),
            ExprKind::Json(node) | ExprKind::Plain(node) => {
                if let Some(Ok(kind)) = node.as_str().map(hcl_edit::parser::parse_expr) {
                    self.convert(&mut value.node, &kind, env);
                }
            }
        }
        value
    }

    fn convert(&self, node: &mut Node, kind: &Expression, env: &Env<'p>) {
        if let Expression::Variable(name) = kind {
            if name.as_str() == "string"
                && let Value::Number(number) = &node.value
            {
                node.value = Value::String(number.clone());
            }
            return;
        }
        let Expression::FuncCall(call) = kind else { return };
        let Some(inner) = call.args.iter().next() else { return };
        match (call.name.name.as_str(), &mut node.value) {
            ("optional", _) => self.convert(node, inner, env),
            ("list", Value::Array(items)) => {
                for item in items {
                    self.convert(item, inner, env);
                }
            }
            ("set", Value::Array(items)) => {
                let mut kept: Vec<Node> = Vec::new();
                for mut item in std::mem::take(items) {
                    self.convert(&mut item, inner, env);
                    if !kept.iter().any(|other| same(&other.value, &item.value)) {
                        kept.push(item);
                    }
                }
                *items = kept;
            }
            ("map", Value::Table(members)) => {
                for member in members {
                    self.convert(&mut member.node, inner, env);
                }
            }
            ("object", Value::Table(members)) => {
                let Expression::Object(attributes) = inner else { return };
                let span = node.span;
                let mut given = std::mem::take(members);
                for (key, kind) in attributes {
                    let name = match key {
                        ObjectKey::Ident(name) => name.as_str(),
                        ObjectKey::Expression(Expression::Variable(name)) => name.as_str(),
                        ObjectKey::Expression(expression) => expression.as_str().unwrap_or_default(),
                    };
                    let at = given.iter().position(|member| member.name == name);
                    let found = at.map(|at| given.swap_remove(at));
                    if let Some(mut member) = found.filter(|member| member.node.value != Value::Null) {
                        self.convert(&mut member.node, kind.expr(), env);
                        members.push(member);
                        continue;
                    }
                    let node = self.default_of(kind.expr(), node_at(span), env);
                    members.push(Member { name: name.to_owned(), name_span: span, node });
                }
            }
            _ => {}
        }
    }

    /// `optional(type, default)`: the default; null without one.
    fn default_of(&self, kind: &Expression, absent: Node, env: &Env<'p>) -> Node {
        let Expression::FuncCall(call) = kind else { return absent };
        let mut arguments = call.args.iter();
        match (call.name.name.as_str(), arguments.next(), arguments.next()) {
            ("optional", Some(kind), Some(default)) => {
                let mut node = self.adopt(self.eval_native(default, env).node, absent.span);
                self.convert(&mut node, kind, env);
                node
            }
            _ => absent,
        }
    }
}

const fn node_at(span: daypass_trust::document::Span) -> Node {
    Node { span, value: Value::Null }
}
