use std::future::Future;
use std::pin::Pin;

use daypass_claims::{Issuer, Timestamp};

use crate::{
    ChainId, Checkpoint, DecisionId, Entry, Head, KeyPurpose, Receipt, RecordBody, Revocation, StoreError,
    StoredKey, StoredRecord,
};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a stored key set came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JwksOrigin {
    /// Fetched from the issuer; kept so that a restart during the issuer's outage still knows its keys.
    Fetched,
    /// Pushed by an administrator for an issuer that cannot be reached.
    Pushed,
}

impl JwksOrigin {
    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::Pushed => "pushed",
        }
    }

    /// The origin of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Fetched, Self::Pushed].into_iter().find(|origin| origin.as_str() == name)
    }
}

/// The last known key set of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJwks {
    /// Whose keys.
    pub issuer: Issuer,
    /// Where they came from.
    pub origin: JwksOrigin,
    /// The JWKS document, as received.
    pub document: String,
    /// When it was received.
    pub at: Timestamp,
}

/// What daypass keeps. Every call is atomic unless it says otherwise; what is returned as done is durable.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Opens a chain with its genesis record (seq 0) and makes it the one that [`Store::append`] writes to. Called once
    /// per process.
    fn open_chain(
        &self,
        chain: ChainId,
        decision: DecisionId,
        time: Timestamp,
        genesis: RecordBody,
    ) -> BoxFuture<'_, Result<Receipt, StoreError>>;

    /// Counts the use (if there is one to count), writes the record, commits, and only then answers. Entries that arrive
    /// together share a commit; their order on the chain is their order of arrival. An entry that has been handed over
    /// is written even if the caller stops waiting for the answer.
    fn append(&self, entry: Entry) -> BoxFuture<'_, Result<Receipt, StoreError>>;

    /// The last entry of every chain, oldest chain first.
    fn heads(&self) -> BoxFuture<'_, Result<Vec<Head>, StoreError>>;

    /// Up to `limit` records of a chain from `seq` on, in order.
    fn records(
        &self,
        chain: ChainId,
        from_seq: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredRecord>, StoreError>>;

    /// The newest `limit` records of all chains, oldest first.
    fn latest(&self, limit: u32) -> BoxFuture<'_, Result<Vec<StoredRecord>, StoreError>>;

    /// The record of one decision.
    fn record(&self, decision: DecisionId) -> BoxFuture<'_, Result<Option<StoredRecord>, StoreError>>;

    /// Drops the bodies of records written before `before`, but for geneses; hashes stay. Returns how many. Goes in small steps between
    /// which appends have their turn: after an error some are dropped, and calling again drops the rest.
    fn drop_bodies(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Keeps a signed checkpoint.
    fn put_checkpoint(&self, checkpoint: Checkpoint) -> BoxFuture<'_, Result<(), StoreError>>;

    /// All checkpoints, oldest first.
    fn checkpoints(&self) -> BoxFuture<'_, Result<Vec<Checkpoint>, StoreError>>;

    /// Adds a key; [`StoreError::Exists`] if its (purpose, generation) or id is taken.
    fn put_key(&self, key: StoredKey) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Sets when a key retires and when it can be removed. Where that is set already the earlier time stands: a key that
    /// has leaked can be retired sooner, and nothing brings one back.
    fn retire_key(
        &self,
        id: &str,
        retire_at: Timestamp,
        remove_at: Timestamp,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Deletes keys whose `remove_at` has come; returns how many.
    fn remove_keys(&self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// The keys of a purpose, by generation.
    fn keys(&self, purpose: KeyPurpose) -> BoxFuture<'_, Result<Vec<StoredKey>, StoreError>>;

    /// Adds a revocation, or moves an existing one of the same selector forward in time (never back).
    fn revoke(&self, revocation: Revocation) -> BoxFuture<'_, Result<(), StoreError>>;

    /// All revocations that are not forgotten at `now`.
    fn revocations(&self, now: Timestamp) -> BoxFuture<'_, Result<Vec<Revocation>, StoreError>>;

    /// Keeps a policy document under the SHA-256 that records refer to; writing it again is no error.
    fn put_policy(&self, hash: [u8; 32], document: String) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The policy document of that hash.
    fn policy(&self, hash: [u8; 32]) -> BoxFuture<'_, Result<Option<String>, StoreError>>;

    /// Keeps the key set of an issuer, in place of what was there from the same origin.
    fn put_jwks(&self, jwks: StoredJwks) -> BoxFuture<'_, Result<(), StoreError>>;

    /// All stored key sets.
    fn jwks(&self) -> BoxFuture<'_, Result<Vec<StoredJwks>, StoreError>>;

    /// Sets a mark on the whole store (`development`, `account`): a short value under a name; first writer wins, and the
    /// value that now stands is returned.
    fn mark(&self, name: &'static str, value: String) -> BoxFuture<'_, Result<String, StoreError>>;

    /// The value of a mark.
    fn marked(&self, name: &'static str) -> BoxFuture<'_, Result<Option<String>, StoreError>>;

    /// Forgets uses and revocations whose time has passed, a bounded number per call so that appends never wait long;
    /// returns how many. Call again until it returns 0.
    fn sweep(&self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Whether records can be written just now: tries a small write that leaves nothing behind.
    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Finishes what is queued and stops accepting more.
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}
