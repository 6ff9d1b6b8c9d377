use std::collections::BTreeMap;

/// The largest file that is read: a state or plan of a large estate stays well below it.
pub const FILE_LIMIT: usize = 32 * 1024 * 1024;

/// Why a file or folder could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is nothing of that name.
    #[error("there is no such file")]
    Missing,
    /// The file is longer than asked for.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// The longest that was asked for, in bytes.
        limit: usize,
    },
    /// The system refused, in its own words.
    #[error("cannot be read: {0}")]
    Refused(String),
}

/// What stands in a folder under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, or a link to one inside the tree.
    File,
    /// A folder; never a link to one, so that a walk ends.
    Folder,
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, without its folder.
    pub name: String,
    /// What it names.
    pub kind: EntryKind,
}

/// Where files come from: this room has no file system of its own.
///
/// Paths have `/` between their parts and no `.` parts; the empty path is where one is. A path begins with `/` where what
/// was asked for did. It may begin with `..` when a file refers to one outside what was asked for; an implementation may
/// answer [`ReadError::Missing`] to it.
///
/// An implementation
/// * answers [`ReadError::TooLarge`] without reading more than `limit` bytes;
/// * lists a symbolic link to a folder neither as a file nor as a folder, so that no walk is endless;
/// * refuses what is neither file nor folder (devices, pipes) as [`ReadError::Refused`].
pub trait FileTree {
    /// The bytes of a file of at most `limit` bytes.
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError>;

    /// What a folder holds, in any order.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError>;
}

/// A tree in memory: for tests, and for texts that never were files.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryTree {
    /// A tree without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file; its folders come into being by it.
    #[must_use]
    pub fn with(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(join("", path), bytes.into());
        self
    }
}

impl FileTree for MemoryTree {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError> {
        let bytes = self.files.get(path).ok_or(ReadError::Missing)?;
        if bytes.len() > limit { Err(ReadError::TooLarge { limit }) } else { Ok(bytes.clone()) }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut entries: Vec<Entry> = Vec::new();
        for path in self.files.keys() {
            let Some(rest) = path.strip_prefix(&prefix) else { continue };
            let (name, kind) = match rest.split_once('/') {
                Some((name, _)) => (name, EntryKind::Folder),
                None => (rest, EntryKind::File),
            };
            if entries.last().is_none_or(|last| last.name != name) {
                entries.push(Entry { name: name.to_owned(), kind });
            }
        }
        if entries.is_empty() && !folder.is_empty() { Err(ReadError::Missing) } else { Ok(entries) }
    }
}

/// `path` as seen from `folder`, without `.` and with `..` taken back where that is possible.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let root = if folder.starts_with('/') { "/" } else { "" };
    let from = if path.starts_with('/') { "" } else { folder };
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{root}{}", parts.join("/"))
}

/// A path that somebody asked for, in the form that trees take.
pub(crate) fn given(path: &str) -> String {
    join(if path.starts_with('/') { "/" } else { "" }, path)
}

/// Whether a file's name ends in `.extension`.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(extension))
}

/// The folder of a file.
pub(crate) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_without_a_file_system() {
        assert_eq!(join("infra/prod", "../modules/x"), "infra/modules/x");
        assert_eq!(join("", "./a//b"), "a/b");
        assert_eq!(join("a", "../../b"), "../b");
        assert_eq!(join("/srv/infra", "../modules/x"), "/srv/modules/x");
        assert_eq!((given("/srv/./infra/"), given("./infra")), ("/srv/infra".to_owned(), "infra".to_owned()));
        assert_eq!((parent("/c.tf"), parent("/a/c.tf")), ("/", "/a"));
        assert_eq!(parent("a/b/c.tf"), "a/b");
        assert_eq!(parent("c.tf"), "");
    }

    #[test]
    fn folders_come_into_being_by_their_files() {
        let tree = MemoryTree::new().with("a/b.tf", "").with("a/c/d.tf", "").with("e.json", "{}");
        let names = |folder| tree.list(folder).unwrap().into_iter().map(|e| e.name).collect::<Vec<_>>();
        assert_eq!(names(""), ["a", "e.json"]);
        assert_eq!(names("a"), ["b.tf", "c"]);
        assert_eq!(tree.list("x"), Err(ReadError::Missing));
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let tree = MemoryTree::new().with("big", vec![b'x'; 11]);
        assert_eq!(tree.read("big", 10), Err(ReadError::TooLarge { limit: 10 }));
        assert!(tree.read("big", 11).is_ok());
    }
}
