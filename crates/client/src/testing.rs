//! What the tests of this crate share: clocks, randomness, an environment, and servers on loopback.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_claims::{Clock, Random, RandomError, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Secret;
use crate::credential::{AccessToken, AwsSession};
use crate::http::{Http, HttpOptions};
use crate::retry::Retry;
use crate::token::{CiToken, Origin};
use crate::tools::Tools;

/// 2026-11-23T05:00:00Z: when the tests take place.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_795_410_000);

/// Always the same byte.
pub(crate) struct FixedRandom(pub(crate) u8);

impl Random for FixedRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(self.0);
        Ok(())
    }
}

/// Other bytes with each call.
#[derive(Default)]
pub(crate) struct CountingRandom(AtomicU32);

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().zip(count.iter().cycle()).for_each(|(byte, count)| *byte = *count);
        Ok(())
    }
}

/// A random source that has failed.
pub(crate) struct NoRandom;

impl Random for NoRandom {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW.as_millis())))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that goes with tokio's, which tests can pause.
pub(crate) struct TokioClock(tokio::time::Instant);

impl TokioClock {
    pub(crate) fn start() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        NOW + self.0.elapsed()
    }
}

/// An environment of these variables.
pub(crate) fn env(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + use<> {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    move |name| variables.get(name).cloned()
}

/// An empty environment.
pub(crate) fn no_env(_: &str) -> Option<String> {
    None
}

/// Chooses the cryptography, as the binary does.
pub(crate) fn provider() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

pub(crate) fn http() -> Http {
    provider();
    Http::new(HttpOptions::default(), &no_env).unwrap()
}

/// Tools whose retries do not wait.
pub(crate) fn tools() -> Tools {
    Tools {
        http: Arc::new(http()),
        retry: Retry { tries: 3, pause: Duration::ZERO, ..Retry::default() },
        clock: Arc::new(ManualClock::new()),
        random: Arc::new(CountingRandom::default()),
    }
}

/// A token of these claims, signed by nobody.
pub(crate) fn token(claims: &serde_json::Value) -> String {
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = encode(serde_json::json!({"alg": "RS256", "kid": "k", "typ": "JWT"}).to_string());
    format!("{header}.{}.{}", encode(claims.to_string()), URL_SAFE_NO_PAD.encode([7; 256]))
}

/// A server on loopback that ends with the test.
pub(crate) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops listening; gives the URL where nobody listens any more.
    pub(crate) async fn shut(self) -> String {
        self.task.abort();
        let url = self.url("");
        let _ = self.task.await;
        url
    }
}

pub(crate) async fn listen(app: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Server { address, task }
}

/// A server with a certificate of its own making that answers every request with `over tls`; its URL and certificate.
pub(crate) async fn listen_with_tls() -> (String, String) {
    provider();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4_096]).await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nover tls";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (url, made.cert.pem())
}

/// A session that ends an hour from [`NOW`].
pub(crate) fn session() -> AwsSession {
    AwsSession {
        access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"),
        session_token: Secret::new("dps1_AAAA+/=="),
        expiration: NOW + Duration::from_secs(3_600),
        account: Some("123456789012".into()),
        arn: Some("arn:aws:sts::123456789012:assumed-role/deploy/run-7".into()),
    }
}

/// A token as it comes from a CI platform that nobody knows.
pub(crate) fn ci_token() -> CiToken {
    let text = token(&serde_json::json!({"iss": "https://ci.example", "aud": "sts", "sub": "job"}));
    CiToken::parse(&text, Origin::Variable("DAYPASS_TOKEN".into())).unwrap()
}

/// A token that ends ten minutes from [`NOW`].
pub(crate) fn access_token() -> AccessToken {
    AccessToken {
        access_token: Secret::new("a.b.c"),
        token_type: "Bearer".into(),
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token".into(),
        scope: None,
        expires_at: Some(NOW + Duration::from_secs(600)),
    }
}
