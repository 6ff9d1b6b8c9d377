//! What the writers of both backends share: waiting entries, and the arithmetic of appending to a chain.

use std::panic::{AssertUnwindSafe, catch_unwind};

use daypass_claims::Timestamp;
use tokio::sync::oneshot;

use crate::{ChainId, Compose, Entry, Receipt, RecordBody, StoreError, UseOutcome, chain};

/// Where the answer to an append is awaited.
pub(crate) type Reply = oneshot::Sender<Result<Receipt, StoreError>>;

/// An entry on its way to the writer.
pub(crate) struct Pending {
    pub(crate) entry: Entry,
    pub(crate) reply: Reply,
}

/// Answers every entry of a batch. A caller that has gone is no error.
pub(crate) fn answer(batch: Vec<Pending>, answers: Vec<Result<Receipt, StoreError>>) {
    for (pending, answer) in batch.into_iter().zip(answers) {
        let _ = pending.reply.send(answer);
    }
}

/// Answers every entry of a batch with the same error.
pub(crate) fn refuse(batch: Vec<Pending>, error: &StoreError) {
    for pending in batch {
        let _ = pending.reply.send(Err(error.clone()));
    }
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
