//! Which tokens the jobs of a pipeline can mint: triggers, branches, conditions and environments, as sets of claims.

mod circumstance;
mod claims;
mod sets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daypass_claims::ClaimName;
use daypass_issuers::{Mintable, ValueSet};

use crate::{Job, Pipeline, Role};
use circumstance::Circumstance;

/// What no pipeline file tells about its repository. Whatever is left out is unknown in the answer, not guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// Claims and parts of the platform's catalogue entry with the value that they have in every token of the
    /// repository: `repository` and `repository_id`, `project_path`, `oidc.circleci.com/project-id`.
    pub claims: BTreeMap<ClaimName, String>,
    /// Its default branch.
    pub default_branch: Option<String>,
    /// The ids that tokens name environments and contexts by, where they do, by the name in the file.
    pub ids: BTreeMap<String, String>,
}

impl RepositoryFacts {
    /// A repository of which one claim is known.
    pub fn of(claim: &str, value: impl Into<String>) -> Self {
        Self::default().with(claim, value)
    }

    /// Adds a claim.
    #[must_use]
    pub fn with(mut self, claim: &str, value: impl Into<String>) -> Self {
        self.claims.insert(ClaimName::from(claim), value.into());
        self
    }

    /// Adds the default branch.
    #[must_use]
    pub fn on_branch(mut self, branch: impl Into<String>) -> Self {
        self.default_branch = Some(branch.into());
        self
    }
}

/// The tokens that a pipeline's jobs can mint: one entry for each job and way of setting it off that is not ruled out.
///
/// A file that is only called gives none: the tokens of its jobs are those of the pipelines that call it. Neither does
/// a platform whose jobs have no tokens.
pub fn mintable(pipeline: &Pipeline, facts: &RepositoryFacts) -> Vec<Mintable> {
    let Some(platform) = pipeline.platform.catalogue_id() else { return Vec::new() };
    if pipeline.role != Role::Pipeline {
        return Vec::new();
    }
    let mut found = Vec::new();
    for job in &pipeline.jobs {
        // A call that was followed has no token of its own: the called jobs have.
        if job.id_token.allowed() == Some(false) || job.calls.as_ref().is_some_and(|call| call.followed) {
            continue;
        }
        for circumstance in circumstance::of(pipeline, job, facts) {
            found.push(one(platform, pipeline, job, circumstance, facts));
        }
    }
    found
}

fn one(
    platform: &'static str,
    pipeline: &Pipeline,
    job: &Job,
    circumstance: Circumstance,
    facts: &RepositoryFacts,
) -> Mintable {
    let mut claims: BTreeMap<ClaimName, ValueSet> =
        facts.claims.iter().map(|(name, value)| (name.clone(), ValueSet::exactly(value))).collect();
    let mut at_most = circumstance.at_most.clone();
    if let crate::IdToken::Unknown(why) = &job.id_token {
        at_most.insert(why.clone());
    }
    claims::add(&mut claims, pipeline, job, &circumstance, facts);
    at_most.extend(claims.values().filter_map(|set| match set {
        ValueSet::Unknown(why) => Some(why.clone()),
        _ => None,
    }));
    Mintable {
        platform,
        file: Arc::clone(&pipeline.file),
        location: (Arc::clone(&job.place.file), job.place.line),
        job: job.path(),
        trigger: circumstance.event,
        audiences: audiences(job),
        claims,
        at_most,
    }
}

/// The audiences that a job is seen to ask for; any where it is not seen to ask.
fn audiences(job: &Job) -> ValueSet {
    let named: BTreeSet<String> = job
        .requests
        .iter()
        .flat_map(|request| &request.audiences)
        .map(|audience| audience.as_str().to_owned())
        .collect();
    let open = named.iter().find(|audience| audience.contains("${{") || audience.contains('$'));
    match open {
        Some(open) => ValueSet::Unknown(format!("the audience is `{open}`")),
        None if named.is_empty() => ValueSet::Any,
        None => ValueSet::Exactly(named),
    }
}

#[cfg(test)]
mod tests;
