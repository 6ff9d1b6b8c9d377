#![doc = include_str!("../README.md")]

mod cloud;
pub mod generate;
pub mod plan;
pub mod question;
pub mod retire;
pub mod rewrite;
pub mod status;
mod survey;

pub use cloud::{Cloud, UnknownCloud};
pub use generate::{generate, rehearse};
pub use plan::Plan;
pub use retire::retire;
pub use rewrite::rewrite;
pub use status::status;
pub use survey::Survey;
