//! Ids, entries and checks for all tests.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use daypass_claims::Timestamp;
use daypass_store::{
    BoxFuture, ChainId, DecisionId, Entry, Receipt, RecordBody, Store, StoreError, StoredRecord, UseOutcome,
    UseRequest, chain,
};
use uuid::Uuid;

/// Milliseconds after a fixed time.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

/// A UUID version 7 whose time is that many milliseconds after the fixed one.
fn uuid(kind: u128, n: u32) -> Uuid {
    let millis = u128::try_from(at(i64::from(n)).as_millis()).unwrap();
    Uuid::from_u128((millis << 80) | (0x7000_8000 << 48) | (kind << 32) | u128::from(n))
}

pub(crate) fn decision_id(n: u32) -> DecisionId {
    DecisionId(uuid(1, n))
}

pub(crate) fn chain_id(n: u32) -> ChainId {
    ChainId(uuid(2, n))
}

/// Decision `n`, taken `n` milliseconds after the fixed time, without a use.
pub(crate) fn entry(n: u32) -> Entry {
    Entry {
        decision: decision_id(n),
        time: at(i64::from(n)),
        token_use: None,
        compose: Box::new(move |outcome| body(n, outcome)),
    }
}

/// Decision `n` as it is recorded for an outcome.
pub(crate) fn body(n: u32, outcome: &UseOutcome) -> RecordBody {
    RecordBody(format!("{{\"decision\":{n},\"outcome\":\"{outcome:?}\"}}").into_bytes())
}

/// Decision `n` on the wish to use token `token` with request `request`.
pub(crate) fn use_entry(n: u32, token: u8, request: u8, max_uses: u32) -> Entry {
    let wish = UseRequest {
        key: [token; 32],
        request: [request; 32],
        max_uses,
        retry_window: Duration::from_secs(60),
        expires_at: at(300_000),
        sealed: vec![token, request],
    };
    Entry { token_use: Some(wish), ..entry(n) }
}

/// Opens chain `n` with a genesis of its own.
pub(crate) async fn open_chain(store: &dyn Store, n: u32) -> Receipt {
    let decision = DecisionId(uuid(3, n));
    store.open_chain(chain_id(n), decision, at(i64::from(n)), RecordBody(b"{}".to_vec())).await.unwrap()
}

/// What became of a use that could be recorded.
pub(crate) async fn outcome(store: &dyn Store, entry: Entry) -> UseOutcome {
    store.append(entry).await.unwrap().outcome().clone()
}

/// Appends entries from as many tasks; the answers are in the order of the entries.
pub(crate) async fn append_all(
    store: &Arc<dyn Store>,
    entries: impl Iterator<Item = Entry>,
) -> Vec<Result<Receipt, StoreError>> {
    let spawn = |entry| {
        let store = store.clone();
        tokio::spawn(async move { store.append(entry).await })
    };
    let tasks: Vec<_> = entries.map(spawn).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// All records of a chain, in several pages.
pub(crate) async fn read_chain(store: &dyn Store, chain: ChainId) -> Result<Vec<StoredRecord>, StoreError> {
    let mut records: Vec<StoredRecord> = Vec::new();
    loop {
        let page = store.records(chain, records.len() as u64, 300).await?;
        if page.is_empty() {
            return Ok(records);
        }
        records.extend(page);
    }
}

/// Recomputes every chain from its first entry to its head, and returns all records.
pub(crate) async fn verify(store: &dyn Store) -> Result<Vec<StoredRecord>, String> {
    let mut all = Vec::new();
    for head in store.heads().await.map_err(|error| error.to_string())? {
        let mut previous = chain::START;
        let records = read_chain(store, head.chain).await.map_err(|error| error.to_string())?;
        for (seq, record) in (0..).zip(&records) {
            let hash = chain::link(record.chain, seq, record.time, &record.body_hash, &previous);
            let body_fits =
                record.body.as_ref().is_none_or(|body| chain::body_hash(&body.0) == record.body_hash);
            if record.seq != seq || record.hash != hash || !body_fits {
                return Err(format!("entry {seq} of {} does not fit", head.chain));
            }
            previous = hash;
        }
        let last = records.last().ok_or("a head without records")?;
        if (head.seq, head.hash, head.time) != (last.seq, last.hash, last.time) {
            return Err(format!("the head of {} is not its last entry", head.chain));
        }
        all.extend(records);
    }
    Ok(all)
}

/// Entries that are handed to the writer while it is held up, so that they are in its queue together.
pub(crate) struct Held<'a> {
    store: &'a dyn Store,
    release: mpsc::Sender<()>,
    waiting: Vec<BoxFuture<'a, Result<Receipt, StoreError>>>,
}

impl<'a> Held<'a> {
    /// Holds up the writer in the transaction of decision `n`.
    pub(crate) async fn new(store: &'a dyn Store, n: u32) -> Self {
        let (release, released) = mpsc::channel();
        let compose = move |outcome: &UseOutcome| {
            let _ = released.recv();
            body(n, outcome)
        };
        let mut held = Self { store, release, waiting: Vec::new() };
        held.add(Entry { compose: Box::new(compose), ..entry(n) }).await;
        held
    }

    /// Hands over an entry.
    pub(crate) async fn add(&mut self, entry: Entry) {
        let mut append = self.store.append(entry);
        start(&mut append).await;
        self.waiting.push(append);
    }

    /// Lets the writer go on; gives all answers, that of the entry which held it up first.
    pub(crate) async fn release(self) -> Vec<Result<Receipt, StoreError>> {
        drop(self.release);
        let mut answers = Vec::new();
        for append in self.waiting {
            answers.push(append.await);
        }
        answers
    }
}

/// Polls a future twice: an append is then in the writer's queue, for the first of several gives way once before it hands
/// over what they append together. (After a yield: a task that does too much at a time is told by tokio to wait, whether or
/// not there is room in the queue.)
pub(crate) async fn start<F: Future + ?Sized>(future: &mut Pin<Box<F>>) {
    tokio::task::yield_now().await;
    for _ in 0..2 {
        poll_fn(|context| {
            assert!(future.as_mut().poll(context).is_pending(), "answered before it could have been done");
            Poll::Ready(())
        })
        .await;
    }
}
