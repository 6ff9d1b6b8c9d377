//! What the writers of both backends share: waiting entries, and the arithmetic of appending to a chain.

use std::panic::{AssertUnwindSafe, catch_unwind};

use daypass_claims::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::{ChainId, Compose, Entry, Receipt, RecordBody, StoreError, UseOutcome, chain};

/// Where the answer to an append is awaited.
pub(crate) type Reply = oneshot::Sender<Result<Receipt, StoreError>>;

/// Answers to be given, at the latest when this is dropped: the runtime that should give them may be ending.
struct Answers(Vec<(Reply, Result<Receipt, StoreError>)>);

impl Drop for Answers {
    fn drop(&mut self) {
        for (reply, answer) in self.0.drain(..) {
            // A caller that has gone is no error.
            let _ = reply.send(answer);
        }
    }
}

/// An entry on its way to the writer.
pub(crate) struct Pending {
    pub(crate) entry: Entry,
    pub(crate) reply: Reply,
}

/// Answers every entry of a batch: on the runtime of the callers, where it is another thread's.
///
/// Were each of them woken by the writer's thread, each would cost a change of threads on a machine with few cores. This way
/// one task is woken, and wakes them where they run.
pub(crate) fn answer(
    batch: Vec<Pending>,
    answers: Vec<Result<Receipt, StoreError>>,
    runtime: Option<&Handle>,
) {
    let several = batch.len() > 1;
    let answers = Answers(batch.into_iter().map(|pending| pending.reply).zip(answers).collect());
    if let Some(runtime) = runtime.filter(|_| several) {
        runtime.spawn(async move { drop(answers) });
    }
}

/// Answers every entry of a batch with the same error.
pub(crate) fn refuse(batch: Vec<Pending>, error: &StoreError, runtime: Option<&Handle>) {
    let answers = vec![Err(error.clone()); batch.len()];
    answer(batch, answers, runtime);
}

/// Has the body written. A panic in there fails this entry alone and leaves the writer alive.
pub(crate) fn compose(compose: &mut Compose, outcome: &UseOutcome) -> Result<RecordBody, StoreError> {
    catch_unwind(AssertUnwindSafe(|| compose(outcome)))
        .map_err(|_| StoreError::Other("composing the record panicked".to_owned()))
}

/// The open end of a chain: where the next entry goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) chain: ChainId,
    next: u64,
    previous: [u8; 32],
}

/// The place and the hashes of an entry.
pub(crate) struct Place {
    pub(crate) seq: u64,
    pub(crate) body_hash: [u8; 32],
    pub(crate) hash: [u8; 32],
}

impl Tip {
    /// Of a chain without entries.
    pub(crate) const fn start(chain: ChainId) -> Self {
        Self { chain, next: 0, previous: chain::START }
    }

    /// Of a chain whose last entry is this one.
    pub(crate) const fn after(chain: ChainId, seq: u64, hash: [u8; 32]) -> Self {
        Self { chain, next: seq.saturating_add(1), previous: hash }
    }

    /// Where an entry with this body would go.
    pub(crate) fn place(&self, time: Timestamp, body: &RecordBody) -> Place {
        let body_hash = chain::body_hash(&body.0);
        let hash = chain::link(self.chain, self.next, time, &body_hash, &self.previous);
        Place { seq: self.next, body_hash, hash }
    }

    /// Moves past an entry that was put there.
    pub(crate) const fn advance(&mut self, place: &Place) {
        *self = Self::after(self.chain, place.seq, place.hash);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::DecisionId;

    fn batch(size: usize) -> (Vec<Pending>, Vec<oneshot::Receiver<Result<Receipt, StoreError>>>) {
        (0..size)
            .map(|_| {
                let (reply, answer) = oneshot::channel();
                let compose: Compose = Box::new(|_| RecordBody(Vec::new()));
                let decision = DecisionId(Uuid::nil());
                let entry = Entry { decision, time: Timestamp::from_secs(1), token_use: None, compose };
                (Pending { entry, reply }, answer)
            })
            .unzip()
    }

    #[test]
    fn everybody_is_answered_though_some_have_gone_and_the_runtime_has_ended() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let handle = runtime.handle().clone();
        let (pending, mut answers) = batch(3);
        drop(answers.pop());
        refuse(pending, &StoreError::Full, Some(&handle));
        for answer in answers {
            assert_eq!(runtime.block_on(answer).unwrap(), Err(StoreError::Full));
        }
        drop(runtime);
        for runtime in [Some(&handle), None] {
            let (pending, answers) = batch(2);
            refuse(pending, &StoreError::Full, runtime);
            for mut answer in answers {
                assert_eq!(answer.try_recv().unwrap(), Err(StoreError::Full));
            }
        }
    }

    #[test]
    fn a_tip_links_each_entry_to_the_one_before() {
        let chain = ChainId(Uuid::from_u128(7));
        let (time, body) = (Timestamp::from_secs(1), RecordBody(b"{}".to_vec()));
        let mut tip = Tip::start(chain);
        let genesis = tip.place(time, &body);
        tip.advance(&genesis);
        let first = tip.place(time, &body);
        assert_eq!((genesis.seq, first.seq), (0, 1));
        assert_eq!(genesis.hash, chain::link(chain, 0, time, &genesis.body_hash, &chain::START));
        assert_eq!(first.hash, chain::link(chain, 1, time, &first.body_hash, &genesis.hash));
        assert_eq!(tip, Tip::after(chain, 0, genesis.hash));
    }

    #[test]
    fn a_panic_while_composing_is_an_error() {
        let mut panics: Compose = Box::new(|_| panic!("no body today"));
        let error = compose(&mut panics, &UseOutcome::NotCounted).unwrap_err();
        assert_eq!(error, StoreError::Other("composing the record panicked".to_owned()));
    }
}
