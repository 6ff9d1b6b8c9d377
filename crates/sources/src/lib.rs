#![doc = include_str!("../README.md")]

mod aws;
mod document;
mod find;
mod found;
mod gcp;
mod terraform;
mod tree;

pub use find::find;
pub use found::{Facts, Found, FoundPolicy, Origin, Unresolved};
pub use tree::{Entry, EntryKind, FILE_LIMIT, FileTree, MemoryTree, ReadError};
