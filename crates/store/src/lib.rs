#![doc = include_str!("../README.md")]

mod batch;
pub mod chain;
mod error;
mod key;
mod ledger;
mod port;
#[cfg(feature = "postgres")]
mod postgres;
mod revocation;
mod rule;
mod sqlite;

pub use error::StoreError;
pub use key::{KeyPurpose, StoredKey};
pub use ledger::{
    ChainId, Checkpoint, Compose, DecisionId, Entry, Head, Receipt, RecordBody, StoredRecord, UseKey,
    UseOutcome, UseRequest,
};
pub use port::{BoxFuture, JwksOrigin, Store, StoredJwks};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
pub use revocation::{Revocation, Selector};
pub use sqlite::{SqliteOptions, SqliteStore};
