//! Checking a log afterwards: that every chain links, from its genesis to its head, that nothing that was once signed for
//! has changed, and, where something has, exactly what.

use std::collections::BTreeMap;

use daypass_claims::Timestamp;
use daypass_store::chain::{START, body_hash, link};
use daypass_store::{ChainId, DecisionId, RecordBody, StoredRecord};
use daypass_token::VerificationKey;
use serde::Serialize;

use super::checkpoint::{check_signature, genesis_text};
use super::{GenesisRecord, Record, RecordKind, SignedCheckpoint};

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
    /// The chain; empty where what was altered lies on none.
    pub chain: String,
    /// The place on it.
    pub seq: u64,
    /// The line of the file, where the log was read from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The decision there, if it can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What is wrong: altered, removed, reordered, forged.
    pub problem: String,
}

impl FirstBad {
    /// Something wrong that lies on no chain.
    pub fn elsewhere(problem: impl Into<String>) -> Self {
        Self { chain: String::new(), seq: 0, line: None, decision: None, problem: problem.into() }
    }
}

impl From<StoredRecord> for LogEntry {
    fn from(record: StoredRecord) -> Self {
        let StoredRecord { chain, seq, time, decision, body, body_hash, hash } = record;
        Self { chain, seq, time, decision, body, body_hash, hash }
    }
}

/// Checks a log entry by entry. Bodies are looked at once and not kept, so a log may be larger than memory.
#[derive(Debug, Default)]
pub struct Verifier {
    chains: BTreeMap<ChainId, Vec<Link>>,
    geneses: Vec<(ChainId, String, GenesisRecord)>,
    keys: Vec<VerificationKey>,
    checkpoints: Vec<(SignedCheckpoint, &'static str)>,
    records: u64,
    last_outside: Option<String>,
    bad: Vec<FirstBad>,
}

/// What is kept of an entry.
#[derive(Debug)]
struct Link {
    seq: u64,
    line: Option<u64>,
    time: Timestamp,
    decision: DecisionId,
    body_hash: [u8; 32],
    hash: [u8; 32],
    problems: Vec<String>,
}

impl Verifier {
    /// Nothing has been read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The public half of an audit key: geneses and checkpoints must be signed by one of them.
    pub fn key(&mut self, key: VerificationKey) {
        self.keys.push(key);
    }

    /// A checkpoint that was kept with the log.
    pub fn checkpoint(&mut self, checkpoint: SignedCheckpoint) {
        self.checkpoints.push((checkpoint, "kept with the log"));
    }

    /// A checkpoint that was kept elsewhere, where whoever can write the log cannot.
    pub fn outside(&mut self, checkpoint: SignedCheckpoint) {
        let time = checkpoint.checkpoint.time.clone();
        self.last_outside = self.last_outside.take().max(Some(time));
        self.checkpoints.push((checkpoint, "kept outside"));
    }

    /// Something that could not be read at all.
    pub fn unreadable(&mut self, bad: FirstBad) {
        self.bad.push(bad);
    }

    /// An entry, and the line it stands on where it comes from a file. The order does not matter.
    pub fn entry(&mut self, entry: &LogEntry, line: Option<u64>) {
        self.records = self.records.saturating_add(1);
        let LogEntry { chain, seq, time, decision, body_hash: stored, hash, .. } = *entry;
        let mut problems = Vec::new();
        if let Some(body) = &entry.body {
            if body_hash(&body.0) != stored {
                problems.push("the body was altered: it does not have the hash that was recorded".to_owned());
            }
            match check_body(entry, body) {
                Ok(Some((time, genesis))) => self.geneses.push((chain, time, genesis)),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        } else if seq == 0 {
            problems.push("the genesis has no body".to_owned());
        }
        let link = Link { seq, line, time, decision, body_hash: stored, hash, problems };
        self.chains.entry(chain).or_default().push(link);
    }

    /// What was found.
    pub fn finish(mut self) -> Verification {
        let mut bad = std::mem::take(&mut self.bad);
        for (chain, links) in &mut self.chains {
            links.sort_by_key(|link| link.seq);
            check_chain(*chain, links, &mut bad);
        }
        for (chain, time, genesis) in &self.geneses {
            let text = genesis_text(&genesis.chain, time, &genesis.follows);
            if let Err(error) = check_signature(&self.keys, &genesis.key, &text, &genesis.signature) {
                let first = self.chains.get(chain).and_then(|links| links.first());
                bad.push(FirstBad {
                    chain: chain.to_string(),
                    seq: 0,
                    line: first.and_then(|link| link.line),
                    decision: first.map(|link| link.decision.to_string()),
                    problem: format!("the genesis is forged: {error}"),
                });
            }
        }
        for (checkpoint, place) in &self.checkpoints {
            self.check_checkpoint(checkpoint, place, &mut bad);
        }
        for (_, _, genesis) in &self.geneses {
            for head in &genesis.follows {
                self.check_head(head, &format!("chain {} follows it", genesis.chain), &mut bad);
            }
        }
        bad.truncate(100);
        Verification {
            ok: bad.is_empty(),
            records: self.records,
            chains: self.chains.len(),
            first_bad: bad.first().cloned(),
            bad,
            scope: self.last_outside.map_or_else(
                || "self-consistent only: no checkpoint from outside was given".to_owned(),
                |time| format!("append-only up to the outside checkpoint of {time}"),
            ),
        }
    }

    fn check_checkpoint(&self, signed: &SignedCheckpoint, place: &str, bad: &mut Vec<FirstBad>) {
        match signed.verify(&self.keys) {
            Err(error) => {
                let time = &signed.checkpoint.time;
                bad.push(FirstBad::elsewhere(format!(
                    "the checkpoint of {time} ({place}) is forged: {error}"
                )));
            }
            Ok(checkpoint) => {
                for head in &checkpoint.heads {
                    let why = format!("the checkpoint of {} ({place}) vouches for it", checkpoint.time);
                    self.check_head(head, &why, bad);
                }
            }
        }
    }

    /// What was vouched for must be there, as it was.
    fn check_head(&self, head: &super::HeadStatement, why: &str, bad: &mut Vec<FirstBad>) {
        let chain = head.chain.parse::<ChainId>().ok();
        let links = chain.and_then(|chain| self.chains.get(&chain));
        // Sorted by now, so a long chain with many checkpoints is still quickly checked.
        let link = links.and_then(|links| {
            let at = links.partition_point(|link| link.seq < head.seq);
            links.get(at).filter(|link| link.seq == head.seq)
        });
        let problem = match link {
            None => "the entry was removed",
            Some(link) if hex::encode(link.hash) != head.hash => "the entry was replaced",
            Some(_) => return,
        };
        if bad.iter().any(|known| (&known.chain, known.seq) == (&head.chain, head.seq)) {
            return;
        }
        bad.push(FirstBad {
            chain: head.chain.clone(),
            seq: head.seq,
            line: link.and_then(|link| link.line),
            decision: link.map(|link| link.decision.to_string()),
            problem: format!("{problem}; {why}"),
        });
    }
}

fn check_chain(chain: ChainId, links: &[Link], bad: &mut Vec<FirstBad>) {
    let mut previous = START;
    let mut expected = 0_u64;
    for one in links {
        let mut report = |problem: String| {
            bad.push(FirstBad {
                chain: chain.to_string(),
                seq: one.seq,
                line: one.line,
                decision: Some(one.decision.to_string()),
                problem,
            });
        };
        if one.seq < expected {
            report("the place is taken twice: an entry was inserted".to_owned());
            continue;
        }
        let gap = one.seq > expected;
        if gap {
            let last = one.seq.saturating_sub(1);
            report(match one.seq.saturating_sub(expected) {
                1 => format!("entry {expected} before it was removed"),
                _ => format!("entries {expected} to {last} before it were removed"),
            });
        }
        one.problems.iter().cloned().for_each(&mut report);
        // After a gap the link cannot be computed; the entry itself is then all there is to go on.
        let linked = link(chain, one.seq, one.time, &one.body_hash, &previous);
        if !gap && linked != one.hash {
            report("the entry was altered or moved: it does not link to the one before it".to_owned());
        }
        previous = one.hash;
        expected = one.seq.saturating_add(1);
    }
}

/// The columns beside the body say what the body says. A genesis is returned, with its time: whether it is signed is seen
/// when all keys are known.
fn check_body(entry: &LogEntry, body: &RecordBody) -> Result<Option<(String, GenesisRecord)>, String> {
    let record = Record::from_body(body).map_err(|error| format!("the body is not a record: {error}"))?;
    if record.id != entry.decision.to_string() {
        return Err(format!("the body is that of decision {}", record.id));
    }
    if record.time != entry.time.to_string() {
        return Err(format!("the body says {}, the entry {}", record.time, entry.time));
    }
    match (record.kind, entry.seq) {
        (RecordKind::Genesis(genesis), 0) if genesis.chain == entry.chain.to_string() => {
            Ok(Some((record.time, genesis)))
        }
        (RecordKind::Genesis(genesis), 0) => Err(format!("the genesis is that of chain {}", genesis.chain)),
        (RecordKind::Genesis(_), _) => Err("a genesis in the middle of a chain".to_owned()),
        (_, 0) => Err("the chain does not begin with a genesis".to_owned()),
        _ => Ok(None),
    }
}
