#![doc = include_str!("../README.md")]

mod agent;
mod event;
mod gather;
mod input;
mod judge;
mod moment;
mod report;
mod rfc3339;
mod skip;
mod source;
mod sql;
#[cfg(feature = "synthesise")]
pub mod synthesise;
mod table;
mod tally;
mod text;

pub use event::{Class, Cloud};
pub use gather::{
    Evidence, GatherError, Gathered, Input, Options, Progress, count_files, gather, gather_stream,
};
pub use judge::{
    Confidence, Consumer, ConsumerKind, Coverage, CredentialFinding, Doubt, Expectation, Expected, Findings,
    Ledger, Logs, Question, SessionFinding, Stored, Verdict, judge,
};
pub use report::{Credential, Read, Report, Skipped, Use};
pub use skip::{FileReport, Place, REPORTS, Reading, Skip};
pub use source::SourceKind;
pub use sql::{Engine, Query, Sql, SqlError, sql};
pub use table::{CoverageRow, KeyState, LastUsed, UseRow};
