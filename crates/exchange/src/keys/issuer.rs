//! Keys of one issuer at run time: a snapshot that readers never wait for, and the engine behind it.
//!
//! What to do when is decided by `daypass_token::engine`, a state machine without I/O; here are the lock around it, the
//! waiting, and the fetch itself.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use daypass_claims::{Clock, Issuer, Timestamp};
use daypass_store::BoxFuture;
use daypass_token::discovery::{self, DiscoveryDocument};
use daypass_token::engine::{
    self, Engine, EnginePolicy, EngineStatus, FetchFailure, FetchOrder, KeySnapshot, Lookup, Miss,
    RetryReason, Settled,
};
use daypass_token::{JwksLimits, KeySet, SelectError, SelectedKeys, UnverifiedToken};
use tokio::sync::Notify;

use crate::config::{FetchConfig, IssuerConfig, KeySource};
use crate::refusal::Refusal;

/// A document to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchTarget {
    /// Where it is.
    pub url: String,
    /// How its host may be reached.
    pub config: FetchConfig,
    /// Until when an answer counts.
    pub deadline: Timestamp,
}

/// A document that was got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The document.
    pub body: Vec<u8>,
    /// The `Cache-Control` header, if there was one.
    pub cache_control: Option<String>,
}

/// Why a document was not got, in words for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Gets documents over HTTP. The port is declared here and implemented by the server, which holds to the bounds of the
/// JWKS engine: https only, no other host, checked addresses, a size and a time.
pub trait Fetch: Send + Sync {
    /// Gets one document.
    fn fetch(&self, target: FetchTarget) -> BoxFuture<'_, Result<Fetched, FetchError>>;
}

/// The keys of an issuer are not at hand; the same request can succeed later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct KeysUnavailable {
    /// When to come again.
    pub after: Duration,
    /// Why not now.
    pub why: RetryReason,
}

/// Why keys from an administrator are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushRefusal {
    /// The engine: the issuer is not one that keys are pushed for, or the keys are another's.
    #[error(transparent)]
    Engine(#[from] engine::PushError),
    /// A key that anybody can make.
    #[error("`{0}` is a development key, which anybody can make")]
    Development(String),
}

/// The keys of one issuer.
pub struct IssuerKeys {
    issuer: Issuer,
    development: bool,
    fetch: Option<FetchConfig>,
    snapshot: ArcSwap<KeySnapshot>,
    engine: Mutex<Engine>,
    settled: Notify,
    wanted: Notify,
    /// The document of pushed keys that was last taken up from the store.
    taken_up: Mutex<Option<String>>,
}

impl IssuerKeys {
    /// The keys of a configured issuer; nothing is fetched yet. Development keys, which anybody can make, are taken only if
    /// `development` is set.
    pub fn new(config: &IssuerConfig, development: bool, now: Timestamp) -> Self {
        let (engine, fetch) = match &config.keys {
            KeySource::Pinned(keys) => (Engine::pinned(keys.clone()), None),
            KeySource::Pushed => (Engine::pushed(config.issuer.clone()), None),
            KeySource::Discovery(fetch) => {
                (Engine::fetching(config.issuer.clone(), policy(fetch), now), Some(fetch.clone()))
            }
        };
        Self {
            issuer: config.issuer.clone(),
            development,
            fetch,
            snapshot: ArcSwap::new(engine.snapshot()),
            engine: Mutex::new(engine),
            settled: Notify::new(),
            wanted: Notify::new(),
            taken_up: Mutex::default(),
        }
    }

    /// Whose keys these are.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// What an operator wants to see.
    pub fn status(&self, now: Timestamp) -> EngineStatus {
        self.with_engine(|engine| engine.status(now))
    }

    /// Takes keys that an earlier process fetched.
    pub fn restore(&self, keys: KeySet, fetched_at: Timestamp, now: Timestamp) {
        if !self.development && keys.development_key().is_some() {
            tracing::warn!(issuer = %self.issuer, "stored keys are development keys and are not taken up");
            return;
        }
        self.with_engine(|engine| engine.restore(keys, fetched_at, now));
    }

    /// Takes keys from an administrator.
    pub fn push(&self, keys: KeySet) -> Result<Settled, PushRefusal> {
        if !self.development
            && let Some(key) = keys.development_key()
        {
            return Err(PushRefusal::Development(key.to_string()));
        }
        Ok(self.with_engine(|engine| engine.push(keys))?)
    }

    /// Takes keys that an administrator has pushed, to an earlier process or to another replica. What was taken up already is
    /// left alone.
    pub(crate) fn take_up(&self, document: String) {
        let mut taken_up = self.taken_up.lock().unwrap_or_else(PoisonError::into_inner);
        if taken_up.as_ref() == Some(&document) {
            return;
        }
        match KeySet::from_jwks(self.issuer.clone(), document.as_bytes(), JwksLimits::default()) {
            Ok((keys, _)) => match self.push(keys) {
                Ok(settled) => tracing::info!(issuer = %self.issuer, ?settled, "pushed keys are taken up"),
                Err(error) => {
                    tracing::warn!(issuer = %self.issuer, %error, "pushed keys are not taken up");
                }
            },
            Err(error) => tracing::warn!(issuer = %self.issuer, %error, "pushed keys are not usable"),
        }
        *taken_up = Some(document);
    }

    /// The keys that may have signed `token`. A token with a known key never waits; one with an unknown key waits for at
    /// most one fetch, and not longer than the engine allows.
    pub(crate) async fn select(
        &self,
        token: &UnverifiedToken,
        allowed: &[daypass_claims::Algorithm],
        clock: &dyn Clock,
    ) -> Result<SelectedKeys, Refusal> {
        match self.snapshot.load().select(token, allowed, clock.now()) {
            Ok(keys) => return Ok(keys),
            Err(Miss::Refused(error)) => return Err(refused(error)),
            Err(Miss::UnknownKeyId(_) | Miss::NoKeys) => {}
        }
        let mut lookup = self.with_engine(|engine| engine.lookup(token, allowed, clock.now()));
        loop {
            let ticket = match lookup {
                Lookup::Use(keys) => return Ok(keys),
                Lookup::Refuse(error) => return Err(refused(error)),
                Lookup::Retry { after, why } => return Err(KeysUnavailable { after, why }.into()),
                Lookup::Wait(ticket) => ticket,
            };
            // Registered before the driver is woken, so that its answer cannot be missed.
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            self.wanted.notify_one();
            let left = ticket.deadline().since(clock.now());
            let _ = tokio::time::timeout(left, settled).await;
            lookup = self.with_engine(|engine| engine.resume(ticket, token, allowed, clock.now()));
        }
    }

    /// Fetches what is due. Returns the document that was fetched, for the store, and what became of it.
    pub async fn tend(&self, fetcher: &dyn Fetch, clock: &dyn Clock) -> Option<(Option<String>, Settled)> {
        let config = self.fetch.as_ref()?;
        let order = self.with_engine(|engine| engine.poll_fetch(clock.now()))?;
        let left = order.deadline.since(clock.now());
        let result = match tokio::time::timeout(left, get_keys(fetcher, config, &order)).await {
            Ok(Ok((_, fetched))) if !self.development && fetched.keys.development_key().is_some() => Err(
                FetchFailure::Transport("it published development keys, which anybody can make".to_owned()),
            ),
            Ok(result) => result,
            Err(_) => Err(FetchFailure::TimedOut),
        };
        let (document, result) = match result {
            Ok((document, fetched)) => (Some(document), Ok(fetched)),
            Err(failure) => {
                tracing::warn!(issuer = %self.issuer, %failure, "the issuer's keys could not be fetched");
                (None, Err(failure))
            }
        };
        let settled = self.with_engine(|engine| engine.fetched(order.id, result, clock.now()));
        if let Settled::Replaced { added, removed } = &settled
            && !(added.is_empty() && removed.is_empty())
        {
            tracing::info!(issuer = %self.issuer, ?added, ?removed, "the issuer's keys have changed");
        }
        self.settled.notify_waiters();
        Some((document, settled))
    }

    /// Waits until there may be something to fetch: a token asked for it, or its time has come. At most a second, so
    /// that a clock that was moved is noticed.
    pub async fn idle(&self, clock: &dyn Clock) {
        let due = self.with_engine(|engine| engine.next_wakeup());
        let wait =
            due.map_or(Duration::from_secs(1), |due| due.since(clock.now())).min(Duration::from_secs(1));
        let _ = tokio::time::timeout(wait.max(Duration::from_millis(5)), self.wanted.notified()).await;
    }

    /// Runs `work` on the engine and publishes what it left behind.
    fn with_engine<T>(&self, work: impl FnOnce(&mut Engine) -> T) -> T {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut engine);
        self.snapshot.store(engine.snapshot());
        result
    }
}

impl std::fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IssuerKeys({})", self.issuer)
    }
}

fn refused(error: SelectError) -> Refusal {
    Refusal::Token(error.into())
}

fn policy(config: &FetchConfig) -> EnginePolicy {
    let mut policy = EnginePolicy::default();
    if let Some(ttl) = config.ttl {
        // What the operator sets bounds what the issuer says, so that a withdrawn key is refused within that time.
        policy.default_ttl = ttl;
        policy.max_ttl = ttl;
    }
    if let Some(stale_for) = config.stale_for {
        policy.stale_for = stale_for;
    }
    policy
}

/// Discovery, then the key set.
async fn get_keys(
    fetcher: &dyn Fetch,
    config: &FetchConfig,
    order: &FetchOrder,
) -> Result<(String, engine::Fetched), FetchFailure> {
    let get = async |url: String| {
        let target = FetchTarget { url, config: config.clone(), deadline: order.deadline };
        fetcher.fetch(target).await.map_err(|error| FetchFailure::Transport(error.0))
    };
    let found = get(discovery::well_known_url(&order.issuer)).await?;
    let document = DiscoveryDocument::parse(&found.body, &order.issuer)?;
    let fetched = get(document.jwks_uri().to_owned()).await?;
    let (keys, warnings) = KeySet::from_jwks(order.issuer.clone(), &fetched.body, JwksLimits::default())?;
    for warning in warnings {
        tracing::warn!(issuer = %order.issuer, %warning, "one of the issuer's keys is not usable");
    }
    let max_age = fetched.cache_control.as_deref().and_then(engine::max_age);
    let text = String::from_utf8_lossy(&fetched.body).into_owned();
    Ok((text, engine::Fetched { keys, max_age }))
}
