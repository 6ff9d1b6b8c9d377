#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use daypass_claims::{Algorithm, Issuer, JsonError, KeyId};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::jwk::{Jwk, JwkError};
use crate::key::VerificationKey;
use crate::text::{brief, excerpt};
use crate::unverified::UnverifiedToken;

/// How the keys of a development issuer are named: `daypass-dev-` and something random.
///
/// Whoever holds such a key mints tokens under any platform's issuer, and in development anyone on the machine may ask
/// for one. The name is the mark by which everything else tells the keys from a platform's own and refuses them.
pub const DEVELOPMENT_KEY_PREFIX: &str = "daypass-dev-";

/// The keys of one issuer.
///
/// A set is bound to its issuer: [`select`](Self::select) refuses tokens of any other, so a key of one issuer can
/// never vouch for another's token, whatever both call their keys.
#[derive(Clone)]
pub struct KeySet {
    issuer: Issuer,
    keys: Vec<Arc<VerificationKey>>,
    /// Positions in `keys`. RFC 7517 section 4.5 does not promise that a `kid` is unique.
    by_id: HashMap<KeyId, Vec<usize>>,
}

/// Bounds on a JWKS document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JwksLimits {
    /// Its length in bytes.
    pub bytes: usize,
    /// How many keys it may list. AWS registers up to 100.
    pub keys: usize,
}

impl Default for JwksLimits {
    /// 256 KiB and 100 keys; the largest CI platform publishes 10.
    fn default() -> Self {
        Self { bytes: 256 * 1024, keys: 100 }
    }
}

/// A key of a set that was left out. The others serve on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("key {} of the set{} is left out: {reason}", .index + 1, in_brackets(.key_id.as_deref()))]
pub struct KeyWarning {
    /// 0-based position in the document.
    pub index: usize,
    /// Its `kid`, shortened, where that can be read.
    pub key_id: Option<String>,
    /// Why.
    pub reason: JwkError,
}

/// A document is no key set that daypass can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Longer than the limit.
    #[error("key set has {bytes} bytes, at most {limit} are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Not an object with one list `keys`.
    #[error("key set is not a JSON object with a list `keys`: {0}")]
    Json(JsonError),
    /// More keys than the limit. Reading only the first would let the order decide which tokens are good.
    #[error("key set lists {keys} keys, at most {limit} are read")]
    TooManyKeys {
        /// How many it lists.
        keys: usize,
        /// The limit.
        limit: usize,
    },
    /// Nothing left: the list is empty, or every key was left out.
    #[error("key set holds no usable key ({})", describe(.0))]
    NoUsableKey(Vec<KeyWarning>),
}

/// Why a set has no key to check a token with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// The token names no issuer, or not with a string.
    #[error("token has no issuer (`iss`)")]
    IssuerMissing,
    /// The token is another issuer's; a trailing slash is enough.
    #[error("token was issued by `{found}`")]
    IssuerMismatch {
        /// The `iss` of the token, shortened.
        found: String,
        /// Whose keys these are.
        expected: Issuer,
    },
    /// The issuer does not sign with this algorithm.
    #[error("algorithm {algorithm} is not one that this issuer signs with")]
    AlgorithmNotAllowed {
        /// The `alg` of the token.
        algorithm: Algorithm,
        /// What the issuer signs with.
        allowed: Vec<Algorithm>,
    },
    /// The token names no key and there are several to choose from.
    #[error("token names no key (`kid`) and its issuer has {keys}")]
    KeyIdMissing {
        /// How many keys the issuer has.
        keys: usize,
    },
    /// No key of that name. The issuer may have made it a moment ago: [`crate::engine`] knows what to do.
    #[error("issuer has no key `{0}`")]
    UnknownKeyId(KeyId),
    /// There is such a key, for other algorithms.
    #[error("the token's key is not for the algorithm {algorithm}")]
    KeyAlgorithm {
        /// The `alg` of the token.
        algorithm: Algorithm,
        /// What the key is for.
        key: Vec<Algorithm>,
    },
}

impl SelectError {
    /// A stable name for records, metrics and tests: lower-case words joined by dashes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::IssuerMissing => "issuer-missing",
            Self::IssuerMismatch { .. } => "issuer-mismatch",
            Self::AlgorithmNotAllowed { .. } => "algorithm-not-allowed",
            Self::KeyIdMissing { .. } => "key-id-missing",
            Self::UnknownKeyId(_) => "key-id-unknown",
            Self::KeyAlgorithm { .. } => "key-algorithm-mismatch",
        }
    }
}

/// The keys that may have signed one token: nearly always one, several where an issuer uses a `kid` twice.
///
/// Having one means that issuer, algorithm and key fit together. Only [`KeySet::select`] makes it.
#[derive(Clone, Debug)]
pub struct SelectedKeys {
    issuer: Issuer,
    algorithm: Algorithm,
    keys: Vec<Arc<VerificationKey>>,
}

impl SelectedKeys {
    /// Whose keys they are.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The algorithm that they were selected for.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The keys; at least one.
    pub fn keys(&self) -> &[Arc<VerificationKey>] {
        &self.keys
    }
}

#[derive(Deserialize)]
struct Document<'d> {
    #[serde(borrow)]
    keys: Vec<&'d RawValue>,
}

impl KeySet {
    /// Reads a JWKS document as `issuer`'s keys.
    ///
    /// A key that cannot be used is left out with a warning; none left is an error. A key that is listed twice
    /// counts once; different keys of one `kid` are all kept, and a token is checked with each.
    pub fn from_jwks(
        issuer: Issuer,
        document: &[u8],
        limits: JwksLimits,
    ) -> Result<(Self, Vec<KeyWarning>), KeySetError> {
        if document.len() > limits.bytes {
            return Err(KeySetError::TooLarge { bytes: document.len(), limit: limits.bytes });
        }
        let listed: Document<'_> =
            serde_json::from_slice(document).map_err(|error| KeySetError::Json(brief(error.into())))?;
        if listed.keys.len() > limits.keys {
            return Err(KeySetError::TooManyKeys { keys: listed.keys.len(), limit: limits.keys });
        }
        let mut keys = Vec::with_capacity(listed.keys.len());
        let mut warnings = Vec::new();
        for (index, json) in listed.keys.into_iter().map(RawValue::get).enumerate() {
            match Jwk::parse(json.as_bytes()).and_then(VerificationKey::new) {
                Ok(key) => keys.push(key),
                Err(reason) => warnings.push(KeyWarning { index, key_id: stated_key_id(json), reason }),
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey(warnings));
        }
        Ok((Self::index(issuer, keys), warnings))
    }

    /// The set of keys that are at hand already, such as one's own. `None` if there are none.
    pub fn from_keys(issuer: Issuer, keys: impl IntoIterator<Item = VerificationKey>) -> Option<Self> {
        let set = Self::index(issuer, keys);
        (!set.keys.is_empty()).then_some(set)
    }

    fn index(issuer: Issuer, keys: impl IntoIterator<Item = VerificationKey>) -> Self {
        let mut set = Self { issuer, keys: Vec::new(), by_id: HashMap::new() };
        for key in keys {
            if set.keys.iter().any(|known| known.jwk() == key.jwk()) {
                continue;
            }
            if let Some(key_id) = key.key_id() {
                set.by_id.entry(key_id.clone()).or_default().push(set.keys.len());
            }
            set.keys.push(Arc::new(key));
        }
        set
    }

    /// Whose keys these are.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The keys in the order of the document.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &VerificationKey> {
        self.keys.iter().map(Arc::as_ref)
    }

    /// Whether a key of that name is there.
    pub fn contains(&self, key_id: &KeyId) -> bool {
        self.by_id.contains_key(key_id)
    }

    /// The first key that a development issuer made, if there is one: outside development, a reason to refuse the set.
    pub fn development_key(&self) -> Option<&KeyId> {
        self.keys()
            .filter_map(VerificationKey::key_id)
            .find(|id| id.as_str().starts_with(DEVELOPMENT_KEY_PREFIX))
    }

    /// Finds the keys that may have signed `token`.
    ///
    /// The token's issuer must be this set's, byte for byte; its algorithm must be on the issuer's allow-list and
    /// fit the key. A token without `kid` is served only where there is a single key.
    pub fn select(
        &self,
        token: &UnverifiedToken,
        allowed: &[Algorithm],
    ) -> Result<SelectedKeys, SelectError> {
        check_origin(&self.issuer, token, allowed)?;
        let named: Vec<&Arc<VerificationKey>> = match (token.key_id(), self.keys.as_slice()) {
            (Some(key_id), keys) => {
                let positions =
                    self.by_id.get(key_id).ok_or_else(|| SelectError::UnknownKeyId(key_id.clone()))?;
                positions.iter().filter_map(|position| keys.get(*position)).collect()
            }
            (None, [only]) => vec![only],
            (None, keys) => return Err(SelectError::KeyIdMissing { keys: keys.len() }),
        };
        let algorithm = token.algorithm();
        let fits = |key: &&Arc<VerificationKey>| key.algorithms().contains(&algorithm);
        let keys: Vec<_> = named.iter().copied().filter(fits).cloned().collect();
        if keys.is_empty() {
            let key = named.iter().flat_map(|key| key.algorithms().iter().copied()).collect();
            return Err(SelectError::KeyAlgorithm { algorithm, key });
        }
        Ok(SelectedKeys { issuer: self.issuer.clone(), algorithm, keys })
    }
}

/// What can be said about a token before any key is looked at.
pub(crate) fn check_origin(
    issuer: &Issuer,
    token: &UnverifiedToken,
    allowed: &[Algorithm],
) -> Result<(), SelectError> {
    let found = token.issuer().ok_or(SelectError::IssuerMissing)?;
    if found != issuer.as_str() {
        return Err(SelectError::IssuerMismatch { found: excerpt(found), expected: issuer.clone() });
    }
    let algorithm = token.algorithm();
    if !allowed.contains(&algorithm) {
        return Err(SelectError::AlgorithmNotAllowed { algorithm, allowed: allowed.to_vec() });
    }
    Ok(())
}

/// The `kid` of a key that could not be read as a whole.
fn stated_key_id(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        kid: String,
    }
    serde_json::from_str::<Named>(json).ok().map(|named| excerpt(&named.kid))
}

fn in_brackets(key_id: Option<&str>) -> String {
    key_id.map(|key_id| format!(" (`{key_id}`)")).unwrap_or_default()
}

fn describe(warnings: &[KeyWarning]) -> String {
    match warnings {
        [] => "its list is empty".to_owned(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first}; and {} more", rest.len()),
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("issuer", &self.issuer)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
