//! What is put on record, and how the record is checked afterwards.

mod body;
mod checkpoint;
mod limiter;
mod log;
mod verify;

pub use body::{
    AdminAct, ClaimsText, CredentialRecord, ExchangeRecord, GenesisRecord, Outcome, Record, RecordKind,
    SummaryRecord, UseRecord,
};
pub(crate) use checkpoint::genesis_text;
pub use checkpoint::{Checkpoint, CheckpointError, HeadStatement, SignedCheckpoint};
pub(crate) use limiter::{Bearer, Counted, Limiter, Verdict};
pub use log::{LogLine, LogLineError, read_store};
pub use verify::{FirstBad, LogEntry, Verification, Verifier};
