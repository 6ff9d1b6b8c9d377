//! The schema and its history: append-only files, applied in order, counted in `user_version`.

use rusqlite::{Connection, TransactionBehavior};

use super::errors::{translate, translate_commit};
use crate::StoreError;

/// "dayp": tells daypass's databases from other SQLite files.
const APPLICATION_ID: i64 = 0x6461_7970;

/// Migration *n* brings a database from version *n - 1* to *n*. Files that have been released are never edited.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/sqlite/0001_initial.sql")];

/// The version that this program reads and writes: the number of the last migration.
const NEWEST: i64 = 1;

/// Brings the schema to this program's version. Several processes may do so at once: the first one does the work.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    if version(connection)? == NEWEST {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(translate)?;
    let found = version(&transaction)?;
    for (sql, number) in MIGRATIONS.iter().zip(1_i64..).filter(|(_, number)| *number > found) {
        transaction.execute_batch(sql).map_err(translate)?;
        tracing::info!(version = number, "brought the database schema forward");
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(translate)?;
    transaction.pragma_update(None, "user_version", NEWEST).map_err(translate)?;
    transaction.commit().map_err(translate_commit)
}

/// Insists on this program's version, where nothing may be written.
pub(super) fn require_newest(connection: &Connection) -> Result<(), StoreError> {
    match version(connection)? {
        NEWEST => Ok(()),
        found => Err(StoreError::Unmigrated { found, needed: NEWEST }),
    }
}

/// The schema's version: 0 for an empty database, an error for a newer one and for another program's.
fn version(connection: &Connection) -> Result<i64, StoreError> {
    // One statement, one state of the database: another process may be migrating.
    let sql = "SELECT application_id, user_version, NOT EXISTS (SELECT 1 FROM sqlite_schema)
        FROM pragma_application_id, pragma_user_version";
    let (id, found, empty) = connection
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .map_err(translate)?;
    match id {
        APPLICATION_ID if found > NEWEST => Err(StoreError::Schema { found, known: NEWEST }),
        APPLICATION_ID => Ok(found),
        0 if empty && found == 0 => Ok(0),
        _ => Err(StoreError::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_file_is_listed_in_order() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let mut names: Vec<_> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), MIGRATIONS.len());
        assert_eq!(i64::try_from(names.len()), Ok(NEWEST));
        for (number, (name, sql)) in names.iter().zip(MIGRATIONS).enumerate() {
            assert!(name.starts_with(&format!("{:04}_", number + 1)), "{name}");
            assert_eq!(std::fs::read_to_string(format!("{directory}/{name}")).unwrap(), *sql);
        }
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(version(&connection), Ok(0));
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection), Ok(NEWEST));
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", NEWEST + 1).unwrap();
        let expected = StoreError::Schema { found: NEWEST + 1, known: NEWEST };
        assert_eq!(migrate(&mut connection), Err(expected.clone()));
        assert_eq!(require_newest(&connection), Err(expected));
    }

    #[test]
    fn an_older_schema_cannot_be_read_without_migrating() {
        let connection = Connection::open_in_memory().unwrap();
        let expected = StoreError::Unmigrated { found: 0, needed: NEWEST };
        assert_eq!(require_newest(&connection), Err(expected));
    }

    #[test]
    fn another_programs_database_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (id INTEGER)").unwrap();
        assert_eq!(migrate(&mut connection), Err(StoreError::Foreign));
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "application_id", 42).unwrap();
        assert_eq!(migrate(&mut connection), Err(StoreError::Foreign));
    }

    #[test]
    fn a_record_can_lose_its_body_and_nothing_else() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let insert = "INSERT INTO chain (chain) VALUES (randomblob(16));
            INSERT INTO record (chain, seq, decision, time, body_hash, hash, body)
            VALUES (1, 0, randomblob(16), 5, randomblob(32), randomblob(32), x'01')";
        connection.execute_batch(insert).unwrap();
        for forbidden in [
            "DELETE FROM record",
            "UPDATE record SET body = x'02'",
            "UPDATE record SET time = 6, body = NULL",
        ] {
            assert!(connection.execute_batch(forbidden).is_err(), "{forbidden}");
        }
        connection.execute_batch("UPDATE record SET body = NULL").unwrap();
    }
}
