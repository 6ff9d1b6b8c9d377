//! Pipelines as they are after the cut-over: edits of the files' own bytes, and what people have to do by hand.
//!
//! Everything but the edited spans stays as it is, byte by byte, and a file that was rewritten has nothing left to rewrite.
//! What cannot be changed safely is not changed: it is listed with what to do.

mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod edit;
mod github;
mod gitlab;
mod jenkins;
mod recipe;
mod terraform;
mod yaml;

use daypass_pipelines::inventory::{self, Credential};
use daypass_pipelines::{Job, Pipeline, Platform, ReadError, Tree, expected, read_as, recognise};
use daypass_trust::document::Location;
use similar::TextDiff;

use crate::plan::{Plan, Planned, Role, State};

pub use edit::Edit;

/// A file with what was done to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewritten {
    /// The file.
    pub file: String,
    /// Its text as it was.
    pub before: String,
    /// Its text as it is to be.
    pub after: String,
    /// The edits, in the order of the file.
    pub edits: Vec<Edit>,
    /// The credentials that the file no longer uses, by id.
    pub done: Vec<String>,
    /// What is left to people.
    pub manual: Vec<Manual>,
}

/// Something that people have to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manual {
    /// The credential that it is about, by id.
    pub credential: String,
    /// Where.
    pub location: Location,
    /// Whether the file was changed all the same: this then completes it.
    pub changed: bool,
    /// What to do, in the words of an error: lower-case, no full stop.
    pub steps: Vec<String>,
}

/// A platform's way of rewriting.
trait Rewriter {
    /// Whose files it is for.
    fn platform(&self) -> Platform;

    /// The edits after which nothing uses the credential any more, or why there are none.
    fn rewrite(&self, case: &Case<'_>) -> Result<Change, Vec<String>>;
}

/// Every platform's, in the order of [`Platform::ALL`].
const REWRITERS: [&dyn Rewriter; 8] = [
    &github::GitHub,
    &gitlab::GitLab,
    &circleci::CircleCi,
    &bitbucket::Bitbucket,
    &azure::Azure,
    &buildkite::Buildkite,
    &jenkins::Jenkins,
    &terraform::Terraform,
];

/// One credential in one file.
struct Case<'a> {
    text: &'a str,
    /// The documents of a YAML file.
    documents: &'a [daypass_pipelines::yaml::Node],
    pipeline: Option<&'a Pipeline>,
    credential: &'a Credential,
    /// The jobs that the plan moves, each with its role.
    jobs: Vec<(&'a Job, &'a Role)>,
}

/// What becomes of a credential.
#[derive(Debug, Default)]
struct Change {
    edits: Vec<Edit>,
    /// What people have to do besides.
    steps: Vec<String>,
}

/// Rewrites a file for the credentials that the plan replaces, those of one wave only if one is given.
pub fn rewrite(
    plan: &Plan,
    path: &str,
    bytes: &[u8],
    tree: &dyn Tree,
    wave: Option<u64>,
) -> Result<Rewritten, ReadError> {
    let Some(platform) = recognise(path, bytes).or_else(|| expected(path)) else {
        return included(plan, path, bytes, wave).ok_or_else(|| ReadError::NotAPipeline(path.into()));
    };
    let found = inventory::inventory_as(platform, path, bytes, tree)?;
    let file = File {
        path,
        platform,
        // Whatever was read is UTF-8.
        text: String::from_utf8_lossy(bytes).into_owned(),
        pipeline: match platform {
            Platform::Terraform => None,
            platform => Some(read_as(platform, path, bytes, tree)?),
        },
        documents: match platform {
            Platform::Terraform | Platform::Jenkins => Vec::new(),
            _ => daypass_pipelines::yaml::parse(&path.into(), bytes)?,
        },
        credentials: found.credentials,
    };
    let mut by_hand = Vec::new();
    loop {
        let rewritten = file.rewritten(plan, wave, &by_hand);
        let left = still_there(&rewritten, platform, tree);
        if left.is_empty() {
            return Ok(rewritten);
        }
        by_hand.extend(left);
    }
}

/// A file that is a pipeline's only where others include it: by itself it does not say whose it is, nor which jobs it makes.
fn included(plan: &Plan, path: &str, bytes: &[u8], wave: Option<u64>) -> Option<Rewritten> {
    let of_file = |one: &&Planned| one.file == path && one.present;
    let mut planned = plan.credentials.iter().filter(of_file).peekable();
    planned.peek()?;
    let text = String::from_utf8_lossy(bytes).into_owned();
    let open = |one: &&Planned| one.state == State::Planned && wave.is_none_or(|wave| turn(plan, one, wave));
    let step = |one: &Planned| {
        let kind = inventory::kind(&one.kind);
        let instead = kind.map_or_else(|| "a role".to_owned(), |kind| kind.replacement.clone());
        Manual {
            credential: one.id.clone(),
            location: Location { file: path.into(), line: usize::try_from(one.line).unwrap_or(1), column: 1 },
            changed: false,
            steps: vec![format!(
                "other files include this one for their jobs: replace it there with {instead}"
            )],
        }
    };
    Some(Rewritten {
        file: path.to_owned(),
        before: text.clone(),
        after: text,
        edits: Vec::new(),
        done: Vec::new(),
        manual: planned.filter(open).map(step).collect(),
    })
}

/// Credentials that are said to be gone from a file and are in it all the same: something else binds them, too. Where what was
/// written cannot be read any more, that is all of them.
fn still_there(rewritten: &Rewritten, platform: Platform, tree: &dyn Tree) -> Vec<String> {
    let after = inventory::inventory_as(platform, &rewritten.file, rewritten.after.as_bytes(), tree);
    let is_left = |id: &&String| match &after {
        Ok(found) => found.credentials.iter().any(|it| it.id == **id),
        Err(_) => true,
    };
    rewritten.done.iter().filter(is_left).cloned().collect()
}

/// A file as it was read.
struct File<'a> {
    path: &'a str,
    platform: Platform,
    text: String,
    pipeline: Option<Pipeline>,
    documents: Vec<daypass_pipelines::yaml::Node>,
    credentials: Vec<Credential>,
}

impl File<'_> {
    /// The file with the edits made of all credentials but those that are left to people.
    fn rewritten(&self, plan: &Plan, wave: Option<u64>, by_hand: &[String]) -> Rewritten {
        let mut result = Rewritten {
            file: self.path.to_owned(),
            before: self.text.clone(),
            after: String::new(),
            edits: Vec::new(),
            done: Vec::new(),
            manual: Vec::new(),
        };
        for credential in &self.credentials {
            let Some(planned) = plan.credential(&credential.id) else { continue };
            if planned.state == State::Kept || wave.is_some_and(|wave| !turn(plan, planned, wave)) {
                continue;
            }
            let outcome = cases(plan, planned, self.pipeline.as_ref())
                .and_then(|jobs| self.change(credential, jobs, by_hand, &mut result.edits));
            let changed = outcome.is_ok();
            if changed {
                result.done.push(credential.id.clone());
            }
            let (Ok(steps) | Err(steps)) = outcome;
            if !steps.is_empty() {
                result.manual.push(Manual {
                    credential: credential.id.clone(),
                    location: place(credential, self.path),
                    changed,
                    steps,
                });
            }
        }
        result.after = edit::apply(&self.text, &result.edits);
        result
    }

    /// Adds the edits for one credential; the answer is what people have to do besides, or instead.
    fn change(
        &self,
        credential: &Credential,
        jobs: Vec<(&Job, &Role)>,
        by_hand: &[String],
        edits: &mut Vec<Edit>,
    ) -> Result<Vec<String>, Vec<String>> {
        let case = Case {
            text: &self.text,
            documents: &self.documents,
            pipeline: self.pipeline.as_ref(),
            credential,
            jobs,
        };
        if by_hand.contains(&credential.id) {
            return Err(vec![format!("it is bound in ways that are not edited here; {}", case.instead())]);
        }
        let rewriter = REWRITERS.iter().find(|it| it.platform() == self.platform);
        let change = rewriter.ok_or_else(Vec::new).and_then(|it| it.rewrite(&case))?;
        edit::add(edits, change.edits).map_err(|other| {
            vec![format!(
                "another edit on line {} is in the way: rewrite once more after it",
                line(&self.text, other)
            )]
        })?;
        Ok(change.steps)
    }
}

impl Rewritten {
    /// Whether anything was edited.
    pub fn is_changed(&self) -> bool {
        self.before != self.after
    }

    /// The edits as a unified diff, as `patch` and `git apply` take it; empty where there is none.
    pub fn diff(&self) -> String {
        if !self.is_changed() {
            return String::new();
        }
        // Patches know one end of a line: a carriage return by itself is none.
        let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
        let (before, after) = (lines(&self.before), lines(&self.after));
        let diff = TextDiff::configure().newline_terminated(true).diff_slices(&before, &after);
        let (old, new) = (in_patch(&format!("a/{}", self.file)), in_patch(&format!("b/{}", self.file)));
        diff.unified_diff().context_radius(3).header(&old, &new).to_string()
    }
}

/// A file's name as git writes it in patches: in quotes where it could be taken for more than a name, and with a tab behind it
/// where it has blanks.
fn in_patch(name: &str) -> String {
    if name.contains(|c: char| c.is_control() || matches!(c, '"' | '\\')) {
        let byte = |byte: u8| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            other => format!("\\{other:03o}"),
        };
        return format!("\"{}\"", name.bytes().map(byte).collect::<String>());
    }
    if name.contains(' ') { format!("{name}\t") } else { name.to_owned() }
}

fn turn(plan: &Plan, planned: &Planned, wave: u64) -> bool {
    plan.wave(planned).is_none_or(|last| last == wave)
}

fn place(credential: &Credential, path: &str) -> Location {
    let first = credential.places.first().map(daypass_pipelines::Place::location);
    first.unwrap_or_else(|| Location { file: path.into(), line: credential.line, column: 1 })
}

fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1)
}

/// The jobs of a credential with their roles. A job has one: which of several it is to assume, no edit can tell.
fn cases<'a>(
    plan: &'a Plan,
    planned: &Planned,
    pipeline: Option<&'a Pipeline>,
) -> Result<Vec<(&'a Job, &'a Role)>, Vec<String>> {
    let mut jobs: Vec<(&Job, &Role)> = Vec::new();
    let all = pipeline.into_iter().flat_map(Pipeline::own_jobs);
    for job in all {
        let path = job.path();
        let uses: Vec<&Role> = planned
            .uses
            .iter()
            .filter(|one| one.job == path)
            .filter_map(|one| plan.role(one.role.as_deref()?))
            .collect();
        match uses.as_slice() {
            [] => {}
            [role] => jobs.push((job, role)),
            [first, second, ..] => {
                return Err(vec![format!(
                    "job `{path}` has a role for each of its environments (`{}`, `{}`, ...): keep the role's name in a \
                     variable of the environment and use that",
                    first.name, second.name
                )]);
            }
        }
    }
    Ok(jobs)
}

impl<'a> Case<'a> {
    /// The only role, where all jobs have the same.
    fn role(&self) -> Result<&'a Role, Vec<String>> {
        let mut roles = self.jobs.iter().map(|(_, role)| *role);
        let first = roles.next().ok_or_else(|| vec![self.instead()])?;
        match roles.find(|role| role.name != first.name) {
            None => Ok(first),
            Some(other) => Err(vec![format!(
                "its jobs have several roles (`{}`, `{}`): bind the credential job by job first",
                first.name, other.name
            )]),
        }
    }

    /// What the table of kinds has to say where nothing is edited.
    fn instead(&self) -> String {
        format!("replace it with {}", self.credential.replacement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_patch_is_a_name() {
        assert_eq!(in_patch("a/shop/é.yml"), "a/shop/é.yml");
        assert_eq!(in_patch("a/x y.yml"), "a/x y.yml\t");
        assert_eq!(in_patch("a/x\n+++ b/.bashrc\""), "\"a/x\\012+++ b/.bashrc\\\"\"");
    }

    #[test]
    fn lines_of_a_patch_end_where_patches_say() {
        let rewritten = Rewritten {
            file: "f".to_owned(),
            before: "a\rb\nc".to_owned(),
            after: "a\rb\nd".to_owned(),
            edits: Vec::new(),
            done: Vec::new(),
            manual: Vec::new(),
        };
        assert_eq!(
            rewritten.diff(),
            "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\rb\n-c\n\\ No newline at end of file\n+d\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn every_platform_has_its_rewriter() {
        let platforms: Vec<Platform> = REWRITERS.iter().map(|it| it.platform()).collect();
        assert_eq!(platforms, Platform::ALL);
    }
}
