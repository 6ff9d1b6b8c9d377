use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daypass_claims::{Clock, Issuer, Random, RandomError, Timestamp};
use daypass_token::discovery::DiscoveryDocument;
use daypass_token::jwk::JwkSet;

use crate::address::{Addresses, IssuerMode, Played};
use crate::discovery;
use crate::error::RequestError;
use crate::job::Jobs;
use crate::keys::{KeyError, KeyMaker, KeyRing, KeyStore};
use crate::mint::MintRequest;
use crate::outage::OutageBoard;

/// Development CI platforms: every platform of the catalogue, minting for whoever asks on this machine.
///
/// The value is a handle; clones play the same platforms.
#[derive(Clone)]
pub struct DevIssuer(Arc<State>);

/// What a development issuer needs from outside.
pub struct Options {
    /// Which `iss` tokens carry.
    pub mode: IssuerMode,
    /// How long a relying party may keep a key set (`Cache-Control: max-age`).
    pub max_age: Duration,
    /// Where keys outlive the process.
    pub keys: Box<dyn KeyStore>,
    /// What tokens are dated by.
    pub clock: Arc<dyn Clock>,
    /// What names keys, tokens and jobs.
    pub random: Arc<dyn Random>,
}

/// Why there is no development issuer.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Whoever reaches a development issuer is anyone it pleases.
    #[error("a development issuer is for this machine alone: it cannot listen on {0}, only on loopback")]
    NotLoopback(IpAddr),
    /// The keys of earlier runs cannot be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

struct State {
    address: SocketAddr,
    addresses: Addresses,
    max_age: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Seconds.
    skew: AtomicI64,
    keys: Mutex<KeyRing>,
    jobs: Mutex<Jobs>,
    outages: OutageBoard,
}

impl DevIssuer {
    /// Plays platforms at `address`, which is the listener's: it is a part of issuers and of what a request's `Host`
    /// must be.
    pub fn new(address: SocketAddr, options: Options) -> Result<Self, StartError> {
        if !address.ip().is_loopback() {
            return Err(StartError::NotLoopback(address.ip()));
        }
        let addresses = Addresses::new(address, options.mode);
        // A run on another port had loopback issuers of its own, to which nobody can come back.
        let keys = KeyRing::open(options.keys, |issuer| !issuer.is_loopback() || addresses.hold(issuer))?;
        Ok(Self(Arc::new(State {
            address,
            addresses,
            max_age: options.max_age,
            clock: options.clock,
            random: options.random,
            skew: AtomicI64::new(0),
            keys: Mutex::new(keys),
            jobs: Mutex::new(Jobs::default()),
            outages: OutageBoard::new(),
        })))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// `http://127.0.0.1:8090`: what `daypass token mint --issuer-url` takes.
    pub fn url(&self) -> &str {
        self.addresses().base()
    }

    /// Which `iss` tokens carry.
    pub fn mode(&self) -> IssuerMode {
        self.addresses().mode()
    }

    /// The `iss` of a platform's tokens; of the job that pushed to main if no variant is named.
    pub fn issuer_of(&self, platform: &str, variant: Option<&str>) -> Result<Issuer, RequestError> {
        let request = MintRequest { variant: variant.map(str::to_owned), ..MintRequest::new(platform) };
        Ok(self.played(&request)?.issuer)
    }

    /// The keys that an issuer publishes now; makes one if it has none, which takes a moment (RSA).
    ///
    /// Outages are of documents: they show at [`jwks_url`](Self::jwks_url) and not here.
    pub fn jwks_for(&self, issuer: &Issuer) -> Result<JwkSet, RequestError> {
        let played = self.named(issuer.as_str())?;
        self.with_keys(&played, KeyRing::published)
    }

    /// Where an issuer's discovery document is served here.
    pub fn discovery_url(&self, issuer: &Issuer) -> Result<String, RequestError> {
        Ok(self.addresses().discovery_url(&self.named(issuer.as_str())?))
    }

    /// Where an issuer's key set is served here, whatever its URL says: for a relying party that is told to believe
    /// a true issuer by these keys.
    pub fn jwks_url(&self, issuer: &Issuer) -> Result<String, RequestError> {
        Ok(self.addresses().jwks_url(&self.named(issuer.as_str())?))
    }

    /// The document that an issuer publishes about itself.
    pub fn discovery_for(&self, issuer: &Issuer) -> Result<DiscoveryDocument, RequestError> {
        let played = self.named(issuer.as_str())?;
        Ok(discovery::document(&played, &played.issuer, &self.addresses().advertised_jwks_url(&played))?)
    }

    /// Moves the clock that tokens are dated by, in seconds; 0 puts it right.
    pub fn set_skew(&self, seconds: i64) {
        self.0.skew.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn skew(&self) -> i64 {
        self.0.skew.load(Ordering::Relaxed)
    }

    /// What the platforms take for the time.
    pub(crate) fn now(&self) -> Timestamp {
        let millis = self.0.clock.now().as_millis();
        Timestamp::from_millis(millis.saturating_add(self.skew().saturating_mul(1_000)))
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.0.addresses
    }

    pub(crate) fn outages(&self) -> &OutageBoard {
        &self.0.outages
    }

    pub(crate) fn max_age(&self) -> Duration {
        self.0.max_age
    }

    pub(crate) fn with_jobs<T>(&self, work: impl FnOnce(&mut Jobs) -> T) -> T {
        work(&mut self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn with_ring<T>(&self, work: impl FnOnce(&mut KeyRing) -> T) -> T {
        work(&mut self.0.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works on the keys of an issuer, which are made as they are needed.
    pub(crate) fn with_keys<T>(
        &self,
        played: &Played,
        work: impl FnOnce(&mut KeyRing, &KeyMaker<'_>) -> Result<T, KeyError>,
    ) -> Result<T, RequestError> {
        let maker = KeyMaker { issuer: &played.issuer, platform: played.platform, random: &*self.0.random };
        Ok(self.with_ring(|ring| work(ring, &maker))?)
    }

    /// A random UUID: the id of a token or a job.
    pub(crate) fn random_uuid(&self) -> Result<String, RandomError> {
        let mut bytes = [0; 16];
        self.0.random.fill(&mut bytes)?;
        Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
    }

    /// 32 random bytes in hex: what a job shows to get its token.
    pub(crate) fn random_secret(&self) -> Result<String, RandomError> {
        let mut bytes = [0; 32];
        self.0.random.fill(&mut bytes)?;
        Ok(hex::encode(bytes))
    }
}

/// Shows where it listens; no key.
impl fmt::Debug for DevIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevIssuer")
            .field("address", &self.address())
            .field("mode", &self.mode())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("mode", &self.mode)
            .field("max_age", &self.max_age)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
