//! The files below the paths that were given, and nothing else: links are not followed.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use daypass_pipelines::{Tree, expected, may_be_pipeline};
use walkdir::{DirEntry, WalkDir};

use super::Skipped;

/// Folders of what others wrote and tools fetched: nothing in them is a pipeline of this repository.
const FETCHED: [&str; 4] = [".git", "node_modules", ".terraform", ".terragrunt-cache"];
/// Bytes of a file that are read: one more than the readers take, so that they say so.
const LARGEST: u64 = 4 * 1024 * 1024 + 1;

/// A path that was given, or all the files that were given: within it, files know each other by name.
#[derive(Debug, Default)]
pub(in crate::commands) struct Given {
    /// What stands before the names in output: `live/` of `live/main.tf`.
    prefix: String,
    /// Every file that may be read, by its name within.
    files: BTreeMap<String, PathBuf>,
    /// Whether each file was named on its own.
    pub(in crate::commands) named: bool,
    /// Names of what is there and was not read: folders, and links that were not followed.
    pub(in crate::commands) unread: Vec<String>,
}

impl Given {
    /// The files' names, in order.
    pub(in crate::commands) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// A name as output shows it.
    pub(in crate::commands) fn shown(&self, name: &str) -> String {
        if self.named {
            return self.files.get(name).map_or_else(|| name.to_owned(), |path| path.display().to_string());
        }
        format!("{}{name}", self.prefix)
    }

    /// Where a file lies, whatever output calls it.
    pub(in crate::commands) fn path(&self, name: &str) -> Option<&Path> {
        self.files.get(name).map(PathBuf::as_path)
    }

    /// The content of a file, as far as readers take any.
    pub(in crate::commands) fn content(&self, name: &str) -> io::Result<Content> {
        let path = self.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        let file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes)?;
        Ok(Content { bytes, length })
    }
}

/// What was read of a file.
#[derive(Debug)]
pub(in crate::commands) struct Content {
    pub(in crate::commands) bytes: Vec<u8>,
    /// Bytes of the whole file.
    pub(in crate::commands) length: u64,
}

impl Tree for Given {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.content(path).ok().map(|content| content.bytes)
    }

    fn beginning_with(&self, prefix: &str) -> Option<Vec<String>> {
        let names = self.files.range(prefix.to_owned()..).map(|(name, _)| name);
        Some(names.take_while(|name| name.starts_with(prefix)).cloned().collect())
    }
}

/// Finds the files of all paths. Whatever cannot be read is in `skipped`; a file that is reached twice is taken once.
///
/// Within several folders files are named as within the folder that holds them all, so that no two have the same name. Files
/// that are given one by one are named as seen from `base`.
pub(in crate::commands) fn walk<'p>(
    paths: impl IntoIterator<Item = &'p Utf8Path>,
    base: &Utf8Path,
    skipped: &mut Vec<Skipped>,
) -> Vec<Given> {
    let mut folders = Vec::new();
    let mut named = Given { named: true, ..Given::default() };
    let mut seen = HashSet::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => folders.push(path),
            Ok(metadata) if metadata.is_file() => {
                if is_new(path.as_std_path(), &mut seen) {
                    let name = name_of(path.strip_prefix(base).unwrap_or(path).as_std_path());
                    named.files.insert(name, path.as_std_path().to_owned());
                }
            }
            Ok(_) => skipped.push(Skipped::new(path.as_str(), "neither a file nor a folder")),
            Err(error) => skipped.push(Skipped::new(path.as_str(), cannot_read(&error))),
        }
    }
    let mut found = Vec::new();
    if let Some(top) = shared(&folders) {
        let mut given = Given { prefix: prefix(&top), ..Given::default() };
        for path in folders {
            let beneath = path.strip_prefix(&top).unwrap_or(Utf8Path::new(""));
            folder(path, &name_of(beneath.as_std_path()), &mut given, &mut seen, skipped);
        }
        found.push(given);
    } else {
        for path in folders {
            let mut given = Given { prefix: prefix(path), ..Given::default() };
            folder(path, "", &mut given, &mut seen, skipped);
            found.push(given);
        }
    }
    if !named.files.is_empty() {
        found.push(named);
    }
    found
}

/// The folder that holds all of several folders, as far as their paths tell it.
fn shared(folders: &[&Utf8Path]) -> Option<Utf8PathBuf> {
    let (first, rest) = folders.split_first()?;
    if rest.is_empty() {
        return Some(first.to_path_buf());
    }
    let mut top = first.to_path_buf();
    while !rest.iter().all(|path| path.starts_with(&top)) {
        top = top.parent()?.to_owned();
    }
    let leaves = |path: &Utf8Path| path.components().any(|it| it == camino::Utf8Component::ParentDir);
    let beneath = |path: &&Utf8Path| path.strip_prefix(&top).is_ok_and(|rest| !leaves(rest));
    folders.iter().all(beneath).then_some(top)
}

/// What stands before the names of a folder's files in output.
fn prefix(folder: &Utf8Path) -> String {
    match folder.as_str().trim_start_matches("./").trim_end_matches('/') {
        "" if folder.as_str().starts_with('/') => "/".to_owned(),
        "" | "." => String::new(),
        path => format!("{path}/"),
    }
}

pub(in crate::commands) fn cannot_read(error: &io::Error) -> String {
    format!("cannot read it: {error}")
}

/// Adds the files of a folder, under names that begin with `beneath`.
fn folder(
    path: &Utf8Path,
    beneath: &str,
    given: &mut Given,
    seen: &mut HashSet<PathBuf>,
    skipped: &mut Vec<Skipped>,
) {
    let own = |entry: &DirEntry| {
        entry.depth() == 0 || !FETCHED.iter().any(|name| entry.file_name().to_str() == Some(name))
    };
    // A link at the top is what the user meant; links below may lead anywhere.
    let root = fs::canonicalize(path).unwrap_or_else(|_| path.as_std_path().to_owned());
    for entry in WalkDir::new(&root).follow_links(false).sort_by_file_name().into_iter().filter_entry(own) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let at = error.path().and_then(|at| relative(&root, at, beneath)).unwrap_or_default();
                let why = error.io_error().map_or_else(|| error.to_string(), cannot_read);
                skipped.push(Skipped::new(given.shown(&at), why));
                given.unread.push(at);
                continue;
            }
        };
        let Some(name) = relative(&root, entry.path(), beneath) else { continue };
        let kind = entry.file_type();
        if kind.is_symlink() {
            if let Some(why) = link(&root, entry.path()) {
                skipped.push(Skipped::new(given.shown(&name), why));
                given.unread.push(name);
            }
        } else if kind.is_file() {
            if may_be_pipeline(&name) && is_new(entry.path(), seen) {
                given.files.insert(name, entry.into_path());
            }
        } else if !kind.is_dir() && expected(&name).is_some() {
            skipped.push(Skipped::new(given.shown(&name), "neither a file nor a folder"));
        }
    }
}

/// Why a link is passed over, where that is worth a word: what it leads to within the folder is read where it lies.
fn link(root: &Path, path: &Path) -> Option<&'static str> {
    let Ok(target) = fs::canonicalize(path) else {
        let looped = fs::metadata(path).is_err_and(|error| error.kind() != io::ErrorKind::NotFound);
        return looped.then_some("a symbolic link that leads to itself");
    };
    if path.starts_with(&target) {
        return Some("a symbolic link to a folder that it is in: a loop");
    }
    let pipelines = target.is_dir() || path.to_str().is_some_and(may_be_pipeline);
    (!target.starts_with(root) && pipelines)
        .then_some("a symbolic link that leads out of the given path, and is not followed")
}

/// A path within another one that lies `beneath` a third, with `/` between names.
fn relative(root: &Path, path: &Path, beneath: &str) -> Option<String> {
    let name = name_of(path.strip_prefix(root).ok()?);
    Some(if beneath.is_empty() { name } else { format!("{beneath}/{name}") })
}

/// The names of a path with `/` between them, without what leads elsewhere.
fn name_of(path: &Path) -> String {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    names.collect::<Vec<_>>().join("/")
}

fn is_new(path: &Path, seen: &mut HashSet<PathBuf>) -> bool {
    seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
}
