//! Expressions as conditions: what names stand for, and what operators and macros do.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, operators};
use daypass_claims::Number;

use super::Attributes;
use super::test::{equal, is_among, length_is, method, quantified, stepped};
use super::text::{extracted, sized, sum, with_case};
use super::value::{Logic, Root, Simple, Value, all, present, scalar};
use crate::dialect::api::Remarks;
use crate::document::Span;
use crate::form::{ClaimPath, Comparison, Step, Test, Variable};

/// How deeply expressions are followed, and how many parts of one are looked at.
const DEEPEST: usize = 64;
const LONGEST: usize = 20_000;

/// The name of the claim that stands for an item of a list; no token has it, because it begins with a control character.
const ITEM: &str = "\u{1}";

/// Compiles one expression.
pub(super) struct Compiler<'a> {
    /// The attributes that a condition may speak of; a mapping may not.
    attributes: Option<&'a Attributes>,
    /// What macros have bound.
    bound: Vec<(String, Value)>,
    depth: usize,
    looked_at: usize,
    /// Names that nothing has.
    mistakes: Vec<String>,
    /// Attributes that nothing is mapped to.
    unmapped: Vec<String>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(attributes: Option<&'a Attributes>) -> Self {
        let (bound, mistakes, unmapped) = (Vec::new(), Vec::new(), Vec::new());
        Self { attributes, bound, depth: 0, looked_at: 0, mistakes, unmapped }
    }

    /// Reports what is wrong with the names in the expression.
    pub(super) fn report(self, span: Span, remarks: &mut Remarks<'_>) {
        let known =
            if self.attributes.is_some() { "`assertion`, `google` and `attribute`" } else { "`assertion`" };
        for name in self.mistakes {
            remarks.problem(
                span,
                format!("the expression speaks of `{name}`"),
                format!("it can speak of {known}"),
            );
        }
        for name in self.unmapped {
            let message = format!("nothing is mapped to `{name}`: the expression fails where it asks for it");
            remarks.note(span, message, "add it to `attributeMapping`");
        }
    }

    /// When a boolean expression is true, and when it is false.
    pub(super) fn logic(&mut self, expression: &IdedExpr) -> Logic {
        if !self.enter() {
            return Logic::unknown("the expression is nested too deeply or too long");
        }
        let logic = match &expression.expr {
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(macro_) => Some(self.comprehension(macro_)),
            Expr::Select(select) if select.test => Some(self.has(select)),
            _ => None,
        };
        let logic = logic.unwrap_or_else(|| self.value(expression).test(truth));
        self.depth = self.depth.saturating_sub(1);
        logic
    }

    /// What an expression can be.
    pub(super) fn value(&mut self, expression: &IdedExpr) -> Value {
        if !self.enter() {
            return Simple::Unknown("the expression is nested too deeply or too long".to_owned()).into();
        }
        let value = match &expression.expr {
            Expr::Literal(literal) => literal_value(literal).into(),
            Expr::Ident(name) => self.identifier(name),
            Expr::Select(select) if !select.test => {
                let operand = self.value(&select.operand);
                operand.then(|operand| self.member(operand, &select.field))
            }
            Expr::List(list) => {
                Simple::List(list.elements.iter().map(|item| self.value(item)).collect()).into()
            }
            Expr::Call(call) => self.called(call),
            Expr::Select(_) | Expr::Comprehension(_) => self.logic(expression).into(),
            Expr::Map(_) => Simple::unsupported("{}").into(),
            Expr::Struct(_) | Expr::Unspecified => Simple::unsupported("a message").into(),
        };
        self.depth = self.depth.saturating_sub(1);
        value
    }

    /// Whether there is room for another expression.
    const fn enter(&mut self) -> bool {
        if self.depth >= DEEPEST || self.looked_at >= LONGEST {
            return false;
        }
        self.depth = self.depth.saturating_add(1);
        self.looked_at = self.looked_at.saturating_add(1);
        true
    }

    fn identifier(&mut self, name: &str) -> Value {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
            return value.clone();
        }
        match name {
            "assertion" => Simple::Root(Root::Assertion).into(),
            "google" if self.attributes.is_some() => Simple::Root(Root::Google).into(),
            "attribute" if self.attributes.is_some() => Simple::Root(Root::Attribute).into(),
            _ => {
                self.mistakes.push(name.to_owned());
                Value::error()
            }
        }
    }

    /// `operand.name`, `operand['name']`.
    fn member(&mut self, operand: Simple, name: &str) -> Value {
        match operand {
            Simple::Root(Root::Assertion) => Simple::Variable(ClaimPath::claim(name).into()).into(),
            Simple::Root(root) => {
                let name = attribute_name(root, name);
                let value = self.attributes.and_then(|attributes| attributes.get(&name)).cloned();
                value.unwrap_or_else(|| {
                    self.unmapped.push(name);
                    Value::error()
                })
            }
            Simple::Variable(Variable::Claim(path)) => {
                Simple::Variable(stepped(&path, &Step::Member(name.to_owned())).into()).into()
            }
            Simple::Unknown(why) => Simple::Unknown(why).into(),
            _ => Value::error(),
        }
    }

    fn index(&mut self, operand: Simple, index: Simple) -> Value {
        match (operand, index) {
            (Simple::Unknown(why), _) | (_, Simple::Unknown(why)) => Simple::Unknown(why).into(),
            (operand, Simple::Text(name)) => self.member(operand, &name),
            (Simple::Variable(Variable::Claim(path)), Simple::Number(Number::Integer(index))) => {
                usize::try_from(index).map_or_else(
                    |_| Value::error(),
                    |index| Simple::Variable(stepped(&path, &Step::Item(index)).into()).into(),
                )
            }
            (Simple::List(_), _) => Simple::unsupported("an index into a list that is written out").into(),
            (_, Simple::Variable(_)) => Simple::unsupported("an index out of a claim").into(),
            _ => Value::error(),
        }
    }

    /// `has(operand.name)`.
    fn has(&mut self, select: &SelectExpr) -> Logic {
        let operand = self.value(&select.operand);
        operand.test(|operand| match operand {
            Simple::Root(Root::Assertion) => {
                let there = present(&ClaimPath::claim(select.field.as_str()).into());
                Logic { yes: there.clone(), no: there.negated() }
            }
            Simple::Root(root) => {
                let name = attribute_name(*root, &select.field);
                Logic::constant(self.attributes.is_some_and(|attributes| attributes.get(&name).is_some()))
            }
            Simple::Variable(Variable::Claim(path)) => {
                let yes = present(&stepped(path, &Step::Member(select.field.clone())).into());
                let object = present(&stepped(path, &Step::Names).into());
                Logic { no: all(vec![object, yes.clone().negated()]), yes }
            }
            Simple::Unknown(why) => Logic::unknown(why.as_str()),
            _ => Logic::ERROR,
        })
    }

    /// A call whose value is a boolean, if it is one.
    fn call(&mut self, call: &CallExpr) -> Option<Logic> {
        let logic = match (call.func_name.as_str(), &call.target, call.args.as_slice()) {
            (operators::LOGICAL_AND, None, parts) => Logic::and(self.each(parts)),
            (operators::LOGICAL_OR, None, parts) => Logic::or(self.each(parts)),
            (operators::LOGICAL_NOT, None, [inner]) => self.logic(inner).negated(),
            (operators::CONDITIONAL, None, [test, then, otherwise]) => {
                let test = self.logic(test);
                let (then, otherwise) = (self.logic(then), self.logic(otherwise));
                Logic::choice(&test, then, otherwise)
            }
            (operators::EQUALS, None, [left, right]) => self.both(left, right, equal),
            (operators::NOT_EQUALS, None, [left, right]) => self.both(left, right, equal).negated(),
            (operators::IN, None, [needle, haystack]) => self.both(needle, haystack, is_among),
            (operators::LESS, None, [left, right]) => self.ordered(left, right, Comparison::Less),
            (operators::LESS_EQUALS, None, [left, right]) => {
                self.ordered(left, right, Comparison::LessOrEqual)
            }
            (operators::GREATER, None, [left, right]) => self.ordered(left, right, Comparison::Greater),
            (operators::GREATER_EQUALS, None, [left, right]) => {
                self.ordered(left, right, Comparison::GreaterOrEqual)
            }
            (name @ ("startsWith" | "endsWith" | "contains" | "matches"), Some(receiver), [argument]) => self
                .both(receiver, argument, |receiver, argument| {
                    method(name, receiver, argument).unwrap_or(Logic::ERROR)
                }),
            ("matches", None, [receiver, argument]) => self.both(receiver, argument, |receiver, argument| {
                method("matches", receiver, argument).unwrap_or(Logic::ERROR)
            }),
            _ => return None,
        };
        Some(logic)
    }

    fn each(&mut self, parts: &[IdedExpr]) -> Vec<Logic> {
        parts.iter().map(|part| self.logic(part)).collect()
    }

    /// A test of two values, case by case.
    fn both(&mut self, left: &IdedExpr, right: &IdedExpr, test: impl Fn(&Simple, &Simple) -> Logic) -> Logic {
        let (left, right) = (self.value(left), self.value(right));
        left.test(|left| right.test(|right| test(left, right)))
    }

    fn ordered(&mut self, left: &IdedExpr, right: &IdedExpr, comparison: Comparison) -> Logic {
        let mirrored = match comparison {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            Comparison::Equal => Comparison::Equal,
        };
        self.both(left, right, |left, right| match (left, right) {
            (Simple::Size(variable), Simple::Number(number)) => length_is(variable, comparison, *number),
            (Simple::Number(number), Simple::Size(variable)) => length_is(variable, mirrored, *number),
            (Simple::Number(Number::Integer(left)), Simple::Number(Number::Integer(right))) => {
                Logic::constant(comparison.accepts(left.cmp(right)))
            }
            (Simple::Unknown(why), _) | (_, Simple::Unknown(why)) => Logic::unknown(why.as_str()),
            _ => Logic::unknown("`<`, `<=`, `>` and `>=` are modelled for sizes only"),
        })
    }

    /// A call whose value is no boolean, or is not modelled.
    fn called(&mut self, call: &CallExpr) -> Value {
        if let (operators::CONDITIONAL, [test, then, otherwise]) =
            (call.func_name.as_str(), call.args.as_slice())
        {
            let test = self.logic(test);
            let (then, otherwise) = (self.value(then), self.value(otherwise));
            return Value::choice(&test, then, otherwise);
        }
        if let Some(logic) = self.call(call) {
            return logic.into();
        }
        match (call.func_name.as_str(), &call.target, call.args.as_slice()) {
            (operators::INDEX, None, [operand, index]) => {
                let (operand, index) = (self.value(operand), self.value(index));
                operand.then(|operand| index.clone().then(|index| self.index(operand.clone(), index)))
            }
            (operators::ADD, None, [left, right]) => {
                let (left, right) = (self.value(left), self.value(right));
                left.then(|left| right.clone().then(|right| sum(&left, &right)))
            }
            ("extract", Some(receiver), [template]) => {
                let (receiver, template) = (self.value(receiver), self.value(template));
                receiver.then(|text| template.clone().then(|template| extracted(&text, &template)))
            }
            ("lowerAscii", Some(receiver), []) => {
                self.value(receiver).then(|text| with_case(&text, &Step::Lower, str::to_ascii_lowercase))
            }
            ("upperAscii", Some(receiver), []) => {
                self.value(receiver).then(|text| with_case(&text, &Step::Upper, str::to_ascii_uppercase))
            }
            ("size", Some(operand), []) => self.value(operand).then(sized),
            ("size", None, [operand]) => self.value(operand).then(sized),
            (name, ..) => Simple::unsupported(name.trim_matches('_')).into(),
        }
    }

    /// What the parser makes of `list.exists(item, ...)` and `list.all(item, ...)`.
    fn comprehension(&mut self, macro_: &ComprehensionExpr) -> Logic {
        let Some((any_of, body)) = quantifier(macro_) else {
            return Logic::unknown("`map`, `filter` and `exists_one` of CEL are not modelled");
        };
        let range = self.value(&macro_.iter_range);
        let mut of = |value: Value| {
            self.bound.push((macro_.iter_var.clone(), value));
            let logic = self.logic(body);
            self.bound.pop();
            logic
        };
        range.test(|range| match range {
            Simple::List(items) => {
                let there = range.defined();
                let each: Vec<Logic> = items.iter().map(|item| of(item.clone())).collect();
                let joined = if any_of { Logic::or(each) } else { Logic::and(each) };
                joined.when(&there)
            }
            Simple::Variable(Variable::Claim(path)) => {
                let item = Variable::Claim(ClaimPath::claim(ITEM));
                let body = of(Simple::Variable(item.clone()).into());
                quantified(path, &item, &body, any_of)
            }
            Simple::Unknown(why) => Logic::unknown(why.as_str()),
            _ => Logic::ERROR,
        })
    }
}

/// Whether a comprehension is `exists` (true) or `all`, and its body.
fn quantifier(macro_: &ComprehensionExpr) -> Option<(bool, &IdedExpr)> {
    let is_accumulator =
        |expression: &IdedExpr| matches!(&expression.expr, Expr::Ident(name) if *name == macro_.accu_var);
    let Expr::Call(step) = &macro_.loop_step.expr else { return None };
    let [accumulator, body] = step.args.as_slice() else { return None };
    let any_of = match step.func_name.as_str() {
        operators::LOGICAL_OR => true,
        operators::LOGICAL_AND => false,
        _ => return None,
    };
    (is_accumulator(accumulator) && is_accumulator(&macro_.result) && macro_.iter_var2.is_none())
        .then_some((any_of, body))
}

fn attribute_name(root: Root, name: &str) -> String {
    match root {
        Root::Google => format!("google.{name}"),
        Root::Attribute | Root::Assertion => format!("attribute.{name}"),
    }
}

/// A value as a condition: a boolean, or a claim that holds one.
fn truth(value: &Simple) -> Logic {
    match value {
        Simple::Bool(value) => Logic::constant(*value),
        Simple::Variable(variable) => {
            let is = |wanted| scalar(variable, Test::Bool(wanted));
            Logic { yes: is(true), no: is(false) }
        }
        Simple::Unknown(why) => Logic::unknown(why.as_str()),
        _ => Logic::ERROR,
    }
}

fn literal_value(literal: &LiteralValue) -> Simple {
    match literal {
        LiteralValue::String(text) => Simple::Text(text.inner().to_owned()),
        LiteralValue::Boolean(value) => Simple::Bool(*value.inner()),
        LiteralValue::Int(number) => Simple::Number(Number::Integer((*number.inner()).into())),
        LiteralValue::UInt(number) => Simple::Number(Number::Integer((*number.inner()).into())),
        LiteralValue::Double(number) => Simple::Number(Number::Float(*number.inner())),
        LiteralValue::Null => Simple::Null,
        LiteralValue::Bytes(_) => Simple::unsupported("b''"),
    }
}
