//! What a change of policy changes.

use daypass_trust::evaluate::Outcome;
use daypass_trust::form::Policy;
use serde::Serialize;

use super::{Callers, List};
use crate::Witness;
use crate::space::Formula;
use crate::world::{Issuers, Options, World, issuers_of, universes};

/// What a change of policy changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// Callers that the new policy admits and the old one did not.
    pub gained: Vec<Change>,
    /// Callers that the old policy admitted and the new one does not.
    pub lost: Vec<Change>,
    /// Whether both are known to admit the same tokens.
    pub equivalent: bool,
    /// How many kinds of callers more there are than are listed.
    pub left_out: usize,
    /// Why there may be differences where none are shown, or fewer than are.
    pub why: Vec<String>,
}

/// Callers whom only one of two policies admits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Who they are, in a phrase.
    pub description: String,
    /// One of their tokens; `None` where nobody can say whether there is one.
    pub witness: Option<Witness>,
}

/// What the new policy admits and the old one did not, and the other way round.
pub fn diff(old: &Policy, new: &Policy, options: &Options) -> Diff {
    let policies = [old, new];
    let Issuers { known, others } = issuers_of(&policies, options);
    let (mut gained, mut lost) = (List::default(), List::default());
    for issuer in &known {
        for universe in universes(issuer, &policies, options) {
            let world = World::new(&universe, &policies, options, |_| Vec::new());
            let [before, after] = world.admits.as_slice() else { continue };
            let only = |one: &Formula, other: &Formula| one.clone().and(other.clone().negated());
            gained.set(&world, &only(after, before), &[(new, Outcome::Allow), (old, Outcome::Deny)]);
            lost.set(&world, &only(before, after), &[(old, Outcome::Allow), (new, Outcome::Deny)]);
        }
    }
    let (gained, lost) = (gained.finish(), lost.finish());
    let mut why = others;
    for reason in gained.why.into_iter().chain(lost.why) {
        if !why.contains(&reason) {
            why.push(reason);
        }
    }
    let changes = |callers: Vec<Callers>| {
        let change = |callers: Callers| Change { description: described(&callers), witness: callers.witness };
        callers.into_iter().map(change).collect::<Vec<_>>()
    };
    let left_out = gained.left_out.saturating_add(lost.left_out);
    let (gained, lost) = (changes(gained.callers), changes(lost.callers));
    let equivalent = gained.is_empty() && lost.is_empty() && why.is_empty();
    Diff { gained, lost, equivalent, left_out, why }
}

/// The description, with the form of subject where it is not every form.
fn described(callers: &Callers) -> String {
    match callers.forms.as_slice() {
        [form] => format!("{} ({form} subjects)", callers.description),
        _ => callers.description.clone(),
    }
}
