//! Files on disk for tests.

use std::fs;
use std::path::PathBuf;

use daypass_sources::{Entry, EntryKind, FileTree, ReadError};

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
