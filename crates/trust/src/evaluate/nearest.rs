//! The nearest miss: the smallest set of conditions whose change would admit a refused request.

use super::Evaluator;
use super::evaluation::{Miss, impossible, wanted_audiences, wanted_principals};
use crate::form::{Condition, Effect, Permission, Statement};
use crate::truth::Truth;

/// What has to change for a refused request to be admitted; empty when no statement could ever admit it.
pub(super) fn find(evaluator: &Evaluator<'_>) -> Vec<Miss> {
    let mut misses: Vec<Miss> = Vec::new();
    for permission in evaluator.required().iter() {
        for miss in for_permission(evaluator, permission) {
            if !misses.contains(&miss) {
                misses.push(miss);
            }
        }
    }
    misses
}

fn for_permission(evaluator: &Evaluator<'_>, permission: Permission) -> Vec<Miss> {
    let about = |effect| {
        let statements = evaluator.policy.statements.iter();
        statements.filter(move |it| it.effect == effect && it.permissions.contains(permission))
    };
    let admit = about(Effect::Allow)
        .map(|statement| to_match(evaluator, statement))
        .min_by_key(|misses| cost(misses))
        .unwrap_or_default();
    let denials = about(Effect::Deny)
        .filter(|statement| evaluator.matches(statement) != Truth::False)
        .flat_map(|statement| to_evade(evaluator, statement));
    admit.into_iter().chain(denials).collect()
}

/// Fewer changes are nearer, and changes that can be made at all are nearer than those that cannot.
fn cost(misses: &[Miss]) -> (usize, usize) {
    (misses.iter().filter(|miss| miss.impossible.is_some()).count(), misses.len())
}

fn miss(
    evaluator: &Evaluator<'_>,
    statement: &Statement,
    condition: &str,
    seen: String,
    wanted: String,
) -> Miss {
    Miss {
        statement: statement.label.clone(),
        condition: condition.to_owned(),
        seen,
        wanted,
        impossible: None,
        location: evaluator.policy.source.at(statement.span),
    }
}

/// What has to change for a statement to match.
fn to_match(evaluator: &Evaluator<'_>, statement: &Statement) -> Vec<Miss> {
    let mut misses = Vec::new();
    if !evaluator.principal(&statement.principals).is_true() {
        let wanted = wanted_principals(&statement.principals);
        misses.push(miss(evaluator, statement, "principal", evaluator.seen_principal(), wanted));
    }
    if !evaluator.addressed(&statement.audiences).is_true() {
        let wanted = wanted_audiences(&statement.audiences);
        misses.push(miss(evaluator, statement, "audience", evaluator.seen_audience(), wanted));
    }
    misses.extend(to_become(evaluator, statement, &statement.condition, true));
    misses
}

/// What has to change for a statement not to match: the cheapest of its conditions.
fn to_evade(evaluator: &Evaluator<'_>, statement: &Statement) -> Vec<Miss> {
    let by_condition = to_become(evaluator, statement, &statement.condition, false);
    if by_condition.is_empty() {
        let wanted = format!("not {}", wanted_principals(&statement.principals));
        return vec![miss(evaluator, statement, "principal", evaluator.seen_principal(), wanted)];
    }
    by_condition
}

/// What has to change for a condition to be `wanted`. Empty also where nothing can make it so.
fn to_become(
    evaluator: &Evaluator<'_>,
    statement: &Statement,
    condition: &Condition,
    wanted: bool,
) -> Vec<Miss> {
    if evaluator.truth(condition) == Truth::from(wanted) {
        return Vec::new();
    }
    let each = |parts: &[Condition]| -> Vec<Vec<Miss>> {
        parts.iter().map(|part| to_become(evaluator, statement, part, wanted)).collect()
    };
    match (condition, wanted) {
        (Condition::All(parts), true) | (Condition::Any(parts), false) => each(parts).concat(),
        (Condition::All(parts), false) | (Condition::Any(parts), true) => {
            each(parts).into_iter().min_by_key(|misses| cost(misses)).unwrap_or_default()
        }
        (Condition::Not(inner), wanted) => to_become(evaluator, statement, inner, !wanted),
        (Condition::Clause(clause), wanted) => vec![Miss {
            impossible: impossible(&clause.body),
            location: evaluator.policy.source.at(clause.span),
            ..miss(
                evaluator,
                statement,
                &clause.name,
                evaluator.seen(&clause.body),
                if wanted { clause.wants.clone() } else { format!("not {}", clause.wants) },
            )
        }],
        (Condition::Atom(atom), _) => {
            let name = atom.variable.to_string();
            vec![miss(evaluator, statement, &name, evaluator.seen(condition), "another value".to_owned())]
        }
        (Condition::Unknown(why), _) => {
            vec![miss(evaluator, statement, "unknown condition", "unknown".to_owned(), why.clone())]
        }
    }
}
