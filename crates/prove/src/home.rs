use std::collections::BTreeMap;

use daypass_claims::ClaimValue;
use daypass_issuers::{AudienceChoice, Binds, Slot, Tenants, TriggerKind};
use daypass_trust::form::{Pattern, Piece};

use crate::space::{Formula, Leaves};
use crate::universe::{PartId, Universe};

/// Where a role belongs: the values that its own jobs have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Home {
    /// By part of the universe: `repository#0`, `repository_owner_id`.
    pub(crate) values: BTreeMap<String, String>,
    /// The branch that deploys; read off the policy where it is not given.
    pub git_ref: Option<String>,
    /// The environment that it deploys to.
    pub environment: Option<String>,
    /// The audience that its tokens are asked for with.
    pub audience: Option<String>,
}

/// The parts of a universe that say whose token it is.
pub(crate) struct Places {
    pub(crate) organisation_ids: Vec<PartId>,
    pub(crate) organisation_names: Vec<PartId>,
    pub(crate) repository_ids: Vec<PartId>,
    pub(crate) repository_names: Vec<PartId>,
    pub(crate) git_ref: Option<PartId>,
    pub(crate) environment: Option<PartId>,
    pub(crate) audience: Option<PartId>,
}

impl Places {
    pub(crate) fn of(universe: &Universe) -> Self {
        let none = Tenants::default();
        let tenants = universe.platform().map_or(&none, |platform| &platform.tenants);
        let selectors = universe.platform().map(|platform| &platform.selectors);
        let parts = |slots: &[Slot]| {
            let mut parts: Vec<PartId> = slots.iter().filter_map(|slot| universe.part_of(slot)).collect();
            // What only some tokens have tells nothing about the others.
            parts.retain(|part| universe.part(*part).is_some_and(|part| !part.optional));
            parts.sort_unstable();
            parts.dedup();
            parts
        };
        // Where an issuer is one tenant's own, nobody else's tokens are its.
        let shared = universe.platform().and_then(|platform| platform.binds(universe.issuer()));
        let shared = !matches!(shared, Some(Binds::Name | Binds::Id));
        let organisation_ids = if shared { parts(&tenants.organisation) } else { Vec::new() };
        let organisation_names = if shared { parts(&tenants.organisation_names) } else { Vec::new() };
        let mut repository_names = parts(&tenants.repository_names);
        repository_names.retain(|part| !organisation_names.contains(part));
        // An audience that nobody chooses tells nothing about whom a token was made for.
        let chosen =
            universe.platform().is_none_or(|platform| platform.audience.choice != AudienceChoice::Fixed);
        Self {
            organisation_ids,
            organisation_names,
            repository_ids: parts(&tenants.repository),
            repository_names,
            git_ref: selectors.and_then(|it| it.git_ref.as_ref()).and_then(|slot| universe.part_of(slot)),
            environment: selectors
                .and_then(|it| it.environment.as_ref())
                .and_then(|slot| universe.part_of(slot)),
            audience: universe.parts_of("aud").first().copied().filter(|_| chosen),
        }
    }

    /// The parts that say which repository of which organisation it is.
    pub(crate) fn tenancy(&self) -> impl Iterator<Item = PartId> + '_ {
        let lists =
            [&self.organisation_ids, &self.organisation_names, &self.repository_ids, &self.repository_names];
        lists.into_iter().flatten().copied()
    }
}

/// What one can say about tokens in terms of a home.
pub(crate) struct Terms<'a> {
    pub(crate) universe: &'a Universe,
    pub(crate) places: &'a Places,
    pub(crate) home: &'a Home,
}

impl Terms<'_> {
    fn value(&self, part: PartId) -> Option<&str> {
        let name = &self.universe.part(part)?.name;
        self.home.values.get(name).map(String::as_str)
    }

    /// Every one of the parts that has a value at home has it here.
    pub(crate) fn same(&self, parts: &[PartId], leaves: &mut Leaves) -> Formula {
        let known = parts.iter().filter_map(|part| {
            let value = self.value(*part)?;
            Some(leaves.part(*part, vec![Pattern::literal(value)]))
        });
        Formula::All(known.collect())
    }

    /// None of the parts has the value that it has at home; `None` where nothing is known of them.
    pub(crate) fn other(&self, parts: &[PartId], leaves: &mut Leaves) -> Option<Formula> {
        let known: Vec<Formula> = parts
            .iter()
            .filter_map(|part| {
                let value = self.value(*part)?;
                // Platforms that ignore letter case have no second `ACME`; those that do not make it no friend of ours.
                Some(leaves.part_ignoring_case(*part, value).negated())
            })
            .collect();
        (!known.is_empty()).then_some(Formula::All(known))
    }

    /// A name that begins or ends as the one at home does, and is another.
    pub(crate) fn alike(&self, parts: &[PartId], leaves: &mut Leaves) -> Option<Formula> {
        let known: Vec<Formula> = parts
            .iter()
            .filter_map(|part| {
                let value = self.value(*part)?;
                let mut begins = Pattern::literal(value);
                begins.push(Piece::Run);
                let mut ends = Pattern::default();
                ends.push(Piece::Run);
                ends.push(Piece::Text(value.to_owned()));
                let like = leaves.part(*part, vec![begins, ends]);
                let same = leaves.part(*part, vec![Pattern::literal(value)]);
                Some(like.and(same.negated()))
            })
            .collect();
        (!known.is_empty()).then_some(Formula::Any(known))
    }

    /// Set off by a pull request or its like: the first kind that the catalogue lists, which shows in the token's ref.
    pub(crate) fn pull_request(&self, leaves: &mut Leaves) -> Option<Formula> {
        let untrusted = &self.universe.platform()?.untrusted;
        let first = untrusted.iter().find(|trigger| trigger.kind == TriggerKind::PullRequest)?;
        Some(leaves.guard(&first.when))
    }
}

/// The part has this value.
pub(crate) fn is(part: Option<PartId>, value: &str, leaves: &mut Leaves) -> Option<Formula> {
    Some(leaves.part(part?, vec![Pattern::literal(value)]))
}

/// The part has any text at all.
pub(crate) fn is_there(part: Option<PartId>, leaves: &mut Leaves) -> Option<Formula> {
    Some(leaves.part(part?, vec![Pattern { pieces: vec![Piece::Run] }]))
}

/// The part begins so.
pub(crate) fn begins(part: Option<PartId>, text: &str, leaves: &mut Leaves) -> Option<Formula> {
    Some(leaves.part(part?, vec![Pattern { pieces: vec![Piece::Text(text.to_owned()), Piece::Run] }]))
}

impl Home {
    /// Reads a home off a token: whose it is, where it runs.
    pub(crate) fn of_token(
        universe: &Universe,
        places: &Places,
        value: impl Fn(PartId) -> Option<ClaimValue>,
    ) -> Self {
        let text = |part: PartId| value(part).and_then(|value| value.as_str().map(str::to_owned));
        let named = |part: PartId| Some((universe.part(part)?.name.clone(), text(part)?));
        Self {
            values: places.tenancy().filter_map(named).collect(),
            git_ref: places.git_ref.and_then(text),
            environment: places.environment.and_then(text),
            audience: places.audience.and_then(text),
        }
    }
}
