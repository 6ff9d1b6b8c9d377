use std::fmt;
use std::sync::Arc;

use daypass_claims::{Algorithm, Issuer, KeyId, Timestamp};

use crate::key_set::{KeySet, SelectError, SelectedKeys, check_origin};
use crate::unverified::UnverifiedToken;

/// Where an issuer's keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Fetched from the issuer, again and again.
    Fetched,
    /// From the configuration; they stand until it changes.
    Pinned,
    /// Handed over by an administrator, for an issuer that cannot be reached; they stand until the next ones.
    Pushed,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fetched => "fetched",
            Self::Pinned => "pinned",
            Self::Pushed => "pushed",
        })
    }
}

/// What is known of an issuer's keys at one moment. Never changes: the engine replaces it as a whole.
///
/// Readers hold it behind an atomic pointer and take the engine's lock only on a [`Miss`], so a token with a known key
/// waits for nobody.
#[derive(Clone, Debug)]
pub struct KeySnapshot {
    pub(super) issuer: Issuer,
    pub(super) origin: Origin,
    pub(super) keys: Option<Arc<KeySet>>,
    pub(super) fresh_until: Timestamp,
    pub(super) usable_until: Timestamp,
}

/// Why a snapshot has no key for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// It never will: nothing that a fetch could bring would change this.
    Refused(SelectError),
    /// The key is not among those at hand. Ask the engine.
    UnknownKeyId(KeyId),
    /// There are no keys, or they are too old. Ask the engine.
    NoKeys,
}

impl KeySnapshot {
    pub(super) const fn empty(issuer: Issuer, origin: Origin) -> Self {
        let never = Timestamp::from_millis(i64::MIN);
        Self { issuer, origin, keys: None, fresh_until: never, usable_until: never }
    }

    /// Keys that stand until they are replaced.
    pub(super) fn standing(keys: KeySet, origin: Origin) -> Self {
        let ever = Timestamp::from_millis(i64::MAX);
        Self {
            issuer: keys.issuer().clone(),
            origin,
            keys: Some(Arc::new(keys)),
            fresh_until: ever,
            usable_until: ever,
        }
    }

    /// Finds the keys that may have signed `token`; the rules are [`KeySet::select`]'s.
    pub fn select(
        &self,
        token: &UnverifiedToken,
        allowed: &[Algorithm],
        now: Timestamp,
    ) -> Result<SelectedKeys, Miss> {
        let Some(keys) = self.usable(now) else {
            check_origin(&self.issuer, token, allowed).map_err(Miss::Refused)?;
            return Err(Miss::NoKeys);
        };
        keys.select(token, allowed).map_err(|error| match error {
            SelectError::UnknownKeyId(key_id) if self.origin == Origin::Fetched => Miss::UnknownKeyId(key_id),
            other => Miss::Refused(other),
        })
    }

    /// Whose keys these are.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Where they come from.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The keys, however old.
    pub const fn keys(&self) -> Option<&Arc<KeySet>> {
        self.keys.as_ref()
    }

    /// Until when they are known to be the issuer's.
    pub const fn fresh_until(&self) -> Timestamp {
        self.fresh_until
    }

    /// Until when they serve while the issuer cannot be asked.
    pub const fn usable_until(&self) -> Timestamp {
        self.usable_until
    }

    pub(super) fn usable(&self, now: Timestamp) -> Option<&Arc<KeySet>> {
        self.keys.as_ref().filter(|_| now < self.usable_until)
    }
}
