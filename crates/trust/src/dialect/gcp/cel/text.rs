//! What operators and methods make of texts.

use daypass_claims::Number;

use super::test::{is_text, stepped};
use super::value::{Logic, Simple, Value, all, present};
use crate::form::{JoinPart, Step, Variable};

/// `left + right`: a text of texts.
pub(super) fn sum(left: &Simple, right: &Simple) -> Value {
    let ambiguous = match (left, right) {
        (Simple::Unknown(why), _) | (_, Simple::Unknown(why)) => return Simple::Unknown(why.clone()).into(),
        // Two claims can be two numbers or two lists as well.
        (Simple::Variable(left @ Variable::Claim(_)), Simple::Variable(right @ Variable::Claim(_))) => {
            let other = |value: &Variable| {
                let value = Simple::Variable(value.clone());
                is_text(&value).negated()
            };
            Some(all(vec![present(left), present(right), other(left), other(right)]))
        }
        _ => None,
    };
    let (Some(mut parts), Some(more)) = (left.parts(), right.parts()) else {
        return match (left, right) {
            (Simple::Number(_) | Simple::List(_) | Simple::Size(_), _)
            | (_, Simple::Number(_) | Simple::List(_) | Simple::Size(_)) => {
                Simple::unsupported("+ of numbers and lists").into()
            }
            _ => Value::error(),
        };
    };
    for part in more {
        match (parts.last_mut(), part) {
            (Some(JoinPart::Text(before)), JoinPart::Text(text)) => before.push_str(&text),
            (_, part) => parts.push(part),
        }
    }
    let joined = match parts.as_slice() {
        [JoinPart::Text(text)] => Simple::Text(text.clone()),
        _ => Simple::Variable(Variable::Joined(parts)),
    };
    match ambiguous {
        Some(ambiguous) => {
            let test = Logic { no: ambiguous.clone().negated(), yes: ambiguous };
            Value::choice(
                &test,
                Simple::unsupported("+ of two claims that are no strings").into(),
                joined.into(),
            )
        }
        None => joined.into(),
    }
}

/// `text.extract('before{name}after')`: what stands between the first `before` and the next `after`; the empty text if they do
/// not stand there.
pub(super) fn extracted(text: &Simple, template: &Simple) -> Value {
    let (Simple::Text(template), false) = (template, matches!(text, Simple::Unknown(_))) else {
        return Simple::unsupported("extract").into();
    };
    let placeholder =
        template.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (_, after))) = placeholder.filter(|(_, (_, after))| !after.contains('{')) else {
        return Simple::Unknown(format!(
            "`extract` needs one placeholder in its template, `{template}` has another number"
        ))
        .into();
    };
    let step = Step::Extract { before: before.to_owned(), after: after.to_owned() };
    match text {
        Simple::Variable(Variable::Claim(path)) => Simple::Variable(stepped(path, &step).into()).into(),
        Simple::Text(_) | Simple::Variable(_) => {
            Simple::unsupported("extract of a text that is put together").into()
        }
        _ => Value::error(),
    }
}

/// `text.lowerAscii()`, `text.upperAscii()`: part by part.
pub(super) fn with_case(text: &Simple, step: &Step, convert: fn(&str) -> String) -> Value {
    match text {
        Simple::Text(text) => Simple::Text(convert(text)).into(),
        Simple::Variable(Variable::Claim(path)) => Simple::Variable(stepped(path, step).into()).into(),
        Simple::Variable(Variable::Joined(parts)) => {
            let parts = parts.iter().map(|part| match part {
                JoinPart::Text(text) => JoinPart::Text(convert(text)),
                JoinPart::Claim(path) => JoinPart::Claim(stepped(path, step)),
            });
            Simple::Variable(Variable::Joined(parts.collect())).into()
        }
        Simple::Unknown(why) => Simple::Unknown(why.clone()).into(),
        _ => Value::error(),
    }
}

/// `size(value)`, `value.size()`.
pub(super) fn sized(value: Simple) -> Value {
    match value {
        Simple::Variable(variable) => Simple::Size(variable).into(),
        Simple::Text(text) => length(text.chars().count()),
        Simple::List(items) => length(items.len()),
        Simple::Unknown(why) => Simple::Unknown(why).into(),
        _ => Value::error(),
    }
}

fn length(count: usize) -> Value {
    i128::try_from(count)
        .map_or_else(|_| Value::error(), |count| Simple::Number(Number::Integer(count)).into())
}
