use std::fmt;

use crate::http::HttpError;

/// Why an URL cannot be a server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an URL with a host.
    #[error("the server must be an URL like https://sts.example.com")]
    Url,
    /// A user name or password, which is not shown.
    #[error("the server's URL must not hold a user name or password; the token is what proves who asks")]
    UserInfo,
    /// A query or fragment.
    #[error("the server's URL must not hold a query or a fragment")]
    QueryOrFragment,
}

/// Why there is no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The server says no.
    #[error("{0}")]
    Refused(Refusal),
    /// No answer.
    #[error("no credential: {0}")]
    Http(#[from] HttpError),
    /// A refusal in another protocol, such as a proxy's page.
    #[error("`{host}` answers with status {status} and without the protocol's error{}", note(.said))]
    Unintelligible {
        /// The server.
        host: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of what it says.
        said: String,
    },
    /// An answer that is no credential.
    #[error("the answer of `{host}` is no credential: {problem}")]
    Malformed {
        /// The server.
        host: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Trying again did not help.
    #[error("gave up after {tries} {}: {last}", if *.tries == 1 { "try" } else { "tries" })]
    GaveUp {
        /// How many tries there were.
        tries: u32,
        /// How the last one ended.
        last: Box<ExchangeError>,
    },
}

/// A server's refusal, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The protocol's code: `AccessDenied`, `invalid_request`.
    pub code: String,
    /// What the server says about it; may be empty.
    pub message: String,
    /// Under which the operator finds the decision: the decision's id from daypass, the request's id from AWS.
    pub decision: Option<String>,
}

/// Codes of refusals that can turn into a credential without anything having been changed: AWS's, then OAuth's.
const TRANSIENT: [&str; 4] =
    ["IDPCommunicationError", "Throttling", "ThrottlingException", "temporarily_unavailable"];

impl ExchangeError {
    /// The refusal, if the server refused at last.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::GaveUp { last, .. } => last.refusal(),
            Self::Http(_) | Self::Unintelligible { .. } | Self::Malformed { .. } => None,
        }
    }

    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Refused(refusal) if TRANSIENT.contains(&refusal.code.as_str()))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match &self.decision {
            // daypass names it in the message where SDKs would drop it elsewhere.
            Some(decision) if !self.message.contains(decision) => write!(f, " (decision {decision})"),
            _ => Ok(()),
        }
    }
}

fn note(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
