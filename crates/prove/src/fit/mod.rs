//! Whether a role fits the jobs that are to assume it: which of their tokens it refuses, and whom else it admits.

mod sets;

use std::sync::Arc;

use daypass_issuers::Mintable;
use daypass_trust::Context;
use daypass_trust::evaluate::{Miss, Outcome, evaluate};
use daypass_trust::form::Policy;
use serde::Serialize;

use crate::home::{Home, Places, Terms};
use crate::space::{Choice, Formula, Found, Leaves};
use crate::universe::Universe;
use crate::world::{Issuers, Options, World, facts_about, issuers_of, universes};
use crate::{Persona, Witness};

pub(crate) use sets::tokens_of;

/// What a role admits, held against what jobs can mint.
#[derive(Clone, Debug, Serialize)]
pub struct Fit {
    /// Each job and what becomes of its tokens, in the order that they were given in.
    pub jobs: Vec<JobFit>,
    /// Tokens that are admitted and that no job needs, of each kind of caller one.
    pub slack: Vec<Slack>,
    /// What stands in the way of a plain answer about slack.
    pub why: Vec<String>,
}

/// What becomes of the tokens of one job.
#[derive(Clone, Debug, Serialize)]
pub struct JobFit {
    /// The job, with the jobs that call it in front.
    pub job: String,
    /// What sets it off.
    pub trigger: String,
    /// The file that defines it.
    pub file: Arc<str>,
    /// Its 1-based line there.
    pub line: usize,
    /// Whether its tokens are admitted.
    pub admission: Admission,
    /// A token of it that is admitted.
    pub admitted: Option<Witness>,
    /// A token of it that is refused.
    pub refused: Option<Refused>,
    /// What the answer rests on: facts of the job that are not known.
    pub why: Vec<String>,
}

/// How far a job's tokens are admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Admission {
    /// All of them.
    Always,
    /// Some of them.
    Sometimes,
    /// None of them.
    Never,
    /// Nobody can say.
    Unknown,
}

/// A refused token, and what would have to change for it to be admitted.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// The token.
    pub witness: Witness,
    /// The smallest set of conditions that stand in its way; empty where no statement could ever admit it.
    pub nearest_miss: Vec<Miss>,
}

/// An admitted token that no job needs.
#[derive(Clone, Debug, Serialize)]
pub struct Slack {
    /// Whose it is; `None` where it is one of the role's own jobs that the pipelines do not have.
    pub persona: Option<Persona>,
    /// The token.
    pub witness: Witness,
    /// Whether its subject is one that a needed token has too, so that no subject can keep it out.
    pub meant: bool,
}

impl Slack {
    /// Whether a policy that goes by subjects cannot help it: another workflow of the same job's place, or names that somebody
    /// takes over one day.
    pub fn is_inherent(&self) -> bool {
        match self.persona {
            Some(Persona::OtherWorkflow) => true,
            Some(Persona::Squatter) => self.meant,
            _ => false,
        }
    }
}

impl Fit {
    /// The jobs some or all of whose tokens are refused.
    pub fn missing(&self) -> impl Iterator<Item = &JobFit> {
        self.jobs.iter().filter(|job| matches!(job.admission, Admission::Sometimes | Admission::Never))
    }

    /// Whether the role admits every token of the jobs and no other.
    pub fn is_exact(&self) -> bool {
        let all = self.jobs.iter().all(|job| job.admission == Admission::Always);
        all && self.slack.is_empty() && self.why.is_empty()
    }
}

/// Holds what a role admits against what jobs can mint.
///
/// What is not known of a job makes its tokens more, so `slack` is certain; a refused token may be one that the job never
/// mints where [`JobFit::why`] says what is not known.
pub fn fit(policy: &Policy, jobs: &[Mintable], options: &Options) -> Fit {
    let Issuers { known, others } = issuers_of(&[policy], options);
    let universes: Vec<Universe> =
        known.iter().flat_map(|issuer| universes(issuer, &[policy], options)).collect();
    let fits = jobs.iter().map(|job| one(policy, job, &universes, options)).collect();
    let mut why = others;
    let slack = slack(policy, jobs, &universes, options, &mut why);
    Fit { jobs: fits, slack, why }
}

/// Whether a universe is where a job's tokens come from: its platform's, with subjects that nobody customised.
pub(crate) fn mints(job: &Mintable, universe: &Universe) -> bool {
    let of_platform = universe
        .platform()
        .is_some_and(|it| it.id == job.platform || it.inherits.as_deref() == Some(job.platform));
    of_platform && (universe.has_usual_form() || universe.form().is_none())
}

fn one(policy: &Policy, job: &Mintable, universes: &[Universe], options: &Options) -> JobFit {
    let mut fit = JobFit {
        job: job.job.clone(),
        trigger: job.trigger.clone(),
        file: Arc::clone(&job.location.0),
        line: job.location.1,
        admission: Admission::Unknown,
        admitted: None,
        refused: None,
        why: job.at_most.iter().cloned().collect(),
    };
    let mut doubts = Vec::new();
    let mut refused_forms = Vec::new();
    let mut any = false;
    for universe in universes.iter().filter(|universe| mints(job, universe)) {
        any = true;
        let world = World::new(universe, &[policy], options, |leaves| vec![tokens_of(job, universe, leaves)]);
        let (Some(admits), Some(minted)) = (world.admits.first(), world.asked.first()) else { continue };
        let admitted = world.find(&admits.clone().and(minted.clone()), &[(policy, Outcome::Allow)]);
        let refused = world.find(&minted.clone().and(admits.clone().negated()), &[(policy, Outcome::Deny)]);
        if let Found::Token(choice) = &refused {
            refused_forms.extend(universe.form().filter(|_| matches!(admitted, Found::None)));
            fit.refused.get_or_insert_with(|| refusal(policy, &world, choice));
        }
        if let Found::Token(choice) = &admitted {
            fit.admitted.get_or_insert_with(|| world.witness(choice));
        }
        doubts.extend([admitted, refused].into_iter().filter_map(Found::doubts).flatten());
    }
    fit.admission = match (&fit.admitted, &fit.refused) {
        (Some(_), Some(_)) => Admission::Sometimes,
        (None, Some(_)) if doubts.is_empty() => Admission::Never,
        (Some(_), None) if doubts.is_empty() => Admission::Always,
        (None, None) if doubts.is_empty() => Admission::Never,
        _ => Admission::Unknown,
    };
    if !any {
        fit.why.push(format!("the role trusts no issuer of {}", job.platform));
    }
    if fit.admitted.is_some() && !refused_forms.is_empty() {
        let forms = refused_forms.join(" or ");
        fit.why.push(format!("refused if the repository emits {forms} subjects (unknown)"));
    }
    if fit.admission == Admission::Unknown {
        fit.why.extend(doubts);
    }
    fit
}

fn refusal(policy: &Policy, world: &World<'_>, choice: &Choice) -> Refused {
    let token = world.space.token(choice);
    let context: Context = world.space.context_of(choice);
    Refused { witness: world.witness(choice), nearest_miss: evaluate(policy, &token, &context).nearest_miss }
}

/// Admitted tokens that no job needs.
fn slack(
    policy: &Policy,
    jobs: &[Mintable],
    universes: &[Universe],
    options: &Options,
    why: &mut Vec<String>,
) -> Vec<Slack> {
    let home = home_of_jobs(policy, jobs, universes, options).unwrap_or_default();
    let needed = |universe: &Universe, leaves: &mut Leaves| {
        let minted = jobs.iter().filter(|job| is_of(job, universe));
        Formula::Any(minted.map(|job| tokens_of(job, universe, leaves)).collect())
    };
    let mut found = beyond(policy, universes, &home, options, &needed, why);
    let mut seen = Vec::new();
    found.retain(|it| {
        !seen.contains(&it.persona) && {
            seen.push(it.persona);
            true
        }
    });
    found
}

/// Admitted tokens beside those that are needed: of every form of subject and persona that has one, one; else any.
pub(crate) fn beyond(
    policy: &Policy,
    universes: &[Universe],
    home: &Home,
    options: &Options,
    needed: &dyn Fn(&Universe, &mut Leaves) -> Formula,
    why: &mut Vec<String>,
) -> Vec<Slack> {
    let mut found: Vec<Slack> = Vec::new();
    let mut own: Option<Witness> = None;
    for universe in universes {
        let places = Places::of(universe);
        let facts = facts_about(universe, &[policy], &options.estate);
        let terms = Terms::new(universe, &places, home, &facts);
        let mut personas = Vec::new();
        let world = World::new(universe, &[policy], options, |leaves: &mut Leaves| {
            personas = Persona::ALL.map(|persona| (persona, persona.formula(&terms, leaves))).to_vec();
            vec![needed(universe, leaves)]
        });
        let (Some(admits), Some(needed)) = (world.admits.first(), world.asked.first()) else { continue };
        let unneeded = admits.clone().and(needed.clone().negated());
        let expected = [(policy, Outcome::Allow)];
        let before = found.len();
        for (persona, formula) in personas {
            let Some(formula) = formula.filter(|_| persona != Persona::Intended) else { continue };
            let wanted = unneeded.clone().and(formula);
            let token = match persona {
                Persona::Squatter => world.find_ever(&wanted, &expected),
                _ => world.find(&wanted, &expected),
            };
            match token {
                Found::Token(choice) => {
                    found.push(Slack {
                        persona: Some(persona),
                        witness: world.witness(&choice),
                        meant: false,
                    });
                }
                Found::Unknown(doubts) => why.extend(doubts),
                Found::None => {}
            }
        }
        if found.len() == before && own.is_none() {
            match world.find(&unneeded, &expected) {
                Found::Token(choice) => own = Some(world.witness(&choice)),
                Found::Unknown(doubts) => why.extend(doubts),
                Found::None => {}
            }
        }
    }
    why.dedup();
    if found.is_empty() {
        found.extend(own.map(|witness| Slack { persona: None, witness, meant: false }));
    }
    found
}

/// Whether a job of this platform could mint a token there, whatever form its subject has.
fn is_of(job: &Mintable, universe: &Universe) -> bool {
    universe
        .platform()
        .is_some_and(|it| it.id == job.platform || it.inherits.as_deref() == Some(job.platform))
}

/// Where the jobs run: as the first token says that one of them can mint, one that is admitted before others.
pub(crate) fn home_of_jobs(
    policy: &Policy,
    jobs: &[Mintable],
    universes: &[Universe],
    options: &Options,
) -> Option<Home> {
    let mut other = None;
    for universe in universes {
        for job in jobs.iter().filter(|job| mints(job, universe)) {
            let world =
                World::new(universe, &[policy], options, |leaves| vec![tokens_of(job, universe, leaves)]);
            let (Some(admits), Some(minted)) = (world.admits.first(), world.asked.first()) else { continue };
            if let Found::Token(choice) = world.find(&admits.clone().and(minted.clone()), &[]) {
                return Some(world.home(&choice));
            }
            if other.is_none()
                && let Found::Token(choice) = world.find(minted, &[])
            {
                other = Some(world.home(&choice));
            }
        }
    }
    other
}
