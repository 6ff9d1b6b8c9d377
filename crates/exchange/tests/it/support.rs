//! A small organisation with an issuer of its own, and everything that the tests do to it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::Utf8Path;
use daypass_claims::{ClaimSet, ClaimValue, Clock, Issuer, Random, RandomError, Timestamp};
use daypass_exchange::config::{Config, Files, load};
use daypass_exchange::keys::{Fetch, FetchError, FetchTarget, Fetched, Kek, KeyRing};
use daypass_exchange::record::{Record, RecordKind};
use daypass_exchange::{
    Admitted, Client, Exchange, Observe, Parts, Refused, Request, SessionPolicy, SubjectToken, Wire,
};
use daypass_store::{BoxFuture, SqliteOptions, SqliteStore, Store};
use daypass_token::jwk::JwkSet;
use daypass_token::sign::{SigningAlgorithm, SigningKey, TokenHeader};

pub(crate) const GITHUB: &str = "https://token.actions.githubusercontent.com";
pub(crate) const START: i64 = 1_790_000_000;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Where the randomness of the next world begins.
static SEED: AtomicU64 = AtomicU64::new(1);

/// Different bytes every time.
#[derive(Debug, Default)]
pub(crate) struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for byte in bytes {
            let n = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = n.to_be_bytes()[2];
        }
        Ok(())
    }
}

/// Counts what is watched.
#[derive(Debug, Default)]
pub(crate) struct Watched(pub(crate) Mutex<Vec<Option<&'static str>>>);

impl Observe for Watched {
    fn answered(&self, _wire: &'static str, refusal: Option<&'static str>, _took_ms: u64) {
        self.0.lock().unwrap().push(refusal);
    }
    fn fetched(&self, _issuer: &str, _ok: bool) {}
}

/// Files that are only in memory.
pub(crate) struct Memory(pub(crate) BTreeMap<String, String>);

impl Memory {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }
}

impl Files for Memory {
    fn read(&self, path: &Utf8Path) -> Result<String, String> {
        self.0.get(path.as_str()).cloned().ok_or_else(|| "no such file".to_owned())
    }
    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<String>>, String> {
        let prefix = format!("{path}/");
        let names: Vec<String> =
            self.0.keys().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect();
        Ok((!names.is_empty()).then_some(names))
    }
}

/// An issuer on the other end of a fetch that the test controls.
pub(crate) struct Issuers {
    pub(crate) jwks: Mutex<BTreeMap<String, String>>,
    pub(crate) down: Mutex<bool>,
    pub(crate) hang: Mutex<bool>,
    pub(crate) fetches: AtomicUsize,
}

impl Fetch for Issuers {
    fn fetch(&self, target: FetchTarget) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(async move {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            if *self.hang.lock().unwrap() {
                std::future::pending::<()>().await;
            }
            if *self.down.lock().unwrap() {
                return Err(FetchError("connection refused".to_owned()));
            }
            let issuers = self.jwks.lock().unwrap();
            for (issuer, jwks) in issuers.iter() {
                if target.url == format!("{issuer}/.well-known/openid-configuration") {
                    let body = format!(r#"{{"issuer": "{issuer}", "jwks_uri": "{issuer}/keys"}}"#);
                    return Ok(Fetched { body: body.into_bytes(), cache_control: None });
                }
                if target.url == format!("{issuer}/keys") {
                    return Ok(Fetched {
                        body: jwks.clone().into_bytes(),
                        cache_control: Some("max-age=600".into()),
                    });
                }
            }
            Err(FetchError("404".to_owned()))
        })
    }
}

/// The world of a test.
pub(crate) struct World {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) watched: Arc<Watched>,
    pub(crate) key: SigningKey,
    pub(crate) directory: Arc<tempfile::TempDir>,
}

pub(crate) fn key() -> SigningKey {
    SigningKey::generate(SigningAlgorithm::ES256).unwrap()
}

pub(crate) fn jwks(keys: &[&SigningKey]) -> String {
    let set: JwkSet = keys.iter().map(|key| key.public_jwk().clone()).collect();
    serde_json::to_string(&set).unwrap()
}

/// The configuration that most tests use; `extra` is appended.
pub(crate) fn config_text(extra: &str) -> String {
    format!(
        r#"
data = "data"
account_id = "123456789012"
[[issuer]]
name = "github"
url = "{GITHUB}"
platform = "github-actions"
audiences = ["sts.amazonaws.com"]
algorithms = ["ES256", "RS256"]
jwks_file = "github.jwks.json"
[[role]]
name = "deploy"
max_session = "1h"
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"
claims.ref = "refs/heads/main"
[[role]]
name = "token"
max_session = "30m"
credential = {{ kind = "jwt", audience = "https://api.example.com", subject = "repo:{{repository_id}}:ref:{{ref}}", claims = {{ repository = "{{repository}}", origin = "from {{event_name}}", fixed = true }}, scopes = ["read", "write"], tags = {{ Repository = "{{repository}}" }} }}
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"
{extra}"#
    )
}

pub(crate) fn configure(text: &str, key: &SigningKey) -> Config {
    let files = Memory::of(&[("daypass.toml", text), ("github.jwks.json", &jwks(&[key]))]);
    load("daypass.toml".into(), &files, &|_| None, Timestamp::from_secs(START)).unwrap().config
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&config_text("")).await
    }

    pub(crate) async fn with(text: &str) -> Self {
        let key = key();
        let config = configure(text, &key);
        Self::start(
            config,
            key,
            Arc::new(tempfile::tempdir().unwrap()),
            Arc::new(TestClock(AtomicI64::new(START * 1_000))),
        )
        .await
    }

    /// Another process over the same store, as after a restart or as a replica.
    pub(crate) async fn again(&self) -> Self {
        let key = SigningKey::from_pkcs8(SigningAlgorithm::ES256, &self.key.to_pkcs8().unwrap()).unwrap();
        let config = self.exchange.config().clone();
        Self::start(config, key, Arc::clone(&self.directory), Arc::clone(&self.clock)).await
    }

    /// A world of its own configuration; the clock is another world's.
    pub(crate) async fn from_config(config: Config, key: SigningKey, other: &Self) -> Self {
        Self::start(config, key, Arc::new(tempfile::tempdir().unwrap()), Arc::clone(&other.clock)).await
    }

    async fn start(
        config: Config,
        key: SigningKey,
        directory: Arc<tempfile::TempDir>,
        clock: Arc<TestClock>,
    ) -> Self {
        let options = SqliteOptions { create: true, ..SqliteOptions::default() };
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&directory.path().join("data"), &options).unwrap());
        let random =
            Arc::new(TestRandom(AtomicU64::new(SEED.fetch_add(0x1234_5678_9abc_def1, Ordering::Relaxed))));
        let kek = Kek::new(&[7; 32]).unwrap();
        let ring = KeyRing::open(&*store, kek, config.signing.clone(), &*random, clock.now()).await.unwrap();
        let watched = Arc::new(Watched::default());
        let parts = Parts {
            config,
            store,
            ring,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random,
            observe: Arc::clone(&watched) as Arc<dyn Observe>,
            development: false,
        };
        let exchange = Arc::new(Exchange::start(parts).await.unwrap());
        Self { exchange, clock, watched, key, directory }
    }

    /// The claims of the intended job.
    pub(crate) fn claims(&self) -> ClaimSet {
        let now = self.clock.now().as_secs();
        let texts = [
            ("iss", GITHUB),
            ("aud", "sts.amazonaws.com"),
            ("sub", "repo:acme/app:ref:refs/heads/main"),
            ("repository", "acme/app"),
            ("repository_id", "2002"),
            ("repository_owner", "acme"),
            ("repository_owner_id", "1001"),
            ("ref", "refs/heads/main"),
            ("event_name", "push"),
            ("run_id", "77"),
            ("run_attempt", "1"),
        ];
        let mut claims: ClaimSet = texts.into_iter().collect();
        claims.insert("iat", now);
        claims.insert("exp", now + 300);
        claims.insert("jti", format!("jti-{}", self.watched.0.lock().unwrap().len()));
        claims
    }

    /// A token of the intended job, with some claims changed.
    pub(crate) fn token(&self, changes: &[(&str, ClaimValue)]) -> String {
        let mut claims = self.claims();
        for (name, value) in changes {
            claims.insert(*name, value.clone());
        }
        self.signed(&claims)
    }

    pub(crate) fn signed(&self, claims: &ClaimSet) -> String {
        self.key.sign(&TokenHeader::new("JWT"), claims).unwrap()
    }

    pub(crate) fn request(&self, role: &str, token: &str) -> Request {
        Request {
            wire: Wire::TokenExchange,
            role: role.to_owned(),
            token: SubjectToken::new(token.to_owned()),
            duration: None,
            session_name: Some("run-1".to_owned()),
            session_policy: SessionPolicy::default(),
            scope: None,
            client: Client {
                address: "192.0.2.9".parse().unwrap(),
                user_agent: Some("test".into()),
                secure: true,
            },
            received_at: self.clock.now(),
        }
    }

    pub(crate) async fn ask(&self, role: &str, token: &str) -> Result<Admitted, Refused> {
        self.exchange.exchange(self.request(role, token)).await
    }

    /// The code with which a token is refused.
    pub(crate) async fn refusal(&self, role: &str, token: &str) -> &'static str {
        self.ask(role, token).await.unwrap_err().refusal.code()
    }

    /// The newest exchange on record.
    pub(crate) async fn last_record(&self) -> (Record, daypass_exchange::record::ExchangeRecord) {
        let records = self.exchange.store().latest(1).await.unwrap();
        let record = Record::from_body(records[0].body.as_ref().unwrap()).unwrap();
        let RecordKind::Exchange(exchange) = record.kind.clone() else {
            panic!("not an exchange: {record:?}")
        };
        (record, *exchange)
    }
}

pub(crate) fn issuer(url: &str) -> Issuer {
    Issuer::parse(url).unwrap()
}
