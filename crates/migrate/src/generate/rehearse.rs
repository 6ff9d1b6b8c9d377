//! Tokens of the jobs, replayed against trust before anything is switched over: who would get in, who would not, and who else.

use std::sync::Arc;

use daypass_claims::{ClaimSet, ClaimValue, Issuer};
use daypass_issuers::{Mintable, catalogue};
use daypass_pipelines::matches;
use daypass_prove::fit::{Admission, JobFit, fit};
use daypass_prove::{Options, PersonaAnswer, Witness, personas};
use daypass_trust::evaluate::Miss;
use daypass_trust::{Context, Outcome, Policy, evaluate};
use serde::Serialize;

use super::jobs::{self, Tokens};
use super::{GeneratedRole, TARGETS, permissions, proof};
use crate::plan::Role;
use crate::{Cloud, Plan, Survey};

/// Trust that is there already.
#[derive(Clone, Debug)]
pub struct Existing {
    /// What the role is called: by its declaration, and in its cloud.
    pub names: Vec<String>,
    /// Whom it admits.
    pub policy: Policy,
}

/// A token that a job was given.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What it is called: the file that it was read from.
    pub name: String,
    /// Who says that it is theirs. Nothing is verified here: what is asked is what the trust makes of such a token.
    pub issuer: Issuer,
    /// What it says.
    pub claims: ClaimSet,
}

/// How a role's trust did.
#[derive(Clone, Debug, Serialize)]
pub struct Rehearsed {
    /// The role.
    pub role: String,
    /// The trust that was asked: what would be generated, or roles that are there.
    pub against: Vec<String>,
    /// Tokens that its jobs need and that are refused.
    pub missing: Vec<Replayed>,
    /// Tokens of its jobs that are admitted.
    pub admitted: Vec<Replayed>,
    /// Tokens that are admitted and that no job of it needs, of each kind of caller one.
    pub slack: Vec<Surplus>,
    /// Which kinds of callers get in.
    pub personas: Vec<PersonaAnswer>,
    /// Tokens of its jobs that nobody would want it to admit.
    pub left_out: Vec<String>,
    /// Why nothing, or not everything, could be asked.
    pub refused: Vec<String>,
}

/// A token of a job, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Replayed {
    /// The job; empty where a recorded token fits several.
    pub job: String,
    /// The file that starts it, or the file of a recorded token.
    pub file: Arc<str>,
    /// What sets it off.
    pub trigger: String,
    /// The token's subject.
    pub subject: String,
    /// What would have to hold for it to be admitted, and what the answer rests on.
    pub why: Vec<String>,
}

/// A caller who gets in and whom no job of the role needs.
#[derive(Clone, Debug, Serialize)]
pub struct Surplus {
    /// Who it is, in words.
    pub who: String,
    /// Their token's subject.
    pub subject: String,
    /// Whether somebody should see to it: another workflow of the same place, which nobody can keep out by the subject, is none.
    pub unwanted: bool,
}

impl Rehearsed {
    /// Whether every job gets in and nobody else.
    pub fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.refused.is_empty() && !self.slack.iter().any(|it| it.unwanted)
    }
}

/// Rehearses every role that a job is to assume; against what would be generated unless trust is given that is there. With a
/// `target`, as [`super::generate()`] takes it: the roles of that cloud, and for [`Cloud::Daypass`] every role as the exchange has it.
///
/// The development tokens of all jobs are replayed, and beside them those that were recorded: each belongs to the roles whose
/// jobs could have been given it.
pub fn rehearse(
    plan: &Plan,
    survey: &Survey,
    target: Option<Cloud>,
    existing: Option<&[Existing]>,
    recorded: &[Recorded],
) -> Vec<Rehearsed> {
    let used = |role: &&Role| plan.jobs_of(&role.name).next().is_some();
    let asked = |role: &&Role| target.is_none_or(|cloud| cloud == Cloud::Daypass || cloud == role.cloud);
    let roles = plan.roles.iter().filter(used).filter(asked);
    roles.map(|role| one(plan, survey, target.unwrap_or(role.cloud), existing, recorded, role)).collect()
}

fn one(
    plan: &Plan,
    survey: &Survey,
    cloud: Cloud,
    existing: Option<&[Existing]>,
    recorded: &[Recorded],
    role: &Role,
) -> Rehearsed {
    let mut outcome = GeneratedRole::of(role);
    let tokens = jobs::of(plan, survey, role, cloud, &mut outcome);
    let mut rehearsed = Rehearsed {
        role: role.name.clone(),
        against: Vec::new(),
        missing: Vec::new(),
        admitted: Vec::new(),
        slack: Vec::new(),
        personas: Vec::new(),
        left_out: outcome.left_out,
        refused: outcome.refused,
    };
    if !rehearsed.refused.is_empty() {
        return rehearsed;
    }
    let trusts = match existing {
        Some(existing) => there(existing, role),
        None => made(role, cloud, &tokens),
    };
    let trusts = match trusts {
        Ok(trusts) => trusts,
        Err(why) => {
            rehearsed.refused.push(why);
            return rehearsed;
        }
    };
    rehearsed.against = trusts.iter().map(|trust| trust.name.clone()).collect();
    let options = options(role, &tokens);
    minted(&mut rehearsed, &trusts, &tokens, &options);
    replay(&mut rehearsed, &trusts, &tokens, recorded, role);
    rehearsed
}

/// Trust that is asked, with the tokens that it is for.
struct Asked {
    name: String,
    policy: Policy,
    tokens: Option<Vec<Mintable>>,
}

fn there(existing: &[Existing], role: &Role) -> Result<Vec<Asked>, String> {
    let is_part = |name: &str| {
        name.strip_prefix(role.name.as_str()).is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok())
        })
    };
    let found = existing.iter().filter(|it| it.names.iter().any(|name| is_part(name)));
    let asked = found.map(|it| Asked {
        name: it.names.first().cloned().unwrap_or_default(),
        policy: it.policy.clone(),
        tokens: None,
    });
    let asked: Vec<Asked> = asked.collect();
    if asked.is_empty() { Err(format!("there is no trust of a role `{}`", role.name)) } else { Ok(asked) }
}

fn made(role: &Role, cloud: Cloud, tokens: &Tokens) -> Result<Vec<Asked>, String> {
    let target = TARGETS.iter().find(|it| it.cloud() == cloud).ok_or("nothing is generated for its cloud")?;
    if tokens.mintable.is_empty() {
        return Err("no token of its jobs is left to admit".to_owned());
    }
    let parts = proof::prove(*target, role, tokens, &permissions(role, None, &mut GeneratedRole::of(role)))?;
    Ok(parts
        .into_iter()
        .map(proof::Part::asked)
        .map(|(name, policy, tokens)| Asked { name, policy, tokens: Some(tokens) })
        .collect())
}

fn options(role: &Role, tokens: &Tokens) -> Options {
    Options {
        account: role.target.get("account").cloned(),
        estate: tokens.estate.clone(),
        ..Options::default()
    }
}

/// The tokens that the jobs can mint.
fn minted(rehearsed: &mut Rehearsed, trusts: &[Asked], tokens: &Tokens, options: &Options) {
    let mut refusals: Vec<(JobFit, bool)> = Vec::new();
    for trust in trusts {
        let own = trust.tokens.as_ref().unwrap_or(&tokens.mintable);
        let found = fit(&trust.policy, own, options);
        for job in found.jobs {
            let admitted = job.admission == Admission::Always;
            if let (true, Some(witness)) = (admitted, &job.admitted) {
                rehearsed.admitted.push(replayed(&job, witness, Vec::new()));
            }
            refusals.push((job, admitted));
        }
        for it in found.slack {
            let who =
                it.persona.map_or("a job that the pipelines do not have", daypass_prove::Persona::about);
            let surplus = Surplus {
                who: who.to_owned(),
                subject: it.witness.subject().to_owned(),
                unwanted: !proof::is_of_the_same_place(&it),
            };
            let known = |other: &Surplus| other.who == surplus.who && other.subject == surplus.subject;
            if !rehearsed.slack.iter().any(known) {
                rehearsed.slack.push(surplus);
            }
        }
        rehearsed.refused.extend(found.why.into_iter().map(|why| format!("{}: {why}", trust.name)));
        rehearsed.personas.extend(personas(&trust.policy, None, options));
    }
    let same = |one: &JobFit, other: &JobFit| {
        (&one.file, &one.job, &one.trigger) == (&other.file, &other.job, &other.trigger)
    };
    for (job, _) in refusals.iter().filter(|(_, admitted)| !admitted) {
        // Roles that were split admit a part of the jobs each.
        if refusals.iter().any(|(other, admitted)| *admitted && same(job, other)) {
            continue;
        }
        let mut why = job.why.clone();
        if let Some(refused) = &job.refused {
            why.extend(refused.nearest_miss.iter().map(Miss::to_string));
            let missing = replayed(job, &refused.witness, why);
            rehearsed.missing.push(missing);
        } else {
            rehearsed.refused.push(format!("{}: job `{}`: {}", job.file, job.job, why.join("; ")));
        }
    }
}

fn replayed(job: &JobFit, witness: &Witness, why: Vec<String>) -> Replayed {
    Replayed {
        job: job.job.clone(),
        file: Arc::clone(&job.file),
        trigger: job.trigger.clone(),
        subject: witness.subject().to_owned(),
        why,
    }
}

/// Tokens that were recorded. Those of no job of the role must not get in.
fn replay(rehearsed: &mut Rehearsed, trusts: &[Asked], tokens: &Tokens, recorded: &[Recorded], role: &Role) {
    for token in recorded {
        let mut context = Context::new().issuer(token.issuer.clone());
        if let Some(account) = role.target.get("account") {
            context = context.account(account);
        }
        let answers: Vec<_> =
            trusts.iter().map(|trust| evaluate(&trust.policy, &token.claims, &context)).collect();
        let admitted = answers.iter().any(|answer| answer.outcome == Outcome::Allow);
        let own: Vec<&Mintable> = tokens.mintable.iter().filter(|one| is_of(one, token)).collect();
        let subject = token.claims.get("sub").and_then(ClaimValue::as_str).unwrap_or_default().to_owned();
        match (own.as_slice(), admitted) {
            ([], false) => {}
            ([], true) => rehearsed.slack.push(Surplus {
                who: format!("the recorded token `{}`, which none of its jobs is given", token.name),
                subject,
                unwanted: true,
            }),
            ([first, rest @ ..], admitted) => {
                let misses = answers.iter().flat_map(|answer| &answer.nearest_miss).map(Miss::to_string);
                let one = Replayed {
                    job: if rest.iter().all(|it| it.job == first.job) {
                        first.job.clone()
                    } else {
                        String::new()
                    },
                    file: Arc::from(token.name.as_str()),
                    trigger: first.trigger.clone(),
                    subject,
                    why: if admitted { Vec::new() } else { misses.collect() },
                };
                if admitted { rehearsed.admitted.push(one) } else { rehearsed.missing.push(one) }
            }
        }
    }
}

/// Whether a job could have been given the token: nothing that is known of the one says otherwise.
fn is_of(one: &Mintable, token: &Recorded) -> bool {
    let platforms = catalogue().platforms_of(&token.issuer);
    let of_platform = platforms.iter().any(|it| it.platform.id == one.platform);
    of_platform
        && one.claims.iter().all(|(name, set)| {
            let is_claim = platforms.iter().any(|it| it.platform.claims.get(name.as_str()).is_some());
            let value = token.claims.get(name.as_str());
            let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            !is_claim || set.contains(text.as_deref(), &matches) != Some(false)
        })
}
