//! How rows become values. Whatever does not fit is damage, not a panic.

use daypass_claims::{Algorithm, Issuer, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::rule::Taken;
use crate::{
    ChainId, Checkpoint, DecisionId, Head, JwksOrigin, KeyPurpose, RecordBody, Revocation, Selector,
    StoreError, StoredJwks, StoredKey, StoredRecord, UseKey,
};

type Result<T> = std::result::Result<T, StoreError>;

/// use_key, ordinal, request, decision, at, sealed
pub(super) fn taken(row: &Row) -> Result<(UseKey, Taken)> {
    let ordinal: i64 = get(row, 1)?;
    let taken = Taken {
        ordinal: u32::try_from(ordinal).map_err(|_| damaged("ordinal", &ordinal.to_string()))?,
        request: hash(row, 2)?,
        decision: DecisionId(get(row, 3)?),
        at: timestamp(row, 4)?,
        sealed: get(row, 5)?,
    };
    Ok((hash(row, 0)?, taken))
}

/// chain, seq, hash, time
pub(super) fn head(row: &Row) -> Result<Head> {
    Ok(Head { chain: chain(row, 0)?, seq: seq(row, 1)?, hash: hash(row, 2)?, time: timestamp(row, 3)? })
}

/// chain, seq, time, decision, body, body_hash, hash
pub(super) fn record(row: &Row) -> Result<StoredRecord> {
    Ok(StoredRecord {
        chain: chain(row, 0)?,
        seq: seq(row, 1)?,
        time: timestamp(row, 2)?,
        decision: DecisionId(get(row, 3)?),
        body: get::<Option<Vec<u8>>>(row, 4)?.map(RecordBody),
        body_hash: hash(row, 5)?,
        hash: hash(row, 6)?,
    })
}

/// time, statement
pub(super) fn checkpoint(row: &Row) -> Result<Checkpoint> {
    Ok(Checkpoint { time: timestamp(row, 0)?, statement: get(row, 1)? })
}

/// id, purpose, generation, algorithm, public, wrapped, created_at, publish_from, use_from, retire_at, remove_at
pub(super) fn key(row: &Row) -> Result<StoredKey> {
    let purpose: String = get(row, 1)?;
    let algorithm = get::<Option<String>>(row, 3)?
        .map(|name| name.parse::<Algorithm>().map_err(|_| damaged("algorithm", &name)))
        .transpose()?;
    Ok(StoredKey {
        id: get(row, 0)?,
        purpose: KeyPurpose::from_name(&purpose).ok_or_else(|| damaged("key purpose", &purpose))?,
        generation: get(row, 2)?,
        algorithm,
        public: get(row, 4)?,
        wrapped: get(row, 5)?,
        created_at: timestamp(row, 6)?,
        publish_from: timestamp(row, 7)?,
        use_from: timestamp(row, 8)?,
        retire_at: get::<Option<i64>>(row, 9)?.map(Timestamp::from_millis),
        remove_at: get::<Option<i64>>(row, 10)?.map(Timestamp::from_millis),
    })
}

/// kind, issuer, value, not_before, forget_at
pub(super) fn revocation(row: &Row) -> Result<Revocation> {
    let (kind, issuer, value): (String, String, String) = (get(row, 0)?, get(row, 1)?, get(row, 2)?);
    let selector =
        Selector::from_parts(&kind, &issuer, &value).ok_or_else(|| damaged("revocation", &kind))?;
    Ok(Revocation { selector, not_before: timestamp(row, 3)?, forget_at: timestamp(row, 4)? })
}

/// issuer, origin, document, at
pub(super) fn jwks(row: &Row) -> Result<StoredJwks> {
    let (issuer, origin): (String, String) = (get(row, 0)?, get(row, 1)?);
    Ok(StoredJwks {
        issuer: Issuer::parse(&issuer).map_err(|_| damaged("issuer", &issuer))?,
        origin: JwksOrigin::from_name(&origin).ok_or_else(|| damaged("key set origin", &origin))?,
        document: get(row, 2)?,
        at: timestamp(row, 3)?,
    })
}

/// A single column.
pub(super) fn text(row: &Row) -> Result<String> {
    get(row, 0)
}

pub(super) fn seq(row: &Row, column: usize) -> Result<u64> {
    let seq: i64 = get(row, column)?;
    u64::try_from(seq).map_err(|_| damaged("place on a chain", &seq.to_string()))
}

pub(super) fn hash(row: &Row, column: usize) -> Result<[u8; 32]> {
    let bytes: &[u8] = get(row, column)?;
    bytes.try_into().map_err(|_| damaged("hash", &hex::encode(bytes)))
}

fn chain(row: &Row, column: usize) -> Result<ChainId> {
    get::<Uuid>(row, column).map(ChainId)
}

fn timestamp(row: &Row, column: usize) -> Result<Timestamp> {
    get(row, column).map(Timestamp::from_millis)
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T> {
    row.try_get(column).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn damaged(what: &str, found: &str) -> StoreError {
    let found: String = found.chars().take(64).collect();
    StoreError::Damaged(format!("unknown {what} `{found}`"))
}
