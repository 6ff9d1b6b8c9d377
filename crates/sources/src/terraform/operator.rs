use daypass_trust::document::{Node, Span, Value};
use hcl_edit::expr::BinaryOperator;

use super::session::Session;
use super::value::{Val, same};

/// A value as a truth, by Terraform's conversions.
pub(super) fn truth(node: &Node) -> Option<bool> {
    match &node.value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        _ => None,
    }
}

/// `!value`
pub(super) fn not(node: &Node, span: Span) -> Val {
    match truth(node) {
        Some(value) => Val::of(Value::Bool(!value), span),
        None => Val::failure(format!("{} is neither true nor false", node.kind()), span),
    }
}

/// `-value`
pub(super) fn negate(node: &Node, span: Span) -> Val {
    match number(node) {
        Some(value) => Val::of(Value::Number(written(-value)), span),
        None => Val::failure(format!("{} is no number", node.kind()), span),
    }
}

/// A value as a number, by Terraform's conversions.
pub(super) fn number(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Number(text) | Value::String(text) => {
            text.parse().ok().filter(|value: &f64| value.is_finite())
        }
        _ => None,
    }
}

/// A number as Terraform writes it.
pub(super) fn written(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { value.to_string() }
}

/// `left operator right`
pub(super) fn binary(
    session: &Session<'_>,
    operator: BinaryOperator,
    left: &Val,
    right: &Val,
    span: Span,
) -> Val {
    // One side may settle `&&` and `||` whatever the other is.
    let settled = match operator {
        BinaryOperator::And => Some(false),
        BinaryOperator::Or => Some(true),
        _ => None,
    };
    if let Some(settled) = settled
        && [left, right].iter().any(|side| truth(&side.node) == Some(settled))
    {
        return Val::of(Value::Bool(settled), span);
    }
    for side in [left, right] {
        if let Some(why) = session.why_unknown(&side.node) {
            return Val { failed: side.failed, ..Val::unknown(why, span) };
        }
    }
    let boolean = |value| Val::of(Value::Bool(value), span);
    match operator {
        BinaryOperator::Eq => boolean(same(&left.node.value, &right.node.value)),
        BinaryOperator::NotEq => boolean(!same(&left.node.value, &right.node.value)),
        BinaryOperator::And | BinaryOperator::Or => match (truth(&left.node), truth(&right.node)) {
            // What would settle it was looked for above.
            (Some(_), Some(_)) => boolean(operator == BinaryOperator::And),
            _ => Val::failure("`&&` and `||` are about true and false", span),
        },
        _ => match (number(&left.node), number(&right.node)) {
            (Some(left), Some(right)) => arithmetic(operator, left, right, span),
            _ => Val::failure("numbers are compared and calculated with, nothing else", span),
        },
    }
}

fn arithmetic(operator: BinaryOperator, left: f64, right: f64, span: Span) -> Val {
    let result = match operator {
        BinaryOperator::Less => return Val::of(Value::Bool(left < right), span),
        BinaryOperator::LessEq => return Val::of(Value::Bool(left <= right), span),
        BinaryOperator::Greater => return Val::of(Value::Bool(left > right), span),
        BinaryOperator::GreaterEq => return Val::of(Value::Bool(left >= right), span),
        BinaryOperator::Plus => left + right,
        BinaryOperator::Minus => left - right,
        BinaryOperator::Mul => left * right,
        BinaryOperator::Div => left / right,
        BinaryOperator::Mod => left % right,
        _ => f64::NAN,
    };
    if result.is_finite() {
        Val::of(Value::Number(written(result)), span)
    } else {
        Val::failure("the calculation has no result", span)
    }
}
