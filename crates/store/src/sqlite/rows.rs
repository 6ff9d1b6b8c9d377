//! The statements of everything but appending, and how rows become values.

use daypass_claims::{Algorithm, Issuer, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use crate::{
    ChainId, Checkpoint, DecisionId, Head, JwksOrigin, KeyPurpose, RecordBody, Revocation, Selector,
    StoredJwks, StoredKey, StoredRecord, UseKey,
};

/// The number of a row. Of a record: its position in the order of commit.
pub(super) type Rowid = i64;

const RECORD: &str = "SELECT c.chain, r.seq, r.time, r.decision, r.body, r.body_hash, r.hash
    FROM record r JOIN chain c ON c.id = r.chain";

pub(super) fn heads(connection: &Connection) -> rusqlite::Result<Vec<Head>> {
    let sql = "SELECT c.chain, r.seq, r.hash, r.time FROM chain c JOIN record r ON r.chain = c.id
        AND r.seq = (SELECT max(seq) FROM record WHERE chain = c.id) ORDER BY c.id";
    let head = |row: &Row<'_>| {
        Ok(Head { chain: chain(row, 0)?, seq: seq(row, 1)?, hash: row.get(2)?, time: timestamp(row, 3)? })
    };
    connection.prepare_cached(sql)?.query_map([], head)?.collect()
}

pub(super) fn records(
    connection: &Connection,
    chain: ChainId,
    from_seq: u64,
    limit: u32,
) -> rusqlite::Result<Vec<StoredRecord>> {
    let Ok(from_seq) = i64::try_from(from_seq) else {
        return Ok(Vec::new());
    };
    let sql = format!("{RECORD} WHERE c.chain = ?1 AND r.seq >= ?2 ORDER BY r.seq LIMIT ?3");
    let values = params![chain.0.as_bytes(), from_seq, limit];
    connection.prepare_cached(&sql)?.query_map(values, stored_record)?.collect()
}

pub(super) fn latest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<StoredRecord>> {
    let sql = format!("{RECORD} ORDER BY r.position DESC LIMIT ?1");
    let mut newest_first =
        connection.prepare_cached(&sql)?.query_map([limit], stored_record)?.collect::<Result<Vec<_>, _>>()?;
    newest_first.reverse();
    Ok(newest_first)
}

pub(super) fn record(
    connection: &Connection,
    decision: DecisionId,
) -> rusqlite::Result<Option<StoredRecord>> {
    let sql = format!("{RECORD} WHERE r.decision = ?1");
    connection.prepare_cached(&sql)?.query_row([decision.0.as_bytes()], stored_record).optional()
}

pub(super) fn drop_bodies(
    transaction: &Transaction<'_>,
    before: Timestamp,
    limit: u32,
) -> rusqlite::Result<usize> {
    let sql = "UPDATE record SET body = NULL WHERE position IN (
        SELECT position FROM record WHERE body IS NOT NULL AND seq > 0 AND time < ?1 ORDER BY time LIMIT ?2)";
    transaction.prepare_cached(sql)?.execute(params![before.as_millis(), limit])
}

pub(super) fn delete_expired_uses(
    transaction: &Transaction<'_>,
    now: Timestamp,
    limit: u32,
) -> rusqlite::Result<Vec<(Rowid, UseKey)>> {
    let sql = "DELETE FROM token_use WHERE record IN (
        SELECT record FROM token_use WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2) RETURNING record, use_key";
    let values = params![now.as_millis(), limit];
    transaction.prepare_cached(sql)?.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

pub(super) fn delete_past_revocations(
    transaction: &Transaction<'_>,
    now: Timestamp,
    limit: u32,
) -> rusqlite::Result<usize> {
    let sql =
        "DELETE FROM revocation WHERE rowid IN (SELECT rowid FROM revocation WHERE forget_at < ?1 LIMIT ?2)";
    transaction.prepare_cached(sql)?.execute(params![now.as_millis(), limit])
}

pub(super) fn put_checkpoint(transaction: &Transaction<'_>, checkpoint: &Checkpoint) -> rusqlite::Result<()> {
    let sql = "INSERT INTO checkpoint (time, statement) VALUES (?1, ?2)";
    transaction
        .prepare_cached(sql)?
        .execute(params![checkpoint.time.as_millis(), checkpoint.statement])
        .map(drop)
}

pub(super) fn checkpoints(connection: &Connection) -> rusqlite::Result<Vec<Checkpoint>> {
    let sql = "SELECT time, statement FROM checkpoint ORDER BY time, id";
    let checkpoint = |row: &Row<'_>| Ok(Checkpoint { time: timestamp(row, 0)?, statement: row.get(1)? });
    connection.prepare_cached(sql)?.query_map([], checkpoint)?.collect()
}

/// `false` if the id or the (purpose, generation) is taken.
pub(super) fn put_key(transaction: &Transaction<'_>, key: &StoredKey) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO wrapped_key (id, purpose, generation, algorithm, public, wrapped, created_at, publish_from,
        use_from, retire_at, remove_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING";
    let values = params![
        key.id,
        key.purpose.as_str(),
        key.generation,
        key.algorithm.map(Algorithm::as_str),
        key.public,
        key.wrapped,
        key.created_at.as_millis(),
        key.publish_from.as_millis(),
        key.use_from.as_millis(),
        key.retire_at.map(Timestamp::as_millis),
        key.remove_at.map(Timestamp::as_millis),
    ];
    Ok(transaction.prepare_cached(sql)?.execute(values)? == 1)
}

pub(super) fn retire_key(
    transaction: &Transaction<'_>,
    id: &str,
    retire_at: Timestamp,
    remove_at: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE wrapped_key SET retire_at = min(coalesce(retire_at, ?2), ?2),
        remove_at = min(coalesce(remove_at, ?3), ?3) WHERE id = ?1";
    let values = params![id, retire_at.as_millis(), remove_at.as_millis()];
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

pub(super) fn remove_keys(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<usize> {
    let sql = "DELETE FROM wrapped_key WHERE remove_at <= ?1";
    transaction.prepare_cached(sql)?.execute([now.as_millis()])
}

pub(super) fn keys(connection: &Connection, purpose: KeyPurpose) -> rusqlite::Result<Vec<StoredKey>> {
    let sql = "SELECT id, purpose, generation, algorithm, public, wrapped, created_at, publish_from, use_from, retire_at,
        remove_at FROM wrapped_key WHERE purpose = ?1 ORDER BY generation";
    connection.prepare_cached(sql)?.query_map([purpose.as_str()], stored_key)?.collect()
}

pub(super) fn revoke(transaction: &Transaction<'_>, revocation: &Revocation) -> rusqlite::Result<()> {
    let sql = "INSERT INTO revocation (kind, issuer, value, not_before, forget_at) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (kind, issuer, value) DO UPDATE SET
            not_before = max(not_before, excluded.not_before), forget_at = max(forget_at, excluded.forget_at)";
    let selector = &revocation.selector;
    let values = params![
        selector.kind(),
        selector.issuer(),
        selector.value(),
        revocation.not_before.as_millis(),
        revocation.forget_at.as_millis(),
    ];
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

pub(super) fn revocations(connection: &Connection, now: Timestamp) -> rusqlite::Result<Vec<Revocation>> {
    let sql = "SELECT kind, issuer, value, not_before, forget_at FROM revocation WHERE forget_at >= ?1
        ORDER BY kind, issuer, value";
    let revocation = |row: &Row<'_>| {
        let (kind, issuer, value): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let selector =
            Selector::from_parts(&kind, &issuer, &value).ok_or_else(|| unknown(0, "revocation", &kind))?;
        Ok(Revocation { selector, not_before: timestamp(row, 3)?, forget_at: timestamp(row, 4)? })
    };
    connection.prepare_cached(sql)?.query_map([now.as_millis()], revocation)?.collect()
}

pub(super) fn put_policy(
    transaction: &Transaction<'_>,
    hash: &[u8; 32],
    document: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO policy (hash, document) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    transaction.prepare_cached(sql)?.execute(params![hash, document]).map(drop)
}

pub(super) fn policy(connection: &Connection, hash: &[u8; 32]) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT document FROM policy WHERE hash = ?1";
    connection.prepare_cached(sql)?.query_row([hash], |row| row.get(0)).optional()
}

pub(super) fn put_jwks(transaction: &Transaction<'_>, jwks: &StoredJwks) -> rusqlite::Result<()> {
    let sql = "INSERT INTO key_set (issuer, origin, document, at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (issuer, origin) DO UPDATE SET document = excluded.document, at = excluded.at";
    let values = params![jwks.issuer.as_str(), jwks.origin.as_str(), jwks.document, jwks.at.as_millis()];
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

pub(super) fn jwks(connection: &Connection) -> rusqlite::Result<Vec<StoredJwks>> {
    let sql = "SELECT issuer, origin, document, at FROM key_set ORDER BY issuer, origin";
    let jwks = |row: &Row<'_>| {
        let (issuer, origin): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(StoredJwks {
            issuer: Issuer::parse(&issuer).map_err(|_| unknown(0, "issuer", &issuer))?,
            origin: JwksOrigin::from_name(&origin).ok_or_else(|| unknown(1, "key set origin", &origin))?,
            document: row.get(2)?,
            at: timestamp(row, 3)?,
        })
    };
    connection.prepare_cached(sql)?.query_map([], jwks)?.collect()
}

/// Sets the mark unless it is set; returns what stands.
pub(super) fn mark(transaction: &Transaction<'_>, name: &str, value: &str) -> rusqlite::Result<String> {
    let sql = "INSERT INTO mark (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = value RETURNING value";
    transaction.prepare_cached(sql)?.query_row([name, value], |row| row.get(0))
}

pub(super) fn marked(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT value FROM mark WHERE name = ?1";
    connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()
}

/// What SQLite finds wrong with the file, at most 100 lines; nothing if it is whole.
pub(super) fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut lines: Vec<String> = connection
        .prepare("PRAGMA integrity_check(100)")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    lines.retain(|line| line != "ok");
    Ok(lines)
}

pub(super) fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

pub(super) fn decision(row: &Row<'_>, column: usize) -> rusqlite::Result<DecisionId> {
    row.get(column).map(Uuid::from_bytes).map(DecisionId)
}

fn chain(row: &Row<'_>, column: usize) -> rusqlite::Result<ChainId> {
    row.get(column).map(Uuid::from_bytes).map(ChainId)
}

fn seq(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let seq: i64 = row.get(column)?;
    u64::try_from(seq).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, seq))
}

fn optional_timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column).map(|millis| millis.map(Timestamp::from_millis))
}

fn stored_record(row: &Row<'_>) -> rusqlite::Result<StoredRecord> {
    Ok(StoredRecord {
        chain: chain(row, 0)?,
        seq: seq(row, 1)?,
        time: timestamp(row, 2)?,
        decision: decision(row, 3)?,
        body: row.get::<_, Option<Vec<u8>>>(4)?.map(RecordBody),
        body_hash: row.get(5)?,
        hash: row.get(6)?,
    })
}

fn stored_key(row: &Row<'_>) -> rusqlite::Result<StoredKey> {
    let purpose: String = row.get(1)?;
    let algorithm = row
        .get::<_, Option<String>>(3)?
        .map(|name| name.parse::<Algorithm>().map_err(|_| unknown(3, "algorithm", &name)))
        .transpose()?;
    Ok(StoredKey {
        id: row.get(0)?,
        purpose: KeyPurpose::from_name(&purpose).ok_or_else(|| unknown(1, "key purpose", &purpose))?,
        generation: row.get(2)?,
        algorithm,
        public: row.get(4)?,
        wrapped: row.get(5)?,
        created_at: timestamp(row, 6)?,
        publish_from: timestamp(row, 7)?,
        use_from: timestamp(row, 8)?,
        retire_at: optional_timestamp(row, 9)?,
        remove_at: optional_timestamp(row, 10)?,
    })
}

fn unknown(column: usize, what: &str, found: &str) -> rusqlite::Error {
    let found: String = found.chars().take(64).collect();
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, format!("unknown {what} `{found}`").into())
}
