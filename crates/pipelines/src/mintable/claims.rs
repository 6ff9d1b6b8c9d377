use std::collections::BTreeMap;

use daypass_claims::ClaimName;
use daypass_issuers::ValueSet;

use super::RepositoryFacts;
use super::circumstance::{Circumstance, Kind};
use crate::{Job, Pipeline, Platform, Runner, Text, Uses};

/// Adds the claims that follow from the pipeline; which there are is the catalogue's word.
pub(super) fn add(
    claims: &mut BTreeMap<ClaimName, ValueSet>,
    pipeline: &Pipeline,
    job: &Job,
    circumstance: &Circumstance,
    facts: &RepositoryFacts,
) {
    let mut set = |name: &str, set: ValueSet| {
        claims.entry(ClaimName::from(name)).or_insert(set);
    };
    if pipeline.platform == Platform::GitHubActions {
        github(&mut set, pipeline, job, circumstance, facts);
    }
}

fn github(
    set: &mut dyn FnMut(&str, ValueSet),
    pipeline: &Pipeline,
    job: &Job,
    circumstance: &Circumstance,
    facts: &RepositoryFacts,
) {
    set("event_name", ValueSet::exactly(&circumstance.event));
    set("ref", circumstance.refs.clone());
    set("ref_type", ValueSet::exactly(if circumstance.kind == Kind::Tag { "tag" } else { "branch" }));
    if circumstance.base != ValueSet::Absent {
        set("base_ref", circumstance.base.clone());
    }
    let path = repository_path(&pipeline.file);
    let file = path.strip_prefix(".github/workflows/").unwrap_or(path);
    set("workflow_file", ValueSet::exactly(file));
    // A workflow without a name is called by its path.
    set("workflow", ValueSet::exactly(pipeline.name.as_ref().map_or(path, Text::as_str)));
    if let Some(call) = &job.calls {
        set("job_workflow_ref", called(&call.target));
        set("environment", ValueSet::Unknown(format!("`{}` is not at hand", call.target.text)));
    } else if let Some(file) = &job.defined_in {
        let path = repository_path(file);
        let repository = facts.claims.get("repository");
        set(
            "job_workflow_ref",
            match (repository, circumstance.refs.as_single()) {
                (Some(repository), Some(git_ref)) => {
                    ValueSet::exactly(format!("{repository}/{path}@{git_ref}"))
                }
                (Some(repository), None) => {
                    crate::condition::prefix(&format!("{repository}/{path}@{}", circumstance.kind.prefix()))
                }
                (None, _) => ValueSet::Unknown("the repository was not given".to_owned()),
            },
        );
    }
    set("environment", environment(job, str::to_owned));
    set("runner_environment", runner(&job.runner, "github-hosted"));
}

/// The `job_workflow_ref` of a workflow that another repository defines. A short version may be a branch or a tag.
fn called(target: &Uses) -> ValueSet {
    let written = target.text.as_str();
    let Some((name, version)) = written.split_once('@') else {
        return ValueSet::Unknown(format!("`{written}` was not followed"));
    };
    if target.is_pinned() || version.starts_with("refs/") {
        return ValueSet::exactly(written);
    }
    let as_ref = |kind: &str| ValueSet::exactly(format!("{name}@refs/{kind}/{version}"));
    as_ref("heads").or(as_ref("tags"))
}

/// The part of a path that begins with the platform's own folder.
fn repository_path(file: &str) -> &str {
    let at = if file.starts_with(".github/") {
        Some(0)
    } else {
        file.find("/.github/").map(|at| at.saturating_add(1))
    };
    at.and_then(|at| file.get(at..)).unwrap_or(file)
}

/// The environment claim: absent without one. `id` gives a name the form that tokens have it in.
pub(super) fn environment(job: &Job, id: impl Fn(&str) -> String) -> ValueSet {
    match job.environment.as_ref().map(|environment| &environment.names) {
        None => ValueSet::Absent,
        Some(ValueSet::Exactly(names)) => ValueSet::Exactly(names.iter().map(|name| id(name)).collect()),
        Some(names) => names.clone(),
    }
}

fn runner(runner: &Runner, hosted: &str) -> ValueSet {
    match runner {
        Runner::Hosted => ValueSet::exactly(hosted),
        Runner::SelfHosted(_) => ValueSet::exactly("self-hosted"),
        Runner::Unknown => ValueSet::exactly(hosted).or(ValueSet::exactly("self-hosted")),
    }
}
