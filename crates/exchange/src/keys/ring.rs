//! Our own keys: made, wrapped, rotated, published; the same on every replica because the store holds them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use daypass_claims::{Algorithm, KeyId, Random, Timestamp};
use daypass_store::{KeyPurpose, Store, StoreError, StoredKey};
use daypass_token::VerificationKey;
use daypass_token::jwk::JwkSet;
use daypass_token::rotation::{Action, KeyLife, RotationPolicy, plan, published, signer};
use daypass_token::sign::{SignError, SigningAlgorithm, SigningKey};
use zeroize::Zeroizing;

use super::{Kek, KekError, SealKey};
use crate::config::{LONGEST_SESSION, SigningConfig};

/// Why our own keys are not at hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Wrapping or unwrapping. Usually another key-encryption key than the one the store was made with.
    #[error("key `{id}`: {why}")]
    Kek {
        /// Which key.
        id: String,
        /// What is wrong.
        why: KekError,
    },
    /// Making or reading a private key.
    #[error("key `{id}`: {why}")]
    Key {
        /// Which key.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// There is no key for this now; only ever before the ring was first maintained.
    #[error("there is no {0} key yet")]
    Missing(&'static str),
    /// Kept making keys that other replicas had made already.
    #[error("the keys of other replicas keep changing")]
    Contended,
}

/// A key as the outside sees it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PublishedKey {
    /// The key id.
    pub id: String,
    /// What it is for.
    pub purpose: &'static str,
    /// Its algorithm, if it signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<&'static str>,
    /// 1, 2, 3 ... per purpose.
    pub generation: i64,
    /// `published`, `in use` or `retired`.
    pub state: &'static str,
    /// When it is first used.
    pub use_from: String,
    /// When it is no longer used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retire_at: Option<String>,
}

/// Our own keys at one moment.
pub struct Keys {
    signers: Vec<(Algorithm, Arc<SigningKey>)>,
    verifiers: Vec<Arc<SigningKey>>,
    jwks: String,
    seal: Arc<SealKey>,
    seals: BTreeMap<u32, Arc<SealKey>>,
    audit: Arc<SigningKey>,
    audit_keys: Vec<VerificationKey>,
    listed: Vec<PublishedKey>,
}

impl Keys {
    /// The key that signs tokens now, of `algorithm` or of the default.
    pub fn signer(&self, algorithm: Option<Algorithm>) -> Option<&Arc<SigningKey>> {
        let mut signers = self.signers.iter();
        match algorithm {
            None => signers.next(),
            Some(wanted) => signers.find(|(algorithm, _)| *algorithm == wanted),
        }
        .map(|(_, key)| key)
    }

    /// Every published signing key.
    pub fn signing_keys(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        self.verifiers.iter()
    }

    /// The published signing key of that id.
    pub fn signing_key(&self, id: &str) -> Option<&Arc<SigningKey>> {
        self.verifiers.iter().find(|key| key.key_id().as_str() == id)
    }

    /// The published JWKS document.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The algorithms that tokens are signed with now.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.signers.iter().map(|(algorithm, _)| *algorithm)
    }

    /// The key that seals sessions now.
    pub const fn seal(&self) -> &Arc<SealKey> {
        &self.seal
    }

    /// The sealing key of that generation.
    pub fn seal_of(&self, generation: u32) -> Option<&Arc<SealKey>> {
        self.seals.get(&generation)
    }

    /// All sealing keys that may still have made something, newest first.
    pub fn seals(&self) -> impl Iterator<Item = &Arc<SealKey>> {
        self.seals.values().rev()
    }

    /// The key that signs geneses and checkpoints.
    pub const fn audit(&self) -> &Arc<SigningKey> {
        &self.audit
    }

    /// The public halves of all audit keys.
    pub fn audit_keys(&self) -> &[VerificationKey] {
        &self.audit_keys
    }

    /// Every key, for people.
    pub fn listed(&self) -> &[PublishedKey] {
        &self.listed
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("listed", &self.listed).finish_non_exhaustive()
    }
}

/// Our own keys, kept current.
#[derive(Debug)]
pub struct KeyRing {
    kek: Kek,
    config: SigningConfig,
    current: ArcSwap<Keys>,
}

/// Something that rotates on its own: the signing keys of one algorithm, the sealing keys, the audit keys.
#[derive(Clone, Copy)]
struct Family {
    purpose: KeyPurpose,
    algorithm: Option<SigningAlgorithm>,
}

impl KeyRing {
    /// Reads the keys, making those that are missing.
    pub async fn open(
        store: &dyn Store,
        kek: Kek,
        config: SigningConfig,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<Self, RingError> {
        let keys = maintain(store, &kek, &config, random, now).await?;
        Ok(Self { kek, config, current: ArcSwap::from_pointee(keys) })
    }

    /// The keys as they are now.
    pub fn keys(&self) -> Arc<Keys> {
        self.current.load_full()
    }

    /// Reads the keys again and rotates what is due. Replicas call it every few seconds; a key is published and known
    /// everywhere long before it is used.
    pub async fn refresh(
        &self,
        store: &dyn Store,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<(), RingError> {
        let keys = maintain(store, &self.kek, &self.config, random, now).await?;
        self.current.store(Arc::new(keys));
        Ok(())
    }

    /// Makes the next key of a purpose now. It is used after the usual lead; with `at_once` it is used now and the old
    /// ones are removed, with everything that they made: that is for a key that has leaked.
    pub async fn rotate(
        &self,
        store: &dyn Store,
        random: &dyn Random,
        now: Timestamp,
        purpose: KeyPurpose,
        at_once: bool,
    ) -> Result<(), RingError> {
        for family in families(&self.config).filter(|family| family.purpose == purpose) {
            let stored = store.keys(purpose).await?;
            let (now, stored) = (time_of(&stored, now), of_family(&stored, family));
            let use_from = if at_once { now } else { now + self.config.policy(family).publish_lead };
            // The new one first: a replica that looks in between has a key to use, and makes none of its own.
            create(store, &self.kek, random, family, now, use_from).await?;
            for key in stored.iter().filter(|_| at_once) {
                store.retire_key(&key.id, now, now).await?;
            }
        }
        self.refresh(store, random, now).await
    }
}

impl SigningConfig {
    fn policy(&self, family: Family) -> RotationPolicy {
        const YEAR: Duration = Duration::from_secs(365 * 86_400);
        match family.purpose {
            KeyPurpose::Sign => RotationPolicy {
                publish_lead: self.publish_ahead,
                signing_period: self.rotate_every,
                token_life: LONGEST_SESSION,
            },
            // Nobody outside caches sealing keys; replicas read them every few seconds.
            KeyPurpose::Seal => RotationPolicy {
                publish_lead: Duration::from_secs(60).min(self.publish_ahead),
                signing_period: self.rotate_every,
                token_life: LONGEST_SESSION,
            },
            // What an audit key signed is verified for as long as there is a log.
            KeyPurpose::Audit => RotationPolicy {
                publish_lead: Duration::from_secs(60).min(self.publish_ahead),
                signing_period: YEAR,
                token_life: YEAR.saturating_mul(100),
            },
        }
    }
}

fn families(config: &SigningConfig) -> impl Iterator<Item = Family> {
    let signing =
        config.algorithms.iter().filter_map(|algorithm| SigningAlgorithm::try_from(*algorithm).ok());
    let signing = signing.map(|algorithm| Family { purpose: KeyPurpose::Sign, algorithm: Some(algorithm) });
    signing.chain([
        Family { purpose: KeyPurpose::Seal, algorithm: None },
        Family { purpose: KeyPurpose::Audit, algorithm: Some(SigningAlgorithm::EdDSA) },
    ])
}

fn of_family(stored: &[StoredKey], family: Family) -> Vec<StoredKey> {
    let algorithm = family.algorithm.map(Algorithm::from);
    stored.iter().filter(|key| key.algorithm == algorithm).cloned().collect()
}

/// The time to read keys by: ours, or that at which the newest was made, by a replica whose clock is ahead of ours. What
/// one replica signs with, all must publish; and the keys of a fleet that starts at one moment are good for all of it.
fn time_of(stored: &[StoredKey], now: Timestamp) -> Timestamp {
    stored.iter().map(|key| key.created_at).fold(now, Timestamp::max)
}

fn life(key: &StoredKey) -> Result<KeyLife, RingError> {
    let id =
        KeyId::parse(&key.id).map_err(|why| RingError::Key { id: key.id.clone(), why: why.to_string() })?;
    let StoredKey { publish_from, use_from, retire_at, remove_at, .. } = *key;
    Ok(KeyLife { id, publish_from, use_from, retire_at, remove_at })
}

/// Carries out what the plans say until they say nothing more, then reads everything.
async fn maintain(
    store: &dyn Store,
    kek: &Kek,
    config: &SigningConfig,
    random: &dyn Random,
    now: Timestamp,
) -> Result<Keys, RingError> {
    for family in families(config) {
        let policy = config.policy(family);
        let mut settled = false;
        for _ in 0..8 {
            let stored = store.keys(family.purpose).await?;
            let now = time_of(&stored, now);
            let lives: Vec<KeyLife> =
                of_family(&stored, family).iter().map(life).collect::<Result<_, _>>()?;
            let actions = plan(&lives, now, &policy);
            if actions.is_empty() {
                settled = true;
                break;
            }
            for action in actions {
                match action {
                    Action::Create { use_from, .. } => {
                        create(store, kek, random, family, now, use_from).await?;
                    }
                    Action::Retire { id, retire_at, remove_at } => {
                        store.retire_key(id.as_str(), retire_at, remove_at).await?;
                    }
                    Action::Remove { .. } => {
                        store.remove_keys(now).await?;
                    }
                }
            }
        }
        if !settled {
            return Err(RingError::Contended);
        }
    }
    assemble(store, kek, config, now).await
}

/// Makes and stores the next key. Another replica having made it first is as good.
async fn create(
    store: &dyn Store,
    kek: &Kek,
    random: &dyn Random,
    family: Family,
    now: Timestamp,
    use_from: Timestamp,
) -> Result<(), RingError> {
    let generation =
        store.keys(family.purpose).await?.iter().map(|key| key.generation).max().unwrap_or(0) + 1;
    let (id, secret, public) = match family.algorithm {
        Some(algorithm) => {
            let failed = |why: SignError| RingError::Key { id: "new".to_owned(), why: why.to_string() };
            let key = SigningKey::generate(algorithm).map_err(failed)?;
            let public = serde_json::to_string(key.public_jwk())
                .map_err(|why| RingError::Key { id: "new".to_owned(), why: why.to_string() })?;
            (key.key_id().to_string(), key.to_pkcs8().map_err(failed)?, Some(public))
        }
        None => {
            let mut secret = Zeroizing::new(vec![0; SealKey::LENGTH]);
            let id = format!("seal-{generation}");
            random.fill(&mut secret).map_err(|why| RingError::Kek { id: id.clone(), why: why.into() })?;
            (id, secret, None)
        }
    };
    let wrapped = kek
        .wrap(family.purpose, &id, &secret, random)
        .map_err(|why| RingError::Kek { id: id.clone(), why })?;
    let key = StoredKey {
        id,
        purpose: family.purpose,
        generation,
        algorithm: family.algorithm.map(Algorithm::from),
        public,
        wrapped,
        created_at: now,
        publish_from: now,
        use_from,
        retire_at: None,
        remove_at: None,
    };
    match store.put_key(key).await {
        Ok(()) | Err(StoreError::Exists(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn assemble(
    store: &dyn Store,
    kek: &Kek,
    config: &SigningConfig,
    now: Timestamp,
) -> Result<Keys, RingError> {
    let mut signers = Vec::new();
    let mut verifiers: Vec<Arc<SigningKey>> = Vec::new();
    let mut listed = Vec::new();
    let signing = store.keys(KeyPurpose::Sign).await?;
    let at = time_of(&signing, now);
    for family in families(config).filter(|family| family.purpose == KeyPurpose::Sign) {
        let stored = of_family(&signing, family);
        let lives: Vec<KeyLife> = stored.iter().map(life).collect::<Result<_, _>>()?;
        let current = signer(&lives, at).map(|life| life.id.clone());
        for life in published(&lives, at) {
            let Some(stored) = stored.iter().find(|key| key.id == life.id.as_str()) else { continue };
            let key = Arc::new(signing_key(kek, stored)?);
            if current.as_ref() == Some(&life.id) {
                signers.push((key.algorithm(), Arc::clone(&key)));
            }
            listed.push(listing(stored, current.as_ref() == Some(&life.id)));
            verifiers.push(key);
        }
    }
    let jwks: JwkSet = verifiers.iter().map(|key| key.public_jwk().clone()).collect();
    let jwks = serde_json::to_string(&jwks).map_err(|_| RingError::Missing("publishable"))?;

    let stored = store.keys(KeyPurpose::Seal).await?;
    let at = time_of(&stored, now);
    let lives: Vec<KeyLife> = stored.iter().map(life).collect::<Result<_, _>>()?;
    let current = signer(&lives, at).map(|life| life.id.clone());
    let mut seals = BTreeMap::new();
    let mut seal = None;
    for key in stored.iter().filter(|key| key.remove_at.is_none_or(|remove_at| at < remove_at)) {
        let secret = unwrap(kek, key)?;
        let generation = u32::try_from(key.generation).unwrap_or(u32::MAX);
        let opened = Arc::new(SealKey::new(generation, &secret));
        let in_use = current.as_ref().is_some_and(|id| id.as_str() == key.id);
        if in_use {
            seal = Some(Arc::clone(&opened));
        }
        listed.push(listing(key, in_use));
        seals.insert(generation, opened);
    }

    let stored = store.keys(KeyPurpose::Audit).await?;
    let lives: Vec<KeyLife> = stored.iter().map(life).collect::<Result<_, _>>()?;
    let current = signer(&lives, time_of(&stored, now)).map(|life| life.id.clone());
    let mut audit = None;
    let mut audit_keys = Vec::new();
    for key in &stored {
        let opened = signing_key(kek, key)?;
        let public = opened.verification_key();
        audit_keys.push(public.map_err(|why| RingError::Key { id: key.id.clone(), why: why.to_string() })?);
        let in_use = current.as_ref().is_some_and(|id| id.as_str() == key.id);
        listed.push(listing(key, in_use));
        if in_use {
            audit = Some(Arc::new(opened));
        }
    }
    Ok(Keys {
        signers,
        verifiers,
        jwks,
        seal: seal.ok_or(RingError::Missing("sealing"))?,
        seals,
        audit: audit.ok_or(RingError::Missing("audit"))?,
        audit_keys,
        listed,
    })
}

fn unwrap(kek: &Kek, key: &StoredKey) -> Result<Zeroizing<Vec<u8>>, RingError> {
    kek.unwrap(key.purpose, &key.id, &key.wrapped).map_err(|why| RingError::Kek { id: key.id.clone(), why })
}

/// Unwraps a signing key. What is published derives from it, not from the row's public half, which nothing protects.
fn signing_key(kek: &Kek, key: &StoredKey) -> Result<SigningKey, RingError> {
    let failed = |why: String| RingError::Key { id: key.id.clone(), why };
    let secret = unwrap(kek, key)?;
    let algorithm = key.algorithm.ok_or_else(|| failed("it has no algorithm".to_owned()))?;
    let algorithm = SigningAlgorithm::try_from(algorithm).map_err(|why| failed(why.to_string()))?;
    let id = KeyId::parse(&key.id).map_err(|why| failed(why.to_string()))?;
    Ok(SigningKey::from_pkcs8(algorithm, &secret).map_err(|why| failed(why.to_string()))?.with_key_id(id))
}

fn listing(key: &StoredKey, in_use: bool) -> PublishedKey {
    PublishedKey {
        id: key.id.clone(),
        purpose: key.purpose.as_str(),
        algorithm: key.algorithm.map(Algorithm::as_str),
        generation: key.generation,
        state: match (in_use, key.retire_at) {
            (true, _) => "in use",
            (false, None) => "published",
            (false, Some(_)) => "retired",
        },
        use_from: key.use_from.to_rfc3339(),
        retire_at: key.retire_at.map(Timestamp::to_rfc3339),
    }
}
