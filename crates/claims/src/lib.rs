#![doc = include_str!("../README.md")]

mod algorithm;
mod clock;
mod identity;
mod issuer;
mod json;
mod name;
mod set;
mod time;
mod value;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use clock::{Clock, Random, RandomError};
pub use identity::{Audience, IdentityError, KeyId, Subject};
pub use issuer::{Issuer, IssuerError};
pub use json::{JsonError, JsonLimits, parse_value};
pub use name::ClaimName;
pub use set::ClaimSet;
pub use time::{
    DurationError, Timestamp, TimestampError, format_duration, parse_duration, parse_signed_duration,
};
pub use value::{ClaimValue, Number};
