use std::time::Duration;

/// Why the store did not do what it was asked. Nothing was committed, unless the variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the database longer than we wait.
    #[error("the database is locked by another process")]
    Busy,
    /// No room on the disk (or in the quota).
    #[error("the disk is full; records cannot be written")]
    Full,
    /// The database, its directory or the connection's role does not allow writing.
    #[error("the database is read-only; records cannot be written")]
    ReadOnly,
    /// No connection, the connection broke before the commit, or the disk reports I/O errors.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The connection (or the disk) broke during the commit: it may or may not have happened. The caller must treat it as not
    /// done; the same request, retried, finds its use if it was.
    #[error("the database went away during a commit")]
    Ambiguous,
    /// A row with this identity is there already.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// Nothing can be appended before [`crate::Store::open_chain`].
    #[error("no chain is open; open one before appending")]
    NoChain,
    /// The database URL cannot be used. The text never holds the password.
    #[error("the database URL cannot be used: {0}")]
    Configuration(String),
    /// The database holds something that daypass did not make.
    #[error("the database holds tables of another program; give daypass one of its own")]
    Foreign,
    /// The database was last written by an older program, and is open for reading only.
    #[error("the database schema is at version {found}; start a server on it once to bring it to {needed}")]
    Unmigrated {
        /// The version in the database; 0 if it is empty.
        found: i64,
        /// The version that this program reads.
        needed: i64,
    },
    /// The schema is newer than this program.
    #[error("the database schema is at version {found}, this program knows up to {known}")]
    Schema {
        /// The version in the database.
        found: i64,
        /// The newest version that this program can work with.
        known: i64,
    },
    /// What was read back is not what daypass writes.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The writer has stopped, because the process is shutting down.
    #[error("the store is closed")]
    Closed,
    /// Anything else the database reported.
    #[error("the database refused: {0}")]
    Other(String),
}

impl StoreError {
    /// How long a caller should wait before the same request can succeed; `None` where waiting does not help.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy | Self::Ambiguous => Some(Duration::from_secs(1)),
            Self::Unreachable(_) | Self::Closed => Some(Duration::from_secs(2)),
            Self::Full | Self::ReadOnly => Some(Duration::from_secs(30)),
            Self::Exists(_)
            | Self::NoChain
            | Self::Configuration(_)
            | Self::Foreign
            | Self::Unmigrated { .. }
            | Self::Schema { .. }
            | Self::Damaged(_)
            | Self::Other(_) => None,
        }
    }
}
