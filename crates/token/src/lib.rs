#![doc = include_str!("../README.md")]

mod digest;
pub mod discovery;
mod encoding;
pub mod engine;
mod form;
mod header;
pub mod jwk;
pub mod jws;
mod key;
mod key_set;
pub mod rotation;
pub mod sign;
mod text;
mod unverified;
mod verify;

pub use digest::TokenDigest;
pub use encoding::Base64Error;
pub use form::{FormError, Segment};
pub use header::Header;
pub use key::{SignatureError, VerificationKey};
pub use key_set::{
    DEVELOPMENT_KEY_PREFIX, JwksLimits, KeySet, KeySetError, KeyWarning, SelectError, SelectedKeys,
};
pub use unverified::UnverifiedToken;
pub use verify::{Expectations, LEEWAY, Refusal, TimeError, TokenKind, VerifiedToken, verify};
