use daypass_trust::document::{Member, Node, Span, Value};
use hcl_edit::Span as _;
use hcl_edit::expr::{
    Expression, ForExpr, FuncCall, Object, ObjectKey, Traversal, TraversalOperator, UnaryOperator,
};

use super::env::Env;
use super::function;
use super::operator;
use super::session::{DEPTH_LIMIT, OUT_OF_FUEL, Session};
use super::syntax::{Expr, ExprKind, span_of};
use super::value::{Val, set};

/// One step of a traversal, its index evaluated.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// `.name`
    Attribute(String),
    /// `[index]`
    Index(Val),
    /// `[*]` or `.*`
    Splat,
}

impl<'p> Session<'p> {
    /// The value of an expression: known as far as the tree tells.
    pub(crate) fn eval(&self, expression: Expr<'_>, env: &Env<'p>) -> Val {
        match expression.kind {
            ExprKind::Native(native) => self.eval_native(native, &env.at(expression.base)),
            ExprKind::Json(node) => self.eval_json(node, &env.at(expression.base)),
            ExprKind::Plain(node) => Val::from(node.clone()),
        }
    }

    /// The value of an expression of the native syntax.
    pub(crate) fn eval_native(&self, expression: &Expression, env: &Env<'p>) -> Val {
        let span = span_of(expression.span(), env.base);
        if env.depth >= DEPTH_LIMIT {
            return Val::unknown("the expression leads too deep", span);
        }
        if !self.spend(1) {
            return Val::unknown(OUT_OF_FUEL, span);
        }
        let env = &env.deeper();
        match expression {
            Expression::Null(_) => Val::of(Value::Null, span),
            Expression::Bool(value) => Val::of(Value::Bool(*value.value()), span),
            Expression::Number(number) => Val::of(Value::Number(number.value().to_string()), span),
            Expression::String(text) => self.literal(text.value(), span),
            Expression::StringTemplate(template) => self.template(template, span, env),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template, span, env),
            Expression::Array(items) => {
                let items = items.iter().map(|item| self.item(item, env)).collect();
                Val::of(Value::Array(items), span)
            }
            Expression::Object(object) => self.object(object, span, env),
            Expression::Parenthesis(inner) => self.eval_native(inner.inner(), env),
            Expression::Variable(name) => self.reference(name.as_str(), &[], span, env).0,
            Expression::Traversal(traversal) => self.traversal(traversal, span, env),
            Expression::Conditional(conditional) => {
                let condition = self.eval_native(&conditional.cond_expr, env);
                match operator::truth(&condition.node) {
                    Some(true) => self.eval_native(&conditional.true_expr, env),
                    Some(false) => self.eval_native(&conditional.false_expr, env),
                    None => match self.why_unknown(&condition.node) {
                        Some(why) => Val { failed: condition.failed, ..Val::unknown(why, span) },
                        None => Val::failure("a condition is true or false", span),
                    },
                }
            }
            Expression::FuncCall(call) => self.call(call, span, env),
            Expression::UnaryOp(operation) => {
                let value = self.eval_native(&operation.expr, env);
                if let Some(why) = self.why_unknown(&value.node) {
                    return Val::unknown(why, span);
                }
                match *operation.operator.value() {
                    UnaryOperator::Not => operator::not(&value.node, span),
                    UnaryOperator::Neg => operator::negate(&value.node, span),
                }
            }
            Expression::BinaryOp(operation) => {
                let left = self.eval_native(&operation.lhs_expr, env);
                let right = self.eval_native(&operation.rhs_expr, env);
                operator::binary(self, *operation.operator.value(), &left, &right, span)
            }
            Expression::ForExpr(expression) => self.for_expression(expression, span, env),
        }
    }

    /// In the JSON syntax every string is a template and everything else stands for itself.
    fn eval_json(&self, node: &Node, env: &Env<'p>) -> Val {
        if env.depth >= DEPTH_LIMIT {
            return Val::unknown("the expression leads too deep", node.span);
        }
        let env = &env.deeper();
        match &node.value {
            Value::String(text) => self.json_template(text, node.span, env),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.adopt(self.eval_json(item, env).node, item.span));
                Val::of(Value::Array(items.collect()), node.span)
            }
            Value::Table(members) => {
                let members = members.iter().map(|member| {
                    let name = self.json_template(&member.name, member.name_span, env).node;
                    Member {
                        name: name.as_str().unwrap_or(&member.name).to_owned(),
                        name_span: member.name_span,
                        node: self.adopt(self.eval_json(&member.node, env).node, member.node.span),
                    }
                });
                Val::of(Value::Table(members.collect()), node.span)
            }
            _ => Val::from(node.clone()),
        }
    }

    fn item(&self, expression: &Expression, env: &Env<'p>) -> Node {
        let site = span_of(expression.span(), env.base);
        self.adopt(self.eval_native(expression, env).node, site)
    }

    fn object(&self, object: &Object, span: Span, env: &Env<'p>) -> Val {
        let mut members = Vec::new();
        for (key, value) in object {
            let name_span = span_of(key.span(), env.base);
            let name = match key {
                ObjectKey::Ident(name) => Ok(name.as_str().to_owned()),
                ObjectKey::Expression(Expression::Variable(name)) => Ok(name.as_str().to_owned()),
                ObjectKey::Expression(expression) => self.key(&self.eval_native(expression, env).node),
            };
            match name {
                Ok(name) => {
                    set(&mut members, Member { name, name_span, node: self.item(value.expr(), env) });
                }
                Err(why) => return Val::unknown(why, span),
            }
        }
        Val::of(Value::Table(members), span)
    }

    /// A value as the name of a member. An unknown part is kept in it.
    pub(super) fn key(&self, node: &Node) -> Result<String, String> {
        match &node.value {
            Value::String(text) | Value::Number(text) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string()),
            Value::Unresolved(why) => Ok(super::value::mark(self.unknown_number(why))),
            _ => Err(format!("{} cannot be a key", node.kind())),
        }
    }

    fn traversal(&self, traversal: &Traversal, span: Span, env: &Env<'p>) -> Val {
        let mut steps = Vec::with_capacity(traversal.operators.len());
        for operator in &traversal.operators {
            steps.push(match operator.value() {
                TraversalOperator::GetAttr(name) => Step::Attribute(name.as_str().to_owned()),
                TraversalOperator::Index(index) => Step::Index(self.eval_native(index, env)),
                TraversalOperator::LegacyIndex(index) => {
                    Step::Index(Val::of(Value::Number(index.value().to_string()), span))
                }
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => Step::Splat,
            });
        }
        let (value, taken) = match &traversal.expr {
            Expression::Variable(root) => self.reference(root.as_str(), &steps, span, env),
            other => (self.eval_native(other, env), 0),
        };
        self.walk(value, steps.get(taken..).unwrap_or_default(), span)
    }

    /// Follows steps into a value.
    pub(super) fn walk(&self, value: Val, steps: &[Step], span: Span) -> Val {
        let Some((step, rest)) = steps.split_first() else { return value };
        if value.node.unresolved().is_some() {
            return value;
        }
        let next = match step {
            Step::Attribute(name) => match value.node.get(name) {
                Some(node) => Val::from(node.clone()),
                None => Val::failure(format!("there is no attribute `{name}`"), span),
            },
            Step::Index(index) => self.index(&value.node, &index.node, span),
            Step::Splat => {
                let items = match value.node.value {
                    Value::Array(items) => items,
                    Value::Null => Vec::new(),
                    other => vec![Node { span: value.node.span, value: other }],
                };
                let items = items.into_iter().map(|item| self.walk(Val::from(item), rest, span).node);
                return Val::of(Value::Array(items.collect()), span);
            }
        };
        self.walk(next, rest, span)
    }

    /// `value[index]`
    pub(super) fn index(&self, value: &Node, index: &Node, span: Span) -> Val {
        if let Some(why) = value.unresolved().map(str::to_owned).or_else(|| self.why_unknown(index)) {
            return Val::unknown(why, span);
        }
        let found = match (&value.value, &index.value) {
            (Value::Array(items), Value::Number(at) | Value::String(at)) => {
                at.parse::<usize>().ok().and_then(|at| items.get(at))
            }
            (Value::Table(_), Value::String(name) | Value::Number(name)) => value.get(name),
            _ => None,
        };
        match found {
            Some(node) => Val::from(node.clone()),
            None => Val::failure(format!("{} has no such element", value.kind()), span),
        }
    }

    fn call(&self, call: &FuncCall, span: Span, env: &Env<'p>) -> Val {
        let name = call.name.name.as_str();
        if call.name.is_namespaced() {
            return Val::unknown(format!("function `{name}` belongs to a provider"), span);
        }
        if let "try" | "can" = name {
            return self.attempt(name, call, span, env);
        }
        let mut arguments: Vec<Val> =
            call.args.iter().map(|argument| self.eval_native(argument, env)).collect();
        if call.args.expand_final()
            && let Some(last) = arguments.pop()
        {
            match last.node.value {
                Value::Array(items) => arguments.extend(items.into_iter().map(Val::from)),
                Value::Unresolved(why) => return Val::unknown(why, span),
                _ => return Val::failure("only a list can be spread over arguments", span),
            }
        }
        function::call(self, name, &arguments, span, env)
    }

    /// `try` goes past what fails, not past what is unknown: that may turn out either way.
    fn attempt(&self, name: &str, call: &FuncCall, span: Span, env: &Env<'p>) -> Val {
        let mut last = Val::failure(format!("`{name}` has no argument"), span);
        for argument in &call.args {
            last = self.eval_native(argument, env);
            if name == "can" {
                return match (last.failed, last.node.unresolved()) {
                    (true, _) => Val::of(Value::Bool(false), span),
                    (false, Some(why)) => Val::unknown(why, span),
                    (false, None) => Val::of(Value::Bool(true), span),
                };
            }
            if !last.failed {
                return last;
            }
        }
        last
    }

    fn for_expression(&self, expression: &ForExpr, span: Span, env: &Env<'p>) -> Val {
        let collection = self.eval_native(&expression.intro.collection_expr, env);
        let entries = match entries(&collection.node) {
            Ok(entries) => entries,
            Err(why) => return Val { failed: collection.failed, ..Val::unknown(why, span) },
        };
        let mut items = Vec::new();
        let mut members: Vec<Member> = Vec::new();
        for (key, value) in entries {
            let mut inner = env.with(expression.intro.value_var.as_str(), Val::from(value));
            if let Some(name) = &expression.intro.key_var {
                inner = inner.with(name.as_str(), Val::from(key));
            }
            if let Some(condition) = &expression.cond {
                let condition = self.eval_native(&condition.expr, &inner).node;
                match (operator::truth(&condition), self.why_unknown(&condition)) {
                    (Some(true), _) => {}
                    (Some(false), _) => continue,
                    (None, Some(why)) => return Val::unknown(why, span),
                    (None, None) => return Val::failure("a condition is true or false", span),
                }
            }
            let node = self.item(&expression.value_expr, &inner);
            let Some(key) = &expression.key_expr else {
                items.push(node);
                continue;
            };
            let name_span = span_of(key.span(), env.base);
            match self.key(&self.eval_native(key, &inner).node) {
                Ok(name) if expression.grouping => {
                    match members.iter_mut().find(|member| member.name == name) {
                        Some(Member { node: Node { value: Value::Array(group), .. }, .. }) => {
                            group.push(node);
                        }
                        _ => {
                            let node = Node { span: node.span, value: Value::Array(vec![node]) };
                            members.push(Member { name, name_span, node });
                        }
                    }
                }
                Ok(name) => set(&mut members, Member { name, name_span, node }),
                Err(why) => return Val::unknown(why, span),
            }
        }
        let value = if expression.key_expr.is_some() { Value::Table(members) } else { Value::Array(items) };
        Val::of(value, span)
    }
}

/// The elements of a collection with their keys, or why they are not known.
pub(super) fn entries(node: &Node) -> Result<Vec<(Node, Node)>, String> {
    match &node.value {
        Value::Array(items) => Ok(items
            .iter()
            .enumerate()
            .map(|(at, item)| (Node { span: item.span, value: Value::Number(at.to_string()) }, item.clone()))
            .collect()),
        Value::Table(members) => Ok(members
            .iter()
            .map(|member| {
                let key = Node { span: member.name_span, value: Value::String(member.name.clone()) };
                (key, member.node.clone())
            })
            .collect()),
        Value::Unresolved(why) => Err(why.clone()),
        _ => Err(format!("{} has no elements", node.kind())),
    }
}

impl Env<'_> {
    fn at(&self, base: usize) -> Self {
        Self { base, ..self.clone() }
    }

    fn deeper(&self) -> Self {
        Self { depth: self.depth.saturating_add(1), ..self.clone() }
    }
}
