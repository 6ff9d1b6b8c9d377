//! The log outside of its store: as lines of JSON, one thing a line, in which nothing that hashes cover is rewritten.

use daypass_claims::Timestamp;
use daypass_store::{ChainId, DecisionId, KeyPurpose, RecordBody, Store, StoreError};
use daypass_token::VerificationKey;
use daypass_token::jwk::Jwk;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{FirstBad, LogEntry, SignedCheckpoint, Verifier};

/// How many records are read at a time.
const PAGE: u32 = 1_000;

/// One line of an exported log.
#[derive(Debug)]
pub enum LogLine {
    /// The public half of an audit key.
    Key(Box<VerificationKey>),
    /// An entry.
    Entry(Box<LogEntry>),
    /// A checkpoint.
    Checkpoint(Box<SignedCheckpoint>),
}

/// Why a line is none of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogLineError {
    /// Not JSON, or not one of the lines there are.
    #[error("the line is not one of a log: {0}")]
    Json(String),
    /// A hash or an id that is none.
    #[error("`{0}` is not what it should be")]
    Member(&'static str),
    /// A key that is none.
    #[error("the key is none: {0}")]
    Key(String),
}

/// Exactly one member.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum Line {
    Key(Box<RawValue>),
    Entry(EntryLine),
    Checkpoint(SignedCheckpoint),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    chain: String,
    seq: u64,
    /// Milliseconds since 1970: what the hash covers.
    time: i64,
    decision: String,
    /// The body as it was written, byte for byte, as a string; `null` past its retention.
    body: Option<String>,
    body_hash: String,
    hash: String,
}

impl LogLine {
    /// Reads a line.
    pub fn parse(line: &[u8]) -> Result<Self, LogLineError> {
        let line: Line =
            serde_json::from_slice(line).map_err(|error| LogLineError::Json(error.to_string()))?;
        match line {
            Line::Key(key) => Ok(Self::Key(Box::new(parse_key(key.get())?))),
            Line::Checkpoint(checkpoint) => Ok(Self::Checkpoint(Box::new(checkpoint))),
            Line::Entry(entry) => Ok(Self::Entry(Box::new(LogEntry {
                chain: entry.chain.parse::<ChainId>().map_err(|_| LogLineError::Member("chain"))?,
                seq: entry.seq,
                time: Timestamp::from_millis(entry.time),
                decision: entry
                    .decision
                    .parse::<DecisionId>()
                    .map_err(|_| LogLineError::Member("decision"))?,
                body: entry.body.map(|body| RecordBody(body.into_bytes())),
                body_hash: hash(&entry.body_hash).ok_or(LogLineError::Member("body_hash"))?,
                hash: hash(&entry.hash).ok_or(LogLineError::Member("hash"))?,
            }))),
        }
    }

    /// Writes the line, without its end.
    pub fn to_json(&self) -> Result<String, LogLineError> {
        let json = |error: serde_json::Error| LogLineError::Json(error.to_string());
        let line = match self {
            Self::Key(key) => Line::Key(serde_json::value::to_raw_value(key.jwk()).map_err(json)?),
            Self::Checkpoint(checkpoint) => Line::Checkpoint((**checkpoint).clone()),
            Self::Entry(entry) => Line::Entry(EntryLine {
                chain: entry.chain.to_string(),
                seq: entry.seq,
                time: entry.time.as_millis(),
                decision: entry.decision.to_string(),
                // Bodies are written as JSON. One that is none has been altered, and cannot be exported unaltered.
                body: match &entry.body {
                    None => None,
                    Some(body) => {
                        let text = std::str::from_utf8(&body.0).map_err(|_| LogLineError::Member("body"))?;
                        Some(text.to_owned())
                    }
                },
                body_hash: hex::encode(entry.body_hash),
                hash: hex::encode(entry.hash),
            }),
        };
        serde_json::to_string(&line).map_err(json)
    }

    /// Hands the line to a verifier.
    pub fn check(self, verifier: &mut Verifier, line: Option<u64>) {
        match self {
            Self::Key(key) => verifier.key(*key),
            Self::Entry(entry) => verifier.entry(&entry, line),
            Self::Checkpoint(checkpoint) => verifier.checkpoint(*checkpoint),
        }
    }
}

/// Reads an audit key: a JWK.
fn parse_key(json: &str) -> Result<VerificationKey, LogLineError> {
    Jwk::parse(json.as_bytes())
        .and_then(VerificationKey::new)
        .map_err(|error| LogLineError::Key(error.to_string()))
}

fn hash(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok())
}

/// Reads all that a store holds of the log: keys, then entries, then checkpoints. What does not read is reported to `bad`
/// and passed over; an error is that of the store.
pub async fn read_store(
    store: &dyn Store,
    line: &mut (dyn FnMut(LogLine) + Send),
    bad: &mut (dyn FnMut(FirstBad) + Send),
) -> Result<(), StoreError> {
    for key in store.keys(KeyPurpose::Audit).await? {
        match key.public.as_deref().map(parse_key) {
            Some(Ok(key)) => line(LogLine::Key(Box::new(key))),
            Some(Err(error)) => bad(FirstBad::elsewhere(format!("audit key {}: {error}", key.id))),
            None => bad(FirstBad::elsewhere(format!("audit key {} has no public half", key.id))),
        }
    }
    for head in store.heads().await? {
        let mut next = 0_u64;
        loop {
            let records = match store.records(head.chain, next, PAGE).await {
                Err(StoreError::Damaged(why)) => {
                    let chain = head.chain.to_string();
                    let problem = format!("an entry from here on does not read: {why}");
                    bad(FirstBad { chain, seq: next, line: None, decision: None, problem });
                    break;
                }
                records => records?,
            };
            let Some(last) = records.last() else { break };
            next = last.seq.saturating_add(1);
            for record in records {
                line(LogLine::Entry(Box::new(record.into())));
            }
        }
    }
    for checkpoint in store.checkpoints().await? {
        match serde_json::from_str(&checkpoint.statement) {
            Ok(signed) => line(LogLine::Checkpoint(Box::new(signed))),
            Err(error) => bad(FirstBad::elsewhere(format!("a checkpoint does not read: {error}"))),
        }
    }
    Ok(())
}
