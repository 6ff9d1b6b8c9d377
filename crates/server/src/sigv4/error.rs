use std::time::Duration;

use daypass_claims::{Timestamp, format_duration};

use super::verify::SKEW;

/// Why a signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Nothing was signed.
    #[error("the request is not signed")]
    Missing,
    /// In the headers and in the query: two readers might believe different ones.
    #[error("the request is signed in its headers and in its query")]
    Twice,
    /// Not of the documented form.
    #[error("the signature is incomplete: {0}")]
    Incomplete(&'static str),
    /// A query parameter that a presigned request must have.
    #[error("the signature is incomplete: `{0}` is missing")]
    Absent(&'static str),
    /// A header without which the signature would fit other requests.
    #[error("the header `{0}` is not signed")]
    Unsigned(&'static str),
    /// For another service.
    #[error("the credential is scoped to service `{found}`, this is `{wanted}`")]
    Service {
        /// The scope's.
        found: String,
        /// This one.
        wanted: String,
    },
    /// For a region that is not accepted.
    #[error("the credential is scoped to region `{0}`, which is not accepted here")]
    Region(String),
    /// For another host.
    #[error("the request is signed for host `{0}`, which is not this service")]
    Host(String),
    /// Too old.
    #[error("signature expired: {} is now earlier than {} ({} - {})",
        at.to_iso_basic(), (*now - SKEW).to_iso_basic(), now.to_iso_basic(), format_duration(SKEW))]
    Expired {
        /// When it was made.
        at: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// Of the future.
    #[error("signature not yet current: {} is still later than {} ({} + {})",
        at.to_iso_basic(), (*now + SKEW).to_iso_basic(), now.to_iso_basic(), format_duration(SKEW))]
    NotYetCurrent {
        /// When it says it was made.
        at: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// A presigned request past its end.
    #[error("the presigned request was good until {at}, it is now {now}")]
    Ended {
        /// Its end.
        at: Timestamp,
        /// The time now.
        now: Timestamp,
    },
    /// A presigned request that would be good for too long.
    #[error("the request is presigned for {}, at most {} are accepted", format_duration(*asked), format_duration(*longest))]
    TooLong {
        /// What its signer wanted.
        asked: Duration,
        /// The limit.
        longest: Duration,
    },
    /// The body is not the one that was signed.
    #[error("the body does not have the hash that was signed")]
    Body,
    /// One query parameter, header or part twice: two readers might take different ones.
    #[error("`{0}` is there twice")]
    Duplicate(String),
    /// A plus sign in the query: a space to one reader, a plus to another.
    #[error("the signed query has a plus sign; write %20 or %2B")]
    Plus,
}
