//! Why nobody is admitted.

use daypass_trust::form::{Clause, Condition, Effect, Permission, Policy, Variable};

use crate::estate::Fact;
use crate::space::{Formula, Found, Leaves};
use crate::world::{Options, World, issuers_of, universes};

/// Which conditions cannot be met, statement by statement.
pub(crate) fn reasons(policy: &Policy, options: &Options) -> Vec<String> {
    let mut reasons = facts_against(policy, options);
    if !reasons.is_empty() {
        return reasons;
    }
    let admitting = policy.statements.iter().filter(|statement| {
        statement.effect == Effect::Allow && statement.permissions.contains(Permission::AssumeWithToken)
    });
    for statement in admitting {
        let mut killers = Vec::new();
        for clause in clauses(&statement.condition) {
            if !can_hold(policy, &clause.body, options) {
                killers.push(killer(clause));
            }
        }
        if killers.is_empty() {
            reasons.push(format!("{}: its conditions exclude each other", statement.label));
        }
        reasons.extend(killers.into_iter().map(|killer| format!("{}: {killer}", statement.label)));
    }
    if reasons.is_empty() {
        reasons.push("no statement lets a token assume the role".to_owned());
    }
    reasons
}

/// The facts of the estate that rule out what the policy would admit otherwise.
fn facts_against(policy: &Policy, options: &Options) -> Vec<String> {
    let mut against = Vec::new();
    for issuer in issuers_of(&[policy], options).known {
        for universe in universes(&issuer, &[policy], options) {
            let world = World::new(&universe, &[policy], options, |_| Vec::new());
            let admits = Formula::All(world.admits.clone());
            if world.today.is_empty() || !matches!(world.space.find(&admits), Found::Token(_)) {
                continue;
            }
            let kills =
                |fact: &&Fact| world.space.find(&admits.clone().and(fact.holds.clone())) == Found::None;
            let before = against.len();
            against.extend(world.today.iter().filter(kills).map(|fact| fact.about.clone()));
            if against.len() == before {
                against.push("what is known of the estate rules it out".to_owned());
            }
        }
    }
    against.dedup();
    against
}

fn killer(clause: &Clause) -> String {
    let why = clause.body.atoms().into_iter().find_map(|atom| match &atom.variable {
        Variable::Never { why, .. } => Some(why.clone()),
        _ => None,
    });
    match why {
        Some(why) => format!("{}: {why}", clause.name),
        None => format!("{} wants {}, which no token has", clause.name, clause.wants),
    }
}

/// Whether some token of the policy's issuers meets a condition by itself.
fn can_hold(policy: &Policy, condition: &Condition, options: &Options) -> bool {
    for issuer in issuers_of(&[policy], options).known {
        for universe in universes(&issuer, &[policy], options) {
            let world =
                World::new(&universe, &[], options, |leaves: &mut Leaves| vec![leaves.condition(condition)]);
            let Some(asked) = world.asked.first() else { continue };
            if world.space.find(asked) != Found::None {
                return true;
            }
        }
    }
    false
}

/// What the admitting statements of a policy ask for, in words.
pub(crate) fn wants(policy: &Policy) -> Vec<String> {
    let admitting = policy.statements.iter().filter(|statement| {
        statement.effect == Effect::Allow && statement.permissions.contains(Permission::AssumeWithToken)
    });
    let mut found: Vec<String> = Vec::new();
    for clause in admitting.flat_map(|statement| clauses(&statement.condition)) {
        let said = format!("{} is {}", clause.name, clause.wants);
        if !found.contains(&said) {
            found.push(said);
        }
    }
    found
}

/// The conditions that must all hold, as their author wrote them.
fn clauses(condition: &Condition) -> Vec<&Clause> {
    match condition {
        Condition::All(parts) => parts.iter().flat_map(clauses).collect(),
        Condition::Clause(clause) => vec![clause],
        _ => Vec::new(),
    }
}
