//! Inserts: the record and the use of a token, hashed and chained, 64 to a commit that is on disk.

use std::path::Path;

use anyhow::Result;
use aws_lc_rs::digest::{Context, SHA256, digest};
use rusqlite::{Connection, params};

use super::Sample;
use crate::cores::micros_each;

/// How many exchanges share a commit.
const BATCH: usize = 64;
const SCHEMA: &str = include_str!("../../../crates/store/migrations/sqlite/0001_initial.sql");
/// As the product opens its database.
const SETTINGS: &str = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 500; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON";
const INSERT_RECORD: &str = "INSERT INTO record (chain, seq, decision, time, body_hash, hash, body)
    VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)";
const INSERT_USE: &str = "INSERT INTO token_use (record, use_key, ordinal, request, expires_at, sealed)
    VALUES (?1, ?2, 1, ?3, ?4, ?5)";

/// The microseconds of CPU for one exchange's rows, in a database of its own.
pub(super) fn micros(sample: &Sample, directory: &Path, batches: usize) -> Result<f64> {
    let directory = tempfile::Builder::new().prefix("ceiling-").tempdir_in(directory)?;
    let mut connection = Connection::open(directory.path().join("ceiling.sqlite3"))?;
    connection.execute_batch(SETTINGS)?;
    connection.execute_batch(SCHEMA)?;
    connection.execute_batch("INSERT INTO chain (chain) VALUES (zeroblob(16))")?;
    let sealed = vec![7_u8; sample.sealed];
    let mut previous = [0; 32];
    let each_batch = micros_each(batches, |batch| {
        let transaction = connection.transaction()?;
        {
            let mut insert_record = transaction.prepare_cached(INSERT_RECORD)?;
            let mut insert_use = transaction.prepare_cached(INSERT_USE)?;
            for entry in 0..BATCH {
                let seq = i64::try_from(batch * BATCH + entry + 1)?;
                // Ids of decisions sort by time, those of tokens by nothing.
                let decision = [[0; 8], seq.to_be_bytes()].concat();
                let body_hash = digest(&SHA256, &sample.record);
                let hash = link(&previous, body_hash.as_ref(), seq);
                insert_record.execute(params![
                    seq,
                    decision,
                    seq,
                    body_hash.as_ref(),
                    hash,
                    sample.record
                ])?;
                insert_use.execute(params![seq, hash, body_hash.as_ref(), seq, sealed])?;
                previous = hash;
            }
        }
        Ok(transaction.commit()?)
    })?;
    Ok(each_batch / BATCH as f64)
}

fn link(previous: &[u8; 32], body_hash: &[u8], seq: i64) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(previous);
    context.update(body_hash);
    context.update(&seq.to_be_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
