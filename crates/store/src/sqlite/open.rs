//! Files, permissions and connections.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::errors::{translate, translate_io};
use super::{SqliteOptions, schema};
use crate::StoreError;

/// The database's file within the data directory.
const FILE: &str = "daypass.sqlite3";

/// In bytes. Twice SQLite's own: holds records of 1.5 KB with less waste and in fewer writes per batch. Larger ones
/// gain nothing more, and every commit writes whole pages, even that of a single record.
const PAGE_SIZE: &str = "8192";

/// The length in pages (4 MiB) at which the write-ahead log is moved into the database, by the commit that finds it so
/// long. Measured: a longer log makes that commit's callers wait noticeably (p99), a shorter one costs throughput, and
/// moving it on a thread of its own slows down every commit meanwhile, for they share the disk.
const LOG_PAGES: u32 = 500;

/// How many statements a connection keeps prepared; there are fewer.
const STATEMENTS: usize = 64;

/// The path of the database in `dir`; makes both, for the owner's eyes only, if they are not there and `create` says
/// so.
pub(super) fn locate(dir: &Path, create: bool) -> Result<PathBuf, StoreError> {
    let path = dir.join(FILE);
    if create {
        create_dir(dir).map_err(|error| translate_io(&error, dir))?;
        create_file(&path).map_err(|error| translate_io(&error, &path))?;
    } else {
        fs::metadata(&path).map_err(|error| translate_io(&error, &path))?;
    }
    Ok(path)
}

fn create_dir(dir: &Path) -> std::io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn create_file(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The connection that writes, on a schema that is up to date. SQLite gives its side files the database's mode.
///
/// Its commits are in order but not yet on the disk when they return: nothing can be appended before a chain is opened, and
/// that goes on with [`synchronise`].
pub(super) fn for_writing(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let made = fs::metadata(path).is_ok_and(|file| file.len() == 0);
    let mut connection = durable(path, options.busy_timeout)?;
    if made {
        // An empty file has nothing to lose: it is put on the disk once, when it is a database.
        connection.pragma_update(None, "synchronous", "OFF").map_err(translate)?;
    }
    if enter_wal(&connection, options.busy_timeout)? != "wal" {
        return Err(StoreError::Other(format!("the file system of `{}` cannot do WAL", path.display())));
    }
    if made {
        settle(path).map_err(|error| translate_io(&error, path))?;
    }
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(translate)?;
    connection
        .pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |row| row.get::<_, i64>(0))
        .map_err(translate)?;
    schema::migrate(&mut connection)?;
    if let Some(pages) = options.max_pages {
        connection
            .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
            .map_err(translate)?;
    }
    Ok(connection)
}

/// From here on the log is on the disk before a commit returns, and with it every commit before.
pub(super) fn synchronise(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "synchronous", "FULL").map_err(translate)
}

/// Puts a new database on the disk, with its name: to SQLite, a log beside an empty file is a log of nothing.
fn settle(path: &Path) -> std::io::Result<()> {
    fs::File::open(path)?.sync_all()?;
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        fs::File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn durable(path: &Path, busy_timeout: Duration) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(translate)?;
    // SQLite opens what it may not write all the same, and says so only when it should write.
    if connection.is_readonly("main").map_err(translate)? {
        return Err(StoreError::ReadOnly);
    }
    prepare(&connection, busy_timeout).map_err(translate)?;
    for (pragma, value) in [
        ("page_size", PAGE_SIZE),
        // These two matter on macOS only.
        ("fullfsync", "ON"),
        ("checkpoint_fullfsync", "ON"),
        // What retention drops is gone from the file, too.
        ("secure_delete", "ON"),
        ("temp_store", "MEMORY"),
    ] {
        connection.pragma_update(None, pragma, value).map_err(translate)?;
    }
    Ok(connection)
}

/// Turns on the write-ahead log; returns the mode that the database is in then.
///
/// The first to do so needs the database to itself, and SQLite does not wait for that as it does for other locks: two
/// processes that wait for each other to let go would wait forever.
fn enter_wal(connection: &Connection, patience: Duration) -> Result<String, StoreError> {
    let pause = Duration::from_millis(5);
    let mut waited = Duration::ZERO;
    loop {
        let entered = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        match entered.map_err(translate) {
            Err(StoreError::Busy) if waited < patience => {
                std::thread::sleep(pause);
                waited += pause;
            }
            entered => return entered,
        }
    }
}

/// A connection that reads while another one writes.
pub(super) fn for_reading(path: &Path, busy_timeout: Duration) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(translate)?;
    prepare(&connection, busy_timeout).map_err(translate)?;
    Ok(connection)
}

/// A connection that reads a database at rest. Without a write-ahead log the file is declared immutable, so that no
/// side file appears and a directory without write permission will do.
pub(super) fn at_rest(path: &Path, busy_timeout: Duration) -> Result<Connection, StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let connection = if fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        for_reading(path, busy_timeout)?
    } else {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(immutable_uri(path), flags).map_err(translate)?;
        prepare(&connection, busy_timeout).map_err(translate)?;
        connection
    };
    schema::require_newest(&connection)?;
    Ok(connection)
}

/// What every connection wants: bounded waits, and no trust in what a file from elsewhere might have in its schema.
fn prepare(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    connection.pragma_update(None, "foreign_keys", "ON")
}

/// `file:/the/path?immutable=1`, with everything but plain path characters percent-encoded.
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// What tells the file that is open from another one that has been put in its place.
#[cfg(unix)]
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Windows does not let an open file be replaced.
#[cfg(not(unix))]
pub(super) fn identity(_: &Path) -> Option<(u64, u64)> {
    Some((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_smuggle_parameters_into_the_uri() {
        let uri = immutable_uri(Path::new("/data/a b?mode=rw&x#%20/daypass.sqlite3"));
        assert_eq!(uri, "file:/data/a%20b%3Fmode%3Drw%26x%23%2520/daypass.sqlite3?immutable=1");
    }

    #[test]
    fn nothing_is_made_unless_asked() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("data");
        assert!(
            matches!(locate(&missing, false), Err(StoreError::Unreachable(text)) if text.contains("data"))
        );
        assert!(!missing.exists());
    }

    #[test]
    fn once_a_chain_is_open_a_commit_is_on_the_disk_before_it_returns() {
        let dir = tempfile::tempdir().unwrap();
        let path = locate(dir.path(), true).unwrap();
        let connection = for_writing(&path, &SqliteOptions::default()).unwrap();
        let before: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!(before, 1);
        synchronise(&connection).unwrap();
        for (pragma, expected) in [
            ("synchronous", 2),
            ("fullfsync", 1),
            ("secure_delete", 1),
            ("foreign_keys", 1),
            ("page_size", 8_192),
        ] {
            let value: i64 = connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
            assert_eq!(value, expected, "{pragma}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_made_is_for_the_owner_only() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("deep/data");
        let path = locate(&data, true).unwrap();
        let connection = for_writing(&path, &SqliteOptions::default()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&data.join("daypass.sqlite3-wal")), 0o600);
        drop(connection);
    }
}
