#![doc = include_str!("../README.md")]

mod address;
mod control;
mod discovery;
mod error;
mod http;
mod issuer;
mod job;
mod keys;
mod mint;
mod outage;

pub use address::IssuerMode;
pub use control::{
    KeyStatus, OutageRequest, OutageStatus, RemoveKeyRequest, RotateRequest, SkewRequest, Status,
};
pub use error::RequestError;
pub use http::ServeError;
pub use issuer::{DevIssuer, Options, StartError};
pub use job::PIPELINE_VARIABLE;
pub use keys::{KeyError, KeyFile, KeyState, KeyStore, MAX_ISSUERS, NoStore};
pub use mint::{
    ClaimArgumentError, DEFAULT_AUDIENCE, ErrorReply, ForgedAlgorithm, JobReply, KeyChoice, MintReply,
    MintRequest, UnknownWord, parse_claim, parse_lifetime,
};
pub use outage::Outage;
