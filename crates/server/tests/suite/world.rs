//! A service on real sockets, with a CI platform whose keys are pinned.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use daypass_claims::{ClaimSet, ClaimValue, Clock, Random, Timestamp};
use daypass_exchange::config::{Config, load};
use daypass_exchange::keys::Fetch;
use daypass_server::sigv4::{PathStyle, Signer, sign_header, sign_query};
use daypass_server::{App, Bounds, Running, ServeError, Setup, Sockets, SystemRandom, start};
use daypass_token::sign::{SigningKey, TokenHeader};
use http::Method;
use rustls::RootCertStore;
use serde_json::Value;
use tempfile::TempDir;

use crate::site::Authority;
use crate::tools::{
    ACCOUNT, Answer, DEPLOY, GITHUB, HandClock, Keys, Memory, Tap, Unreachable, answer, changed, client,
    form, jwks, key,
};

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
    /// Whom the service's certificate is from, if it has one.
    pub(crate) tls: Option<Authority>,
    pub(crate) development: bool,
    pub(crate) account: &'static str,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            top: String::new(),
            tables: String::new(),
            files: Vec::new(),
            fetch: Arc::new(Unreachable),
            bounds: Bounds::default(),
            tls: None,
            development: false,
            account: ACCOUNT,
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
        let (tls, roots) = match &plan.tls {
            Some(authority) => (serving_files(authority, &directory), authority.roots()),
            None => (String::new(), RootCertStore::empty()),
        };
        let top = format!("{}\n{tls}", plan.top);
        let config = configure(&top, &plan, &directory, public, admin, &key, clock.now());
        let random = Arc::new(Tap::default());
        let setup = Setup {
            config,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::clone(&random) as Arc<dyn Random>,
            fetch: Arc::clone(&plan.fetch),
            development: plan.development,
        };
        let service = start(setup, sockets).await?;
        let url = format!("{}://{public}", if plan.tls.is_some() { "https" } else { "http" });
        Ok(Self { service, url, clock, random, key, directory, http: client(roots) })
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

/// The line of the configuration about a certificate, and its files.
fn serving_files(authority: &Authority, directory: &TempDir) -> String {
    let (certificate, key) = authority.certify("127.0.0.1");
    let (cert, private) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&cert, certificate.pem()).unwrap();
    std::fs::write(&private, key.serialize_pem()).unwrap();
    format!("tls = {{ cert = \"{}\", key = \"{}\" }}", cert.display(), private.display())
}

fn configure(
    top: &str,
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
account_id = "{}"
{top}
[admin]
listen = "{admin}"
[[issuer]]
name = "github"
url = "{GITHUB}"
platform = "github-actions"
audiences = ["sts.amazonaws.com"]
algorithms = ["ES256"]
jwks_file = "github.jwks.json"
{ROLES}
{}
"#,
        data.display(),
        plan.account,
        plan.tables,
    );
    let mut files =
        BTreeMap::from([("daypass.toml".to_owned(), text), ("github.jwks.json".to_owned(), jwks(&[key]))]);
    files.extend(plan.files.iter().cloned());
    load("daypass.toml".into(), &Memory(files), &|_| None, now).unwrap().config
}
