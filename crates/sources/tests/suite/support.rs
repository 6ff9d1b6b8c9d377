//! Files on disk for tests.

use std::fs;
use std::path::PathBuf;

use daypass_sources::{Entry, EntryKind, FileTree, Found, MemoryTree, ReadError, find};
use daypass_trust::document::{Member, Node, Value};

/// A folder of the disk.
pub(crate) struct Disk(pub(crate) PathBuf);

impl Disk {
    /// The samples that lie beside the tests.
    pub(crate) fn misconfig() -> Self {
        Self(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/misconfig"))
    }

    /// The names in a folder with an ending, in order.
    pub(crate) fn names(&self, folder: &str, ending: &str) -> Vec<String> {
        let mut names: Vec<String> = self.list(folder).unwrap().into_iter().map(|entry| entry.name).collect();
        names.retain(|name| name.ends_with(ending));
        names.sort();
        names
    }
}

impl FileTree for Disk {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError> {
        let bytes = fs::read(self.0.join(path)).map_err(|_| ReadError::Missing)?;
        if bytes.len() > limit { Err(ReadError::TooLarge { limit }) } else { Ok(bytes) }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let entries = fs::read_dir(self.0.join(folder)).map_err(|_| ReadError::Missing)?;
        Ok(entries
            .map(|entry| {
                let entry = entry.unwrap();
                let kind =
                    if entry.file_type().unwrap().is_dir() { EntryKind::Folder } else { EntryKind::File };
                Entry { name: entry.file_name().into_string().unwrap(), kind }
            })
            .collect())
    }
}

/// What was found, for snapshots: role, place, document and what is not known.
pub(crate) fn shown(found: &Found) -> String {
    let mut text = String::new();
    for policy in &found.policies {
        text.push_str(&format!("{} {} at {}", policy.dialect.as_str(), policy.role, policy.location));
        let place = policy.source.at(policy.tree.span);
        if place != policy.location {
            text.push_str(&format!(", document at {place}"));
        }
        if let Some(audiences) = &policy.options.audiences {
            let audiences: Vec<&str> = audiences.iter().map(daypass_claims::Audience::as_str).collect();
            text.push_str(&format!(", audiences {}", audiences.join(" ")));
        }
        text.push_str(&format!("\n{}\n", json(&policy.tree)));
    }
    for unresolved in &found.unresolved {
        text.push_str(&format!("unresolved {unresolved}\n"));
    }
    for problem in &found.problems {
        text.push_str(&format!("problem {problem}\n"));
    }
    text
}

/// A tree as JSON; what is unresolved as `<why>`.
pub(crate) fn json(node: &Node) -> String {
    let text = |text: &str| serde_json::to_string(text).unwrap();
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.clone(),
        Value::String(string) | Value::Datetime(string) => text(string),
        Value::Unresolved(why) => format!("<{why}>"),
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Table(members) => {
            let member = |it: &Member| format!("{}: {}", text(&it.name), json(&it.node));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Finds in one file.
pub(crate) fn find_in(name: &str, text: &str) -> Found {
    find(&[""], &MemoryTree::new().with(name, text))
}
