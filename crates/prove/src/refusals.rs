//! Refusals that need sets: what a role must not admit, shown by a token. An exchange runs them when it loads its roles.

use std::collections::BTreeMap;

use daypass_claims::Issuer;
use daypass_issuers::TriggerKind;
use daypass_trust::evaluate::Outcome;
use daypass_trust::form::{Policy, TokenIssuers};
use serde::Serialize;

use crate::home::{Places, Terms};
use crate::question::home_of;
use crate::space::{Formula, Found, Leaves};
use crate::world::{Issuers, Options, World, facts_about, issuers_of, universes};
use crate::{Answer, Verdict, Witness, overlap};

/// Whether jobs that a pull request sets off are admitted, with the token of one: its own triggers and those that carry the main
/// branch's ref all the same (`pull_request_target`, `workflow_run`).
///
/// Jobs in an environment do not count, unless the estate says that the environment is not protected: its rules hold them back.
pub fn reachable_by_pull_requests(policy: &Policy, options: &Options) -> Answer {
    let Issuers { known, others } = issuers_of(&[policy], options);
    let home = home_of(policy, options);
    let mut doubts = others;
    for issuer in known {
        for universe in universes(&issuer, &[policy], options) {
            let Some(platform) = universe.platform() else { continue };
            let places = Places::of(&universe);
            let facts = facts_about(&universe, &[policy], &options.estate);
            let terms = Terms::new(&universe, &places, &home, &facts);
            let ask = |leaves: &mut Leaves| {
                let triggers = platform.untrusted.iter().filter(|it| it.kind == TriggerKind::PullRequest);
                let triggers = Formula::Any(triggers.map(|it| leaves.guard(&it.when)).collect());
                vec![triggers, terms.unguarded(leaves).unwrap_or(Formula::TRUE)]
            };
            let world = World::new(&universe, &[policy], options, ask);
            let wanted = world.admits.iter().chain(&world.asked).cloned().collect();
            match world.find(&Formula::All(wanted), &[(policy, Outcome::Allow)]) {
                Found::Token(choice) => return Answer::yes(Some(world.witness(&choice)), Vec::new()),
                Found::Unknown(why) => doubts.extend(why),
                Found::None => {}
            }
        }
    }
    doubts.dedup();
    if doubts.is_empty() { Answer::no(None, Vec::new()) } else { Answer::unknown(doubts) }
}

/// A role, as far as others are held against it.
#[derive(Clone, Copy, Debug)]
pub struct Role<'p> {
    /// Its name.
    pub name: &'p str,
    /// The environment that it belongs to; roles of none are held against those of any.
    pub environment: Option<&'p str>,
    /// Whom it admits.
    pub policy: &'p Policy,
}

/// Two roles of different environments with a caller in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SharedCaller {
    /// The role that comes first.
    pub one: String,
    /// The role that comes later.
    pub two: String,
    /// A token that both admit; `None` where nobody can say whether there is one.
    pub witness: Option<Witness>,
    /// Why nobody can say.
    pub why: Vec<String>,
}

/// The pairs of roles of different environments that some token could assume both of: who holds it in the one is in the other.
///
/// Roles that trust different issuers have no caller in common, so roles are held against those of their own issuers only.
pub fn shared_callers(roles: &[Role<'_>], options: &Options) -> Vec<SharedCaller> {
    let mut by_issuer: BTreeMap<Option<Issuer>, Vec<usize>> = BTreeMap::new();
    for (at, role) in roles.iter().enumerate() {
        for issuer in issuers(role.policy) {
            by_issuer.entry(issuer).or_default().push(at);
        }
    }
    let anywhere = by_issuer.get(&None).cloned().unwrap_or_default();
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for places in by_issuer.values() {
        let all: Vec<usize> = places.iter().chain(&anywhere).copied().collect();
        for (nth, one) in all.iter().enumerate() {
            for two in all.iter().skip(nth.saturating_add(1)) {
                pairs.push((*one.min(two), *one.max(two)));
            }
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    let apart = pairs.into_iter().filter_map(|(one, two)| Some((roles.get(one)?, roles.get(two)?)));
    let apart = apart.filter(|(one, two)| one.environment != two.environment && one.name != two.name);
    apart
        .filter_map(|(one, two)| {
            let answer = overlap(one.policy, two.policy, options);
            (answer.answer != Verdict::No).then(|| SharedCaller {
                one: one.name.to_owned(),
                two: two.name.to_owned(),
                witness: answer.witness,
                why: answer.why,
            })
        })
        .collect()
}

/// The issuers that a policy trusts; `None` stands for any.
fn issuers(policy: &Policy) -> Vec<Option<Issuer>> {
    let mut found: Vec<Option<Issuer>> = Vec::new();
    for statement in &policy.statements {
        match &statement.principals.tokens {
            TokenIssuers::Exactly(named) => found.extend(named.iter().cloned().map(Some)),
            TokenIssuers::Any => found.push(None),
            TokenIssuers::None => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
