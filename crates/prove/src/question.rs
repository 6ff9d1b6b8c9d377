//! The questions.

use std::cell::LazyCell;

use daypass_trust::evaluate::Outcome;
use daypass_trust::form::Policy;
use serde::Serialize;

use crate::home::{Home, Places, Terms};
use crate::space::{Choice, Formula, Found};
use crate::universe::Universe;
use crate::world::{Issuers, Options, World, facts_about, issuers_of, universes};
use crate::{Answer, Persona, Verdict, Witness};

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
    let universes = universes_of(policy, options);
    dead_in(policy, &universes, &alone(policy, &universes, options), options)
}

/// Whether a policy admits nobody and, where it does not, which personas it admits: asked together, it costs less.
pub fn review(policy: &Policy, home: Option<&Home>, options: &Options) -> (Answer, Vec<PersonaAnswer>) {
    let universes = universes_of(policy, options);
    let worlds = alone(policy, &universes, options);
    let dead = dead_in(policy, &universes, &worlds, options);
    let personas = match dead.answer {
        Verdict::Yes => Vec::new(),
        Verdict::No | Verdict::Unknown => personas_in(policy, home, &universes, &worlds, options),
    };
    (dead, personas)
}

/// Whether every token that the first policy admits is admitted by the second.
pub fn implies(one: &Policy, two: &Policy, options: &Options) -> Answer {
    let only = |admits: &[Formula]| match admits {
        [one, two] => one.clone().and(two.clone().negated()),
        _ => Formula::TRUE,
    };
    let expected = [(one, Outcome::Allow), (two, Outcome::Deny)];
    match sought(&[one, two], &expected, options, only) {
        Some(Sought::Token(witness)) => Answer::no(Some(witness), Vec::new()),
        Some(Sought::Unknown(why)) => Answer::unknown(why),
        None => Answer::yes(None, Vec::new()),
    }
}

/// Whether some token is admitted by both policies.
pub fn overlap(one: &Policy, two: &Policy, options: &Options) -> Answer {
    let expected = [(one, Outcome::Allow), (two, Outcome::Allow)];
    match sought(&[one, two], &expected, options, |admits| Formula::All(admits.to_vec())) {
        Some(Sought::Token(witness)) => Answer::yes(Some(witness), Vec::new()),
        Some(Sought::Unknown(why)) => Answer::unknown(why),
        None => Answer::no(None, Vec::new()),
    }
}

/// Which personas the policy admits, measured from a home or, without one, from the first token that it admits.
pub fn personas(policy: &Policy, home: Option<&Home>, options: &Options) -> Vec<PersonaAnswer> {
    let universes = universes_of(policy, options);
    personas_in(policy, home, &universes, &alone(policy, &universes, options), options)
}

/// A policy by itself in each universe, put together when it is asked about first.
pub(crate) type Worlds<'u> = Vec<LazyCell<World<'u>, Box<dyn FnOnce() -> World<'u> + 'u>>>;

fn universes_of(policy: &Policy, options: &Options) -> Vec<Universe> {
    let issuers = issuers_of(&[policy], options).known;
    issuers.iter().flat_map(|issuer| universes(issuer, &[policy], options)).collect()
}

fn alone<'u>(policy: &'u Policy, universes: &'u [Universe], options: &'u Options) -> Worlds<'u> {
    let world = |universe| move || World::new(universe, &[policy], options, |_| Vec::new());
    universes.iter().map(|universe| LazyCell::new(Box::new(world(universe)) as Box<_>)).collect()
}

fn dead_in(policy: &Policy, universes: &[Universe], worlds: &Worlds<'_>, options: &Options) -> Answer {
    let mut doubts = issuers_of(&[policy], options).others;
    for world in worlds {
        match world.find(&Formula::All(world.admits.clone()), &[(policy, Outcome::Allow)]) {
            Found::Token(choice) => {
                let (witness, home) = (world.witness(&choice), world.home(&choice));
                let grade = crate::grade::of_form(policy, &witness, &home, universes, worlds, options);
                return Answer::no(Some(witness), grade.into_iter().collect());
            }
            Found::Unknown(why) => doubts.extend(why),
            Found::None => {}
        }
    }
    doubts.dedup();
    if doubts.is_empty() {
        Answer::yes(None, crate::dead::reasons(policy, options))
    } else {
        Answer::unknown(doubts)
    }
}

fn personas_in(
    policy: &Policy,
    home: Option<&Home>,
    universes: &[Universe],
    worlds: &Worlds<'_>,
    options: &Options,
) -> Vec<PersonaAnswer> {
    let read = || home_in(policy, worlds);
    let (home, unsure) = match home {
        Some(given) => {
            let like = home_like(policy, given, universes, options);
            (given.clone().or_read(like, || read().0), Vec::new())
        }
        None => read(),
    };
    let home = &home;
    let mut tally: Vec<Tally> = Persona::ALL.into_iter().map(Tally::new).collect();
    let issuers = issuers_of(&[policy], options);
    for universe in universes {
        let places = Places::of(universe);
        let facts = facts_about(universe, &[policy], &options.estate);
        let terms = Terms::new(universe, &places, home, &facts);
        let mut formulas = Vec::new();
        let world = World::new(universe, &[policy], options, |leaves| {
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
    tally.into_iter().map(|tally| tally.answer(&issuers.others, &unsure)).collect()
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

    /// What it comes to, where the policy may be about other issuers or it is not known where it belongs.
    fn answer(mut self, others: &[String], unsure: &[String]) -> PersonaAnswer {
        self.doubts.extend(others.iter().cloned());
        if !self.told {
            self.doubts.extend(unsure.iter().cloned());
        }
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
    Token(Witness),
    Unknown(Vec<String>),
}

/// Where the policy belongs: as the first token of ours says that it admits, else the first token at all, else the first that
/// it would admit of what is gone.
pub(crate) fn home_of(policy: &Policy, options: &Options) -> Home {
    let universes = universes_of(policy, options);
    home_in(policy, &alone(policy, &universes, options)).0
}

/// The same in worlds that are there; without a home, why there may be one.
fn home_in(policy: &Policy, worlds: &Worlds<'_>) -> (Home, Vec<String>) {
    let admits = |world: &World<'_>| Formula::All(world.admits.clone());
    let mut unsure: Vec<String> = Vec::new();
    let first = |find: &mut dyn FnMut(&World<'_>) -> Option<Choice>| {
        worlds.iter().find_map(|world| Some(world.home(&find(world)?)))
    };
    let home = first(&mut |world| {
        world.find(&admits(world).and(world.ours.clone()?), &[(policy, Outcome::Allow)]).token()
    });
    let home = home.or_else(|| first(&mut |world| world.find(&admits(world), &[]).token()));
    let home = home.or_else(|| {
        first(&mut |world| match world.find_ever(&admits(world), &[]) {
            Found::Token(choice) => Some(choice),
            Found::Unknown(why) => {
                unsure.extend(why);
                None
            }
            Found::None => None,
        })
    });
    match home {
        Some(home) => (home, Vec::new()),
        None => (Home::default(), unsure),
    }
}

/// Where the policy belongs, as the first token says that it admits and that has all that is given of a home.
fn home_like(policy: &Policy, given: &Home, universes: &[Universe], options: &Options) -> Option<Home> {
    universes.iter().find_map(|universe| {
        let places = Places::of(universe);
        let facts = facts_about(universe, &[policy], &options.estate);
        let terms = Terms::new(universe, &places, given, &facts);
        let world = World::new(universe, &[policy], options, |leaves| terms.given(leaves));
        let wanted = Formula::All(world.admits.iter().chain(&world.asked).cloned().collect());
        let found = world.find(&wanted, &[(policy, Outcome::Allow)]).token();
        Some(world.home(&found?))
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
                    return Some(Sought::Token(world.witness(&choice)));
                }
                Found::Unknown(why) => doubts.extend(why),
                Found::None => {}
            }
        }
    }
    doubts.dedup();
    (!doubts.is_empty()).then_some(Sought::Unknown(doubts))
}
