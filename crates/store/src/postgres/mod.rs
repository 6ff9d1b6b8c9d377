//! The store of a fleet: replicas over one PostgreSQL, or a database that speaks its protocol.
//!
//! A task owns the connection that appends and commits whatever has queued up as one transaction; a few more
//! connections serve everything else. The SQL keeps to what CockroachDB and YugabyteDB speak, too: no advisory locks,
//! no LISTEN, no COPY, no stored procedures. READ COMMITTED, PostgreSQL's default, is enough, and every higher level
//! is as good: what they refuse is run again.

mod append;
mod errors;
mod link;
mod plan;
mod pool;
mod rows;
mod schema;
mod target;
mod writer;

use std::fmt;
use std::time::Duration;

use daypass_claims::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use self::link::Link;
use self::pool::Pool;
use self::target::Target;
use self::writer::WriterHandle;
use crate::{
    BoxFuture, ChainId, Checkpoint, DecisionId, Entry, Head, KeyPurpose, Receipt, RecordBody, Revocation,
    Store, StoreError, StoredJwks, StoredKey, StoredRecord,
};

/// How many bodies, uses or revocations one transaction drops.
const CHUNK: i64 = 500;

/// How often a transaction is run again because another one was in its way, before [`StoreError::Busy`].
const ATTEMPTS: u32 = 12;

/// The pause before it is, times the number of the attempt.
const PAUSE: Duration = Duration::from_millis(2);

/// How a [`PostgresStore`] behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// How many connections there are at most, beside the one that appends. Default: 4.
    pub connections: usize,
    /// How many entries share a commit at most. Default: 256.
    pub batch: usize,
    /// How many calls may wait for the writer before further callers are made to wait. Default: 1024.
    pub queue: usize,
    /// How long to wait for a connection. Default: 1 s.
    pub connect_timeout: Duration,
    /// How long to wait for a batch or a statement. Default: 5 s.
    pub statement_timeout: Duration,
    /// How long appends wait for a lost connection to come back, before they are refused at once. Default: 1 s.
    pub patience: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 4,
            batch: 256,
            queue: 1_024,
            connect_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(5),
            patience: Duration::from_secs(1),
        }
    }
}

/// A [`Store`] in a PostgreSQL database.
pub struct PostgresStore {
    writer: WriterHandle,
    pool: Pool,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("target", self.pool.target()).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects to the database at a `postgres://` URL and brings its schema up to date. The tables are in the schema
    /// that comes first in the connection's `search_path`.
    ///
    /// Connections that leave the machine are encrypted and the server's certificate is verified, unless the URL says
    /// `sslmode=disable`; `sslrootcert=FILE` trusts the CA certificates in a file instead of the system's.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let target = Target::parse(url)?;
        let link = Link::connect(&target, options.connect_timeout).await?;
        schema::migrate(&link).await?;
        let pool = Pool::new(target.clone(), &options);
        Ok(Self { writer: writer::spawn(target, options, link), pool })
    }

    /// Runs `sql` in chunks until it changes nothing more; returns how many rows it has changed.
    async fn in_chunks(&self, sql: &str, limit: Timestamp) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            let changed =
                self.pool.execute(sql, &[(&limit.as_millis(), Type::INT8), (&CHUNK, Type::INT8)]).await?;
            total += changed;
            if changed == 0 {
                return Ok(total);
            }
        }
    }
}

fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
    rows.iter().map(read).collect()
}

impl Store for PostgresStore {
    fn open_chain(
        &self,
        chain: ChainId,
        decision: DecisionId,
        time: Timestamp,
        genesis: RecordBody,
    ) -> BoxFuture<'_, Result<Receipt, StoreError>> {
        Box::pin(self.writer.open_chain(chain, decision, time, genesis))
    }

    fn append(&self, entry: Entry) -> BoxFuture<'_, Result<Receipt, StoreError>> {
        Box::pin(self.writer.append(entry))
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<Head>, StoreError>> {
        Box::pin(async move {
            let sql = "SELECT c.chain, r.seq, r.hash, r.time FROM chain c CROSS JOIN LATERAL
                (SELECT seq, hash, time FROM record WHERE chain = c.chain ORDER BY seq DESC LIMIT 1) r
                ORDER BY c.opened_at, c.chain";
            all(&self.pool.query(sql, &[]).await?, rows::head)
        })
    }

    fn records(
        &self,
        chain: ChainId,
        from_seq: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, StoreError>> {
        Box::pin(async move {
            let Ok(from_seq) = i64::try_from(from_seq) else {
                return Ok(Vec::new());
            };
            let sql = "SELECT chain, seq, time, decision, body, body_hash, hash FROM record
                WHERE chain = $1 AND seq >= $2 ORDER BY seq LIMIT $3";
            let parameters: [pool::Parameter<'_>; 3] =
                [(&chain.0, Type::UUID), (&from_seq, Type::INT8), (&i64::from(limit), Type::INT8)];
            all(&self.pool.query(sql, &parameters).await?, rows::record)
        })
    }

    fn latest(&self, limit: u32) -> BoxFuture<'_, Result<Vec<StoredRecord>, StoreError>> {
        Box::pin(async move {
            // Decision ids begin with their time, and have an index already.
            let sql = "SELECT chain, seq, time, decision, body, body_hash, hash FROM record
                ORDER BY decision DESC LIMIT $1";
            let rows = self.pool.query(sql, &[(&i64::from(limit), Type::INT8)]).await?;
            let mut records = all(&rows, rows::record)?;
            records.sort_by_key(|record| (record.time, record.chain, record.seq));
            Ok(records)
        })
    }

    fn record(&self, decision: DecisionId) -> BoxFuture<'_, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(async move {
            let sql =
                "SELECT chain, seq, time, decision, body, body_hash, hash FROM record WHERE decision = $1";
            let rows = self.pool.query(sql, &[(&decision.0, Type::UUID)]).await?;
            rows.first().map(rows::record).transpose()
        })
    }

    fn drop_bodies(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let sql = "UPDATE record SET body = NULL WHERE (chain, seq) IN (
                SELECT chain, seq FROM record WHERE body IS NOT NULL AND seq > 0 AND time < $1 ORDER BY time LIMIT $2)";
            self.in_chunks(sql, before).await
        })
    }

    fn put_checkpoint(&self, checkpoint: Checkpoint) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sql = "INSERT INTO checkpoint (time, statement) VALUES ($1, $2)";
            let parameters: [pool::Parameter<'_>; 2] =
                [(&checkpoint.time.as_millis(), Type::INT8), (&checkpoint.statement, Type::TEXT)];
            self.pool.execute_once(sql, &parameters).await.map(drop)
        })
    }

    fn checkpoints(&self) -> BoxFuture<'_, Result<Vec<Checkpoint>, StoreError>> {
        Box::pin(async move {
            let sql = "SELECT time, statement FROM checkpoint ORDER BY time, id";
            all(&self.pool.query(sql, &[]).await?, rows::checkpoint)
        })
    }

    fn put_key(&self, key: StoredKey) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sql =
                "INSERT INTO wrapped_key (id, purpose, generation, algorithm, public, wrapped, created_at,
                publish_from, use_from, retire_at, remove_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
            let parameters: [pool::Parameter<'_>; 11] = [
                (&key.id, Type::TEXT),
                (&key.purpose.as_str(), Type::TEXT),
                (&key.generation, Type::INT8),
                (&key.algorithm.map(daypass_claims::Algorithm::as_str), Type::TEXT),
                (&key.public, Type::TEXT),
                (&key.wrapped, Type::BYTEA),
                (&key.created_at.as_millis(), Type::INT8),
                (&key.publish_from.as_millis(), Type::INT8),
                (&key.use_from.as_millis(), Type::INT8),
                (&key.retire_at.map(Timestamp::as_millis), Type::INT8),
                (&key.remove_at.map(Timestamp::as_millis), Type::INT8),
            ];
            match self.pool.execute_once(sql, &parameters).await? {
                0 => Err(StoreError::Exists("key")),
                _ => Ok(()),
            }
        })
    }

    fn retire_key(
        &self,
        id: &str,
        retire_at: Timestamp,
        remove_at: Timestamp,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let id = id.to_owned();
        Box::pin(async move {
            let sql = "UPDATE wrapped_key SET retire_at = LEAST(COALESCE(retire_at, $2), $2),
                remove_at = LEAST(COALESCE(remove_at, $3), $3) WHERE id = $1";
            let parameters: [pool::Parameter<'_>; 3] = [
                (&id, Type::TEXT),
                (&retire_at.as_millis(), Type::INT8),
                (&remove_at.as_millis(), Type::INT8),
            ];
            self.pool.execute(sql, &parameters).await.map(drop)
        })
    }

    fn remove_keys(&self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let sql = "DELETE FROM wrapped_key WHERE remove_at <= $1";
            self.pool.execute(sql, &[(&now.as_millis(), Type::INT8)]).await
        })
    }

    fn keys(&self, purpose: KeyPurpose) -> BoxFuture<'_, Result<Vec<StoredKey>, StoreError>> {
        Box::pin(async move {
            let sql = "SELECT id, purpose, generation, algorithm, public, wrapped, created_at, publish_from, use_from,
                retire_at, remove_at FROM wrapped_key WHERE purpose = $1 ORDER BY generation";
            all(&self.pool.query(sql, &[(&purpose.as_str(), Type::TEXT)]).await?, rows::key)
        })
    }

    fn revoke(&self, revocation: Revocation) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sql = "INSERT INTO revocation (kind, issuer, value, not_before, forget_at)
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, issuer, value) DO UPDATE SET
                not_before = greatest(revocation.not_before, excluded.not_before),
                forget_at = greatest(revocation.forget_at, excluded.forget_at)";
            let selector = &revocation.selector;
            let parameters: [pool::Parameter<'_>; 5] = [
                (&selector.kind(), Type::TEXT),
                (&selector.issuer(), Type::TEXT),
                (&selector.value(), Type::TEXT),
                (&revocation.not_before.as_millis(), Type::INT8),
                (&revocation.forget_at.as_millis(), Type::INT8),
            ];
            self.pool.execute(sql, &parameters).await.map(drop)
        })
    }

    fn revocations(&self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async move {
            let sql =
                "SELECT kind, issuer, value, not_before, forget_at FROM revocation WHERE forget_at >= $1
                ORDER BY kind, issuer, value";
            all(&self.pool.query(sql, &[(&now.as_millis(), Type::INT8)]).await?, rows::revocation)
        })
    }

    fn put_policy(&self, hash: [u8; 32], document: String) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sql = "INSERT INTO policy (hash, document) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            let parameters: [pool::Parameter<'_>; 2] =
                [(&hash.as_slice(), Type::BYTEA), (&document, Type::TEXT)];
            self.pool.execute(sql, &parameters).await.map(drop)
        })
    }

    fn policy(&self, hash: [u8; 32]) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let sql = "SELECT document FROM policy WHERE hash = $1";
            let rows = self.pool.query(sql, &[(&hash.as_slice(), Type::BYTEA)]).await?;
            rows.first().map(rows::text).transpose()
        })
    }

    fn put_jwks(&self, jwks: StoredJwks) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let sql = "INSERT INTO key_set (issuer, origin, document, at) VALUES ($1, $2, $3, $4)
                ON CONFLICT (issuer, origin) DO UPDATE SET document = excluded.document, at = excluded.at";
            let parameters: [pool::Parameter<'_>; 4] = [
                (&jwks.issuer.as_str(), Type::TEXT),
                (&jwks.origin.as_str(), Type::TEXT),
                (&jwks.document, Type::TEXT),
                (&jwks.at.as_millis(), Type::INT8),
            ];
            self.pool.execute(sql, &parameters).await.map(drop)
        })
    }

    fn jwks(&self) -> BoxFuture<'_, Result<Vec<StoredJwks>, StoreError>> {
        Box::pin(async move {
            let sql = "SELECT issuer, origin, document, at FROM key_set ORDER BY issuer, origin";
            all(&self.pool.query(sql, &[]).await?, rows::jwks)
        })
    }

    fn mark(&self, name: &'static str, value: String) -> BoxFuture<'_, Result<String, StoreError>> {
        Box::pin(async move {
            let sql = "INSERT INTO mark (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            self.pool.execute(sql, &[(&name, Type::TEXT), (&value, Type::TEXT)]).await?;
            self.marked(name).await?.ok_or_else(|| StoreError::Damaged(format!("mark `{name}` is not kept")))
        })
    }

    fn marked(&self, name: &'static str) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let sql = "SELECT value FROM mark WHERE name = $1";
            let rows = self.pool.query(sql, &[(&name, Type::TEXT)]).await?;
            rows.first().map(rows::text).transpose()
        })
    }

    fn sweep(&self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let uses = "DELETE FROM token_use WHERE (use_key, ordinal) IN (
                SELECT use_key, ordinal FROM token_use WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
            let revocations = "DELETE FROM revocation WHERE (kind, issuer, value) IN (
                SELECT kind, issuer, value FROM revocation WHERE forget_at < $1 LIMIT $2)";
            let parameters: [pool::Parameter<'_>; 2] = [(&now.as_millis(), Type::INT8), (&CHUNK, Type::INT8)];
            let swept = self.pool.execute(uses, &parameters).await?;
            Ok(swept + self.pool.execute(revocations, &parameters).await?)
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.pool.execute("UPDATE pulse SET beats = beats + 1 WHERE id = 1", &[]).await.map(drop)
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.writer.close().await;
            self.pool.close().await;
            Ok(())
        })
    }
}
