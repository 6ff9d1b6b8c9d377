//! Who is admitted, and what a change of policy changes: sets of tokens in the issuer's own words.

mod cover;
mod diff;
mod glob;
mod words;

use std::collections::BTreeMap;

use daypass_claims::Issuer;
use daypass_trust::Truth;
use daypass_trust::evaluate::Outcome;
use daypass_trust::form::Policy;
use serde::Serialize;

pub use diff::{Change, Diff, diff};

use crate::space::{Cube, Diagram, Formula, Inexact, TooMany};
use crate::world::{Issuers, Options, World, issuers_of, universes};
use crate::{Answer, Exactness, Verdict, Witness};

/// The most kinds of callers that are listed.
const MOST_CALLERS: usize = 24;

/// Everyone whom a policy admits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Who {
    /// Whether anyone is, with a token; and how the list is meant: exactly these, or these at most.
    #[serde(flatten)]
    pub answer: Answer,
    /// Kinds of callers, which may have tokens in common.
    pub who: Vec<Callers>,
    /// How many kinds more there are than are listed.
    pub left_out: usize,
}

/// A kind of callers: every token with these values in its parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Callers {
    /// Who they are, in a phrase: `organisation acme, any repository, any branch`.
    pub description: String,
    /// Whose tokens they bring; `None` where that can be anyone's.
    pub issuer: Option<Issuer>,
    /// The forms of subject that their tokens may have, where the issuer has several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<String>,
    /// By claim, or piece of a claim (`repository|segment 1`): what it may be, as texts, patterns or phrases. What is not
    /// listed may be anything.
    pub parts: BTreeMap<String, Vec<String>>,
    /// One of their tokens, where one is known to be admitted.
    pub witness: Option<Witness>,
}

/// Everyone whom the policy admits, in the words of those who mint the tokens.
pub fn who(policy: &Policy, options: &Options) -> Who {
    let Issuers { known, others } = issuers_of(&[policy], options);
    let mut list = List::default();
    for why in others {
        let description = "the tokens of any issuer that the account knows".to_owned();
        list.add(
            true,
            Callers { description, issuer: None, forms: Vec::new(), parts: BTreeMap::new(), witness: None },
        );
        list.doubts.push(why);
    }
    for issuer in &known {
        for universe in universes(issuer, &[policy], options) {
            let world = World::new(&universe, &[policy], options, |_| Vec::new());
            let Some(admits) = world.admits.first() else { continue };
            list.set(&world, admits, &[(policy, Outcome::Allow)]);
        }
    }
    list.finish().answer()
}

/// Kinds of callers in the making.
#[derive(Default)]
struct List {
    callers: Vec<Callers>,
    /// Those of whom nobody can say; they are listed where nobody is known to be admitted.
    unsure: Vec<Callers>,
    more: usize,
    /// Why some are listed who may not be admitted.
    doubts: Vec<String>,
    /// Why some may be admitted who are not listed.
    perhaps: Vec<String>,
}

impl List {
    /// Adds all tokens of a world of which the formula holds, or may hold.
    fn set(&mut self, world: &World<'_>, formula: &Formula, expected: &[(&Policy, Outcome)]) {
        if self.try_set(world, formula, expected).is_err() {
            let universe = world.space.universe();
            self.perhaps.push(crate::space::GAVE_UP.to_owned());
            self.add(
                false,
                Callers {
                    description: format!("any token of {}", universe.issuer()),
                    issuer: Some(universe.issuer().clone()),
                    forms: universe.form().map(str::to_owned).into_iter().collect(),
                    parts: BTreeMap::new(),
                    witness: None,
                },
            );
        }
    }

    fn try_set(
        &mut self,
        world: &World<'_>,
        formula: &Formula,
        expected: &[(&Policy, Outcome)],
    ) -> Result<(), TooMany> {
        let space = &world.space;
        let tokens = space.diagram(space.holds(), Inexact::Represented)?;
        let asked = space.diagram(formula, Inexact::Unknown)?;
        let (certain, possible) = {
            let mut diagrams = space.diagrams().borrow_mut();
            let set = diagrams.both(asked, tokens)?;
            (diagrams.certain(set)?, diagrams.possible(set)?)
        };
        if possible == Diagram::FALSE {
            return Ok(());
        }
        // Where some are known, those are listed; else those who may be.
        let listed = if certain == Diagram::FALSE { possible } else { certain };
        if certain != possible {
            let why = space.doubts(formula)?;
            self.perhaps.extend(why);
        }
        if listed != tokens {
            self.doubts.extend(space.universe().remarks().iter().cloned());
        }
        let cover = cover::cover(space, listed, tokens)?;
        self.more = self.more.saturating_add(usize::from(cover.more));
        let fragments = words::fragments(space);
        for cube in &cover.cubes {
            let Some(witness) = token_of(world, formula, cube, expected)? else { continue };
            let said = words::words(space, cube, &fragments);
            let callers = Callers {
                description: said.description,
                issuer: Some(space.universe().issuer().clone()),
                forms: space.universe().form().map(str::to_owned).into_iter().collect(),
                parts: said.parts,
                witness: witness.token,
            };
            self.add(listed == certain, callers);
        }
        Ok(())
    }

    /// Adds callers, to the same ones with another form of subject where they are listed.
    fn add(&mut self, sure: bool, callers: Callers) {
        let all = if sure { &mut self.callers } else { &mut self.unsure };
        let same = all.iter_mut().find(|known| {
            (&known.description, &known.issuer, &known.parts)
                == (&callers.description, &callers.issuer, &callers.parts)
        });
        match same {
            Some(known) => {
                known.forms.extend(callers.forms);
                known.witness = known.witness.take().or(callers.witness);
            }
            None => all.push(callers),
        }
    }

    /// The list in its order, how it is meant, and why.
    fn finish(mut self) -> Listed {
        if self.callers.is_empty() && !self.unsure.is_empty() {
            self.callers = self.unsure;
            self.doubts.append(&mut self.perhaps);
        }
        self.callers.sort_by(|one, two| {
            (&one.issuer, &one.description, &one.forms).cmp(&(&two.issuer, &two.description, &two.forms))
        });
        let left_out = self.callers.len().saturating_sub(MOST_CALLERS).saturating_add(self.more);
        self.callers.truncate(MOST_CALLERS);
        let exactness = match (self.perhaps.is_empty(), self.doubts.is_empty()) {
            (true, true) => Exactness::Exact,
            (true, false) => Exactness::AtMost,
            (false, _) => Exactness::AtLeast,
        };
        let mut why: Vec<String> = Vec::new();
        for reason in self.perhaps.into_iter().chain(self.doubts) {
            if !why.contains(&reason) {
                why.push(reason);
            }
        }
        Listed { callers: self.callers, left_out, exactness, why }
    }
}

/// Kinds of callers in their order.
struct Listed {
    callers: Vec<Callers>,
    left_out: usize,
    exactness: Exactness,
    why: Vec<String>,
}

impl Listed {
    fn answer(self) -> Who {
        let Self { callers: who, left_out, exactness, why } = self;
        let witness = who.iter().find_map(|callers| callers.witness.clone());
        let answer = match (&witness, who.is_empty()) {
            (Some(_), _) => Verdict::Yes,
            (None, true) => Verdict::No,
            (None, false) => Verdict::Unknown,
        };
        Who { answer: Answer { answer, exactness, witness, why }, who, left_out }
    }
}

/// A token of some callers, where one is known to be admitted.
struct Shown {
    token: Option<Witness>,
}

/// Shows one of the cube's tokens; `None` where the estate says that there are none today.
fn token_of(
    world: &World<'_>,
    formula: &Formula,
    cube: &Cube,
    expected: &[(&Policy, Outcome)],
) -> Result<Option<Shown>, TooMany> {
    let space = &world.space;
    let today = world.today.iter().map(|fact| fact.holds.clone());
    let today = Formula::All(today.chain([space.holds().clone()]).collect());
    let today = space.diagram(&today, Inexact::Represented)?;
    let wanted = space.diagram(formula, Inexact::Represented)?;
    let (inside, there) = {
        let mut diagrams = space.diagrams().borrow_mut();
        let cube = cover::diagram_of(space, &mut diagrams, cube)?;
        let there = diagrams.both(today, cube)?;
        (diagrams.both(wanted, there)?, there)
    };
    if there == Diagram::FALSE {
        return Ok(None);
    }
    let found = space.cheapest(inside, Truth::True);
    let found = found.filter(|choice| world.decided_otherwise(choice, expected).is_none());
    Ok(Some(Shown { token: found.map(|choice| world.witness(&choice)) }))
}
