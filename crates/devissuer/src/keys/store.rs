use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Where keys outlive the process, so that what was published yesterday still is.
///
/// The document holds private keys. They are worth nothing outside development and everything within: whoever reads
/// it mints tokens of any job.
pub trait KeyStore: fmt::Debug + Send + Sync {
    /// Reads what was saved last; `None` if nothing was.
    fn load(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>>;

    /// Replaces what was saved before, wholly or not at all.
    fn save(&self, document: &[u8]) -> io::Result<()>;
}

/// Keys in a file that only its owner can read (mode 0600).
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

/// Keys that die with the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStore;

impl KeyFile {
    /// Keys are kept at `path`; its directory must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where the keys are.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl KeyStore for KeyFile {
    fn load(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let metadata = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        check_private(&self.path, &metadata)?;
        Ok(Some(Zeroizing::new(std::fs::read(&self.path)?)))
    }

    fn save(&self, document: &[u8]) -> io::Result<()> {
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        // Made with mode 0600, in the same directory, so that the renaming is atomic.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(document)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        sync_directory(directory)
    }
}

impl KeyStore for NoStore {
    fn load(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(None)
    }

    fn save(&self, _document: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
fn check_private(path: &Path, metadata: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    let path = path.display();
    let message = format!("`{path}` has mode {mode:04o} and can be read by others: make it 0600");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

#[cfg(not(unix))]
fn check_private(_path: &Path, _metadata: &std::fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Without this the renaming can be lost with the power, though not the contents.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    std::fs::File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_nothing_else_is_left_behind() {
        let directory = tempfile::tempdir().unwrap();
        let file = KeyFile::new(directory.path().join("issuer-keys.json"));
        assert!(file.load().unwrap().is_none());
        for document in [b"first".as_slice(), b"second"] {
            file.save(document).unwrap();
            assert_eq!(file.load().unwrap().unwrap().as_slice(), document);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(KeyFile::new(directory.path().join("missing/keys.json")).save(b"").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone_or_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let file = KeyFile::new(directory.path().join("issuer-keys.json"));
        file.save(b"{}").unwrap();
        let mode = |file: &KeyFile| std::fs::metadata(file.path()).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&file), 0o600);
        for open in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(open)).unwrap();
            let refusal = file.load().unwrap_err();
            assert_eq!(refusal.kind(), io::ErrorKind::PermissionDenied);
            assert!(refusal.to_string().contains(&format!("mode 0{open:o}")), "{refusal}");
        }
        file.save(b"{}").unwrap();
        assert_eq!(mode(&file), 0o600);
    }
}
