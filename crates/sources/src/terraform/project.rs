use std::collections::{BTreeMap, BTreeSet};

use daypass_trust::document::{Problem, Source, Span};

use super::map::SourceMap;
use super::syntax::{Block, Body, Expr, ExprKind, File};
use crate::find::text;
use crate::tree::{EntryKind, FileTree, join};

/// How many folders of modules are read beyond those that were asked for.
const FOLDER_LIMIT: usize = 2_000;

/// Every file of the configurations that were found, parsed.
pub(crate) struct Project<'t> {
    pub(crate) tree: &'t dyn FileTree,
    pub(crate) map: SourceMap,
    pub(crate) folders: BTreeMap<String, Vec<File>>,
    /// Modules that `terraform init` put below a root, by root and key (`ci.github`).
    installed: BTreeMap<(String, String), String>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) files: usize,
}

/// What one folder declares, by name.
#[derive(Debug, Default)]
pub(crate) struct Definition<'p> {
    pub(crate) variables: BTreeMap<String, Block<'p>>,
    pub(crate) locals: BTreeMap<String, (Span, Expr<'p>)>,
    pub(crate) outputs: BTreeMap<String, Block<'p>>,
    pub(crate) calls: BTreeMap<String, Block<'p>>,
    /// By type and name.
    pub(crate) resources: BTreeMap<(String, String), Block<'p>>,
    /// By type and name.
    pub(crate) data: BTreeMap<(String, String), Block<'p>>,
}

/// What the source of a module call says.
pub(crate) enum ModuleSource {
    /// A folder of the tree.
    Folder(String),
    /// Not in the tree: why.
    Elsewhere(String),
}

/// Whether Terraform or OpenTofu reads a file of this name.
pub(crate) fn is_configuration(name: &str) -> bool {
    [".tf", ".tofu", ".tf.json", ".tofu.json"].iter().any(|ending| name.ends_with(ending))
}

impl<'t> Project<'t> {
    /// Reads the folders, and those of the local modules that they call.
    pub(crate) fn load(tree: &'t dyn FileTree, folders: &BTreeSet<String>) -> Self {
        let mut project = Self {
            tree,
            map: SourceMap::default(),
            folders: BTreeMap::new(),
            installed: BTreeMap::new(),
            problems: Vec::new(),
            files: 0,
        };
        let mut open: Vec<String> = folders.iter().rev().cloned().collect();
        while let Some(folder) = open.pop() {
            if project.folders.contains_key(&folder) || project.folders.len() >= FOLDER_LIMIT {
                continue;
            }
            project.load_installed(&folder, &mut open);
            let files = project.load_folder(&folder);
            for file in &files {
                for call in file.body().blocks("module", 1) {
                    if let Some(path) = literal(call.body, "source").filter(|path| is_local(path)) {
                        open.push(join(&folder, &path));
                    }
                }
            }
            project.folders.insert(folder, files);
        }
        project
    }

    fn load_folder(&mut self, folder: &str) -> Vec<File> {
        let Ok(mut entries) = self.tree.list(folder) else { return Vec::new() };
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let mut files = Vec::new();
        for entry in &entries {
            // OpenTofu's own file stands in the place of Terraform's of the same name.
            let replaced = entry.name.replacen(".tf", ".tofu", 1);
            let shadowed = replaced != entry.name && names.contains(replaced.as_str());
            if entry.kind != EntryKind::File || !is_configuration(&entry.name) || shadowed {
                continue;
            }
            let path = join(folder, &entry.name);
            let parsed = text(self.tree, &path).and_then(|source| {
                let base = self.map.add(source.clone());
                File::parse(&source, base)
            });
            match parsed {
                Ok(file) => {
                    self.files = self.files.saturating_add(1);
                    if file.overrides {
                        let message = "override files are not followed: what this one changes is not seen";
                        self.problems.push(crate::find::file_problem(&path, message));
                    }
                    files.push(file);
                }
                Err(problem) => self.problems.push(problem),
            }
        }
        files
    }

    /// `terraform init` leaves a list of what it fetched: with it, registry modules are local ones.
    fn load_installed(&mut self, root: &str, open: &mut Vec<String>) {
        let path = join(root, ".terraform/modules/modules.json");
        let Ok(source) = text(self.tree, &path) else { return };
        let Ok(list) = daypass_trust::document::parse_json(&source) else { return };
        for module in list.get("Modules").and_then(|list| list.as_array()).unwrap_or_default() {
            let get = |name| module.get(name).and_then(|node| node.as_str());
            if let (Some(key), Some(folder)) = (get("Key").filter(|key| !key.is_empty()), get("Dir")) {
                let folder = join(root, folder);
                open.push(folder.clone());
                self.installed.insert((root.to_owned(), key.to_owned()), folder);
            }
        }
    }

    /// What a folder declares, or one file of it.
    pub(crate) fn definition(&self, folder: &str, only: Option<usize>) -> Definition<'_> {
        let mut definition = Definition::default();
        let files = self.folders.get(folder).map(Vec::as_slice).unwrap_or_default();
        for (index, file) in files.iter().enumerate() {
            if only.is_none_or(|only| only == index) && !file.overrides {
                definition.add(file.body());
            }
        }
        definition
    }

    /// Whether the files of a folder declare one thing twice. They are no configuration then, but one each: examples that
    /// lie side by side.
    fn is_apart(&self, folder: &str) -> bool {
        let mut seen = BTreeSet::new();
        let files = self.folders.get(folder).map(Vec::as_slice).unwrap_or_default();
        let declared = files.iter().filter(|file| !file.overrides).flat_map(|file| {
            let blocks = ["resource", "data"].map(|kind| (kind, 2)).into_iter().chain([("module", 1)]);
            blocks.flat_map(|(kind, labels)| {
                file.body().blocks(kind, labels).into_iter().map(move |block| (kind, block.labels))
            })
        });
        declared.into_iter().any(|declaration| !seen.insert(declaration))
    }

    /// Where the source of a module call leads. `root` and `key` tell an installed module.
    pub(crate) fn module_source(&self, folder: &str, root: &str, key: &str, call: Body<'_>) -> ModuleSource {
        let Some(path) = literal(call, "source") else {
            return ModuleSource::Elsewhere("the module's `source` is not a plain text".to_owned());
        };
        let found = match self.installed.get(&(root.to_owned(), key.to_owned())) {
            Some(folder) => folder.clone(),
            None if is_local(&path) => join(folder, &path),
            None => {
                return ModuleSource::Elsewhere(format!(
                    "module `{path}` comes from elsewhere, its source is not in the tree"
                ));
            }
        };
        match self.folders.get(&found) {
            Some(files) if !files.is_empty() => ModuleSource::Folder(found),
            _ => ModuleSource::Elsewhere(format!("module `{path}` is not in the tree")),
        }
    }

    /// The folders that no other folder calls as a module: what people apply. Files that cannot be of one configuration
    /// come one by one.
    pub(crate) fn roots(&self) -> Vec<(String, Option<usize>)> {
        let mut called: BTreeSet<String> = self.installed.values().cloned().collect();
        for (folder, files) in &self.folders {
            for call in files.iter().flat_map(|file| file.body().blocks("module", 1)) {
                if let Some(path) = literal(call.body, "source").filter(|path| is_local(path)) {
                    let target = join(folder, &path);
                    if target != *folder {
                        called.insert(target);
                    }
                }
            }
        }
        let mut roots = Vec::new();
        for (folder, files) in self.folders.iter().filter(|(folder, _)| !called.contains(*folder)) {
            if self.is_apart(folder) {
                roots.extend((0..files.len()).map(|index| (folder.clone(), Some(index))));
            } else {
                roots.push((folder.clone(), None));
            }
        }
        roots
    }
}

impl<'p> Definition<'p> {
    fn add(&mut self, body: Body<'p>) {
        let by_name = |kind| {
            body.blocks(kind, 1).into_iter().filter_map(|block| Some((block.labels.first()?.clone(), block)))
        };
        let by_type = |kind| {
            body.blocks(kind, 2).into_iter().filter_map(|block| {
                let mut labels = block.labels.iter().cloned();
                Some(((labels.next()?, labels.next()?), block))
            })
        };
        self.variables.extend(by_name("variable"));
        self.outputs.extend(by_name("output"));
        self.calls.extend(by_name("module"));
        self.resources.extend(by_type("resource"));
        self.data.extend(by_type("data"));
        for locals in body.blocks("locals", 0) {
            self.locals.extend(
                locals
                    .body
                    .attributes()
                    .into_iter()
                    .map(|(name, span, expression)| (name, (span, expression))),
            );
        }
    }
}

fn is_local(path: &str) -> bool {
    path.starts_with("./") || path.starts_with("../") || path == "." || path == ".."
}

/// An attribute that is a plain text, as `source` must be.
pub(crate) fn literal(body: Body<'_>, name: &str) -> Option<String> {
    match body.attribute(name)?.kind {
        ExprKind::Native(expression) => expression.as_str().map(str::to_owned),
        ExprKind::Json(node) | ExprKind::Plain(node) => node.as_str().map(str::to_owned),
    }
}

/// Values for variables from `terraform.tfvars`, `*.auto.tfvars` and their JSON forms, in Terraform's order.
pub(crate) fn variable_files(tree: &dyn FileTree, folder: &str) -> Vec<Result<Source, Problem>> {
    let Ok(entries) = tree.list(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
    let rank = |name: &str| match name {
        "terraform.tfvars" => Some(0),
        "terraform.tfvars.json" => Some(1),
        name if name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json") => Some(2),
        _ => None,
    };
    names.retain(|name| rank(name).is_some());
    names.sort_by(|a, b| (rank(a), a).cmp(&(rank(b), b)));
    names.iter().map(|name| text(tree, &join(folder, name))).collect()
}
