//! What an answer depends on where a fact is not known.

use daypass_claims::ClaimValue;
use daypass_trust::form::Policy;

use crate::Witness;
use crate::home::{Home, Places, Terms};
use crate::space::{Formula, Found, Leaves};
use crate::universe::Universe;
use crate::world::{Options, World, facts_about, universes};

/// What becomes of the policy if its repository emits another form of subject, where nobody has said which it emits: said
/// where the policy admits none of the other forms.
pub(crate) fn of_form(policy: &Policy, witness: &Witness, home: &Home, options: &Options) -> Option<String> {
    let form = witness.form.as_deref()?;
    let universes = universes(&witness.issuer, &[policy], options);
    let mut others = Vec::new();
    let mut of_other_repositories = false;
    for universe in universes.iter().filter(|universe| universe.has_usual_form()) {
        let places = Places::of(universe);
        let facts = facts_about(universe, &[policy], &options.estate);
        let terms = Terms::new(universe, &places, home, &facts);
        if terms.repository().is_some_and(|known| known.subjects.is_some()) {
            return None;
        }
        let ask = |leaves: &mut Leaves| terms.other(&places.repository_names, leaves).into_iter().collect();
        let world = World::new(universe, &[policy], options, ask);
        let admits = Formula::All(world.admits.clone());
        if universe.form() == Some(form) {
            let of_others = world.asked.first().map(|other| admits.and(other.clone()));
            of_other_repositories = of_others.is_none_or(|it| world.find(&it, &[]) != Found::None);
        } else if world.find(&admits, &[]) == Found::None {
            others.extend(universe.form().map(str::to_owned));
        } else {
            return None;
        }
    }
    if others.is_empty() {
        return None;
    }
    let others = others.join(" or ");
    Some(match repository(witness, &universes) {
        Some(name) if !of_other_repositories => format!("dead if `{name}` emits {others} subjects (unknown)"),
        _ => format!("refuses repositories that emit {others} subjects"),
    })
}

/// What the token calls its repository.
fn repository<'w>(witness: &'w Witness, universes: &[Universe]) -> Option<&'w str> {
    let platform = universes.iter().find_map(Universe::platform)?;
    let mut slots = platform.tenants.repository_names.iter().chain(&platform.tenants.repository);
    slots.find_map(|slot| witness.claims.get(slot.name.as_str()).and_then(ClaimValue::as_str))
}
