//! What an answer depends on where a fact is not known.

use daypass_claims::ClaimValue;
use daypass_trust::form::Policy;

use crate::Witness;
use crate::home::{Home, Places, Terms};
use crate::question::Worlds;
use crate::space::{Formula, Found, Leaves};
use crate::universe::Universe;
use crate::world::{Options, World, facts_about};

/// What becomes of the policy if its repository emits another form of subject, where nobody has said which it emits: said
/// where the policy admits none of the other forms.
pub(crate) fn of_form(
    policy: &Policy,
    witness: &Witness,
    home: &Home,
    universes: &[Universe],
    worlds: &Worlds<'_>,
    options: &Options,
) -> Option<String> {
    let form = witness.form.as_deref()?;
    let usual = |universe: &Universe| *universe.issuer() == witness.issuer && universe.has_usual_form();
    let mut others = Vec::new();
    let mut own = None;
    for (universe, world) in universes.iter().zip(worlds).filter(|(universe, _)| usual(universe)) {
        let places = Places::of(universe);
        let facts = facts_about(universe, &[policy], &options.estate);
        let terms = Terms::new(universe, &places, home, &facts);
        if terms.repository().is_some_and(|known| known.subjects.is_some()) {
            return None;
        }
        if universe.form() == Some(form) {
            own = Some(universe);
        } else if world.find(&Formula::All(world.admits.clone()), &[]) == Found::None {
            others.extend(universe.form().map(str::to_owned));
        } else {
            return None;
        }
    }
    if others.is_empty() {
        return None;
    }
    let of_others = own.is_some_and(|universe| admits_others(policy, home, universe, options));
    let others = others.join(" or ");
    Some(match repository(witness, universes) {
        Some(name) if !of_others => format!("dead if `{name}` emits {others} subjects (unknown)"),
        _ => format!("refuses repositories that emit {others} subjects"),
    })
}

/// Whether tokens of other repositories are admitted.
fn admits_others(policy: &Policy, home: &Home, universe: &Universe, options: &Options) -> bool {
    let places = Places::of(universe);
    let facts = facts_about(universe, &[policy], &options.estate);
    let terms = Terms::new(universe, &places, home, &facts);
    let ask = |leaves: &mut Leaves| terms.other(&places.repository_names, leaves).into_iter().collect();
    let world = World::new(universe, &[policy], options, ask);
    let admits = Formula::All(world.admits.clone());
    let of_others = world.asked.first().map(|other| admits.and(other.clone()));
    of_others.is_none_or(|it| world.find(&it, &[]) != Found::None)
}

/// What the token calls its repository.
fn repository<'w>(witness: &'w Witness, universes: &[Universe]) -> Option<&'w str> {
    let platform = universes.iter().find_map(Universe::platform)?;
    let mut slots = platform.tenants.repository_names.iter().chain(&platform.tenants.repository);
    slots.find_map(|slot| witness.claims.get(slot.name.as_str()).and_then(ClaimValue::as_str))
}
