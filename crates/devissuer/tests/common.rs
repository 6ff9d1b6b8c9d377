//! A development issuer on a port of its own, and a relying party.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use daypass_claims::{Algorithm, Audience, ClaimSet, Clock, Issuer, Random, RandomError, Timestamp};
use daypass_devissuer::{
    DevIssuer, IssuerMode, KeyStore, MintReply, MintRequest, NoStore, Options, OutageRequest, Status,
};
use daypass_token::discovery::{DiscoveryDocument, DiscoveryError};
use daypass_token::{Expectations, JwksLimits, KeySet, Refusal, UnverifiedToken, VerifiedToken, verify};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(crate) const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// A clock that is put forward by hand.
#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Bytes that are different every time and the same in every run.
#[derive(Debug, Default)]
struct CountingRandom(AtomicU64);

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for byte in bytes {
            let n = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (n >> 32).to_le_bytes()[0];
        }
        Ok(())
    }
}

pub(crate) fn options(mode: IssuerMode, keys: Box<dyn KeyStore>) -> Options {
    Options {
        mode,
        max_age: Duration::from_secs(300),
        keys,
        clock: Arc::new(HandClock(AtomicI64::new(NOW.as_millis()))),
        random: Arc::new(CountingRandom::default()),
    }
}

/// A client with bounds, without redirects, as relying parties should be.
pub(crate) fn client() -> reqwest::Client {
    // The second test to get here finds a provider installed, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap()
}

/// A development issuer that is being served.
pub(crate) struct Server {
    pub(crate) dev: DevIssuer,
    pub(crate) http: reqwest::Client,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(mode: IssuerMode) -> Self {
        Self::with(mode, Box::new(NoStore)).await
    }

    pub(crate) async fn with(mode: IssuerMode, keys: Box<dyn KeyStore>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dev = DevIssuer::new(listener.local_addr().unwrap(), options(mode, keys)).unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = dev.clone().serve(listener, async {
            let _ = stopped.await;
        });
        let serving = tokio::spawn(async { serving.await.unwrap() });
        Self { dev, http: client(), stop, serving }
    }

    pub(crate) async fn stop(self) {
        drop(self.http);
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.dev.url())
    }

    /// Posts JSON; the answer's status and JSON.
    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> (u16, Value) {
        let response = self.http.post(self.url(path)).json(body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// An act of control, and how things are then.
    pub(crate) async fn control(&self, act: &str, body: &impl Serialize) -> Status {
        let (status, json) = self.post(&format!("/control/{act}"), body).await;
        assert_eq!(status, 200, "{json}");
        serde_json::from_value(json).unwrap()
    }

    pub(crate) async fn outage(&self, outage: Value, scope: Option<&str>) -> Status {
        let request: OutageRequest =
            serde_json::from_value(json!({ "outage": outage, "scope": scope })).unwrap();
        self.control("outage", &request).await
    }

    pub(crate) async fn mint(&self, request: &MintRequest) -> String {
        let (status, json) = self.post("/mint", request).await;
        assert_eq!(status, 200, "{json}");
        serde_json::from_value::<MintReply>(json).unwrap().token
    }

    pub(crate) async fn get(&self, url: &str) -> (u16, Vec<u8>) {
        let response = self.http.get(url).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    pub(crate) async fn discovery(&self, issuer: &Issuer) -> Result<DiscoveryDocument, DiscoveryError> {
        let (status, body) = self.get(&self.dev.discovery_url(issuer).unwrap()).await;
        assert_eq!(status, 200);
        DiscoveryDocument::parse(&body, issuer)
    }

    /// The issuer's keys as a relying party gets them: by discovery, or from the place that it was told where the
    /// issuer is a true one.
    pub(crate) async fn keys(&self, issuer: &Issuer) -> KeySet {
        let document = self.discovery(issuer).await.unwrap();
        let url = match self.dev.mode() {
            IssuerMode::Loopback => document.jwks_uri().to_owned(),
            IssuerMode::True => self.dev.jwks_url(issuer).unwrap(),
        };
        let (status, body) = self.get(&url).await;
        assert_eq!(status, 200);
        let (keys, warnings) = KeySet::from_jwks(issuer.clone(), &body, JwksLimits::default()).unwrap();
        assert_eq!(warnings, []);
        keys
    }

    /// Verifies a token as its issuer's relying party does, with freshly fetched keys.
    pub(crate) async fn verify(&self, issuer: &Issuer, token: &str) -> Result<VerifiedToken, Refusal> {
        check(&self.keys(issuer).await, token)
    }
}

/// Verifies a token with these keys, for any audience of the token.
pub(crate) fn check(keys: &KeySet, token: &str) -> Result<VerifiedToken, Refusal> {
    let token = UnverifiedToken::parse(token)?;
    let selected = keys.select(&token, &[Algorithm::RS256, Algorithm::ES256])?;
    let named = token.unverified_claims().audiences().unwrap_or_default();
    let audiences: Vec<Audience> = named.into_iter().map(|text| Audience::parse(text).unwrap()).collect();
    let expected = Expectations { multiple_audiences: true, ..Expectations::new(keys.issuer(), &audiences) };
    verify(&token, &selected, &expected, NOW)
}

/// What a token says, be it true or not.
pub(crate) fn claims(token: &str) -> ClaimSet {
    UnverifiedToken::parse(token).unwrap().unverified_claims().clone()
}

pub(crate) fn issuer_of(token: &str) -> Issuer {
    Issuer::parse(claims(token).get("iss").unwrap().as_str().unwrap()).unwrap()
}

pub(crate) fn github() -> MintRequest {
    MintRequest::new("github-actions")
}
