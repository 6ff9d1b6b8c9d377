//! Credentials that no file names: variables that a platform hands to every job, told from what the job runs.

use super::Confidence;
use super::collect::within;
use super::group::{Groups, Sink, Strength};
use super::shell::assigned;
use super::source::{Origin, referenced};
use super::table::{Kind, Part, table};
use crate::{IdToken, Job, Pipeline, Place, Platform, Text, Variable};

/// What the job uses without a word, on platforms whose stored variables are in every job's environment.
pub(super) fn of_job(pipeline: &Pipeline, job: &Job, groups: &Groups) -> Vec<Sink> {
    let hands_out = matches!(pipeline.platform, Platform::GitLab | Platform::CircleCi | Platform::Bitbucket);
    // A job with a token of its own is taken at its word.
    let federated = matches!(job.id_token, IdToken::Granted { .. }) || assumes_a_role(job);
    if !hands_out || federated {
        return Vec::new();
    }
    let name = job.path();
    let plain = in_plain(pipeline, job);
    let mut sinks = Vec::new();
    for (index, kind) in table().kinds().filter(|(_, kind)| !kind.tools.is_empty()) {
        let any = kind.cloud == "unknown";
        let known =
            groups.has(&name, |one| any || table().kind(one).is_some_and(|other| other.cloud == kind.cloud));
        let plain =
            plain.iter().any(|one| any || table().kind(*one).is_some_and(|other| other.cloud == kind.cloud));
        if known || plain || (any && !sinks.is_empty()) || mentions(job, kind) {
            continue;
        }
        let Some((tool, step, place)) = call(job, kind) else { continue };
        sinks.push(Sink {
            kind: index,
            part: Part::Secret,
            name: format!("environment of `{tool}`"),
            origins: vec![Origin::Nothing],
            place,
            step: Some(step),
            confidence: Confidence::Inferred,
            strength: Strength::Ambient,
            why: format!(
                "the job calls `{tool}`, and neither a token nor a credential for it is in the file"
            ),
        });
    }
    sinks
}

/// The kinds that the job is given in plain: a key of an emulator, say. What is stored under that name is then not used.
fn in_plain(pipeline: &Pipeline, job: &Job) -> Vec<usize> {
    let scripts: Vec<&Text> = job.steps.iter().flat_map(|step| &step.scripts).collect();
    let assigned = assigned(&scripts);
    let steps = job.steps.iter().flat_map(|step| &step.env);
    let given = assigned.iter().chain(steps).chain(&job.env).chain(&pipeline.env);
    let given = given.filter(|variable| {
        let value = variable.value.as_str();
        // Neither a reference nor a file.
        !value.is_empty() && !value.contains(['$', '<', '`', '/', '.'])
    });
    let kinds = given.filter_map(|variable| table().variable(variable.name.as_str())).map(|(kind, _)| kind);
    // Of what tools use without a word; a test database's password says nothing of clouds.
    kinds.filter(|kind| table().kind(*kind).is_some_and(|kind| !kind.tools.is_empty())).collect()
}

/// Stored variables that scripts read under names that tools read them by, where nothing tells what for.
pub(super) fn read_by_scripts(pipeline: &Pipeline, job: &Job, groups: &Groups) -> Vec<Sink> {
    let name = job.path();
    let mut sinks: Vec<Sink> = Vec::new();
    let scripts: Vec<&Text> = job.steps.iter().flat_map(|step| &step.scripts).collect();
    let assigned = assigned(&scripts);
    for (index, step) in job.steps.iter().enumerate() {
        let scopes: [&[Variable]; 4] = [&step.env, &assigned, &job.env, &pipeline.env];
        for script in &step.scripts {
            for origin in referenced(pipeline.platform, script.as_str(), &scopes) {
                let Origin::Stored(variable) = &origin else { continue };
                let Some((kind, Part::Secret)) = table().variable(variable) else { continue };
                let known = sinks.iter().any(|sink| sink.origins.contains(&origin));
                if known || variable.contains('.') || groups.holds(&name, &origin) {
                    continue;
                }
                sinks.push(Sink {
                    kind,
                    part: Part::Secret,
                    name: format!("a script reads {variable}"),
                    place: place_of(script, variable),
                    origins: vec![origin],
                    step: Some(index),
                    confidence: Confidence::Inferred,
                    strength: Strength::Likeness,
                    why: "a script reads a stored variable of a name that tools know".to_owned(),
                });
            }
        }
    }
    sinks
}

fn place_of(script: &Text, word: &str) -> Place {
    within(script, script.as_str().find(word).unwrap_or_default())
}

/// A role is given to an orb or pipe, which fetches the token itself.
fn assumes_a_role(job: &Job) -> bool {
    job.steps.iter().flat_map(|step| &step.inputs).any(|input| {
        let name = input.name.as_str().to_ascii_lowercase().replace('-', "_");
        matches!(name.as_str(), "role_arn" | "aws_oidc_role_arn" | "workload_identity_provider" | "use_oidc")
    })
}

/// Whether scripts or variables show that the job gets by with its token.
fn mentions(job: &Job, kind: &Kind) -> bool {
    let scripts = job.steps.iter().flat_map(|step| &step.scripts).map(Text::as_str);
    let names = job.env.iter().map(|variable| variable.name.as_str());
    let mut texts = scripts.chain(names);
    texts.any(|text| kind.federated.iter().any(|word| text.contains(word.as_str())))
}

/// The first command that calls a tool of the kind.
fn call<'k>(job: &Job, kind: &'k Kind) -> Option<(&'k str, usize, Place)> {
    for (index, step) in job.steps.iter().enumerate() {
        for script in &step.scripts {
            for (number, line) in script.lines() {
                let Some(tool) = kind.tools.iter().find(|tool| calls(line, tool)) else { continue };
                let mut place = script.place.clone();
                if number != place.line {
                    place.line = number;
                    place.column = 1;
                }
                return Some((tool, index, place));
            }
        }
    }
    None
}

/// Whether a line runs a program: at its beginning, or after something that begins a command.
fn calls(line: &str, tool: &str) -> bool {
    if line.trim_start().starts_with('#') || line.contains("--no-sign-request") {
        return false;
    }
    line.match_indices(tool).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at.saturating_add(tool.len())..).unwrap_or_default();
        let begins = before.trim_end();
        let begins = begins.is_empty()
            || begins.ends_with([';', '|', '&', '(', '{', '`'])
            || [
                "then",
                "do",
                "else",
                "sudo",
                "exec",
                "time",
                "if",
                "!",
                "npx",
                "npx -y",
                "npx --yes",
                "bunx",
                "yarn",
            ]
            .iter()
            .any(|word| begins.ends_with(word));
        let adjacent =
            before.chars().last().is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '-' | '/' | '.' | '_'));
        begins
            && adjacent
            && after.starts_with(' ')
            && !after.trim_start().starts_with("--version")
            && !after.trim_start().starts_with("version")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_called_where_a_command_begins() {
        for (line, wanted) in [
            ("aws s3 ls", true),
            ("  x && aws s3 ls", true),
            ("out=$(aws sts get-caller-identity)", true),
            ("if aws s3 ls; then", true),
            ("npx aws s3 ls", true),
            ("pip install aws cli", false),
            ("echo aws s3", false),
            ("# aws s3 ls", false),
            ("aws --version", false),
            ("aws-vault exec", false),
            ("aws s3 ls --no-sign-request s3://x", false),
        ] {
            assert_eq!(calls(line, "aws"), wanted, "{line}");
        }
    }
}
