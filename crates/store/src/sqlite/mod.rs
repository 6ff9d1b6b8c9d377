//! The store of a single server: one SQLite file in the data directory.
//!
//! A thread owns the connection that writes and commits whatever has queued up as one transaction; another owns the
//! connection that reads. Several processes may have the file open (an admin command beside the server): each
//! appends to its own chain, and SQLite lets one write at a time.

mod append;
mod errors;
mod open;
mod reader;
mod rows;
mod schema;
mod uses;
mod writer;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use daypass_claims::Timestamp;

use self::reader::ReaderHandle;
use self::writer::WriterHandle;
use crate::{
    BoxFuture, ChainId, Checkpoint, DecisionId, Entry, Head, KeyPurpose, Receipt, RecordBody, Revocation,
    Store, StoreError, StoredJwks, StoredKey, StoredRecord,
};

/// How many bodies or uses one transaction drops: a few milliseconds, so that appends do not wait long.
const CHUNK: u32 = 500;

/// How a [`SqliteStore`] behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Make the directory (mode 0700) and the database (0600) if they are not there. Default: no.
    pub create: bool,
    /// How long to wait for another process that writes, before [`StoreError::Busy`]. Default: 2 s.
    pub busy_timeout: Duration,
    /// How many entries share a commit at most. Default: 256.
    pub batch: usize,
    /// How many calls may wait for the writer before further callers are made to wait. Default: 1024.
    pub queue: usize,
    /// A bound on the size of the file, in pages of 8 KiB; beyond it is [`StoreError::Full`]. Default: none.
    pub max_pages: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            create: false,
            busy_timeout: Duration::from_secs(2),
            batch: 256,
            queue: 1_024,
            max_pages: None,
        }
    }
}

/// A [`Store`] in one SQLite file.
pub struct SqliteStore {
    /// `None` if opened for reading only.
    writer: Option<WriterHandle>,
    reader: ReaderHandle,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("read_only", &self.writer.is_none()).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the database `daypass.sqlite3` in `dir` and brings its schema up to date. Blocks; made for startup.
    pub fn open(dir: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        let path = open::locate(dir, options.create)?;
        let writing = open::for_writing(&path, options)?;
        let reading = open::for_reading(&path, options.busy_timeout)?;
        Ok(Self { writer: Some(writer::spawn(&path, writing, options)?), reader: reader::spawn(reading)? })
    }

    /// Opens the database in `dir` for reading only, such as a copy to be verified. Nothing is written, and nothing
    /// is made beside the file, unless there is a write-ahead log to be read with it. Every call that would write
    /// answers [`StoreError::ReadOnly`]. Blocks.
    pub fn open_read_only(dir: &Path) -> Result<Self, StoreError> {
        let path = open::locate(dir, false)?;
        let reading = open::at_rest(&path, SqliteOptions::default().busy_timeout)?;
        Ok(Self { writer: None, reader: reader::spawn(reading)? })
    }

    /// What SQLite finds wrong with its pages and indexes, one finding each; none if the file is whole. Says nothing
    /// about the chains of hashes, which a well-formed forgery would break.
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.reader.read(rows::integrity).await
    }

    fn writer(&self) -> Result<&WriterHandle, StoreError> {
        self.writer.as_ref().ok_or(StoreError::ReadOnly)
    }
}

impl Store for SqliteStore {
    fn open_chain(
        &self,
        chain: ChainId,
        decision: DecisionId,
        time: Timestamp,
        genesis: RecordBody,
    ) -> BoxFuture<'_, Result<Receipt, StoreError>> {
        Box::pin(async move { self.writer()?.open_chain(chain, decision, time, genesis).await })
    }

    fn append(&self, entry: Entry) -> BoxFuture<'_, Result<Receipt, StoreError>> {
        Box::pin(async move { self.writer()?.append(entry).await })
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<Head>, StoreError>> {
        Box::pin(self.reader.read(rows::heads))
    }

    fn records(
        &self,
        chain: ChainId,
        from_seq: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, StoreError>> {
        Box::pin(self.reader.read(move |connection| rows::records(connection, chain, from_seq, limit)))
    }

    fn latest(&self, limit: u32) -> BoxFuture<'_, Result<Vec<StoredRecord>, StoreError>> {
        Box::pin(self.reader.read(move |connection| rows::latest(connection, limit)))
    }

    fn record(&self, decision: DecisionId) -> BoxFuture<'_, Result<Option<StoredRecord>, StoreError>> {
        Box::pin(self.reader.read(move |connection| rows::record(connection, decision)))
    }

    fn drop_bodies(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let mut dropped = 0;
            loop {
                let count = self.writer()?.write(move |tx| rows::drop_bodies(tx, before, CHUNK)).await?;
                dropped += count as u64;
                if count == 0 {
                    return Ok(dropped);
                }
            }
        })
    }

    fn put_checkpoint(&self, checkpoint: Checkpoint) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.writer()?.write(move |tx| rows::put_checkpoint(tx, &checkpoint)).await })
    }

    fn checkpoints(&self) -> BoxFuture<'_, Result<Vec<Checkpoint>, StoreError>> {
        Box::pin(self.reader.read(rows::checkpoints))
    }

    fn put_key(&self, key: StoredKey) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let added = self.writer()?.write(move |tx| rows::put_key(tx, &key)).await?;
            if added { Ok(()) } else { Err(StoreError::Exists("key")) }
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
            self.writer()?.write(move |tx| rows::retire_key(tx, &id, retire_at, remove_at)).await
        })
    }

    fn remove_keys(&self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let removed = self.writer()?.write(move |tx| rows::remove_keys(tx, now)).await?;
            Ok(removed as u64)
        })
    }

    fn keys(&self, purpose: KeyPurpose) -> BoxFuture<'_, Result<Vec<StoredKey>, StoreError>> {
        Box::pin(self.reader.read(move |connection| rows::keys(connection, purpose)))
    }

    fn revoke(&self, revocation: Revocation) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.writer()?.write(move |tx| rows::revoke(tx, &revocation)).await })
    }

    fn revocations(&self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Revocation>, StoreError>> {
        Box::pin(self.reader.read(move |connection| rows::revocations(connection, now)))
    }

    fn put_policy(&self, hash: [u8; 32], document: String) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.writer()?.write(move |tx| rows::put_policy(tx, &hash, &document)).await })
    }

    fn policy(&self, hash: [u8; 32]) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        Box::pin(self.reader.read(move |connection| rows::policy(connection, &hash)))
    }

    fn put_jwks(&self, jwks: StoredJwks) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.writer()?.write(move |tx| rows::put_jwks(tx, &jwks)).await })
    }

    fn jwks(&self) -> BoxFuture<'_, Result<Vec<StoredJwks>, StoreError>> {
        Box::pin(self.reader.read(rows::jwks))
    }

    fn mark(&self, name: &'static str, value: String) -> BoxFuture<'_, Result<String, StoreError>> {
        Box::pin(async move { self.writer()?.write(move |tx| rows::mark(tx, name, &value)).await })
    }

    fn marked(&self, name: &'static str) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        Box::pin(self.reader.read(move |connection| rows::marked(connection, name)))
    }

    fn sweep(&self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let uses = self.writer()?.sweep_uses(now, CHUNK).await?;
            let revocations =
                self.writer()?.write(move |tx| rows::delete_past_revocations(tx, now, CHUNK)).await?;
            Ok((uses + revocations) as u64)
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.writer()?.check().await })
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            // The connection that writes goes last: it leaves no write-ahead log behind.
            self.reader.close().await;
            if let Some(writer) = &self.writer {
                writer.close().await;
            }
            Ok(())
        })
    }
}
