//! What a GitLab configuration is once everything is put together: `include`, `extends`, `!reference`.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use crate::yaml::{self, Node, Pair, Value};
use crate::{Note, Text, Tree};

/// GitLab allows 150 included files and eleven levels of `extends`.
const FILES: usize = 150;
const EXTENDS: usize = 11;
/// Levels of `!reference` within each other.
const REFERENCES: usize = 10;
/// Values that all merging may make, so that a small file does not become a large job many times over.
const VALUES: usize = 2_000_000;

/// The whole configuration, with what could not be put together.
pub(super) struct Config {
    pub(super) root: Node,
    budget: Cell<usize>,
}

impl Config {
    /// Reads what a file includes and lays the file over it.
    pub(super) fn read(document: &Node, tree: &dyn Tree, notes: &mut Vec<Note>) -> Self {
        let budget = Cell::new(VALUES);
        let mut files = HashSet::from([Arc::clone(&document.place.file)]);
        let project = Project { root: project_root(&document.place.file), tree };
        let mut path = vec![Arc::clone(&document.place.file)];
        let root = with_includes(document, project, (&mut files, &mut path), &budget, notes);
        Self { root, budget }
    }

    /// A job with all that it extends, its own words on top.
    pub(super) fn job(&self, node: &Node, notes: &mut Vec<Note>) -> Node {
        let extended = self.extended(node, &mut Vec::new(), notes);
        self.referenced(&extended, 0, notes)
    }

    fn extended(&self, node: &Node, path: &mut Vec<Text>, notes: &mut Vec<Note>) -> Node {
        let Some(extends) = node.get("extends") else { return node.clone() };
        let mut merged: Option<Node> = None;
        for name in extends.one_or_more().iter().filter_map(Node::text) {
            let why = if path.iter().any(|one| one.value == name.value) {
                Some("it extends itself".to_owned())
            } else if path.len() >= EXTENDS {
                Some(format!("`extends` goes more than {EXTENDS} levels deep"))
            } else if self.root.get(name.as_str()).is_none() {
                Some("there is no such job in the files at hand".to_owned())
            } else {
                None
            };
            if let Some(why) = why {
                let what = format!("`{name}` was not followed: {why}");
                notes.push(Note { place: name.place.clone(), what });
                continue;
            }
            let Some(parent) = self.root.get(name.as_str()) else { continue };
            path.push(name.clone());
            let parent = self.extended(parent, path, notes);
            path.pop();
            merged = Some(match merged {
                Some(before) => merge(&before, &parent, &self.budget),
                None => parent,
            });
        }
        merged.map_or_else(|| node.clone(), |parent| merge(&parent, node, &self.budget))
    }

    /// The node with every `!reference [job, key, ...]` in it replaced by what it names.
    fn referenced(&self, node: &Node, depth: usize, notes: &mut Vec<Note>) -> Node {
        if node.tag.as_deref() == Some("!reference") {
            return self.reference(node, depth, notes);
        }
        match &node.value {
            Value::Scalar(_) => node.clone(),
            _ if !has_reference(node) => node.clone(),
            Value::Sequence(items) => {
                let mut found = Vec::new();
                for item in items.iter() {
                    let list = item.tag.as_deref() == Some("!reference");
                    let resolved = self.referenced(item, depth, notes);
                    match &resolved.value {
                        // A list in a list of commands is written out.
                        Value::Sequence(inner) if list => found.extend(inner.iter().cloned()),
                        _ => found.push(resolved),
                    }
                }
                Node::sequence(found, node.place.clone())
            }
            Value::Mapping(pairs) => {
                let resolve = |pair: &Pair, notes: &mut Vec<Note>| Pair {
                    key: pair.key.clone(),
                    value: self.referenced(&pair.value, depth, notes),
                };
                let pairs = pairs.iter().map(|pair| resolve(pair, notes)).collect();
                Node::mapping(pairs, node.place.clone())
            }
        }
    }

    fn reference(&self, node: &Node, depth: usize, notes: &mut Vec<Note>) -> Node {
        let names: Vec<&str> = node.items().iter().filter_map(Node::as_str).collect();
        let target = names.iter().try_fold(&self.root, |node, name| node.get(name));
        let spent = target.is_none_or(|target| !spend(&self.budget, target.weight()));
        match target {
            Some(target) if depth < REFERENCES && !spent => {
                self.referenced(target, depth.saturating_add(1), notes)
            }
            _ => {
                let why = match target {
                    None => "there is no such value in the files at hand".to_owned(),
                    Some(_) if spent => "the configuration becomes too large".to_owned(),
                    Some(_) => format!("references go more than {REFERENCES} levels deep"),
                };
                let what = format!("`!reference [{}]` was not followed: {why}", names.join(", "));
                notes.push(Note { place: node.use_place().clone(), what });
                Node::sequence(Vec::new(), node.place.clone())
            }
        }
    }
}

fn has_reference(node: &Node) -> bool {
    node.tag.as_deref() == Some("!reference")
        || match &node.value {
            Value::Scalar(_) => false,
            Value::Sequence(items) => items.iter().any(has_reference),
            Value::Mapping(pairs) => pairs.iter().any(|pair| has_reference(&pair.value)),
        }
}

fn spend(budget: &Cell<usize>, amount: usize) -> bool {
    match budget.get().checked_sub(amount) {
        Some(left) => {
            budget.set(left);
            true
        }
        None => false,
    }
}

/// Lays mappings over each other key by key; whatever else is there twice, the upper one counts.
fn merge(below: &Node, above: &Node, budget: &Cell<usize>) -> Node {
    let plain = |node: &Node| node.is_mapping() && node.tag.is_none();
    if !plain(below) || !plain(above) || !spend(budget, below.weight()) {
        return above.clone();
    }
    let mut pairs: Vec<Pair> = Vec::new();
    let over = above.entries();
    let upper: std::collections::HashMap<&str, &Pair> =
        over.iter().map(|(name, pair)| (name.as_str(), *pair)).collect();
    let lower = below.entries();
    let lower_names: HashSet<&str> = lower.iter().map(|(name, _)| name.as_str()).collect();
    for (name, pair) in &lower {
        pairs.push(match upper.get(name.as_str()) {
            Some(over) => Pair { key: over.key.clone(), value: merge(&pair.value, &over.value, budget) },
            None => (*pair).clone(),
        });
    }
    let new = over.iter().filter(|(name, _)| !lower_names.contains(name.as_str()));
    pairs.extend(new.map(|(_, pair)| (*pair).clone()));
    Node::mapping(pairs, above.place.clone())
}

/// Where included paths begin.
#[derive(Clone, Copy)]
struct Project<'a> {
    root: &'a str,
    tree: &'a dyn Tree,
}

fn with_includes(
    document: &Node,
    project: Project<'_>,
    (files, path): (&mut HashSet<Arc<str>>, &mut Vec<Arc<str>>),
    budget: &Cell<usize>,
    notes: &mut Vec<Note>,
) -> Node {
    let Some(include) = document.get("include") else { return document.clone() };
    let mut merged: Option<Node> = None;
    for item in include.one_or_more() {
        for (target, wanted) in local_files(item, project, notes) {
            let included = match included(&wanted, project.tree, files, path) {
                Ok(Some(included)) => {
                    path.push(Arc::from(wanted));
                    let whole = with_includes(&included, project, (&mut *files, &mut *path), budget, notes);
                    path.pop();
                    whole
                }
                Ok(None) => continue,
                Err(why) => {
                    let what = format!("`{target}` was not followed: {why}");
                    notes.push(Note { place: target.place.clone(), what });
                    continue;
                }
            };
            merged = Some(match merged {
                Some(before) => merge(&before, &included, budget),
                None => included,
            });
        }
    }
    merged.map_or_else(|| document.clone(), |below| merge(&below, document, budget))
}

/// The paths that one entry of `include` names. What lies elsewhere is noted.
fn local_files(item: &Node, project: Project<'_>, notes: &mut Vec<Note>) -> Vec<(Text, String)> {
    let local = item.text().or_else(|| item.get("local").and_then(Node::text));
    let elsewhere = ["project", "remote", "template", "component", "artifact"];
    let Some(local) = local.filter(|text| !text.as_str().contains("://")) else {
        let kind = elsewhere.iter().find(|kind| item.get(kind).is_some()).unwrap_or(&"remote");
        let what = format!("this `{kind}` include lies elsewhere and was not followed");
        notes.push(Note { place: item.use_place().clone(), what });
        return Vec::new();
    };
    let Some(path) = crate::tree::join(project.root, local.as_str()) else {
        let what = format!("`{local}` was not followed: it leaves the project");
        notes.push(Note { place: local.place.clone(), what });
        return Vec::new();
    };
    let Some((prefix, _)) = path.split_once('*') else { return vec![(local.clone(), path)] };
    let matching = crate::condition::glob(&path);
    let Some(listed) = project.tree.beginning_with(prefix) else {
        let what = format!("`{local}` was not followed: the files cannot be listed here");
        notes.push(Note { place: local.place.clone(), what });
        return Vec::new();
    };
    let fits = |path: &String| matching.contains(Some(path), &crate::matches) == Some(true);
    listed.into_iter().filter(fits).map(|path| (local.clone(), path)).collect()
}

/// Local paths begin at the project's root, which is where the pipeline file usually lies.
fn project_root(file: &str) -> &str {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    match format!("/{folder}/").find("/.gitlab/") {
        Some(at) => folder.get(..at.saturating_sub(1)).unwrap_or_default(),
        None => folder,
    }
}

fn included(
    path: &str,
    tree: &dyn Tree,
    files: &mut HashSet<Arc<str>>,
    above: &[Arc<str>],
) -> Result<Option<Node>, String> {
    let file: Arc<str> = Arc::from(path);
    if above.contains(&file) {
        return Err("it includes itself".to_owned());
    }
    if files.contains(&file) {
        // A file that was already laid in: GitLab takes it once.
        return Ok(None);
    }
    if files.len() > FILES {
        return Err(format!("more than {FILES} files are included"));
    }
    let Some(bytes) = tree.read(path) else {
        return Err("there is no such file here".to_owned());
    };
    files.insert(Arc::clone(&file));
    let documents = yaml::parse(&file, &bytes).map_err(|error| error.to_string())?;
    Ok(configuration(&documents).cloned())
}

/// The document that holds the jobs: the last one, after a header with `spec`.
pub(super) fn configuration(documents: &[Node]) -> Option<&Node> {
    documents.iter().rev().find(|document| document.is_mapping() && document.get("spec").is_none())
}
