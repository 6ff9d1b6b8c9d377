#![doc = include_str!("../README.md")]

pub mod chain;
mod error;
mod key;
mod ledger;
mod port;
mod revocation;

pub use error::StoreError;
pub use key::{KeyPurpose, StoredKey};
pub use ledger::{
    ChainId, Checkpoint, Compose, DecisionId, Entry, Head, Receipt, RecordBody, StoredRecord, UseKey,
    UseOutcome, UseRequest,
};
pub use port::{BoxFuture, JwksOrigin, Store, StoredJwks};
pub use revocation::{Revocation, Selector};
