#![doc = include_str!("../README.md")]

mod core_dumps;
mod credential;
mod detect;
pub mod exchange;
mod federation;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
pub mod output;
mod retry;
pub mod run;
mod secret;
pub mod serve;
pub mod shadow;
#[cfg(test)]
mod testing;
mod text;
pub mod token;
mod tools;

pub use core_dumps::{CoreDumps, CoreDumpsError};
pub use credential::{AccessToken, AwsSession, Credential};
pub use detect::{Detection, detect};
pub use federation::{BoxFuture, ClientError, Federation, SessionSource};
pub use http::{Http, HttpError, HttpOptions};
pub use retry::Retry;
pub use secret::Secret;
pub use tools::Tools;

/// A lookup of environment variables. A variable that is not set and one whose value is not Unicode are both `None`.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;
