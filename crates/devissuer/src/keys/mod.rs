//! The keys of the issuers that are played: one list for each issuer, so that a key of another issuer is a real case.

mod document;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_claims::{IdentityError, Issuer, KeyId, Random, RandomError};
use daypass_issuers::Platform;
use daypass_token::DEVELOPMENT_KEY_PREFIX;
use daypass_token::jwk::JwkSet;
use daypass_token::sign::{SignError, SigningAlgorithm, SigningKey};
use serde::{Deserialize, Serialize};

pub use store::{KeyFile, KeyStore, NoStore};

/// How many issuers may have keys. Asking for an issuer's keys makes them, so there is an end to it.
pub const MAX_ISSUERS: usize = 256;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The keys could not be read or saved.
    #[error("development keys cannot be kept: {0}")]
    Store(#[from] std::io::Error),
    /// What was saved is not a document of keys.
    #[error("saved development keys cannot be read: {0}")]
    Document(serde_json::Error),
    /// It was saved by a daypass that writes it differently.
    #[error("saved development keys are of version {found}, this daypass reads 1")]
    Version {
        /// Its version.
        found: u32,
    },
    /// A key that is not named as development keys are. It may be someone's real key: nothing is signed with it.
    #[error(
        "saved key `{key_id}` is no development key: its name does not begin with `{DEVELOPMENT_KEY_PREFIX}`"
    )]
    NotDevelopment {
        /// Its name.
        key_id: KeyId,
    },
    /// The private key is not base64, or no private key.
    #[error("saved key `{key_id}` is not a private key in base64")]
    PrivateKey {
        /// Its name.
        key_id: KeyId,
    },
    /// A key could not be made.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A key could not be named.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A name that is none; it never happens, the type does not know.
    #[error(transparent)]
    Name(#[from] IdentityError),
    /// One issuer too many.
    #[error("{MAX_ISSUERS} issuers have keys already, and `{issuer}` would be one more")]
    TooManyIssuers {
        /// The issuer.
        issuer: Issuer,
    },
    /// The key that is to be withdrawn is not published.
    #[error("`{issuer}` does not publish a key `{key_id}`")]
    NotPublished {
        /// The issuer.
        issuer: Issuer,
        /// The key that was named.
        key_id: KeyId,
    },
    /// No key was named and only the current one is published.
    #[error("`{issuer}` publishes its current key alone: rotate first, or name the key")]
    OnlyCurrent {
        /// The issuer.
        issuer: Issuer,
    },
}

impl KeyError {
    /// A stable name: lower-case words joined by dashes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooManyIssuers { .. } => "issuers-too-many",
            Self::NotPublished { .. } => "key-not-published",
            Self::OnlyCurrent { .. } => "key-only-current",
            _ => "keys-unavailable",
        }
    }

    /// Whether another request would have succeeded; otherwise something is wrong with this issuer.
    pub const fn is_callers(&self) -> bool {
        matches!(self, Self::TooManyIssuers { .. } | Self::NotPublished { .. } | Self::OnlyCurrent { .. })
    }
}

/// Whether a key is in its issuer's set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// It is. The youngest such key is the current one.
    Published,
    /// It was.
    Withdrawn,
}

#[derive(Clone, Debug)]
struct DevelopmentKey {
    key: Arc<SigningKey>,
    state: KeyState,
}

/// The keys of one issuer, the oldest first.
type Keys = Vec<DevelopmentKey>;

/// All keys of a development issuer.
#[derive(Debug)]
pub(crate) struct KeyRing {
    issuers: BTreeMap<Issuer, Keys>,
    /// Keys that no set ever lists. They are made when a forgery is asked for, and not kept.
    rogues: BTreeMap<Issuer, Arc<SigningKey>>,
    store: Box<dyn KeyStore>,
}

impl KeyRing {
    /// Reads the keys of earlier runs, as far as their issuers are still of any use.
    pub(crate) fn open(store: Box<dyn KeyStore>, useful: impl Fn(&Issuer) -> bool) -> Result<Self, KeyError> {
        let mut issuers = match store.load()? {
            Some(saved) => document::read(&saved)?,
            None => BTreeMap::new(),
        };
        issuers.retain(|issuer, _| useful(issuer));
        Ok(Self { issuers, rogues: BTreeMap::new(), store })
    }

    /// The key that the issuer signs with now; made if it has none.
    pub(crate) fn current(&mut self, maker: &KeyMaker<'_>) -> Result<Arc<SigningKey>, KeyError> {
        if let Some(current) = self.issuers.get(maker.issuer).and_then(|keys| current(keys)) {
            return Ok(Arc::clone(current));
        }
        if self.issuers.len() >= MAX_ISSUERS {
            return Err(KeyError::TooManyIssuers { issuer: maker.issuer.clone() });
        }
        let made = maker.make()?;
        self.change(maker.issuer, |keys| keys.push(published(&made)))?;
        Ok(made)
    }

    /// The set that the issuer publishes now, the oldest key first.
    pub(crate) fn published(&mut self, maker: &KeyMaker<'_>) -> Result<JwkSet, KeyError> {
        self.current(maker)?;
        let keys = self.issuers.get(maker.issuer).into_iter().flatten();
        let listed = keys.filter(|key| key.state == KeyState::Published);
        Ok(listed.map(|key| key.key.public_jwk().clone()).collect())
    }

    /// The youngest key that the issuer published once. An issuer that has withdrawn none gets one that is as good:
    /// a predecessor from before its first day.
    pub(crate) fn retired(&mut self, maker: &KeyMaker<'_>) -> Result<Arc<SigningKey>, KeyError> {
        self.current(maker)?;
        let keys = self.issuers.get(maker.issuer).into_iter().flatten();
        let mut withdrawn = keys.rev().filter(|key| key.state == KeyState::Withdrawn);
        if let Some(retired) = withdrawn.next() {
            return Ok(Arc::clone(&retired.key));
        }
        let made = maker.make()?;
        let predecessor = DevelopmentKey { key: Arc::clone(&made), state: KeyState::Withdrawn };
        self.change(maker.issuer, |keys| keys.insert(0, predecessor))?;
        Ok(made)
    }

    /// A key that the issuer has never seen and that carries the name of its current one: a verifier finds the real
    /// key by it, and only the signature tells.
    pub(crate) fn rogue(&mut self, maker: &KeyMaker<'_>) -> Result<SigningKey, KeyError> {
        let name = self.current(maker)?.key_id().clone();
        let rogue = match self.rogues.get(maker.issuer) {
            Some(rogue) => Arc::clone(rogue),
            None => {
                let made = maker.make()?;
                self.rogues.insert(maker.issuer.clone(), Arc::clone(&made));
                made
            }
        };
        renamed(&rogue, name)
    }

    /// Gives the issuer a new current key. The others stay published.
    pub(crate) fn rotate(&mut self, maker: &KeyMaker<'_>) -> Result<(), KeyError> {
        self.current(maker)?;
        let made = maker.make()?;
        self.change(maker.issuer, |keys| keys.push(published(&made)))
    }

    /// Takes a key out of the issuer's set: the named one, else the oldest that is not the current one. An issuer
    /// that loses its current key gets a new one, as after a leak.
    pub(crate) fn withdraw(&mut self, maker: &KeyMaker<'_>, key_id: Option<&KeyId>) -> Result<(), KeyError> {
        let current = self.current(maker)?.key_id().clone();
        let keys = self.issuers.get(maker.issuer).into_iter().flatten();
        let mut listed = keys.filter(|key| key.state == KeyState::Published).map(|key| key.key.key_id());
        let issuer = || maker.issuer.clone();
        let gone = match key_id {
            Some(named) => listed
                .find(|listed| *listed == named)
                .ok_or_else(|| KeyError::NotPublished { issuer: issuer(), key_id: named.clone() })?,
            None => listed
                .find(|listed| **listed != current)
                .ok_or_else(|| KeyError::OnlyCurrent { issuer: issuer() })?,
        };
        let gone = gone.clone();
        let successor = if gone == current { Some(maker.make()?) } else { None };
        self.change(maker.issuer, |keys| {
            for key in keys.iter_mut().filter(|key| *key.key.key_id() == gone) {
                key.state = KeyState::Withdrawn;
            }
            keys.extend(successor.iter().map(published));
        })
    }

    /// Every issuer that has keys, with their names and states, the oldest first.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&Issuer, Vec<(&SigningKey, KeyState)>)> {
        self.issuers
            .iter()
            .map(|(issuer, keys)| (issuer, keys.iter().map(|key| (&*key.key, key.state)).collect()))
    }

    /// Changes an issuer's keys, once the change is saved.
    fn change(&mut self, issuer: &Issuer, change: impl FnOnce(&mut Keys)) -> Result<(), KeyError> {
        let mut issuers = self.issuers.clone();
        change(issuers.entry(issuer.clone()).or_default());
        self.store.save(&document::write(&issuers)?)?;
        self.issuers = issuers;
        Ok(())
    }
}

/// What it takes to make a key for an issuer.
pub(crate) struct KeyMaker<'m> {
    pub(crate) issuer: &'m Issuer,
    pub(crate) platform: &'m Platform,
    pub(crate) random: &'m dyn Random,
}

impl KeyMaker<'_> {
    /// Makes a key for the platform's first algorithm that daypass signs with, RS256 where none was established.
    fn make(&self) -> Result<Arc<SigningKey>, KeyError> {
        let mut known = self.platform.issuer.algorithms.iter();
        let algorithm = known.find_map(|algorithm| SigningAlgorithm::try_from(*algorithm).ok());
        let mut name = [0; 8];
        self.random.fill(&mut name)?;
        let name = KeyId::parse(&format!("{DEVELOPMENT_KEY_PREFIX}{}", hex::encode(name)))?;
        let key = SigningKey::generate(algorithm.unwrap_or(SigningAlgorithm::RS256))?;
        Ok(Arc::new(key.with_key_id(name)))
    }
}

/// A second copy of a key, under another name.
pub(crate) fn renamed(key: &SigningKey, name: KeyId) -> Result<SigningKey, KeyError> {
    let algorithm = SigningAlgorithm::try_from(key.algorithm())?;
    Ok(SigningKey::from_pkcs8(algorithm, &key.to_pkcs8()?)?.with_key_id(name))
}

fn published(key: &Arc<SigningKey>) -> DevelopmentKey {
    DevelopmentKey { key: Arc::clone(key), state: KeyState::Published }
}

fn current(keys: &Keys) -> Option<&Arc<SigningKey>> {
    keys.iter().rev().find(|key| key.state == KeyState::Published).map(|key| &key.key)
}
