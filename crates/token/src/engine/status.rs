use super::fetch::FetchFailure;
use super::snapshot::Origin;

/// The state of an engine's keys; see the [module](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// None were ever there.
    Missing,
    /// Known to be the issuer's.
    Fresh,
    /// Past their life; they serve while the issuer cannot be asked.
    Stale,
    /// Too old to serve.
    Expired,
}

/// What an operator wants to see of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineStatus {
    /// Where the keys come from.
    pub origin: Origin,
    /// Their state.
    pub state: KeyState,
    /// How many there are.
    pub keys: usize,
    /// Whether a fetch is in flight.
    pub fetching: bool,
    /// How many fetches have been ordered.
    pub fetches: u64,
    /// How many in a row have failed.
    pub failures: u32,
    /// Why the last one failed; `None` once one has succeeded.
    pub last_failure: Option<FetchFailure>,
    /// How many lookups named an unknown key. A storm of them is somebody forging, or an issuer whose rotation does
    /// not reach us.
    pub unknown_key_ids: u64,
}
