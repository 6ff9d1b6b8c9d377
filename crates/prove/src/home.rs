use std::collections::BTreeMap;

use daypass_claims::{ClaimName, ClaimSet, ClaimValue};
use daypass_issuers::{AudienceChoice, Binds, ClaimType, Identifies, Shape, Slot, Tenants, TriggerKind};
use daypass_trust::form::{Pattern, Piece};

use crate::estate::{Facts, Repository, protected_refs};
use crate::space::{Formula, Leaves};
use crate::universe::{Kind, PartId, Universe};

/// Where a role belongs: the values that its own jobs have.
///
/// Read off a token, or given: [`Home::set`] takes what a person knows, and what each claim of an issuer is then follows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Home {
    /// By part of the universe: `repository#0`, `repository_owner_id`.
    values: BTreeMap<String, String>,
    /// Likewise, what tells its workflow from others.
    workflow: BTreeMap<String, String>,
    /// Likewise, of an admitted token that has all that is given: its ids stand in for those that are not.
    admitted: BTreeMap<String, String>,
    /// The organisation's name.
    pub owner: Option<String>,
    /// The organisation's id.
    pub owner_id: Option<String>,
    /// The repository's name, with the organisation's in front where the platform has it so.
    pub repository: Option<String>,
    /// The repository's id.
    pub repository_id: Option<String>,
    /// The branch that deploys; read off the policy where it is not given.
    pub git_ref: Option<String>,
    /// The environment that it deploys to.
    pub environment: Option<String>,
    /// The audience that its tokens are asked for with.
    pub audience: Option<String>,
}

/// Why something says nothing about a home.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// It is no pair.
    #[error("`{0}` is not KEY=VALUE (such as `repo=acme/app`)")]
    NoPair(String),
    /// There is no such key.
    #[error("a home has no `{0}` (known: {known})", known = Home::KEYS.join(", "))]
    UnknownKey(String),
    /// Nothing is given.
    #[error("`{0}` is empty (leave out what is not known)")]
    Empty(&'static str),
    /// It is given twice.
    #[error("`{0}` is given twice")]
    Twice(&'static str),
}

impl Home {
    /// What can be said about a home.
    pub const KEYS: [&'static str; 7] =
        ["owner", "owner_id", "repo", "repo_id", "ref", "environment", "audience"];

    /// A home of `KEY=VALUE` pairs.
    pub fn from_pairs<'p>(pairs: impl IntoIterator<Item = &'p str>) -> Result<Self, HomeError> {
        let mut home = Self::default();
        for pair in pairs {
            let (key, value) = pair.split_once('=').ok_or_else(|| HomeError::NoPair(short(pair)))?;
            home.set(key.trim(), value.trim())?;
        }
        Ok(home)
    }

    /// Says one thing about a home.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), HomeError> {
        let known = Self::KEYS.into_iter().find(|known| *known == key);
        let known = known.ok_or_else(|| HomeError::UnknownKey(short(key)))?;
        if value.is_empty() {
            return Err(HomeError::Empty(known));
        }
        let field = match known {
            "owner" => &mut self.owner,
            "owner_id" => &mut self.owner_id,
            "repo" => &mut self.repository,
            "repo_id" => &mut self.repository_id,
            "ref" => &mut self.git_ref,
            "environment" => &mut self.environment,
            _ => &mut self.audience,
        };
        if field.is_some() {
            return Err(HomeError::Twice(known));
        }
        *field = Some(value.to_owned());
        Ok(())
    }

    /// The same with what was not given: ids and workflow of an admitted token that has all that was, else the workflow of any.
    #[must_use]
    pub(crate) fn or_read(mut self, like_this: Option<Self>, any: impl FnOnce() -> Self) -> Self {
        let Self { values, workflow, .. } = like_this.unwrap_or_default();
        self.admitted = values;
        if self.workflow.is_empty() {
            self.workflow = if workflow.is_empty() { any().workflow } else { workflow };
        }
        self
    }

    /// The values of parts, those that were given among them.
    pub(crate) fn values_in(&self, universe: &Universe) -> BTreeMap<String, String> {
        let mut values = self.values.clone();
        let Some(platform) = universe.platform() else { return values };
        let tenants = &platform.tenants;
        let given = [
            (&self.repository, &tenants.repository_names),
            (&self.repository_id, &tenants.repository),
            (&self.owner, &tenants.organisation_names),
            (&self.owner_id, &tenants.organisation),
        ];
        for (text, slots) in given {
            let Some(text) = text else { continue };
            let mut taken = universe.taken_apart_by(slots, text);
            if taken.is_empty() {
                taken = slots.iter().find_map(|slot| free_name(universe, slot, text)).into_iter().collect();
            }
            for (part, text) in taken {
                if let Some(part) = universe.part(part) {
                    values.insert(part.name.clone(), text);
                }
            }
        }
        for slot in tenants.organisation.iter().chain(&tenants.repository) {
            let part = universe.part_of(slot).and_then(|part| universe.part(part));
            if let Some((name, value)) = part.and_then(|part| self.admitted.get_key_value(&part.name)) {
                values.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        values
    }
}

/// A name of no form of its own, where it is set out as the catalogue's example: `github.com/acme/app`.
fn free_name(universe: &Universe, slot: &Slot, text: &str) -> Option<(PartId, String)> {
    let part = universe.part_of(slot)?;
    let sample = universe.part(part)?.sample.as_ref()?.as_str()?;
    let slashes = |text: &str| text.matches('/').count();
    (slashes(sample) == slashes(text)).then(|| (part, text.to_owned()))
}

/// What somebody typed, as far as a message has room for it.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The parts of a universe that say whose token it is.
pub(crate) struct Places {
    pub(crate) organisation_ids: Vec<PartId>,
    pub(crate) organisation_names: Vec<PartId>,
    pub(crate) repository_ids: Vec<PartId>,
    pub(crate) repository_names: Vec<PartId>,
    pub(crate) git_ref: Option<ClaimName>,
    pub(crate) environment: Option<PartId>,
    /// What tells one workflow from another: its id, its file, else its name.
    pub(crate) workflow: Option<PartId>,
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
            git_ref: selectors
                .and_then(|it| it.git_ref.as_ref())
                .filter(|slot| slot.filter.is_none() && universe.model(slot.name.as_str()).is_some())
                .map(|slot| slot.name.clone()),
            environment: selectors
                .and_then(|it| it.environment.as_ref())
                .and_then(|slot| universe.part_of(slot)),
            workflow: workflow(universe),
            audience: universe.parts_of("aud").first().copied().filter(|_| chosen),
        }
    }

    /// Whether a job can be in several environments at once.
    pub(crate) fn has_contexts(&self, universe: &Universe) -> bool {
        let part = self.environment.and_then(|part| universe.part(part));
        part.is_some_and(|part| part.kinds.iter().any(|kind| matches!(kind, Kind::List(_))))
    }

    /// The parts that say which repository of which organisation it is.
    pub(crate) fn tenancy(&self) -> impl Iterator<Item = PartId> + '_ {
        let lists =
            [&self.organisation_ids, &self.organisation_names, &self.repository_ids, &self.repository_names];
        lists.into_iter().flatten().copied()
    }
}

fn workflow(universe: &Universe) -> Option<PartId> {
    let platform = universe.platform()?;
    let named = platform.claims.iter().chain(&platform.parts).filter(|spec| {
        spec.identifies == Identifies::Workflow
            && spec.shape != Shape::Commit
            && spec.types.first() == Some(&ClaimType::String)
    });
    // An id says it best, then what is a part of its own: the name of the file that the other claims are made of.
    let best = named.filter_map(|spec| {
        let slot = Slot { name: spec.name.clone(), filter: None, optional: false };
        let part =
            universe.part_of(&slot).filter(|part| universe.part(*part).is_some_and(|it| !it.optional))?;
        Some((!spec.immutable, platform.part(spec.name.as_str()).is_none(), part))
    });
    best.min_by_key(|(renamed, a_claim, _)| (*renamed, *a_claim)).map(|(_, _, part)| part)
}

/// What one can say about tokens in terms of a home.
pub(crate) struct Terms<'a> {
    pub(crate) universe: &'a Universe,
    pub(crate) places: &'a Places,
    pub(crate) home: &'a Home,
    values: BTreeMap<String, String>,
    facts: &'a Facts<'a>,
}

impl<'a> Terms<'a> {
    pub(crate) fn new(
        universe: &'a Universe,
        places: &'a Places,
        home: &'a Home,
        facts: &'a Facts<'a>,
    ) -> Self {
        Self { universe, places, home, values: home.values_in(universe), facts }
    }

    fn value(&self, part: PartId) -> Option<&str> {
        let name = &self.universe.part(part)?.name;
        self.values.get(name).map(String::as_str)
    }

    /// What is known of the repository at home.
    pub(crate) fn repository(&self) -> Option<&Repository> {
        self.facts.repository(|part| self.value(part).map(str::to_owned))
    }

    /// Everything that is given or known about whose tokens they are.
    pub(crate) fn given(&self, leaves: &mut Leaves) -> Vec<Formula> {
        let all = self.universe.parts().filter_map(|(id, part)| {
            let text = self.values.get(&part.name)?;
            Some(leaves.part(id, vec![Pattern::literal(text.as_str())]))
        });
        all.collect()
    }

    /// Whether a job can be in several environments at once, as with CircleCI's contexts.
    pub(crate) fn has_contexts(&self) -> bool {
        self.places.has_contexts(self.universe)
    }

    /// Tokens of jobs in no environment.
    pub(crate) fn in_no_environment(&self, leaves: &mut Leaves) -> Option<Formula> {
        is_there(self.places.environment, leaves).map(Formula::negated)
    }

    /// Tokens of organisations that are known to be ours.
    pub(crate) fn ours(&self, leaves: &mut Leaves) -> Option<Formula> {
        self.facts.ours(&[], leaves)
    }

    /// Tokens of the refs that are known to be protected at home.
    pub(crate) fn protected(&self, leaves: &mut Leaves) -> Option<Formula> {
        protected_refs(self.universe, self.repository()?.protected_refs.as_ref()?, leaves)
    }

    /// Tokens of jobs that no environment held back: in none, or in one that is known to let everybody in.
    pub(crate) fn unguarded(&self, leaves: &mut Leaves) -> Option<Formula> {
        let part = self.places.environment?;
        let none = is_there(Some(part), leaves)?.negated();
        let Some(protected) = self.repository().and_then(|known| known.protected_environments.as_ref())
        else {
            return Some(none);
        };
        let names = protected.iter().map(|name| Pattern::segments(name)).collect();
        Some(leaves.part(part, names).negated())
    }

    /// The ref is this.
    pub(crate) fn git_ref(&self, value: &str, leaves: &mut Leaves) -> Option<Formula> {
        Some(leaves.claim(self.places.git_ref.as_ref()?, vec![Pattern::literal(value)]))
    }

    /// The ref begins so.
    pub(crate) fn git_ref_begins(&self, text: &str, leaves: &mut Leaves) -> Option<Formula> {
        let mut pattern = Pattern::literal(text);
        pattern.push(Piece::Run);
        Some(leaves.claim(self.places.git_ref.as_ref()?, vec![pattern]))
    }

    /// Another workflow than at home, whatever its version.
    pub(crate) fn other_workflow(&self, leaves: &mut Leaves) -> Option<Formula> {
        let part = self.places.workflow?;
        let home = self.home.workflow.get(&self.universe.part(part)?.name)?;
        let mut patterns = vec![Pattern::literal(home.as_str())];
        if let Some((file, _version)) = home.rsplit_once('@') {
            let mut any_version = Pattern::literal(format!("{file}@"));
            any_version.push(Piece::Run);
            patterns.push(any_version);
        }
        Some(leaves.part(part, patterns).negated())
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

impl Home {
    /// Reads a home off a token: whose it is, where it runs.
    pub(crate) fn of_token(
        universe: &Universe,
        places: &Places,
        claims: &ClaimSet,
        value: impl Fn(PartId) -> Option<ClaimValue>,
    ) -> Self {
        let text = |part: PartId| value(part).and_then(|value| value.as_str().map(str::to_owned));
        let named = |part: PartId| Some((universe.part(part)?.name.clone(), text(part)?));
        let git_ref = places.git_ref.as_ref().and_then(|name| claims.get(name.as_str()));
        Self {
            values: places.tenancy().filter_map(named).collect(),
            workflow: places.workflow.into_iter().filter_map(named).collect(),
            git_ref: git_ref.and_then(ClaimValue::as_str).map(str::to_owned),
            environment: places.environment.and_then(text),
            audience: places.audience.and_then(text),
            ..Self::default()
        }
    }
}
