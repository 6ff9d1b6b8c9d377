//! Files of this machine, as the rooms without a file system are given them.

use std::fs;
use std::io::{ErrorKind, Read};

use camino::{Utf8Path, Utf8PathBuf};
use daypass_sources::{Entry, EntryKind, FileTree, ReadError};

/// What lies below a folder; paths that begin with `/` are the machine's.
#[derive(Clone, Debug, Default)]
pub(crate) struct DiskTree {
    root: Utf8PathBuf,
}

impl DiskTree {
    /// Of the folder that the process runs in.
    pub(crate) fn here() -> Self {
        Self::default()
    }

    /// Of another folder.
    pub(crate) fn below(root: &Utf8Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn path(&self, path: &str) -> Utf8PathBuf {
        let joined = self.root.join(path);
        if joined.as_str().is_empty() { Utf8PathBuf::from(".") } else { joined }
    }
}

impl FileTree for DiskTree {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError> {
        let path = self.path(path);
        // Opening a pipe would wait for somebody to write to it.
        let known = fs::metadata(&path).map_err(|error| refused(&error))?;
        if !known.is_file() {
            return Err(ReadError::Refused("it is not a file".to_owned()));
        }
        let file = fs::File::open(&path).map_err(|error| refused(&error))?;
        let mut bytes = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        file.take(most).read_to_end(&mut bytes).map_err(|error| refused(&error))?;
        if bytes.len() > limit { Err(ReadError::TooLarge { limit }) } else { Ok(bytes) }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let folder = self.path(folder);
        let mut entries = Vec::new();
        for entry in folder.read_dir_utf8().map_err(|error| refused(&error))? {
            // A name that is no text cannot be told to anybody; what cannot be looked at is met again when it is read.
            let Ok(entry) = entry else { continue };
            if let Some(kind) = kind(entry.path()) {
                entries.push(Entry { name: entry.file_name().to_owned(), kind });
            }
        }
        Ok(entries)
    }
}

/// A link to a folder is neither: so a walk ends.
fn kind(path: &Utf8Path) -> Option<EntryKind> {
    let own = fs::symlink_metadata(path).ok()?.file_type();
    if own.is_dir() {
        return Some(EntryKind::Folder);
    }
    let is_file = own.is_file() || (own.is_symlink() && fs::metadata(path).is_ok_and(|it| it.is_file()));
    is_file.then_some(EntryKind::File)
}

fn refused(error: &std::io::Error) -> ReadError {
    match error.kind() {
        ErrorKind::NotFound => ReadError::Missing,
        _ => ReadError::Refused(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_folders_and_pipes_are_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(directory.path().to_owned()).unwrap();
        fs::create_dir(root.join("folder")).unwrap();
        fs::write(root.join("folder/file"), "text").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.join("folder"), root.join("folder/loop")).unwrap();
        let tree = DiskTree::below(&root);
        let names = |folder: &str| -> Vec<String> {
            tree.list(folder).unwrap().into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(names(""), ["folder"]);
        assert_eq!(names("folder"), ["file"]);
        assert_eq!(tree.read("folder/file", 3), Err(ReadError::TooLarge { limit: 3 }));
        assert_eq!(tree.read("folder/file", 4), Ok(b"text".to_vec()));
        assert_eq!(tree.read("folder", 4), Err(ReadError::Refused("it is not a file".to_owned())));
        assert_eq!(tree.read("nothing", 4), Err(ReadError::Missing));
    }
}
