//! The questions.

use std::cell::LazyCell;

use daypass_trust::evaluate::Outcome;
use daypass_trust::form::Policy;
use serde::Serialize;

use crate::home::{Home, Places, Terms};
use crate::space::{Choice, Formula, Found};
use crate::universe::Universe;
use crate::world::{Issuers, Options, World, facts_about, issuers_of, universes};
use crate::{Answer, Persona, Witness};

/// Whether a persona is admitted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonaAnswer {
    /// Who.
    pub persona: Persona,
    /// Whether, and with which token.
    #[serde(flatten)]
    pub answer: Answer,
}

/// Whether the policy admits no token that its issuers can mint.
pub fn dead(policy: &Policy, options: &Options) -> Answer {
    let found = admitted(policy, options);
    match found {
        Some(Sought::Token(witness, home)) => {
            let grade = crate::grade::of_form(policy, &witness, &home, options);
            Answer::no(Some(witness), grade.into_iter().collect())
        }
        Some(Sought::Unknown(why)) => Answer::unknown(why),
        None => Answer::yes(None, crate::dead::reasons(policy, options)),
    }
}

/// Whether every token that the first policy admits is admitted by the second.
pub fn implies(one: &Policy, two: &Policy, options: &Options) -> Answer {
    let only = |admits: &[Formula]| match admits {
        [one, two] => one.clone().and(two.clone().negated()),
        _ => Formula::TRUE,
    };
    let expected = [(one, Outcome::Allow), (two, Outcome::Deny)];
    match sought(&[one, two], &expected, options, only) {
        Some(Sought::Token(witness, _)) => Answer::no(Some(witness), Vec::new()),
        Some(Sought::Unknown(why)) => Answer::unknown(why),
        None => Answer::yes(None, Vec::new()),
    }
}

/// Whether some token is admitted by both policies.
pub fn overlap(one: &Policy, two: &Policy, options: &Options) -> Answer {
    let expected = [(one, Outcome::Allow), (two, Outcome::Allow)];
    match sought(&[one, two], &expected, options, |admits| Formula::All(admits.to_vec())) {
        Some(Sought::Token(witness, _)) => Answer::yes(Some(witness), Vec::new()),
        Some(Sought::Unknown(why)) => Answer::unknown(why),
        None => Answer::no(None, Vec::new()),
    }
}

/// Which personas the policy admits, measured from a home or, without one, from the first token that it admits.
pub fn personas(policy: &Policy, home: Option<&Home>, options: &Options) -> Vec<PersonaAnswer> {
    let read = || home_of(policy, options);
    let home = &home.map_or_else(read, |home| home.clone().or_read(home_like(policy, home, options), read));
    let mut tally: Vec<Tally> = Persona::ALL.into_iter().map(Tally::new).collect();
    let issuers = issuers_of(&[policy], options);
    for issuer in &issuers.known {
        for universe in universes(issuer, &[policy], options) {
            let places = Places::of(&universe);
            let facts = facts_about(&universe, &[policy], &options.estate);
            let terms = Terms::new(&universe, &places, home, &facts);
            let mut formulas = Vec::new();
            let world = World::new(&universe, &[policy], options, |leaves| {
                formulas = Persona::ALL.into_iter().map(|persona| persona.formula(&terms, leaves)).collect();
                Vec::new()
            });
            let Some(admits) = world.admits.first() else { continue };
            for (tally, formula) in tally.iter_mut().zip(formulas) {
                let Some(formula) = formula else { continue };
                tally.told = true;
                if tally.witness.is_some() {
                    continue;
                }
                let wanted = admits.clone().and(formula);
                let expected = [(policy, Outcome::Allow)];
                // A squatter takes over tomorrow what is given up today.
                let found = match tally.persona {
                    Persona::Squatter => world.find_ever(&wanted, &expected),
                    _ => world.find(&wanted, &expected),
                };
                match found {
                    Found::Token(choice) => tally.witness = Some(world.witness(&choice)),
                    Found::Unknown(why) => tally.doubts.extend(why),
                    Found::None => {}
                }
            }
        }
    }
    tally.into_iter().map(|tally| tally.answer(&issuers.others)).collect()
}

/// What is known about one persona so far.
struct Tally {
    persona: Persona,
    witness: Option<Witness>,
    doubts: Vec<String>,
    /// Whether the tokens of some issuer tell.
    told: bool,
}

impl Tally {
    const fn new(persona: Persona) -> Self {
        Self { persona, witness: None, doubts: Vec::new(), told: false }
    }

    fn answer(mut self, others: &[String]) -> PersonaAnswer {
        self.doubts.extend(others.iter().cloned());
        self.doubts.dedup();
        let answer = match self {
            Self { witness: Some(witness), .. } => Answer::yes(Some(witness), Vec::new()),
            Self { doubts, .. } if !doubts.is_empty() => Answer::unknown(doubts),
            Self { told: true, .. } => Answer::no(None, Vec::new()),
            _ => {
                Answer::no(None, vec!["the tokens of this issuer do not tell such callers apart".to_owned()])
            }
        };
        PersonaAnswer { persona: self.persona, answer }
    }
}

/// What a search over all issuers and forms came to.
pub(crate) enum Sought {
    Token(Witness, Box<Home>),
    Unknown(Vec<String>),
}

/// A token that the policy admits.
fn admitted(policy: &Policy, options: &Options) -> Option<Sought> {
    sought(&[policy], &[(policy, Outcome::Allow)], options, |admits| Formula::All(admits.to_vec()))
}

/// Where the policy belongs: as the first token of ours says that it admits, else the first token at all, else the first that
/// it would admit of what is gone.
pub(crate) fn home_of(policy: &Policy, options: &Options) -> Home {
    let issuers = issuers_of(&[policy], options).known;
    let universes: Vec<Universe> =
        issuers.iter().flat_map(|issuer| universes(issuer, &[policy], options)).collect();
    // The first one often tells, so the others are built when they are asked.
    let world = |universe| LazyCell::new(move || World::new(universe, &[policy], options, |_| Vec::new()));
    let worlds: Vec<_> = universes.iter().map(world).collect();
    let first = |find: fn(&World<'_>, &Policy) -> Option<Choice>| {
        worlds.iter().find_map(|world| Some(world.home(&find(world, policy)?)))
    };
    let ours = |world: &World<'_>, policy: &Policy| {
        let admits = Formula::All(world.admits.clone());
        world.find(&admits.and(world.ours.clone()?), &[(policy, Outcome::Allow)]).token()
    };
    let today = |world: &World<'_>, _: &Policy| world.find(&Formula::All(world.admits.clone()), &[]).token();
    let ever =
        |world: &World<'_>, _: &Policy| world.find_ever(&Formula::All(world.admits.clone()), &[]).token();
    first(ours).or_else(|| first(today)).or_else(|| first(ever)).unwrap_or_default()
}

/// Where the policy belongs, as the first token says that it admits and that has all that is given of a home.
fn home_like(policy: &Policy, given: &Home, options: &Options) -> Option<Home> {
    issuers_of(&[policy], options).known.iter().find_map(|issuer| {
        universes(issuer, &[policy], options).iter().find_map(|universe| {
            let places = Places::of(universe);
            let facts = facts_about(universe, &[policy], &options.estate);
            let terms = Terms::new(universe, &places, given, &facts);
            let world = World::new(universe, &[policy], options, |leaves| terms.given(leaves));
            let wanted = Formula::All(world.admits.iter().chain(&world.asked).cloned().collect());
            let found = world.find(&wanted, &[(policy, Outcome::Allow)]).token();
            Some(world.home(&found?))
        })
    })
}

fn sought(
    policies: &[&Policy],
    expected: &[(&Policy, Outcome)],
    options: &Options,
    formula: impl Fn(&[Formula]) -> Formula,
) -> Option<Sought> {
    let Issuers { known, others } = issuers_of(policies, options);
    let mut doubts = others;
    for issuer in &known {
        for universe in universes(issuer, policies, options) {
            let world = World::new(&universe, policies, options, |_| Vec::new());
            match world.find(&formula(&world.admits), expected) {
                Found::Token(choice) => {
                    return Some(Sought::Token(world.witness(&choice), Box::new(world.home(&choice))));
                }
                Found::Unknown(why) => doubts.extend(why),
                Found::None => {}
            }
        }
    }
    doubts.dedup();
    (!doubts.is_empty()).then_some(Sought::Unknown(doubts))
}
