//! Checking a log afterwards: that every chain links, from its genesis to its head, that nothing that was once signed for
//! has changed, and, where something has, exactly what.

use std::collections::BTreeMap;

use daypass_claims::Timestamp;
use daypass_store::chain::{START, body_hash, link};
use daypass_store::{ChainId, DecisionId, RecordBody, StoredRecord};
use daypass_token::VerificationKey;
use serde::Serialize;

use super::checkpoint::{check_signature, genesis_text};
use super::{Record, RecordKind, SignedCheckpoint};

/// One entry, wherever it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its chain.
    pub chain: ChainId,
    /// Its place.
    pub seq: u64,
    /// When it was written.
    pub time: Timestamp,
    /// The decision.
    pub decision: DecisionId,
    /// The body, unless its retention has ended.
    pub body: Option<RecordBody>,
    /// The stored hash of the body.
    pub body_hash: [u8; 32],
    /// The stored hash of the entry.
    pub hash: [u8; 32],
}

/// What is checked.
#[derive(Debug, Default)]
pub struct Log {
    /// All entries, in any order.
    pub entries: Vec<LogEntry>,
    /// Checkpoints that were kept with the log.
    pub checkpoints: Vec<SignedCheckpoint>,
    /// Checkpoints that were kept elsewhere, where whoever can write the log cannot.
    pub outside: Vec<SignedCheckpoint>,
    /// The public halves of the audit keys.
    pub keys: Vec<VerificationKey>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Whether everything holds.
    pub ok: bool,
    /// How many entries there are.
    pub records: u64,
    /// How many chains.
    pub chains: usize,
    /// The first thing that does not hold.
    pub first_bad: Option<FirstBad>,
    /// Everything that does not hold, up to a hundred.
    pub bad: Vec<FirstBad>,
    /// How far the answer reaches: `append-only up to ...` with checkpoints kept outside, else `self-consistent only`.
    pub scope: String,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FirstBad {
    /// The chain.
    pub chain: String,
    /// The place on it.
    pub seq: u64,
    /// The decision there, if it can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What is wrong: altered, removed, reordered, forged.
    pub problem: String,
}

impl From<StoredRecord> for LogEntry {
    fn from(record: StoredRecord) -> Self {
        let StoredRecord { chain, seq, time, decision, body, body_hash, hash } = record;
        Self { chain, seq, time, decision, body, body_hash, hash }
    }
}

/// Checks a log.
pub fn verify(log: &Log) -> Verification {
    let mut chains: BTreeMap<ChainId, Vec<&LogEntry>> = BTreeMap::new();
    for entry in &log.entries {
        chains.entry(entry.chain).or_default().push(entry);
    }
    let mut bad = Vec::new();
    for (chain, entries) in &mut chains {
        entries.sort_by_key(|entry| entry.seq);
        check_chain(*chain, entries, &log.keys, &mut bad);
    }
    for (checkpoints, place) in [(&log.checkpoints, "kept with the log"), (&log.outside, "kept outside")] {
        for checkpoint in checkpoints {
            check_checkpoint(checkpoint, place, &chains, &log.keys, &mut bad);
        }
    }
    check_follows(&chains, &mut bad);
    bad.truncate(100);
    let last_outside = log.outside.iter().map(|signed| signed.checkpoint.time.as_str()).max();
    Verification {
        ok: bad.is_empty(),
        records: log.entries.len() as u64,
        chains: chains.len(),
        first_bad: bad.first().cloned(),
        bad,
        scope: last_outside.map_or_else(
            || "self-consistent only: no checkpoint from outside was given".to_owned(),
            |time| format!("append-only up to the outside checkpoint of {time}"),
        ),
    }
}

fn check_chain(chain: ChainId, entries: &[&LogEntry], keys: &[VerificationKey], bad: &mut Vec<FirstBad>) {
    let mut previous = START;
    let mut expected = 0_u64;
    for entry in entries {
        let mut report = |problem: String| {
            bad.push(FirstBad {
                chain: chain.to_string(),
                seq: entry.seq,
                decision: Some(entry.decision.to_string()),
                problem,
            });
        };
        if entry.seq < expected {
            report("the place is taken twice: an entry was inserted".to_owned());
            continue;
        }
        let gap = entry.seq > expected;
        if gap {
            let last = entry.seq.saturating_sub(1);
            report(match entry.seq - expected {
                1 => format!("entry {expected} before it was removed"),
                _ => format!("entries {expected} to {last} before it were removed"),
            });
        }
        if let Some(body) = &entry.body {
            if body_hash(&body.0) != entry.body_hash {
                report("the body was altered: it does not have the hash that was recorded".to_owned());
            }
            if let Some(problem) = check_body(entry, body, chain, keys) {
                report(problem);
            }
        } else if entry.seq == 0 {
            report("the genesis has no body".to_owned());
        }
        // After a gap the link cannot be computed; the entry itself is then all there is to go on.
        let linked = link(chain, entry.seq, entry.time, &entry.body_hash, &previous);
        if !gap && linked != entry.hash {
            report("the entry was altered or moved: it does not link to the one before it".to_owned());
        }
        previous = entry.hash;
        expected = entry.seq.saturating_add(1);
    }
}

/// The columns beside the body say what the body says, and a genesis is signed.
fn check_body(
    entry: &LogEntry,
    body: &RecordBody,
    chain: ChainId,
    keys: &[VerificationKey],
) -> Option<String> {
    let record = match Record::from_body(body) {
        Ok(record) => record,
        Err(error) => return Some(format!("the body is not a record: {error}")),
    };
    if record.id != entry.decision.to_string() {
        return Some(format!("the body is that of decision {}", record.id));
    }
    if record.time != entry.time.to_string() {
        return Some(format!("the body says {}, the entry {}", record.time, entry.time));
    }
    match (&record.kind, entry.seq) {
        (RecordKind::Genesis(genesis), 0) => {
            if genesis.chain != chain.to_string() {
                return Some(format!("the genesis is that of chain {}", genesis.chain));
            }
            let text = genesis_text(&genesis.chain, &record.time, &genesis.follows);
            check_signature(keys, &genesis.key, &text, &genesis.signature)
                .err()
                .map(|error| format!("the genesis is forged: {error}"))
        }
        (RecordKind::Genesis(_), _) => Some("a genesis in the middle of a chain".to_owned()),
        (_, 0) => Some("the chain does not begin with a genesis".to_owned()),
        _ => None,
    }
}

type Chains<'a> = BTreeMap<ChainId, Vec<&'a LogEntry>>;

/// What a chain follows must be there, as it was.
fn check_follows(chains: &Chains<'_>, bad: &mut Vec<FirstBad>) {
    for entries in chains.values() {
        let genesis = entries.first().and_then(|entry| Record::from_body(entry.body.as_ref()?).ok());
        let Some(RecordKind::Genesis(genesis)) = genesis.map(|record| record.kind) else { continue };
        for head in &genesis.follows {
            check_head(head, &format!("chain {} follows it", genesis.chain), chains, bad);
        }
    }
}

fn check_checkpoint(
    signed: &SignedCheckpoint,
    place: &str,
    chains: &Chains<'_>,
    keys: &[VerificationKey],
    bad: &mut Vec<FirstBad>,
) {
    match signed.verify(keys) {
        Err(error) => bad.push(FirstBad {
            chain: String::new(),
            seq: 0,
            decision: None,
            problem: format!("the checkpoint of {} ({place}) is forged: {error}", signed.checkpoint.time),
        }),
        Ok(checkpoint) => {
            for head in &checkpoint.heads {
                check_head(
                    head,
                    &format!("the checkpoint of {} ({place}) vouches for it", checkpoint.time),
                    chains,
                    bad,
                );
            }
        }
    }
}

fn check_head(head: &super::HeadStatement, why: &str, chains: &Chains<'_>, bad: &mut Vec<FirstBad>) {
    let chain = head.chain.parse::<ChainId>().ok();
    let entry = chain.and_then(|chain| chains.get(&chain)?.iter().find(|entry| entry.seq == head.seq));
    let problem = match entry {
        None => "the entry was removed",
        Some(entry) if hex::encode(entry.hash) != head.hash => "the entry was replaced",
        Some(_) => return,
    };
    let found = FirstBad {
        chain: head.chain.clone(),
        seq: head.seq,
        decision: entry.map(|entry| entry.decision.to_string()),
        problem: format!("{problem}; {why}"),
    };
    if !bad.iter().any(|known| (&known.chain, known.seq) == (&found.chain, found.seq)) {
        bad.push(found);
    }
}
