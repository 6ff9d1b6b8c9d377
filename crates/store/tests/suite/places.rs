//! Databases that stores can be opened on, again and again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daypass_store::{BoxFuture, SqliteOptions, SqliteStore, Store};
use tempfile::TempDir;

/// A database of the test's own.
pub(crate) trait Place: Send + Sync {
    /// Opens another store on it.
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>>;

    /// How many transactions wrote the records that are there.
    fn transactions(&self) -> BoxFuture<'_, usize>;
}

/// A directory for SQLite.
pub(crate) struct Directory(TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.path().join("daypass.sqlite3")
    }

    /// Opens a store with other options than the usual ones.
    pub(crate) fn open_with(&self, options: &SqliteOptions) -> SqliteStore {
        SqliteStore::open(self.path(), &SqliteOptions { create: true, ..options.clone() }).unwrap()
    }
}

impl Place for Directory {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        // All tests at once keep a small machine's disk busy.
        let options = SqliteOptions { busy_timeout: Duration::from_secs(60), ..SqliteOptions::default() };
        Box::pin(async move { Arc::new(self.open_with(&options)) as Arc<dyn Store> })
    }

    /// Counts the frames of the write-ahead log that end a transaction: those that give the database's size.
    /// (SQLite's file format, section 4.1.)
    fn transactions(&self) -> BoxFuture<'_, usize> {
        Box::pin(async {
            let log = std::fs::read(self.path().join("daypass.sqlite3-wal")).unwrap();
            let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
            log[32..].chunks(24 + page).filter(|frame| frame[4..8] != [0; 4]).count()
        })
    }
}

#[cfg(feature = "postgres")]
pub(crate) use postgres::Schema;

#[cfg(feature = "postgres")]
mod postgres {
    use std::sync::atomic::{AtomicU32, Ordering};

    use daypass_store::{PostgresOptions, PostgresStore};
    use tokio_postgres::{Client, NoTls};

    use super::{Arc, BoxFuture, Duration, Place, Store};

    /// A schema in PostgreSQL.
    pub(crate) struct Schema {
        base: String,
        name: String,
        settings: String,
    }

    impl Schema {
        /// A new schema, if there is a PostgreSQL to test with. `settings` are those of its stores' sessions (`-c a=b`).
        pub(crate) async fn new(settings: &str) -> Option<Self> {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let Ok(base) = std::env::var("DAYPASS_TEST_POSTGRES") else {
                assert!(
                    std::env::var_os("DAYPASS_REQUIRE_POSTGRES").is_none(),
                    "DAYPASS_REQUIRE_POSTGRES is set, but DAYPASS_TEST_POSTGRES is not"
                );
                eprintln!("skipped: DAYPASS_TEST_POSTGRES is not set");
                return None;
            };
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("daypass_test_{}_{count}", std::process::id());
            let schema = Self { base, name, settings: settings.to_owned() };
            let script = format!("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}", schema.name);
            schema.administrator().await.batch_execute(&script).await.unwrap();
            Some(schema)
        }

        /// The URL of its stores; they can be told by their application name, which is the schema's.
        pub(crate) fn url(&self) -> String {
            let Self { base, name, settings } = self;
            let settings =
                format!("-c search_path={name} {settings}").replace(' ', "%20").replace('=', "%3D");
            let separator = if base.contains('?') { '&' } else { '?' };
            format!("{base}{separator}application_name={name}&options={settings}")
        }

        /// The name of the schema.
        pub(crate) fn name(&self) -> &str {
            &self.name
        }

        /// The address of the server.
        pub(crate) fn address(&self) -> (String, u16) {
            let config: tokio_postgres::Config = self.plain_base().parse().unwrap();
            let host = match config.get_hosts().first() {
                Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
                other => panic!("the tests need a server on TCP, not on {other:?}"),
            };
            (host, config.get_ports().first().copied().unwrap_or(5_432))
        }

        /// The URL of its stores, by way of another port of this machine and without TLS.
        pub(crate) fn url_via(&self, port: u16) -> String {
            let (start, rest) =
                self.url().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
            let (_, rest) = rest.split_once('/').unwrap();
            format!("{start}@127.0.0.1:{port}/{}", without_tls(rest))
        }

        /// A connection of the test's own, in the schema.
        pub(crate) async fn administrator(&self) -> Client {
            let (client, connection) = tokio_postgres::connect(&self.plain_base(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(&format!("SET search_path = {}", self.name)).await.unwrap();
            client
        }

        /// Opens a store with other options than the usual ones.
        pub(crate) async fn open_with(&self, options: PostgresOptions) -> PostgresStore {
            PostgresStore::connect(&self.url(), options).await.unwrap()
        }

        pub(crate) async fn remove(self) {
            let script = format!("DROP SCHEMA {} CASCADE", self.name);
            self.administrator().await.batch_execute(&script).await.unwrap();
        }

        fn plain_base(&self) -> String {
            without_tls(&self.base)
        }
    }

    /// A URL, or its end, without the parameters that ask for TLS.
    fn without_tls(url: &str) -> String {
        let Some((start, query)) = url.split_once('?') else {
            return url.to_owned();
        };
        let others: Vec<_> = query.split('&').filter(|pair| !pair.starts_with("ssl")).collect();
        format!("{start}?{}", others.join("&"))
    }

    impl Place for Schema {
        fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
            Box::pin(async {
                let options = PostgresOptions {
                    connect_timeout: Duration::from_secs(60),
                    statement_timeout: Duration::from_secs(60),
                    ..PostgresOptions::default()
                };
                Arc::new(self.open_with(options).await) as Arc<dyn Store>
            })
        }

        fn transactions(&self) -> BoxFuture<'_, usize> {
            Box::pin(async {
                let sql = "SELECT count(DISTINCT xmin::text) FROM record";
                let count: i64 = self.administrator().await.query_one(sql, &[]).await.unwrap().get(0);
                usize::try_from(count).unwrap()
            })
        }
    }
}
