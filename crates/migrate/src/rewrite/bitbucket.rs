//! Bitbucket Pipelines: the step asks for a token, and its pipes or its script use it.

use daypass_pipelines::Platform;

use super::recipe::{arn, items, logs_in, shell};
use super::yaml::{before, find, is_shared, item_before, job, replace};
use super::{Case, Change, Rewriter};
use crate::Cloud;

pub(super) struct Bitbucket;

impl Rewriter for Bitbucket {
    fn platform(&self) -> Platform {
        Platform::Bitbucket
    }

    fn rewrite(&self, case: &Case<'_>) -> Result<Change, Vec<String>> {
        let role = case.role()?;
        let mut change = Change::default();
        let mut spots = Vec::new();
        for place in &case.credential.places {
            let Some(spot) = find(case, place).filter(|spot| spot.path.contains(&"variables")) else {
                continue;
            };
            if is_shared(case.documents, spot.pair.place().span) {
                return Err(vec![format!(
                    "{place}: an alias repeats the step elsewhere: write it out first"
                )]);
            }
            spots.push(spot);
        }
        spots.sort_by_key(|spot| spot.pair.key.place.span);
        let pipes = !spots.is_empty();
        if pipes {
            if role.cloud != Cloud::Aws {
                return Err(vec![case.instead()]);
            }
            change.edits.extend(replace(case.text, &spots, &[format!("AWS_OIDC_ROLE_ARN: {}", arn(role)?)])?);
        }
        for (of, role) in &case.jobs {
            let node = job(case, of)?;
            let script = node.pair("script").ok_or_else(|| vec![case.instead()])?;
            if script.value.alias.is_some() || is_shared(case.documents, script.place().span) {
                return Err(vec![format!(
                    "an alias repeats step `{}` elsewhere: write it out first",
                    of.path()
                )]);
            }
            if !pipes {
                if let Some(login) = logs_in(of, case.credential) {
                    return Err(vec![format!(
                        "step `{}` has `{login}` in its script: take that out, and log in as `{}` with `$BITBUCKET_STEP_OIDC_TOKEN`",
                        of.path(),
                        role.name
                    )]);
                }
                let first = script.value.items().first().ok_or_else(|| vec![case.instead()])?;
                let commands = shell(role, "BITBUCKET_STEP_OIDC_TOKEN", "/tmp/web-identity-token")?;
                for line in items(&commands) {
                    let edit = item_before(case.text, first, &[line]);
                    change.edits.push(edit.ok_or_else(|| vec![case.instead()])?);
                }
                change.steps.push(
                    "the repository, deployment or workspace still holds the credential: the script takes it out of the \
                     step's environment until it is deleted"
                        .to_owned(),
                );
            }
            match node.pair("oidc") {
                Some(pair) if pair.value.as_bool() == Some(true) => {}
                Some(pair) => {
                    change.edits.push(super::Edit::replace(pair.value.place.span, "true"));
                }
                None => change.edits.push(before(case.text, script, &["oidc: true".to_owned()])),
            }
        }
        Ok(change)
    }
}
