#![doc = include_str!("../README.md")]

mod context;
pub mod dialect;
pub mod document;
pub mod evaluate;
pub mod form;
mod literal;
pub mod policy_test;
mod truth;
pub mod write;

pub use context::{Caller, Context, ROLES_CLAIM, SOURCE_IDENTITY_CLAIM, TAGS_CLAIM};
pub use dialect::{CompileError, CompileOptions, Dialect, Facts, compile, compile_tree, detect};
pub use evaluate::{Evaluation, Outcome, evaluate, outcome};
pub use form::Policy;
pub use truth::Truth;
