use std::time::Duration;

use daypass_claims::Timestamp;

use super::fetch::FetchId;
use crate::key_set::{SelectError, SelectedKeys};

/// The engine's answer to a token that its snapshot had no key for.
#[derive(Debug)]
pub enum Lookup {
    /// Verify with these.
    Use(SelectedKeys),
    /// A fetch may bring the key: let the driver [`poll_fetch`](super::Engine::poll_fetch), wait until a fetch settles or the
    /// ticket's deadline passes, then [`resume`](super::Engine::resume).
    Wait(Ticket),
    /// Neither yes nor no: the caller may come again. Not a verdict on the token.
    Retry {
        /// When it is worth while.
        after: Duration,
        /// Why there is no answer now.
        why: RetryReason,
    },
    /// The issuer has no such key, or the token can have none.
    Refuse(SelectError),
}

/// Why the engine cannot say whether a key is the issuer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RetryReason {
    /// The issuer was asked a moment ago, and one unknown key is no reason to ask again.
    #[error("the issuer's keys were fetched a moment ago and the key is not among them")]
    CoolingDown,
    /// The queue is full.
    #[error("too many tokens are waiting for the issuer's keys")]
    TooManyWaiters,
    /// The last fetch failed.
    #[error("the issuer's keys could not be fetched")]
    FetchFailed,
    /// The fetch took longer than tokens wait.
    #[error("fetching the issuer's keys takes too long")]
    FetchSlow,
    /// The fetch that was waited for had begun before the token came, so it may have missed the key.
    #[error("the issuer's keys were being fetched when the token came")]
    FetchOverlapped,
    /// Nobody has handed the issuer's keys over yet.
    #[error("the issuer's keys have not been pushed yet")]
    NotPushed,
}

/// A place in the queue for a fetch: good until `deadline`, then to be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(super) fetch: FetchId,
    pub(super) asked_at: Timestamp,
    pub(super) deadline: Timestamp,
}

impl Ticket {
    /// Until when to wait for the fetch; then [`Engine::resume`](super::Engine::resume) has the last word.
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }
}
