//! GitLab CI: the job asks for a token by name and logs in at the start of its script.

use daypass_pipelines::yaml::Node;
use daypass_pipelines::{Job, Platform};

use super::recipe::{audience, items, logs_in, shell};
use super::yaml::{Spot, before, find, is_shared, item_before, job, replace, scalar};
use super::{Case, Change, Rewriter};

pub(super) struct GitLab;

/// The variable that gets the token.
const TOKEN: &str = "WEB_IDENTITY_TOKEN";
/// Beside the checkout, where GitLab keeps its own temporary files and no artifact or cache looks.
const FILE: &str = "$CI_PROJECT_DIR.tmp/web-identity-token";

impl Rewriter for GitLab {
    fn platform(&self) -> Platform {
        Platform::GitLab
    }

    fn rewrite(&self, case: &Case<'_>) -> Result<Change, Vec<String>> {
        if case.jobs.is_empty() {
            return Err(vec![case.instead()]);
        }
        let mut change = Change::default();
        let bound = bound(case)?;
        change.edits.extend(replace(case.text, &bound, &[])?);
        for (of, role) in &case.jobs {
            if let Some(login) = logs_in(of, case.credential) {
                return Err(vec![format!(
                    "job `{}` has `{login}` in its script: take that out, and log in as `{}` with a token of `id_tokens`",
                    of.path(),
                    role.name
                )]);
            }
            let node = job(case, of)?;
            let script = script(of, node)?;
            let mut commands = vec!["mkdir -p \"$CI_PROJECT_DIR.tmp\"".to_owned()];
            commands.extend(shell(role, TOKEN, FILE)?);
            let lines = items(&commands);
            for line in &lines {
                let edit = item_before(case.text, script, std::slice::from_ref(line));
                change.edits.push(edit.ok_or_else(|| vec![case.instead()])?);
            }
            let asked = [format!("{TOKEN}:"), format!("  aud: {}", scalar(&audience(role)?))];
            match node.pair("id_tokens").and_then(|pair| pair.value.pairs().first()) {
                Some(first) => change.edits.push(before(case.text, first, &asked)),
                None => {
                    let pair = node.pair("script").ok_or_else(|| vec![case.instead()])?;
                    let mut lines = vec!["id_tokens:".to_owned()];
                    lines.extend(asked.iter().map(|line| format!("  {line}")));
                    change.edits.push(before(case.text, pair, &lines));
                }
            }
        }
        if bound.is_empty() {
            change.steps.push(
                "the variables of the project, group or instance still hold the credential: the script takes it out of the \
                 job's environment until they are deleted"
                    .to_owned(),
            );
        }
        Ok(change)
    }
}

/// The variables of the file that bind the credential; none where the platform's settings do.
fn bound<'a>(case: &Case<'a>) -> Result<Vec<Spot<'a>>, Vec<String>> {
    let mut spots = Vec::new();
    for place in &case.credential.places {
        let Some(spot) = find(case, place) else { continue };
        if !spot.path.contains(&"variables") {
            continue;
        }
        if spot.path.contains(&"rules") {
            return Err(vec![format!("{place}: a rule decides whether the job has it; {}", case.instead())]);
        }
        let whole = spot.path.first() == Some(&"variables");
        let own = case.jobs.iter().any(|(job, _)| spot.path.first() == Some(&job.id.as_str()));
        if !(whole || own) || is_shared(case.documents, spot.pair.place().span) {
            return Err(vec![format!(
                "{place}: other jobs have it from here too: bind it in the job itself first"
            )]);
        }
        spots.push(spot);
    }
    spots.sort_by_key(|spot| spot.pair.key.place.span);
    Ok(spots)
}

/// The first command of the job's own script.
fn script<'a>(of: &Job, node: &'a Node) -> Result<&'a Node, Vec<String>> {
    let list = node.get("script").filter(|script| script.alias.is_none());
    let first = list.and_then(|script| script.items().first());
    if node.get("before_script").is_some() {
        return Err(vec![format!("job `{}` has a `before_script`: log in at its beginning", of.path())]);
    }
    first.filter(|item| item.text().is_some()).ok_or_else(|| {
        vec![format!(
            "the script of job `{}` is not a list of commands of its own: log in where it is",
            of.path()
        )]
    })
}
