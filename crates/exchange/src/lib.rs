#![doc = include_str!("../README.md")]

pub mod admin;
mod caller;
pub mod config;
pub mod credential;
mod decide;
mod draft;
mod exchange;
mod explain;
pub mod keys;
pub mod record;
mod refusal;
mod request;
mod revocation;
mod role;
mod start;
mod tend;
#[cfg(test)]
mod testing;

pub use admin::AdminDenied;
pub use caller::Refused;
pub use decide::{Decision, Session, SessionRequest};
pub use exchange::{Admitted, Exchange, Observe, Parts, Who};
pub use explain::{ExplainError, Explained};
pub use refusal::{ParameterError, Refusal, SessionClaimsError};
pub use request::{Client, Request, SessionPolicy, SubjectToken, Wire};
pub use revocation::{Credentials, Revocations};
pub use role::{Role, Roles};
pub use start::StartError;
pub use tend::REFRESH_EVERY;
