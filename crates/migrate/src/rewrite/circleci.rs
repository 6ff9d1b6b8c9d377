//! CircleCI: orbs are told a role, and jobs without an orb log in with the token that every job has.

use daypass_pipelines::Platform;
use daypass_pipelines::yaml::Node;

use super::recipe::{arn, logs_in, shell};
use super::yaml::{find, is_shared, item_before, job, replace};
use super::{Case, Change, Rewriter};
use crate::Cloud;

pub(super) struct CircleCi;

/// The first version of the AWS orb that takes a role.
const WITH_ROLES: u32 = 4;

impl Rewriter for CircleCi {
    fn platform(&self) -> Platform {
        Platform::CircleCi
    }

    fn rewrite(&self, case: &Case<'_>) -> Result<Change, Vec<String>> {
        let role = case.role()?;
        let steps = || case.jobs.iter().flat_map(|(job, _)| &job.steps);
        let orb =
            steps().filter_map(|step| step.uses.as_ref()).find(|uses| uses.name.starts_with("circleci/"));
        if let Some(uses) = orb.filter(|_| case.credential.sink.starts_with("circleci/")) {
            return orb_inputs(case, uses.name.starts_with("circleci/aws-cli/"), uses.major());
        }
        let mut change = Change::default();
        let mut spots = Vec::new();
        for place in &case.credential.places {
            let Some(spot) = find(case, place).filter(|spot| spot.path.contains(&"environment")) else {
                continue;
            };
            if is_shared(case.documents, spot.pair.place().span) {
                return Err(vec![format!(
                    "{place}: other jobs have it from here too: bind it in the job itself first"
                )]);
            }
            spots.push(spot);
        }
        let bound = !spots.is_empty();
        change.edits.extend(replace(case.text, &spots, &[])?);
        for (of, role) in &case.jobs {
            if let Some(login) = logs_in(of, case.credential) {
                return Err(vec![format!(
                    "job `{}` has `{login}` in its script: take that out, and log in as `{}` with `$CIRCLE_OIDC_TOKEN_V2`",
                    of.path(),
                    role.name
                )]);
            }
            if of
                .steps
                .iter()
                .any(|step| step.uses.as_ref().is_some_and(|uses| uses.name.starts_with("circleci/aws")))
            {
                return Err(vec![format!("give the orb of job `{}` `role_arn: {}`", of.path(), role.name)]);
            }
            let mut inputs = of.steps.iter().flat_map(|step| &step.inputs);
            if let Some(input) = inputs.find(|input| takes_a_key(input.name.as_str())) {
                return Err(vec![format!(
                    "job `{}` hands a key to a command of an orb (`{}`): give that a role, or take it out",
                    of.path(),
                    input.name
                )]);
            }
            let node = job(case, of)?;
            let first = node.get("steps").filter(|steps| steps.alias.is_none()).and_then(|steps| {
                let runs = |item: &&Node| item.get("run").is_some();
                steps.items().iter().find(runs)
            });
            let first = first.ok_or_else(|| vec![case.instead()])?;
            let mut lines = vec![
                "run:".to_owned(),
                "    name: Log in by workload identity".to_owned(),
                "    command: |".to_owned(),
            ];
            let commands = shell(role, "CIRCLE_OIDC_TOKEN_V2", "/tmp/web-identity-token")?;
            // Each step has a shell of its own: what is exported goes through the file that all of them read.
            lines.extend(commands.iter().map(|command| {
                let kept = command.starts_with("export ") || command.starts_with("unset ");
                if kept { format!("      {}", later(command)) } else { format!("      {command}") }
            }));
            let edit = item_before(case.text, first, &lines);
            change.edits.push(edit.ok_or_else(|| vec![case.instead()])?);
        }
        if !bound {
            change.steps.push(
                "the context or project still holds the credential: the first step takes it out of the job's environment \
                 until it is deleted"
                    .to_owned(),
            );
        }
        if role.cloud == Cloud::Aws {
            change.steps.push(
                "register the organisation's own issuer in IAM; its tokens have the organisation's id as audience".to_owned(),
            );
        }
        Ok(change)
    }
}

/// Whether a parameter of an orb is for a key, by its name.
fn takes_a_key(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    name.contains("access_key") || name.contains("secret_key")
}

/// A command for the shells of the steps that follow.
fn later(command: &str) -> String {
    format!("printf '%s\\n' '{}' >> \"$BASH_ENV\"", command.replace('\'', "'\\''"))
}

/// Parameters that name the variables with the keys.
fn orb_inputs(case: &Case<'_>, is_cli: bool, major: Option<u32>) -> Result<Change, Vec<String>> {
    let role = case.role()?;
    let arn = arn(role)?;
    let spots: Vec<_> = case
        .credential
        .places
        .iter()
        .filter_map(|place| find(case, place))
        .filter(|spot| spot.pair.key.as_str().is_some_and(takes_a_key))
        .collect();
    if !is_cli {
        return Err(vec![format!(
            "log in with `circleci/aws-cli/setup` and `role_arn: {arn}`, and tell the orb so with `auth`"
        )]);
    }
    match major {
        Some(major) if major >= WITH_ROLES => {}
        Some(_) => {
            return Err(vec![format!(
                "take version {WITH_ROLES} or later of the orb `circleci/aws-cli` and give its setup `role_arn: {arn}`"
            )]);
        }
        None => {
            return Err(vec![format!(
                "the orb's version is not in the file: give its setup `role_arn: {arn}`"
            )]);
        }
    }
    if spots.is_empty() || spots.iter().any(|spot| is_shared(case.documents, spot.pair.place().span)) {
        return Err(vec![format!("give the orb's setup `role_arn: {arn}`")]);
    }
    Ok(Change { edits: replace(case.text, &spots, &[format!("role_arn: {arn}")])?, steps: Vec::new() })
}
