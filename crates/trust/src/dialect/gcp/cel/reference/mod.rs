//! The language again, as plainly as it can be written: an expression is evaluated over claims, and may fail. What is compiled
//! must agree with it.

mod generate;

use std::cell::Cell;
use std::fmt;

use daypass_claims::{ClaimSet, ClaimValue};
use proptest::prelude::*;

use super::{Attributes, condition, mapping};
use crate::context::Context;
use crate::dialect::api::{Remarks, Text};
use crate::document::{Source, Span};
use crate::evaluate::parts;
use crate::form::Condition;
use crate::truth::Truth;

#[derive(Clone, Debug)]
enum Expr {
    Text(String),
    Number(i64),
    Bool(bool),
    Claim(&'static str),
    Member(Box<Expr>, &'static str),
    Index(Box<Expr>, usize),
    Attribute(&'static str),
    Item,
    Concat(Box<Expr>, Box<Expr>),
    Extract(Box<Expr>, &'static str, &'static str),
    Lower(Box<Expr>),
    Upper(Box<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    Equal(Box<Expr>, Box<Expr>),
    Unequal(Box<Expr>, Box<Expr>),
    InList(Box<Expr>, Vec<Expr>),
    InClaim(String, Box<Expr>),
    Method(&'static str, Box<Expr>, Box<Expr>),
    Matches(Box<Expr>, &'static str),
    Has(&'static str),
    HasMember(&'static str, &'static str),
    HasAttribute(&'static str),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    /// `exists` (true) or `all` over the items of a claim.
    Over(bool, &'static str, Box<Expr>),
    /// The same over a list that is written out.
    OverList(bool, Vec<Expr>, Box<Expr>),
    Size(Box<Expr>, &'static str, i64),
}

use generate::{claims, expression, mapped_expression};

use Expr::{
    And, Attribute, Bool, Choice, Claim, Concat, Equal, Extract, Has, HasAttribute, HasMember, InClaim,
    InList, Index, Item, Lower, Matches, Member, Method, Not, Number, Or, Over, OverList, Size, Unequal,
    Upper,
};

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &[Self]| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let word = |any_of: bool| if any_of { "exists" } else { "all" };
        match self {
            Self::Text(text) if text.len() % 2 == 0 => write!(f, "'{text}'"),
            Self::Text(text) => write!(f, "r\"{text}\""),
            Number(number) => write!(f, "{number}"),
            Bool(value) => write!(f, "{value}"),
            Claim(name @ ("a" | "l")) => write!(f, "assertion.{name}"),
            Claim(name) => write!(f, "assertion['{name}']"),
            Member(inner, name) => write!(f, "{inner}.{name}"),
            Index(inner, index) => write!(f, "{inner}[{index}]"),
            Attribute(name) => f.write_str(name),
            Item => f.write_str("it"),
            Concat(left, right) => write!(f, "({left} + {right})"),
            Extract(inner, before, after) => write!(f, "{inner}.extract('{before}{{x}}{after}')"),
            Lower(inner) => write!(f, "{inner}.lowerAscii()"),
            Upper(inner) => write!(f, "{inner}.upperAscii()"),
            Choice(test, then, otherwise) => write!(f, "({test} ? {then} : {otherwise})"),
            Equal(left, right) => write!(f, "({left} == {right})"),
            Unequal(left, right) => write!(f, "({left} != {right})"),
            InList(needle, items) => write!(f, "({needle} in [{}])", list(items)),
            InClaim(needle, claim) => write!(f, "('{needle}' in {claim})"),
            Method(name, receiver, argument) => write!(f, "{receiver}.{name}({argument})"),
            Matches(receiver, expression) => write!(f, "{receiver}.matches('{expression}')"),
            Has(name) => write!(f, "has(assertion.{name})"),
            HasMember(claim, name) => write!(f, "has(assertion.{claim}.{name})"),
            HasAttribute(name) => write!(f, "has({name})"),
            And(left, right) => write!(f, "({left} && {right})"),
            Or(left, right) => write!(f, "({left} || {right})"),
            Not(inner) => write!(f, "!{inner}"),
            Over(any_of, claim, body) => write!(f, "assertion.{claim}.{}(it, {body})", word(*any_of)),
            OverList(any_of, items, body) => write!(f, "[{}].{}(it, {body})", list(items), word(*any_of)),
            Size(inner, comparison, number) => write!(f, "(size({inner}) {comparison} {number})"),
        }
    }
}

/// An expression that failed.
#[derive(Debug)]
struct Failed;

struct World<'a> {
    claims: &'a ClaimSet,
    mapped: &'a [(&'static str, Expr)],
    /// Whether comparing values of two types fails; else it is false.
    strict: bool,
    /// Set where something was evaluated that is not documented or not modelled.
    open: &'a Cell<bool>,
}

type Evaluated = Result<ClaimValue, Failed>;

impl World<'_> {
    fn text(&self, expr: &Expr, item: Option<&ClaimValue>) -> Result<String, Failed> {
        self.eval(expr, item)?.as_str().map(str::to_owned).ok_or(Failed)
    }

    fn truth(&self, expr: &Expr, item: Option<&ClaimValue>) -> Result<bool, Failed> {
        match self.eval(expr, item)? {
            ClaimValue::Bool(value) => Ok(value),
            _ => Err(Failed),
        }
    }

    fn equal(&self, left: &ClaimValue, right: &ClaimValue) -> Result<bool, Failed> {
        match (left, right) {
            (ClaimValue::String(left), ClaimValue::String(right)) => Ok(left == right),
            (ClaimValue::Bool(left), ClaimValue::Bool(right)) => {
                self.open.set(true);
                Ok(left == right)
            }
            _ => {
                self.open.set(true);
                if self.strict { Err(Failed) } else { Ok(left == right) }
            }
        }
    }

    /// `||` and `&&` over any number: one decisive value decides, else a failure counts.
    fn join(results: impl IntoIterator<Item = Result<bool, Failed>>, decisive: bool) -> Evaluated {
        let results: Vec<_> = results.into_iter().collect();
        if results.iter().any(|one| matches!(one, Ok(value) if *value == decisive)) {
            return Ok(ClaimValue::Bool(decisive));
        }
        results.into_iter().collect::<Result<Vec<_>, _>>().map(|_| ClaimValue::Bool(!decisive))
    }

    fn eval(&self, expr: &Expr, item: Option<&ClaimValue>) -> Evaluated {
        let value = |value: bool| Ok(ClaimValue::Bool(value));
        match expr {
            Expr::Text(text) => Ok(ClaimValue::from(text.as_str())),
            Number(number) => Ok(ClaimValue::from(*number)),
            Bool(is) => value(*is),
            Claim(name) => self.claims.get(name).cloned().ok_or(Failed),
            Member(inner, name) => self
                .eval(inner, item)?
                .as_object()
                .and_then(|members| members.get(*name))
                .cloned()
                .ok_or(Failed),
            Index(inner, index) => {
                self.eval(inner, item)?.as_array().and_then(|items| items.get(*index)).cloned().ok_or(Failed)
            }
            Attribute(name) => {
                let (_, mapped) = self.mapped.iter().find(|(known, _)| known == name).ok_or(Failed)?;
                self.eval(mapped, None)
            }
            Item => item.cloned().ok_or(Failed),
            Concat(left, right) => {
                let (left, right) = (self.eval(left, item), self.eval(right, item));
                let (left, right) = (left?, right?);
                match (left.as_str(), right.as_str()) {
                    (Some(left), Some(right)) => Ok(ClaimValue::from(format!("{left}{right}"))),
                    (None, None) => {
                        self.open.set(true);
                        Err(Failed)
                    }
                    _ => Err(Failed),
                }
            }
            Extract(inner, before, after) => {
                let text = self.text(inner, item)?;
                let found = text.split_once(before).and_then(|(_, rest)| {
                    if after.is_empty() { Some(rest) } else { Some(rest.split_once(after)?.0) }
                });
                Ok(ClaimValue::from(found.unwrap_or_default()))
            }
            Lower(inner) => Ok(ClaimValue::from(self.text(inner, item)?.to_ascii_lowercase())),
            Upper(inner) => Ok(ClaimValue::from(self.text(inner, item)?.to_ascii_uppercase())),
            Choice(test, then, otherwise) => {
                let chosen = if self.truth(test, item)? { then } else { otherwise };
                self.eval(chosen, item)
            }
            Equal(left, right) => {
                let (left, right) = (self.eval(left, item), self.eval(right, item));
                value(self.equal(&left?, &right?)?)
            }
            Unequal(left, right) => {
                let (left, right) = (self.eval(left, item), self.eval(right, item));
                value(!self.equal(&left?, &right?)?)
            }
            InList(needle, items) => {
                let needle = self.eval(needle, item);
                let items: Vec<_> = items.iter().map(|one| self.eval(one, item)).collect();
                let (needle, items) = (needle?, items.into_iter().collect::<Result<Vec<_>, _>>()?);
                Self::join(items.iter().map(|one| self.equal(&needle, one)), true)
            }
            InClaim(needle, claim) => match self.eval(claim, item)? {
                ClaimValue::Array(items) => {
                    if items.iter().any(|one| one.as_str() == Some(needle)) {
                        return value(true);
                    }
                    let needle = ClaimValue::from(needle.as_str());
                    Self::join(items.iter().map(|one| self.equal(&needle, one)), true)
                }
                ClaimValue::Object(members) => value(members.contains_key(needle)),
                _ => Err(Failed),
            },
            Method(name, receiver, argument) => {
                let (text, part) = (self.text(receiver, item), self.text(argument, item));
                let (text, part) = (text?, part?);
                value(match *name {
                    "startsWith" => text.starts_with(&part),
                    "endsWith" => text.ends_with(&part),
                    _ => text.contains(&part),
                })
            }
            Matches(receiver, expression) => {
                value(regex::Regex::new(expression).unwrap().is_match(&self.text(receiver, item)?))
            }
            Has(name) => value(self.claims.contains(name)),
            HasMember(claim, name) => {
                let claim = self.claims.get(claim).ok_or(Failed)?;
                value(claim.as_object().ok_or(Failed)?.contains_key(*name))
            }
            HasAttribute(name) => value(self.mapped.iter().any(|(known, _)| known == name)),
            And(left, right) => Self::join([self.truth(left, item), self.truth(right, item)], false),
            Or(left, right) => Self::join([self.truth(left, item), self.truth(right, item)], true),
            Not(inner) => value(!self.truth(inner, item)?),
            Over(any_of, claim, body) => match self.claims.get(claim).ok_or(Failed)? {
                ClaimValue::Array(items) => {
                    Self::join(items.iter().map(|one| self.truth(body, Some(one))), *any_of)
                }
                ClaimValue::Object(_) => {
                    self.open.set(true);
                    Err(Failed)
                }
                _ => Err(Failed),
            },
            OverList(any_of, items, body) => {
                let items = items.iter().map(|one| self.eval(one, item)).collect::<Result<Vec<_>, _>>()?;
                Self::join(items.iter().map(|one| self.truth(body, Some(one))), *any_of)
            }
            Size(inner, comparison, number) => {
                let length = match self.eval(inner, item)? {
                    ClaimValue::String(text) => text.chars().count(),
                    ClaimValue::Array(items) => items.len(),
                    ClaimValue::Object(members) => members.len(),
                    _ => return Err(Failed),
                };
                self.open.set(self.open.get() || !matches!(self.eval(inner, item)?, ClaimValue::String(_)));
                let length = i64::try_from(length).unwrap();
                value(match *comparison {
                    "==" => length == *number,
                    "!=" => length != *number,
                    "<" => length < *number,
                    "<=" => length <= *number,
                    ">" => length > *number,
                    _ => length >= *number,
                })
            }
        }
    }
}

fn compiled(expression: &Expr, mapped: &[(&'static str, Expr)]) -> Condition {
    let source = Source::new("reference", "");
    let mut remarks = Remarks::new(&source);
    let mut attributes = Attributes::default();
    for (name, expression) in mapped {
        let written = expression.to_string();
        let value = mapping(Text { span: Span::default(), value: Ok(&written) }, &mut remarks);
        attributes.insert(name, value.unwrap());
    }
    let written = expression.to_string();
    let clauses = condition(Text { span: Span::default(), value: Ok(&written) }, &attributes, &mut remarks);
    let problems = remarks.problems.into_vec();
    assert!(problems.is_empty(), "{written}: {problems:?}");
    Condition::All(clauses)
}

proptest! {
    #![proptest_config(ProptestConfig { ..ProptestConfig::with_cases(8_000) })]
    #[test]
    fn compiled_expressions_agree_with_the_language(expression in expression(), x in mapped_expression(), claims in claims()) {
        let mapped = [("google.subject", Claim("a")), ("attribute.x", x)];
        let condition = compiled(&expression, &mapped);
        let found = parts::condition(&condition, &claims, &Context::new());
        let open = Cell::new(false);
        for strict in [false, true] {
            let world = World { claims: &claims, mapped: &mapped, strict, open: &open };
            let expected = world.truth(&expression, None).is_ok_and(|value| value);
            match found {
                Truth::True => prop_assert!(expected, "{} (strict {})", expression, strict),
                Truth::False => prop_assert!(!expected, "{} (strict {})", expression, strict),
                Truth::Unknown => {}
            }
        }
        let capped = || format!("{condition:?}").contains("too many choices");
        let explained = found != Truth::Unknown || open.get() || capped();
        prop_assert!(explained, "unknown without a reason: {}", expression);
    }
}
