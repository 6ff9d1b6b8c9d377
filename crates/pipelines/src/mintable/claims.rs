use std::collections::{BTreeMap, BTreeSet};

use daypass_claims::ClaimName;
use daypass_issuers::ValueSet;

use super::RepositoryFacts;
use super::circumstance::{Circumstance, Kind};
use super::sets::short;
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
    match pipeline.platform {
        Platform::GitHubActions => github(&mut set, pipeline, job, circumstance, facts),
        Platform::GitLab => gitlab(&mut set, job, circumstance),
        Platform::CircleCi => circleci(&mut set, job, circumstance, facts),
        Platform::AzurePipelines => set("rpo_ref", circumstance.refs.clone()),
        Platform::Bitbucket => bitbucket(&mut set, job, circumstance, facts),
        Platform::Buildkite => buildkite(&mut set, job, circumstance),
        _ => {}
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
    set("ref_type", ValueSet::exactly(circumstance.kind.ref_type()));
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

fn gitlab(set: &mut dyn FnMut(&str, ValueSet), job: &Job, circumstance: &Circumstance) {
    set("pipeline_source", ValueSet::exactly(&circumstance.event));
    set("ref_type", ValueSet::exactly(circumstance.kind.ref_type()));
    set("ref_path", circumstance.refs.clone());
    set("ref", short(circumstance.kind.prefix(), &circumstance.refs));
    set("environment", environment(job, str::to_owned));
    if let Runner::Hosted = job.runner {
        set("runner_environment", ValueSet::exactly("gitlab-hosted"));
    }
}

fn circleci(
    set: &mut dyn FnMut(&str, ValueSet),
    job: &Job,
    circumstance: &Circumstance,
    facts: &RepositoryFacts,
) {
    set("oidc.circleci.com/vcs-ref", circumstance.refs.clone());
    // A list claim: the set is over its items, and every context of the job is one.
    let ids = job.contexts.iter().map(|context| facts.ids.get(context.as_str()).cloned().ok_or(context));
    let ids: Result<BTreeSet<String>, &Text> = ids.collect();
    set(
        "oidc.circleci.com/context-ids",
        match ids {
            Ok(ids) if ids.is_empty() => ValueSet::Absent,
            Ok(ids) => ValueSet::Exactly(ids),
            Err(context) => ValueSet::Unknown(format!("the id of context `{context}` was not given")),
        },
    );
}

fn bitbucket(
    set: &mut dyn FnMut(&str, ValueSet),
    job: &Job,
    circumstance: &Circumstance,
    facts: &RepositoryFacts,
) {
    set("branchName", of_kind(circumstance, Kind::Branch));
    let Some(environment) = &job.environment else {
        return set("deploymentEnvironmentUuid", ValueSet::Absent);
    };
    let name = environment.name.as_str();
    set(
        "deploymentEnvironmentUuid",
        match facts.ids.get(name) {
            Some(id) => ValueSet::exactly(id),
            None => ValueSet::Unknown(format!("the id of deployment environment `{name}` was not given")),
        },
    );
}

fn buildkite(set: &mut dyn FnMut(&str, ValueSet), job: &Job, circumstance: &Circumstance) {
    set("build_source", ValueSet::exactly(&circumstance.event));
    // A build of a tag has a branch as well, and it may be any.
    set(
        "build_branch",
        match circumstance.kind {
            Kind::Tag => ValueSet::Any,
            _ => of_kind(circumstance, Kind::Branch),
        },
    );
    set("build_tag", of_kind(circumstance, Kind::Tag));
    // Steps without a key have a null, which is written as no value.
    let keyed = job.name.as_ref() != Some(&job.id) && !job.id.as_str().starts_with("step ");
    set("step_key", if keyed { ValueSet::exactly(job.id.as_str()) } else { ValueSet::Absent });
}

/// The short names where the ref is of a kind, else nothing.
fn of_kind(circumstance: &Circumstance, kind: Kind) -> ValueSet {
    if circumstance.kind == kind { short(kind.prefix(), &circumstance.refs) } else { ValueSet::Absent }
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
