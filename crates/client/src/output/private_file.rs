use std::fs::Permissions;
use std::io::Write;
use std::path::Path;

use tempfile::Builder;

use super::OutputError;

/// Writes a file for the owner's eyes only (mode 0600), in one step: a reader sees the old content or all of the new.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), OutputError> {
    let failed = |error: std::io::Error| OutputError::file(path, &error);
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let mut builder = Builder::new();
    builder.prefix(".daypass-");
    if let Some(owner_only) = permissions(0o600) {
        builder.permissions(owner_only);
    }
    let mut file = builder.tempfile_in(dir).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A mode, where the system has modes.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
pub(crate) fn permissions(mode: u32) -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(mode))
}

/// A mode, where the system has modes.
#[cfg(not(unix))]
pub(crate) fn permissions(_: u32) -> Option<Permissions> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_whole_and_for_the_owner_only() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "a longer old content").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let path = Path::new("/nonexistent-daypass/token");
        let error = write_private(path, b"hush").unwrap_err();
        assert_eq!(error.to_string(), "`/nonexistent-daypass/token` cannot be written: not found");
    }
}
