//! What an estate says of the tokens of one universe.

use daypass_issuers::{Binds, Shape, Slot, Tenants};
use daypass_trust::form::Pattern;

use super::{CUSTOMISED, Estate, Organisation, Repository, is_about};
use crate::space::{Formula, Leaves};
use crate::universe::{PartId, Universe};

/// The claim by which GitHub and GitLab say whether a ref is protected.
const REF_PROTECTED: &str = "ref_protected";

/// The facts of an estate in terms of a universe.
pub(crate) struct Facts<'e> {
    organisations: Vec<OrganisationFact<'e>>,
    repositories: Vec<RepositoryFact<'e>>,
    /// Whether the issuer itself says whose tokens they are, and then whether they are ours.
    issuer_is_ours: Option<bool>,
}

/// Something that holds of every token of today.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// What it is, in words.
    pub(crate) about: String,
    /// The tokens of which it holds.
    pub(crate) holds: Formula,
}

struct OrganisationFact<'e> {
    fact: &'e Organisation,
    name: Vec<(PartId, String)>,
    id: Option<(PartId, String)>,
    enterprise: Option<(PartId, String)>,
}

struct RepositoryFact<'e> {
    fact: &'e Repository,
    name: Vec<(PartId, String)>,
    id: Option<(PartId, String)>,
    /// Whether its tokens may have subjects of the universe's form.
    has_form: bool,
}

impl<'e> Facts<'e> {
    /// The facts that policies with these words can be about.
    pub(crate) fn of(universe: &Universe, estate: &'e Estate, words: &[String]) -> Self {
        let mut facts = Self { organisations: Vec::new(), repositories: Vec::new(), issuer_is_ours: None };
        let Some(platform) = universe.platform() else { return facts };
        let tenants = &platform.tenants;
        let here = |id: &str| is_about(id, platform, universe.issuer());
        let mut ours = estate.organisations_of(words);
        ours.retain(|it| here(&it.platform));
        let mut repositories = estate.repositories_of(words);
        repositories.retain(|it| here(&it.platform));
        facts.organisations = ours.iter().map(|fact| organisation(universe, tenants, fact)).collect();
        facts.repositories =
            repositories.into_iter().map(|fact| repository(universe, tenants, fact)).collect();
        let organisations: Vec<_> = estate.organisations.iter().filter(|it| here(&it.platform)).collect();
        if matches!(platform.binds(universe.issuer()), Some(Binds::Name | Binds::Id))
            && !organisations.is_empty()
        {
            facts.issuer_is_ours = issuer_is_ours(universe, tenants, &organisations);
        }
        facts
    }

    /// What holds of every token that is minted today: names that are ours come with our ids and in our letter case, what is
    /// gone mints nothing, and subjects have the forms that they are known to have.
    pub(crate) fn today(&self, universe: &Universe, looks_at: &[String], leaves: &mut Leaves) -> Vec<Fact> {
        let mut all = Vec::new();
        for it in &self.organisations {
            it.today(looks_at, leaves, &mut all);
        }
        for it in &self.repositories {
            it.today(universe, looks_at, leaves, &mut all);
        }
        all
    }

    /// Tokens of an organisation that is ours; `None` where none is known.
    pub(crate) fn ours(&self, looks_at: &[String], leaves: &mut Leaves) -> Option<Formula> {
        if let Some(ours) = self.issuer_is_ours {
            return Some(if ours { Formula::TRUE } else { Formula::TRUE.negated() });
        }
        let mut any = Vec::new();
        for it in &self.organisations {
            any.extend(is_all(&it.name, leaves));
            any.extend(it.id.iter().map(|at| is(at, leaves)));
            any.extend(it.enterprise_at(looks_at).map(|at| is(at, leaves)));
        }
        (!any.is_empty()).then_some(Formula::Any(any))
    }

    /// What is known of the repository that has these values.
    pub(crate) fn repository(&self, value: impl Fn(PartId) -> Option<String>) -> Option<&'e Repository> {
        let has = |(part, text): &(PartId, String)| value(*part).as_deref() == Some(text);
        let by_id = self.repositories.iter().find(|it| it.id.as_ref().is_some_and(has));
        let by_name = || self.repositories.iter().find(|it| !it.name.is_empty() && it.name.iter().all(has));
        by_id.or_else(by_name).map(|it| it.fact)
    }
}

impl Fact {
    pub(crate) const fn new(about: String, holds: Formula) -> Self {
        Self { about, holds }
    }
}

impl OrganisationFact<'_> {
    /// The enterprise, where something asks for it: few tokens name one.
    fn enterprise_at(&self, looks_at: &[String]) -> Option<&(PartId, String)> {
        self.enterprise.as_ref().filter(|_| looks_at.iter().any(|claim| claim == "enterprise"))
    }

    fn today(&self, looks_at: &[String], leaves: &mut Leaves, all: &mut Vec<Fact>) {
        let Some(name) = is_all(&self.name, leaves) else { return };
        let called = &self.fact.name;
        let cased = self.name.iter().map(|at| in_our_letter_case(at, leaves)).collect();
        all.push(Fact::new(format!("the organisation is written `{called}`"), Formula::All(cased)));
        if let Some(at) = &self.id {
            let id = is(at, leaves);
            let both = implies(name.clone(), id.clone()).and(implies(id, name.clone()));
            all.push(Fact::new(format!("the id of `{called}` is `{}`", at.1), both));
        }
        if let Some((part, text)) = self.enterprise_at(looks_at) {
            let there = leaves.part(*part, vec![Pattern::glob("*")]);
            let same = is(&(*part, text.clone()), leaves);
            all.push(Fact::new(
                format!("the enterprise of `{called}` is `{text}`"),
                implies(name.and(there), same),
            ));
        }
    }
}

impl RepositoryFact<'_> {
    fn today(&self, universe: &Universe, looks_at: &[String], leaves: &mut Leaves, all: &mut Vec<Fact>) {
        let name = is_all(&self.name, leaves);
        let id = self.id.as_ref().map(|at| is(at, leaves));
        let called = &self.fact.name;
        if self.fact.retired || !self.has_form {
            let is_it = Formula::Any(name.into_iter().chain(id).collect());
            let about = match &self.fact.subjects {
                Some(subjects) if !self.fact.retired => {
                    format!("`{called}` emits {} subjects only", subjects.join(" and "))
                }
                _ => format!("`{called}` is gone"),
            };
            all.push(Fact::new(about, is_it.negated()));
            return;
        }
        if let Some((last, before)) = self.name.split_last() {
            let same = in_our_letter_case(last, leaves);
            let same = match is_all(before, leaves) {
                Some(organisation) => implies(organisation, same),
                None => same,
            };
            all.push(Fact::new(format!("the repository is written `{called}`"), same));
        }
        if let (Some(name), Some(id), Some(at)) = (&name, &id, &self.id) {
            let both = implies(name.clone(), id.clone()).and(implies(id.clone(), name.clone()));
            all.push(Fact::new(format!("the id of `{called}` is `{}`", at.1), both));
        }
        // What the token says of its ref's protection is what is known of it.
        let says = looks_at.iter().any(|claim| claim == REF_PROTECTED);
        if let (true, Some(ours), Some(refs)) = (says, name.or(id), &self.fact.protected_refs)
            && let Some(protected) = protected_refs(universe, refs, leaves)
        {
            let claimed = leaves.claim(&REF_PROTECTED.into(), vec![Pattern::literal("true")]);
            let as_known = implies(protected.clone(), claimed.clone()).and(implies(claimed, protected));
            all.push(Fact::new(
                format!("protected in `{called}` is {}", refs.join(", ")),
                implies(ours, as_known),
            ));
        }
    }
}

/// Tokens of these refs; `None` where the issuer's tokens name no ref.
pub(crate) fn protected_refs(universe: &Universe, refs: &[String], leaves: &mut Leaves) -> Option<Formula> {
    let platform = universe.platform()?;
    let slot = platform.selectors.git_ref.as_ref().filter(|slot| slot.filter.is_none())?;
    // Platforms that write short names mean branches.
    let short = platform.variable(slot.name.as_str()).is_some_and(|spec| spec.shape == Shape::GitName);
    let text = |git_ref: &String| match git_ref.strip_prefix("refs/heads/") {
        Some(branch) if short => Pattern::segments(branch),
        _ => Pattern::segments(git_ref),
    };
    Some(leaves.claim(&slot.name, refs.iter().map(text).collect()))
}

fn organisation<'e>(universe: &Universe, tenants: &Tenants, fact: &'e Organisation) -> OrganisationFact<'e> {
    let name = universe.taken_apart_by(&tenants.organisation_names, &fact.name);
    // The id of a nested group is its own and not that of the group at the top.
    let nested = tenants.repository_names.iter().any(|slot| universe.is_nested(slot));
    let id = fact.id.as_ref().filter(|_| !nested);
    let id = id.and_then(|id| universe.taken_apart_by(&tenants.organisation, id).pop());
    let enterprise = fact.enterprise.as_ref().and_then(|enterprise| {
        let slot = Slot { name: "enterprise".into(), filter: None, optional: false };
        Some((universe.part_of(&slot)?, enterprise.clone()))
    });
    OrganisationFact { fact, name, id, enterprise }
}

fn repository<'e>(universe: &Universe, tenants: &Tenants, fact: &'e Repository) -> RepositoryFact<'e> {
    let form = universe.form().unwrap_or_default();
    let has = |subject: &String| subject == form || (subject == CUSTOMISED && form.starts_with(CUSTOMISED));
    RepositoryFact {
        fact,
        name: universe.taken_apart_by(&tenants.repository_names, &fact.name),
        id: fact.id.as_ref().and_then(|id| universe.taken_apart_by(&tenants.repository, id).pop()),
        has_form: universe.form().is_none() || fact.subjects.as_ref().is_none_or(|it| it.iter().any(has)),
    }
}

/// Whether an issuer that is one tenant's own is that of one of our organisations; `None` where its URL does not tell.
fn issuer_is_ours(universe: &Universe, tenants: &Tenants, organisations: &[&Organisation]) -> Option<bool> {
    let slots = tenants.organisation.iter().chain(&tenants.organisation_names);
    let fixed: Vec<String> = slots.filter_map(|slot| universe.fixed(slot)).collect();
    let is = |text: &Option<String>| text.as_ref().is_some_and(|text| fixed.contains(text));
    let ours = organisations.iter().any(|it| fixed.contains(&it.name) || is(&it.id) || is(&it.enterprise));
    // An issuer that names another kind of id than the estate does says nothing.
    let comparable = organisations.iter().any(|it| it.id.is_some() || it.enterprise.is_some());
    if fixed.is_empty() {
        None
    } else if ours {
        Some(true)
    } else {
        comparable.then_some(false)
    }
}

fn is((part, text): &(PartId, String), leaves: &mut Leaves) -> Formula {
    leaves.part(*part, vec![Pattern::literal(text.as_str())])
}

/// All parts of a name; `None` where the tokens have none.
fn is_all(name: &[(PartId, String)], leaves: &mut Leaves) -> Option<Formula> {
    (!name.is_empty()).then(|| Formula::All(name.iter().map(|at| is(at, leaves)).collect()))
}

/// A name that differs from ours in letter case alone is nobody's.
fn in_our_letter_case(at: &(PartId, String), leaves: &mut Leaves) -> Formula {
    let alike = leaves.part_ignoring_case(at.0, &at.1);
    implies(alike, is(at, leaves))
}

fn implies(one: Formula, two: Formula) -> Formula {
    Formula::Any(vec![one.negated(), two])
}
