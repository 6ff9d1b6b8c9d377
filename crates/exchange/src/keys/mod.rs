//! Keys: our own (signing, sealing, audit), the one that wraps them, and those of issuers.

mod issuer;
mod kek;
mod ring;
mod seal;

pub use issuer::{Fetch, FetchError, FetchTarget, Fetched, IssuerKeys, KeysUnavailable, PushRefusal};
pub use kek::{Kek, KekError};
pub use ring::{KeyRing, Keys, PublishedKey, RingError};
pub use seal::{SealError, SealKey};
