//! GitHub Actions: workflows, reusable workflows and composite actions.
//!
//! Local actions and reusable workflows are followed through the [`Tree`]; those of other repositories are named and
//! not read.

pub(crate) mod expression;
mod job;
mod step;
mod trigger;
mod values;

use std::sync::Arc;

use crate::yaml::Node;
use crate::{
    Grants, Note, Permissions, Pipeline, Place, Platform, Role, Scope, Text, Tree, Uses, Variable, Who,
};

/// Workflows that call workflows: GitHub allows ten levels.
const CALLS: usize = 10;
/// Steps of local composite actions within each other.
const ACTIONS: usize = 10;

/// What reading one workflow has at hand.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    tree: &'a dyn Tree,
    /// The repository's folder within the tree, without a slash at its end.
    root: &'a str,
}

/// Reads a workflow or an action. `document` is the file's first YAML document.
pub(crate) fn read(file: &Arc<str>, document: &Node, tree: &dyn Tree) -> Pipeline {
    let setting = Setting { tree, root: root_of(file) };
    let mut notes = Vec::new();
    if document.get("runs").is_some() && document.get("jobs").is_none() {
        return action(file, document, setting, notes);
    }
    let triggers = match document.get("on") {
        Some(on) => trigger::read(on),
        None => {
            notes.push(trigger::missing(&document.place));
            Vec::new()
        }
    };
    let called_only = !triggers.is_empty() && triggers.iter().all(|trigger| trigger.who == Who::Caller);
    let jobs = job::read_all(document, setting, &mut notes);
    Pipeline {
        platform: Platform::GitHubActions,
        file: Arc::clone(file),
        role: if called_only { Role::Callable } else { Role::Pipeline },
        name: document.get("name").and_then(Node::text).cloned(),
        triggers,
        env: variables(document.get("env"), Scope::Pipeline, &mut notes),
        permissions: document.get("permissions").map(permissions),
        jobs,
        notes,
    }
}

/// A composite action: its steps as those of one job without a machine.
fn action(file: &Arc<str>, document: &Node, setting: Setting<'_>, mut notes: Vec<Note>) -> Pipeline {
    let steps = document.get("runs").and_then(|runs| runs.get("steps"));
    let steps = steps.map_or(&[][..], Node::items);
    let job = job::of_action(document, step::read_all(steps, setting, &mut notes));
    Pipeline {
        platform: Platform::GitHubActions,
        file: Arc::clone(file),
        role: Role::Action,
        name: document.get("name").and_then(Node::text).cloned(),
        triggers: Vec::new(),
        env: Vec::new(),
        permissions: None,
        jobs: vec![job],
        notes,
    }
}

/// The folder of the repository that a workflow or action belongs to.
fn root_of(file: &str) -> &str {
    let marks = [".github/", ".forgejo/", ".gitea/"];
    let at = marks
        .iter()
        .find_map(|mark| if file.starts_with(mark) { Some(0) } else { file.find(&format!("/{mark}")) });
    at.and_then(|at| file.get(..at)).unwrap_or_default()
}

/// `env:`, `with:` and `secrets:`.
pub(super) fn variables(node: Option<&Node>, scope: Scope, notes: &mut Vec<Note>) -> Vec<Variable> {
    let Some(node) = node else { return Vec::new() };
    if !node.is_mapping() && !node.is_null() {
        let what = "the names of these variables are known at run time only".to_owned();
        notes.push(Note { place: node.use_place().clone(), what });
    }
    let entries = node.entries().into_iter();
    let variables = entries.filter_map(|(name, pair)| {
        let value = pair.value.text().cloned()?;
        Some(Variable { name: name.clone(), value, scope })
    });
    variables.collect()
}

/// `permissions:` of a workflow or job.
pub(super) fn permissions(node: &Node) -> Permissions {
    let grants = match node.text().map(Text::as_str) {
        Some("read-all") => Grants::ReadAll,
        Some("write-all") => Grants::WriteAll,
        Some("") => Grants::Scopes(Vec::new()),
        _ => match node.text() {
            Some(text) => Grants::Unknown(text.clone()),
            None => {
                let entries = node.entries().into_iter();
                let scopes =
                    entries.filter_map(|(name, pair)| Some((name.clone(), pair.value.text()?.clone())));
                Grants::Scopes(scopes.collect())
            }
        },
    };
    Permissions { place: node.use_place().clone(), grants }
}

/// `uses:`: an action, a reusable workflow or an image.
pub(super) fn uses(text: &Text) -> Uses {
    let written = text.as_str().trim();
    let (name, version) = match written.strip_prefix("docker://") {
        Some(image) => match image.split_once('@').or_else(|| image.rsplit_once(':')) {
            Some((name, version)) => (format!("docker://{name}"), Some(version.to_owned())),
            None => (written.to_owned(), None),
        },
        None => match written.split_once('@') {
            Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
            None => (written.to_owned(), None),
        },
    };
    Uses { text: text.clone(), name: name.to_ascii_lowercase(), version }
}

/// The first document of a file of the same repository.
pub(super) fn local(setting: Setting<'_>, path: &str) -> Result<Option<Node>, crate::yaml::YamlError> {
    let Some(path) = crate::tree::join(setting.root, path) else { return Ok(None) };
    let Some(bytes) = setting.tree.read(&path) else { return Ok(None) };
    let documents = crate::yaml::parse(&Arc::from(path.as_str()), &bytes)?;
    Ok(documents.into_iter().next())
}

/// Says that a file was not followed, and why.
pub(super) fn not_followed(target: &Text, why: impl std::fmt::Display) -> Note {
    Note { place: target.place.clone(), what: format!("`{target}` was not followed: {why}") }
}

pub(super) fn place_of(node: &Node) -> Place {
    node.use_place().clone()
}

#[cfg(test)]
mod tests;
