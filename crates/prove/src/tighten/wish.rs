//! What is intended: tokens that a role is to admit, and what each of their claims is.

use std::collections::BTreeMap;

use daypass_claims::{Audience, ClaimName, ClaimSet, ClaimValue};
use daypass_issuers::{Mintable, ValueSet};
use daypass_trust::form::Pattern;
use daypass_trust::write::Wanted;

use super::shape;
use crate::Persona;
use crate::estate::Facts;
use crate::fit::{mints, tokens_of};
use crate::home::{Home, Places, Terms};
use crate::space::{Formula, Leaves};
use crate::universe::{Model, PartId, Universe};

/// Tokens that a role is to admit.
#[derive(Clone, Copy, Debug)]
pub enum Intended<'i> {
    /// Those that jobs can mint.
    Jobs(&'i [Mintable]),
    /// Those that were seen to be used, and those that differ from them in what changes from run to run.
    Observed(&'i [ClaimSet]),
    /// Those of jobs at home.
    Home(&'i Home),
}

/// One kind of token that is to be admitted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish<'i> {
    Job(&'i Mintable),
    Seen(&'i ClaimSet),
    Home(&'i Home),
}

impl<'i> Intended<'i> {
    pub(crate) fn wishes(self) -> Vec<Wish<'i>> {
        match self {
            Self::Jobs(jobs) => jobs.iter().map(Wish::Job).collect(),
            Self::Observed(seen) => seen.iter().map(Wish::Seen).collect(),
            Self::Home(home) => vec![Wish::Home(home)],
        }
    }
}

impl Wish<'_> {
    /// The tokens of the universe that are meant; `None` where none of them are minted there.
    pub(crate) fn tokens(
        &self,
        universe: &Universe,
        facts: &Facts<'_>,
        leaves: &mut Leaves,
    ) -> Option<Formula> {
        match self {
            Self::Job(job) => mints(job, universe).then(|| tokens_of(job, universe, leaves)),
            Self::Seen(token) => {
                let issuer = token.get("iss").and_then(ClaimValue::as_str);
                if issuer.is_some_and(|issuer| issuer != universe.issuer().as_str()) {
                    return None;
                }
                let mut all = Vec::new();
                for name in lasting(universe) {
                    match token.get(name.as_str()).and_then(ClaimValue::as_str) {
                        Some(text) => all.push(leaves.claim(&name, vec![Pattern::literal(text)])),
                        None => all.push(leaves.claim(&name, vec![Pattern::glob("*")]).negated()),
                    }
                }
                Some(Formula::All(all))
            }
            Self::Home(home) => {
                let places = Places::of(universe);
                let terms = Terms::new(universe, &places, home, facts);
                let mut all = vec![Persona::Intended.formula(&terms, leaves)?];
                all.extend(terms.given(leaves));
                if let Some(git_ref) = &home.git_ref {
                    all.extend(terms.git_ref(git_ref, leaves));
                }
                if home.environment.is_none() {
                    // Contexts lend secrets and do not say where a job deploys to.
                    all.extend(terms.in_no_environment(leaves).filter(|_| !terms.has_contexts()));
                    all.extend(terms.pull_request(leaves).map(Formula::negated));
                }
                if let Some(audience) = &home.audience {
                    all.push(leaves.claim(&"aud".into(), vec![Pattern::literal(audience.as_str())]));
                }
                Some(Formula::All(all))
            }
        }
    }

    /// What claims are in every token that is meant, as far as that is a text or like a text.
    pub(crate) fn claims(&self, universe: &Universe) -> BTreeMap<ClaimName, Wanted> {
        let mut claims = BTreeMap::new();
        match self {
            Self::Job(job) => {
                for (name, set) in &job.claims {
                    claims.extend(wanted(set).map(|wanted| (name.clone(), wanted)));
                }
            }
            Self::Seen(token) => {
                for name in lasting(universe) {
                    let text = token.get(name.as_str()).and_then(ClaimValue::as_str);
                    claims.insert(name, text.map_or(Wanted::Absent, Wanted::text));
                }
            }
            Self::Home(home) => {
                let values = home.values_in(universe);
                for name in universe.claims() {
                    let Some(Model::Part(part)) = universe.model(name.as_str()) else { continue };
                    let text = universe.part(*part).and_then(|part| values.get(&part.name));
                    claims.extend(text.map(|text| (name.clone(), Wanted::text(text.as_str()))));
                }
                let places = Places::of(universe);
                let slot = universe.platform().and_then(|it| it.selectors.environment.as_ref());
                if let Some(slot) = slot.filter(|slot| slot.filter.is_none()) {
                    let none = (!places.has_contexts(universe)).then_some(Wanted::Absent);
                    let wanted = home.environment.as_deref().map(Wanted::text).or(none);
                    claims.extend(wanted.map(|wanted| (slot.name.clone(), wanted)));
                }
                if let (Some(name), Some(git_ref)) = (places.git_ref, &home.git_ref) {
                    claims.insert(name, Wanted::text(git_ref.as_str()));
                }
            }
        }
        claims
    }

    /// The audiences that its tokens are for, where they are known.
    pub(crate) fn audiences(&self) -> Vec<Audience> {
        let texts: Vec<String> = match self {
            Self::Job(job) => match &job.audiences {
                ValueSet::Exactly(values) => values.iter().cloned().collect(),
                _ => Vec::new(),
            },
            Self::Seen(token) => {
                token.get("aud").and_then(ClaimValue::as_str).map(str::to_owned).into_iter().collect()
            }
            Self::Home(home) => home.audience.iter().cloned().collect(),
        };
        texts.iter().filter_map(|text| Audience::parse(text).ok()).collect()
    }

    /// What parts are, as far as claims say it.
    pub(crate) fn parts(&self, universe: &Universe) -> BTreeMap<PartId, Vec<Pattern>> {
        let mut parts: BTreeMap<PartId, Vec<Pattern>> = BTreeMap::new();
        for (name, wanted) in self.claims(universe) {
            let Wanted::Like(patterns) = wanted else { continue };
            if let Some(Model::Part(part)) = universe.model(name.as_str()) {
                parts.insert(*part, patterns);
                continue;
            }
            for text in patterns.iter().filter_map(Pattern::as_literal) {
                for (part, text) in universe.apart(&name, text) {
                    parts.entry(part).or_default().push(Pattern::literal(text));
                }
            }
        }
        parts
    }
}

/// The claims that stay the same from run to run of a job: whose it is, where it runs, which workflow it is.
fn lasting(universe: &Universe) -> Vec<ClaimName> {
    use daypass_issuers::{ClaimType, Identifies, Shape};
    let Some(platform) = universe.platform() else { return vec![ClaimName::from("sub")] };
    let lasts = |identifies: Identifies| {
        matches!(
            identifies,
            Identifies::Organisation
                | Identifies::Repository
                | Identifies::Project
                | Identifies::Ref
                | Identifies::Environment
                | Identifies::Audience
        )
    };
    let workflow = Places::of(universe).workflow;
    let texts = platform.claims.iter().filter(|spec| {
        let text = matches!(spec.types.first(), Some(ClaimType::String | ClaimType::BooleanString));
        let of_workflow = workflow.is_some_and(|part| {
            spec.identifies == Identifies::Workflow && universe.parts_of(spec.name.as_str()).contains(&part)
        });
        text && spec.wildcard().is_none()
            && spec.shape != Shape::Commit
            && (lasts(spec.identifies) || of_workflow)
    });
    texts.map(|spec| spec.name.clone()).collect()
}

/// The texts of a set, where it is a list of them or like a text.
fn wanted(set: &ValueSet) -> Option<Wanted> {
    match set {
        ValueSet::Absent => Some(Wanted::Absent),
        ValueSet::Exactly(values) if !values.is_empty() => {
            Some(Wanted::Like(values.iter().map(|value| Pattern::literal(value.as_str())).collect()))
        }
        ValueSet::Matching(pattern) => shape::globs(&pattern.regex).map(Wanted::Like),
        // Of several things that hold, one that can be written says enough.
        ValueSet::AllOf(sets) => sets.iter().find_map(wanted),
        ValueSet::AnyOf(sets) => {
            let mut all = Vec::new();
            for set in sets {
                match wanted(set)? {
                    Wanted::Like(patterns) => all.extend(patterns),
                    Wanted::Absent => return None,
                }
            }
            (!all.is_empty()).then_some(Wanted::Like(all))
        }
        ValueSet::Exactly(_) | ValueSet::Any | ValueSet::Not(_) | ValueSet::Unknown(_) => None,
    }
}
