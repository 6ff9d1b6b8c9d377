//! The schema and its history: append-only files, applied in order, listed in a table.

use tokio::time::sleep;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::errors::{is_retryable, translate};
use super::link::Link;
use super::{ATTEMPTS, PAUSE};
use crate::StoreError;

/// Migration *n* brings a database from version *n - 1* to *n*. Files that have been released are never edited.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/postgres/0001_initial.sql")];

/// The version that this program reads and writes: the number of the last migration.
const NEWEST: i64 = 1;

/// Where the applied migrations are listed. Whoever inserts a version applies it, in the same transaction; others that
/// try at the same time wait for that transaction and then find the version taken.
const LIST: &str = "CREATE TABLE IF NOT EXISTS daypass_migration (version BIGINT PRIMARY KEY)";

/// Brings the schema to this program's version. Several replicas may do so at once.
pub(super) async fn migrate(link: &Link) -> Result<(), StoreError> {
    let client = link.client();
    let mut attempt = 0;
    loop {
        let found = match version(client).await {
            Ok(found) if found > NEWEST => return Err(StoreError::Schema { found, known: NEWEST }),
            Ok(NEWEST) => return Ok(()),
            Ok(found) => found,
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => 0,
            Err(error) => return Err(translate(&error)),
        };
        let Err(error) = apply(client, found).await else {
            continue;
        };
        // The error of a connection that is gone is more telling than that of the rollback.
        let _ = client.batch_execute("ROLLBACK").await;
        attempt += 1;
        if !is_race(&error) || attempt == ATTEMPTS {
            let taken = error.code() == Some(&SqlState::DUPLICATE_TABLE);
            return Err(if taken { StoreError::Foreign } else { translate(&error) });
        }
        sleep(PAUSE * attempt).await;
    }
}

async fn version(client: &Client) -> Result<i64, tokio_postgres::Error> {
    let row = client.query_one("SELECT max(version) FROM daypass_migration", &[]).await?;
    row.try_get::<_, Option<i64>>(0).map(Option::unwrap_or_default)
}

/// Applies the migration that follows version `found`.
async fn apply(client: &Client, found: i64) -> Result<(), tokio_postgres::Error> {
    for (sql, number) in MIGRATIONS.iter().zip(1_i64..).filter(|(_, number)| *number > found) {
        client.batch_execute("BEGIN").await?;
        client.batch_execute(LIST).await?;
        client.execute("INSERT INTO daypass_migration (version) VALUES ($1)", &[&number]).await?;
        client.batch_execute(sql).await?;
        client.batch_execute("COMMIT").await?;
        tracing::info!(version = number, "brought the database schema forward");
    }
    Ok(())
}

/// Another replica did the same at the same moment. PostgreSQL reports two simultaneous CREATE TABLE IF NOT EXISTS as
/// a violation of its catalogue's uniqueness, or as a table that is there already.
fn is_race(error: &tokio_postgres::Error) -> bool {
    let code = error.code();
    is_retryable(error)
        || code == Some(&SqlState::UNIQUE_VIOLATION)
        || code == Some(&SqlState::DUPLICATE_TABLE)
        || code == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_file_is_listed_in_order() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
        let mut names: Vec<_> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(i64::try_from(names.len()), Ok(NEWEST));
        for (number, (name, sql)) in names.iter().zip(MIGRATIONS).enumerate() {
            assert!(name.starts_with(&format!("{:04}_", number + 1)), "{name}");
            assert_eq!(std::fs::read_to_string(format!("{directory}/{name}")).unwrap(), *sql);
        }
    }
}
