//! What PostgreSQL reports, in the store's words. The server's messages are passed on, its details (which may quote
//! rows) are not, and the password is in none of them.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::StoreError;

/// Of a statement before the commit, or of connecting.
pub(super) fn translate(error: &Error) -> StoreError {
    let Some(reported) = error.as_db_error() else {
        return StoreError::Unreachable(with_sources(error));
    };
    let message = || format!("{} ({})", reported.message(), reported.code().code());
    match reported.code() {
        code if *code == SqlState::DISK_FULL => StoreError::Full,
        code if is_any(code, &[SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::INSUFFICIENT_PRIVILEGE]) => {
            StoreError::ReadOnly
        }
        code if is_conflict(code) => StoreError::Busy,
        code if is_any(code, &[SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED]) => StoreError::Busy,
        code if is_any(code, &[SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED]) => {
            StoreError::Damaged(message())
        }
        // Statements of ours that do not fit the schema: not the schema that we made.
        code if is_any(code, &[SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN]) => {
            StoreError::Damaged(message())
        }
        _ if is_gone(reported) => StoreError::Unreachable(message()),
        _ => StoreError::Other(message()),
    }
}

/// Of a commit. Unless the server has said that it did not happen, it may have.
pub(super) fn translate_commit(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(reported)
            if !is_gone(reported) && *reported.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN =>
        {
            translate(error)
        }
        _ => StoreError::Ambiguous,
    }
}

/// Whether another transaction was in the way, so that the same once more may succeed. Nothing was committed.
pub(super) fn is_retryable(error: &Error) -> bool {
    error.code().is_some_and(is_conflict)
}

/// Whether the connection is of no use any more.
pub(super) fn is_disconnect(error: &Error) -> bool {
    error.as_db_error().is_none_or(is_gone)
}

fn is_conflict(code: &SqlState) -> bool {
    is_any(code, &[SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED])
}

/// No resources (53), no such database (3D), login refused (28), connection exceptions (08), shutdown and failover
/// (57P0x): the server, as far as we are concerned, is not there.
fn is_gone(reported: &DbError) -> bool {
    let code = reported.code().code();
    ["08", "28", "3D", "53", "57P"].iter().any(|class| code.starts_with(class))
        || reported.parsed_severity().is_some_and(|severity| severity != Severity::Error)
}

fn is_any(code: &SqlState, of: &[SqlState]) -> bool {
    of.contains(code)
}

fn with_sources(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
