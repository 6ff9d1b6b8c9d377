use std::fmt;
use std::sync::Arc;

use daypass_claims::{Clock, Random};

use crate::http::Http;
use crate::retry::Retry;

/// What everything that leaves the process works with.
#[derive(Clone)]
pub struct Tools {
    /// The HTTP client.
    pub http: Arc<Http>,
    /// How often a request is tried.
    pub retry: Retry,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the spread of retries and for the secrets of the loopback endpoint.
    pub random: Arc<dyn Random>,
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tools").field("http", &self.http).field("retry", &self.retry).finish_non_exhaustive()
    }
}
