//! Where a log lies: a data directory, or PostgreSQL.

use std::path::Path;

use anyhow::Context;
use camino::Utf8Path;
use daypass_store::{SqliteStore, Store};

use crate::failure::{Failure, Result};

/// A store that is opened for reading.
pub(super) struct Place {
    pub(super) store: Box<dyn Store>,
    /// What the database itself finds wrong with its files.
    pub(super) damage: Vec<String>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("damage", &self.damage).finish_non_exhaustive()
    }
}

/// Opens a data directory, or the database of a `postgres://` URL. A service may be running on it.
pub(super) async fn open(data: &str) -> Result<Place> {
    if data.starts_with("postgres://") || data.starts_with("postgresql://") {
        return open_postgres(data).await;
    }
    if !Utf8Path::new(data).is_dir() {
        return Err(Failure::usage(format!("`{data}` is no data directory; name one with --data DIR")));
    }
    let store = SqliteStore::open_read_only(Path::new(data))
        .with_context(|| format!("the log in `{data}` cannot be opened"))?;
    let damage = store.integrity().await?;
    Ok(Place { store: Box::new(store), damage })
}

#[cfg(feature = "postgres")]
async fn open_postgres(url: &str) -> Result<Place> {
    let options = daypass_store::PostgresOptions::default();
    let store = daypass_store::PostgresStore::connect(url, options).await?;
    Ok(Place { store: Box::new(store), damage: Vec::new() })
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "it stands in for the one above")]
async fn open_postgres(_: &str) -> Result<Place> {
    Err(Failure::usage("this program was built without PostgreSQL"))
}
