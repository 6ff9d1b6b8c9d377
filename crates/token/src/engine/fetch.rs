use std::time::Duration;

use daypass_claims::{Issuer, KeyId, Timestamp};

use crate::discovery::DiscoveryError;
use crate::key_set::{KeySet, KeySetError};

/// Names one fetch of one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub(super) u64);

/// An order to fetch an issuer's keys now. At most one is out at a time.
///
/// Whoever takes it answers with [`Engine::fetched`](super::Engine::fetched), whatever happens, and gives the fetch up
/// at `deadline`: an answer after that is not listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOrder {
    /// To be handed back with the answer.
    pub id: FetchId,
    /// Whose keys.
    pub issuer: Issuer,
    /// Until when an answer counts.
    pub deadline: Timestamp,
}

/// What a fetch brought.
#[derive(Debug)]
pub struct Fetched {
    /// The keys.
    pub keys: KeySet,
    /// How long the issuer says they may be kept: [`max_age`] of the response's `Cache-Control`.
    pub max_age: Option<Duration>,
}

/// Why a fetch brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// No answer by the deadline.
    #[error("the issuer did not answer in time")]
    TimedOut,
    /// Name resolution, connection, TLS, HTTP status: in the words of whoever fetched.
    #[error("the issuer could not be reached: {0}")]
    Transport(String),
    /// The discovery document does not do.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The key set does not do; an empty one among others.
    #[error(transparent)]
    Keys(#[from] KeySetError),
    /// The set is bound to another issuer: a fault of whoever fetched.
    #[error("the fetched keys are those of `{0}`")]
    WrongIssuer(Issuer),
}

/// What became of a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The keys are the issuer's now; those not among them stopped at once.
    Replaced {
        /// Key ids that were not there before.
        added: Vec<KeyId>,
        /// Key ids that are gone.
        removed: Vec<KeyId>,
    },
    /// The keys stay as they were.
    Failed {
        /// How many fetches in a row have failed.
        failures: u32,
        /// When the next one is due.
        retry_at: Timestamp,
    },
    /// The engine had given the fetch up already; nothing changed.
    TooLate,
}

/// The `max-age` of a `Cache-Control` header (RFC 9111 section 5.2.2); `no-store` and `no-cache` are an age of zero.
/// `None` when it says nothing about age.
pub fn max_age(cache_control: &str) -> Option<Duration> {
    let mut age = None;
    for directive in cache_control.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let name = name.trim();
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age")
            && let Ok(secs) = value.trim().trim_matches('"').parse()
        {
            let stated = Duration::from_secs(secs);
            // Said twice, the shorter one holds (RFC 9111 section 4.2.1).
            age = Some(age.map_or(stated, |earlier: Duration| earlier.min(stated)));
        }
    }
    age
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_found_among_other_directives() {
        for (header, age) in [
            ("max-age=300", Some(300)),
            ("public, Max-Age = 86400, must-revalidate", Some(86_400)),
            ("max-age=\"60\"", Some(60)),
            ("max-age=600, max-age=60", Some(60)),
            ("no-store, max-age=600", Some(0)),
            ("max-age=600, no-cache", Some(0)),
            ("public", None),
            ("max-age=soon", None),
            ("max-age=-1", None),
            ("s-maxage=600", None),
            ("", None),
        ] {
            assert_eq!(max_age(header), age.map(Duration::from_secs), "{header}");
        }
    }
}
