//! What SQLite reports, in the store's words.

use std::io;
use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::StoreError;

/// Of a statement, or of a transaction that did not reach its commit.
pub(super) fn translate(error: Error) -> StoreError {
    match error {
        Error::SqliteFailure(code, message) => {
            reported(code, message.unwrap_or_else(|| ffi::code_to_str(code.extended_code).to_owned()))
        }
        // A statement of ours that does not fit the schema: not the schema that we made.
        Error::SqlInputError { msg, .. } => StoreError::Damaged(msg),
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..)
        | Error::QueryReturnedNoRows => StoreError::Damaged(error.to_string()),
        other => StoreError::Other(other.to_string()),
    }
}

/// Of a commit. Where the disk failed, the commit may have reached it all the same. What the system refused to write, as over
/// a limit on the size of files, did not: the frame that makes a commit is written last.
pub(super) fn translate_commit(error: Error) -> StoreError {
    let unwritten = error.sqlite_error().is_some_and(|code| code.extended_code == ffi::SQLITE_IOERR_WRITE);
    match translate(error) {
        StoreError::Unreachable(_) if !unwritten => StoreError::Ambiguous,
        known => known,
    }
}

fn reported(code: ffi::Error, message: String) -> StoreError {
    match (code.code, code.extended_code) {
        // The shared-memory file is the one that SQLite grows without saying "full".
        (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => StoreError::Full,
        (ErrorCode::ReadOnly | ErrorCode::PermissionDenied, _) => StoreError::ReadOnly,
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed, _) => {
            StoreError::Busy
        }
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _)
        | (_, ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA) => {
            StoreError::Damaged(message)
        }
        (ErrorCode::SystemIoFailure | ErrorCode::CannotOpen, _) => StoreError::Unreachable(message),
        _ => StoreError::Other(message),
    }
}

/// Of the file system, about the database's file or directory.
pub(super) fn translate_io(error: &io::Error, path: &Path) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => StoreError::ReadOnly,
        _ => StoreError::Unreachable(format!("`{}`: {error}", path.display())),
    }
}

/// SQLite says "I/O error" where the file system turned read-only under it; asking the file system tells.
pub(super) fn ask_file_system(error: StoreError, path: &Path) -> StoreError {
    if !matches!(error, StoreError::Unreachable(_)) {
        return error;
    }
    match std::fs::OpenOptions::new().append(true).open(path) {
        Err(refused) => translate_io(&refused, path),
        Ok(_) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(extended_code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(extended_code), None)
    }

    #[test]
    fn every_native_code_has_its_word() {
        for (code, expected) in [
            (ffi::SQLITE_FULL, StoreError::Full),
            (ffi::SQLITE_IOERR_SHMSIZE, StoreError::Full),
            (ffi::SQLITE_READONLY, StoreError::ReadOnly),
            (ffi::SQLITE_READONLY_DIRECTORY, StoreError::ReadOnly),
            (ffi::SQLITE_PERM, StoreError::ReadOnly),
            (ffi::SQLITE_BUSY, StoreError::Busy),
            (ffi::SQLITE_BUSY_SNAPSHOT, StoreError::Busy),
            (ffi::SQLITE_LOCKED, StoreError::Busy),
            (ffi::SQLITE_PROTOCOL, StoreError::Busy),
        ] {
            assert_eq!(translate(failure(code)), expected, "{code}");
        }
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_IOERR_SHORT_READ] {
            assert!(matches!(translate(failure(code)), StoreError::Damaged(_)), "{code}");
        }
        for code in [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_CANTOPEN] {
            assert!(matches!(translate(failure(code)), StoreError::Unreachable(_)), "{code}");
        }
        assert!(matches!(translate(failure(ffi::SQLITE_MISUSE)), StoreError::Other(_)));
    }

    #[test]
    fn a_disk_that_fails_during_a_commit_leaves_doubt_but_what_is_unwritten_does_not() {
        assert_eq!(translate_commit(failure(ffi::SQLITE_IOERR_FSYNC)), StoreError::Ambiguous);
        assert_eq!(translate_commit(failure(ffi::SQLITE_FULL)), StoreError::Full);
        let unwritten = translate_commit(failure(ffi::SQLITE_IOERR_WRITE));
        assert!(matches!(unwritten, StoreError::Unreachable(_)), "{unwritten:?}");
    }

    #[test]
    fn the_file_system_is_asked_only_about_io_errors() {
        let nowhere = Path::new("/nonexistent/daypass.sqlite3");
        assert_eq!(ask_file_system(StoreError::Full, nowhere), StoreError::Full);
        let asked = ask_file_system(StoreError::Unreachable("disk I/O error".to_owned()), nowhere);
        assert!(matches!(asked, StoreError::Unreachable(text) if text.contains("/nonexistent")));
        let denied = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
        assert_eq!(translate_io(&denied, nowhere), StoreError::ReadOnly);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(translate_io(&full, nowhere), StoreError::Full);
    }
}
