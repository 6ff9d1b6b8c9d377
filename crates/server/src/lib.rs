#![doc = include_str!("../README.md")]

mod admin;
mod app;
mod checkpoints;
pub mod fetch;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod listen;
mod metrics;
pub mod private_file;
mod run;
pub mod sigv4;
mod system;
mod tls;
mod wire;

pub use admin::AdminTokenError;
pub use app::App;
pub use listen::Bounds;
pub use run::{DEVELOPMENT_MARK, Running, ServeError, Setup, Sockets, open_store, start};
pub use system::{Disk, SystemClock, SystemRandom};
pub use tls::TlsError;
