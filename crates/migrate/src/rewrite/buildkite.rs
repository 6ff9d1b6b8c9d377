//! Buildkite: a plugin fetches the token and assumes the role before the step's commands run.

use daypass_pipelines::Platform;

use super::recipe::{arn, audience, logs_in};
use super::yaml::{before, find, is_shared, item_before, job, replace, scalar};
use super::{Case, Change, Rewriter};
use crate::Cloud;

pub(super) struct Buildkite;

/// What the plugin is called, with a version whose parameters are these.
const PLUGIN: &str = "aws-assume-role-with-web-identity#v1.4.0";

impl Rewriter for Buildkite {
    fn platform(&self) -> Platform {
        Platform::Buildkite
    }

    fn rewrite(&self, case: &Case<'_>) -> Result<Change, Vec<String>> {
        if case.role()?.cloud != Cloud::Aws {
            return Err(vec![
                case.instead(),
                "`buildkite-agent oidc request-token --audience AUDIENCE` prints the step's token".to_owned(),
            ]);
        }
        let mut change = Change::default();
        let mut spots = Vec::new();
        for place in &case.credential.places {
            let spot = find(case, place).filter(|spot| spot.path.contains(&"env"));
            let spot = spot.ok_or_else(|| {
                vec![format!(
                    "{place}: it is in no `env` of the file (a hook or a plugin of secrets may set it): take it out there, \
                     and give the step the plugin `{PLUGIN}`"
                )]
            })?;
            if is_shared(case.documents, spot.pair.place().span) {
                return Err(vec![format!(
                    "{place}: an alias repeats these lines elsewhere: write them out first"
                )]);
            }
            spots.push(spot);
        }
        change.edits.extend(replace(case.text, &spots, &[])?);
        for (of, role) in &case.jobs {
            if let Some(login) = logs_in(of, case.credential) {
                return Err(vec![format!(
                    "step `{}` has `{login}` in its commands: take that out, and give the step the plugin `{PLUGIN}` with `{}`",
                    of.path(),
                    role.name
                )]);
            }
            let node = job(case, of)?;
            let plugin = vec![
                format!("{PLUGIN}:"),
                format!("    role-arn: {}", arn(role)?),
                format!("    audience: {}", scalar(&audience(role)?)),
            ];
            match node.pair("plugins") {
                Some(pair) => {
                    let first =
                        pair.value.items().first().and_then(|first| item_before(case.text, first, &plugin));
                    let first = first
                        .ok_or_else(|| vec![format!("add the plugin `{PLUGIN}` to step `{}`", of.path())])?;
                    change.edits.push(first);
                }
                None => {
                    let pair = node
                        .pair("command")
                        .or_else(|| node.pair("commands"))
                        .or_else(|| node.pairs().first());
                    let pair = pair.ok_or_else(|| vec![case.instead()])?;
                    let mut lines = vec!["plugins:".to_owned()];
                    lines.extend(plugin.iter().enumerate().map(|(at, line)| {
                        if at == 0 { format!("  - {line}") } else { format!("    {line}") }
                    }));
                    change.edits.push(before(case.text, pair, &lines));
                }
            }
        }
        Ok(change)
    }
}
