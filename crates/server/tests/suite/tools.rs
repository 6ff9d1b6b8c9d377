//! A service on real sockets, a CI platform whose keys are pinned, and a clock that is moved by hand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use camino::Utf8Path;
use daypass_claims::{ClaimSet, ClaimValue, Clock, Random, RandomError, Timestamp};
use daypass_exchange::config::{Config, Files, load};
use daypass_exchange::keys::{Fetch, FetchError, FetchTarget, Fetched};
use daypass_server::sigv4::{PathStyle, Signer, sign_header, sign_query};
use daypass_server::{App, Bounds, Running, ServeError, Setup, Sockets, SystemRandom, start};
use daypass_store::BoxFuture;
use daypass_token::jwk::JwkSet;
use daypass_token::sign::{SigningAlgorithm, SigningKey, TokenHeader};
use http::{HeaderMap, Method, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tempfile::TempDir;

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

/// The roles that most tests ask for.
const ROLES: &str = r#"
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
name = "second"
path = "/ci/"
max_session = "2h"
[[role.trust]]
from_role = "deploy"

[[role]]
name = "api"
max_session = "30m"
credential = { kind = "jwt", audience = "https://api.example.com", subject = "repo:{repository_id}:ref:{ref}", claims = { repository = "{repository}", event = "{event_name}" }, scopes = ["read", "write"] }
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"
"#;

/// How a world is made.
pub(crate) struct Plan {
    /// What stands in the configuration before the tables.
    pub(crate) top: String,
    /// Tables after those that every world has.
    pub(crate) tables: String,
    /// Files beside the configuration.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) bounds: Bounds,
    pub(crate) tls: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            top: String::new(),
            tables: String::new(),
            files: Vec::new(),
            fetch: Arc::new(Unreachable),
            bounds: Bounds::default(),
            tls: false,
        }
    }
}

impl Plan {
    pub(crate) fn tables(tables: impl Into<String>) -> Self {
        Self { tables: tables.into(), ..Self::default() }
    }
}

/// A running service and everything around it.
pub(crate) struct World {
    pub(crate) service: Running,
    pub(crate) url: String,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) random: Arc<Tap>,
    pub(crate) key: Arc<SigningKey>,
    pub(crate) directory: Arc<TempDir>,
    pub(crate) http: reqwest::Client,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Plan::default()).await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        Self::start(plan, Arc::new(tempfile::tempdir().unwrap()), HandClock::new(), Arc::new(key()))
            .await
            .unwrap()
    }

    /// Another process on the same data, as a replica or after a restart.
    pub(crate) async fn again(&self) -> Self {
        let (directory, clock) = (Arc::clone(&self.directory), Arc::clone(&self.clock));
        Self::start(Plan::default(), directory, clock, Arc::clone(&self.key)).await.unwrap()
    }

    pub(crate) async fn start(
        plan: Plan,
        directory: Arc<TempDir>,
        clock: Arc<HandClock>,
        key: Arc<SigningKey>,
    ) -> Result<Self, ServeError> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let sockets = Sockets::bind(any, any).await?.bounded(plan.bounds);
        let (public, admin) = (sockets.public().unwrap(), sockets.admin().unwrap());
        let config = configure(&plan, &directory, public, admin, &key, clock.now());
        let random = Arc::new(Tap::default());
        let setup = Setup {
            config,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::clone(&random) as Arc<dyn Random>,
            fetch: Arc::clone(&plan.fetch),
            development: false,
        };
        let service = start(setup, sockets).await?;
        let url = format!("{}://{public}", if plan.tls { "https" } else { "http" });
        Ok(Self { service, url, clock, random, key, directory, http: client(RootCertStore::empty()) })
    }

    pub(crate) fn app(&self) -> &App {
        self.service.app()
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
        claims
    }

    /// A token of the intended job, with some claims changed. (ECDSA makes each one different.)
    pub(crate) fn token(&self, changes: &[(&str, ClaimValue)]) -> String {
        let mut claims = self.claims();
        for (name, value) in changes {
            claims.insert(*name, value.clone());
        }
        // Without an id of its own a token is known by what it says; two tests' tokens may say the same.
        let mut id = [0; 8];
        SystemRandom.fill(&mut id).unwrap();
        claims.insert("jti", hex::encode(id));
        self.key.sign(&TokenHeader::new("JWT"), &claims).unwrap()
    }

    /// An AWS Query request with its parameters in the body, as SDKs send it.
    pub(crate) async fn aws(&self, parameters: &[(&str, &str)]) -> Answer {
        self.post("/", &form(parameters)).await
    }

    /// AssumeRoleWithWebIdentity for a role, with some parameters changed or added; an empty value takes one out.
    pub(crate) async fn web_identity(&self, token: &str, changes: &[(&str, &str)]) -> Answer {
        let usual = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", DEPLOY),
            ("RoleSessionName", "run-1"),
            ("WebIdentityToken", token),
        ];
        self.aws(&changed(&usual, changes)).await
    }

    /// A session of `deploy`.
    pub(crate) async fn session(&self) -> Keys {
        let answer = self.web_identity(&self.token(&[]), &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Keys::of(&answer)
    }

    /// An AWS Query request that is signed in its headers, as SDKs send it.
    pub(crate) async fn signed(&self, keys: &Keys, parameters: &[(&str, &str)]) -> Answer {
        let (headers, body) = self.sign(&self.signer(keys), &form(parameters));
        self.post_with(&headers, &body).await
    }

    /// The session's signer, now.
    pub(crate) fn signer<'k>(&self, keys: &'k Keys) -> Signer<'k> {
        Signer {
            access_key_id: &keys.id,
            secret_access_key: &keys.secret,
            session_token: Some(&keys.token),
            region: "eu-west-1",
            service: "sts",
            at: self.clock.now(),
            path_style: PathStyle::Normalised,
            sign_body: false,
        }
    }

    /// The headers of a signed form, and the form.
    pub(crate) fn sign(&self, signer: &Signer<'_>, body: &str) -> (Vec<(String, String)>, String) {
        let mut headers = vec![
            ("Host".to_owned(), self.host().to_owned()),
            ("Content-Type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
        ];
        headers.extend(sign_header(signer, "POST", "/", "", &headers, body.as_bytes()));
        (headers, body.to_owned())
    }

    /// Posts to `/` with exactly these headers.
    pub(crate) async fn post_with(&self, headers: &[(String, String)], body: &str) -> Answer {
        let mut request = self.http.post(format!("{}/", self.url));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        answer(request.body(body.to_owned())).await
    }

    /// A presigned target.
    pub(crate) fn presign(&self, signer: &Signer<'_>, method: &str, query: &str, seconds: u64) -> String {
        let headers = [("Host".to_owned(), self.host().to_owned())];
        format!("/?{}", sign_query(signer, method, "/", query, &headers, b"", seconds))
    }

    pub(crate) fn host(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// A token exchange, with some parameters changed or added; an empty value takes one out.
    pub(crate) async fn exchange(&self, token: &str, changes: &[(&str, &str)]) -> Answer {
        let usual = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
            ("audience", "api"),
        ];
        self.post("/token", &form(&changed(&usual, changes))).await
    }

    /// Posts a form.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let request = self.http.post(format!("{}{path}", self.url));
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        answer(request.header("content-type", kind).body(body.to_owned())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.http.get(format!("{}{path}", self.url))).await
    }

    /// A request to the admin listener with the bootstrap token.
    pub(crate) async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        answer(self.admin_request(method, path, body).bearer_auth(self.admin_token())).await
    }

    /// The same, yet without a token.
    pub(crate) fn admin_request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.service.admin()));
        match body {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    pub(crate) fn admin_token(&self) -> String {
        let file = self.service.admin_token_file().unwrap();
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// The bodies of the newest records, oldest first.
    pub(crate) async fn records(&self, limit: u32) -> Vec<Value> {
        let records = self.app().exchange.store().latest(limit).await.unwrap();
        records.into_iter().map(|record| serde_json::from_slice(&record.body.unwrap().0).unwrap()).collect()
    }
}

fn configure(
    plan: &Plan,
    directory: &TempDir,
    public: SocketAddr,
    admin: SocketAddr,
    key: &SigningKey,
    now: Timestamp,
) -> Config {
    let data = directory.path().join("data");
    let text = format!(
        r#"
listen = "{public}"
data = "{}"
account_id = "{ACCOUNT}"
{}
[[issuer]]
name = "github"
url = "{GITHUB}"
platform = "github-actions"
audiences = ["sts.amazonaws.com"]
algorithms = ["ES256"]
jwks_file = "github.jwks.json"
{ROLES}
{}
[admin]
listen = "{admin}"
"#,
        data.display(),
        plan.top,
        plan.tables.split("[[admin.trust]]").next().unwrap(),
    );
    let trust: String =
        plan.tables.split("[[admin.trust]]").skip(1).map(|table| format!("[[admin.trust]]{table}")).collect();
    let mut files = BTreeMap::from([
        ("daypass.toml".to_owned(), text + &trust),
        ("github.jwks.json".to_owned(), jwks(&[key])),
    ]);
    files.extend(plan.files.iter().cloned());
    load("daypass.toml".into(), &Memory(files), &|_| None, now).unwrap().config
}

/// A client that trusts these certificate authorities. It brings its own provider of cryptography: the process has none, and
/// nothing in the crate may need one.
pub(crate) fn client(roots: RootCertStore) -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(tls)
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
fn changed<'a>(usual: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
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
