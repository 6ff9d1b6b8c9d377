#![doc = include_str!("../README.md")]

mod agent;
mod event;
mod gather;
mod input;
mod moment;
mod skip;
mod source;
mod table;
mod tally;
mod text;

pub use event::{Class, Cloud};
pub use gather::{Evidence, GatherError, Gathered, Input, Options, Progress, gather};
pub use skip::{FileReport, Place, REPORTS, Reading, Skip};
pub use source::SourceKind;
pub use table::{CoverageRow, KeyState, LastUsed, UseRow};
