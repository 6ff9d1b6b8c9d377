//! A clock that is moved by hand, randomness that can end, and what requests and answers are made of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use camino::Utf8Path;
use daypass_claims::{Clock, Random, RandomError, Timestamp};
use daypass_exchange::config::Files;
use daypass_exchange::keys::{Fetch, FetchError, FetchTarget, Fetched};
use daypass_server::SystemRandom;
use daypass_store::BoxFuture;
use daypass_token::jwk::JwkSet;
use daypass_token::sign::{SigningAlgorithm, SigningKey};
use http::{HeaderMap, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

pub(crate) use crate::world::{Plan, World};

pub(crate) const GITHUB: &str = "https://token.actions.githubusercontent.com";
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const DEPLOY: &str = "arn:aws:iam::123456789012:role/deploy";
const START: i64 = 1_790_000_000;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START * 1_000)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// The system's randomness, until there is none.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    pub(crate) dry: AtomicBool,
}

impl Random for Tap {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        if self.dry.load(Ordering::SeqCst) { Err(RandomError) } else { SystemRandom.fill(bytes) }
    }
}

/// Files that are only in memory.
pub(crate) struct Memory(pub(crate) BTreeMap<String, String>);

impl Files for Memory {
    fn read(&self, path: &Utf8Path) -> Result<String, String> {
        self.0.get(path.as_str()).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<String>>, String> {
        let prefix = format!("{path}/");
        let names = self.0.keys().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned);
        Ok(Some(names.collect()))
    }
}

/// Reaches no issuer.
#[derive(Debug)]
pub(crate) struct Unreachable;

impl Fetch for Unreachable {
    fn fetch(&self, target: FetchTarget) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(async move { Err(FetchError(format!("{} is not reached", target.url))) })
    }
}

pub(crate) fn key() -> SigningKey {
    SigningKey::generate(SigningAlgorithm::ES256).unwrap()
}

pub(crate) fn jwks(keys: &[&SigningKey]) -> String {
    let set: JwkSet = keys.iter().map(|key| key.public_jwk().clone()).collect();
    serde_json::to_string(&set).unwrap()
}

/// TLS for a client that trusts these certificate authorities. It brings its own provider of cryptography: the process has
/// none, and nothing in the crate may need one.
pub(crate) fn tls(roots: RootCertStore, protocols: &[&[u8]]) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    tls
}

pub(crate) fn client(roots: RootCertStore) -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(tls(roots, &[b"h2", b"http/1.1"]))
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap()
}

/// What a service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The text of an element, as it stands there.
    pub(crate) fn element(&self, name: &str) -> &str {
        let (_, rest) = self.body.split_once(&format!("<{name}>")).unwrap_or(("", ""));
        rest.split_once(&format!("</{name}>")).map_or("", |(text, _)| text)
    }

    /// Status, code and message of an AWS error.
    pub(crate) fn aws_error(&self) -> String {
        let kind = self.element("Type");
        format!("{} {kind} {}: {}", self.status.as_u16(), self.element("Code"), self.element("Message"))
    }
}

/// What a session is used with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

impl Keys {
    pub(crate) fn of(answer: &Answer) -> Self {
        Self {
            id: answer.element("AccessKeyId").to_owned(),
            secret: answer.element("SecretAccessKey").to_owned(),
            token: answer.element("SessionToken").to_owned(),
        }
    }
}

/// `usual` with some values changed, some added, and those changed to nothing left out.
pub(crate) fn changed<'a>(
    usual: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    let kept = usual.iter().filter(|(name, _)| !is_changed(name));
    kept.chain(changes).filter(|(_, value)| !value.is_empty()).copied().collect()
}

pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| {
        format!("{}={}", daypass_server::sigv4::uri_encode(name), daypass_server::sigv4::uri_encode(value))
    };
    parameters.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Makes a snapshot's secrets and ids the same every time.
pub(crate) fn redacted() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[id]");
    settings.add_filter(r"ASIA[A-Z2-7]{16}", "[access key id]");
    settings.add_filter(r"AROA[A-Z2-7]{17}", "[role id]");
    settings.add_filter(r"<SecretAccessKey>[0-9a-f]{40}<", "<SecretAccessKey>[secret]<");
    settings.add_filter(r"dps1_[A-Za-z0-9_-]+", "[session token]");
    settings.add_filter(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", "[token]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "[address]");
    settings
}

/// Named refusals of the AWS wire, one a line.
#[derive(Default)]
pub(crate) struct Listing(pub(crate) String);

impl Listing {
    pub(crate) fn add(&mut self, name: &str, answer: &Answer) {
        assert_ne!(answer.status, 200, "{name}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "text/xml", "{name}");
        assert_eq!(answer.header("x-amzn-requestid"), answer.element("RequestId"), "{name}");
        let after = answer.header("retry-after");
        let after = if after.is_empty() { String::new() } else { format!(" (retry after {after})") };
        self.0.push_str(&format!("{name}: {}{after}\n", answer.aws_error()));
    }
}
