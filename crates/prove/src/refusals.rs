//! Refusals that need sets: what a role must not admit, shown by a token. An exchange runs them when it loads its roles.

use daypass_issuers::TriggerKind;
use daypass_trust::evaluate::Outcome;
use daypass_trust::form::Policy;
use serde::Serialize;

use crate::home::{Places, Terms};
use crate::question::home_of;
use crate::space::{Formula, Found, Leaves};
use crate::world::{Issuers, Options, World, facts_about, issuers_of, universes};
use crate::{Answer, Verdict, Witness, may_meet, overlap};

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
/// Only pairs that [`may_meet`] are asked about: of many roles, each meets few.
pub fn shared_callers(roles: &[Role<'_>], options: &Options) -> Vec<SharedCaller> {
    let policies: Vec<&Policy> = roles.iter().map(|role| role.policy).collect();
    let apart = |one: usize, two: usize| match (roles.get(one), roles.get(two)) {
        (Some(one), Some(two)) => one.environment != two.environment && one.name != two.name,
        _ => false,
    };
    let pairs = may_meet(&policies, apart, usize::MAX).pairs.into_iter();
    pairs
        .filter_map(|(one, two)| Some((roles.get(one)?, roles.get(two)?)))
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
