//! Getting issuers' documents: bounded in time and size, to checked addresses only.

mod guard;

use std::sync::Arc;
use std::time::Duration;

use daypass_claims::Issuer;
use daypass_exchange::config::FetchConfig;
use daypass_exchange::keys::{Fetch, FetchError, FetchTarget, Fetched};
use daypass_store::BoxFuture;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Url};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use guard::Guarded;
pub use guard::{Addresses, Forbidden, System};

/// The largest document that is read.
const LARGEST: usize = 256 * 1_024;
/// How many redirects are followed, all within one origin.
const REDIRECTS: usize = 3;
/// How long a document may take, redirects and all.
const WITHIN: Duration = Duration::from_secs(5);

/// Fetches over HTTPS, and from loopback issuers over HTTP.
#[derive(Debug)]
pub struct HttpFetch {
    addresses: Arc<dyn Addresses>,
    within: Duration,
}

impl HttpFetch {
    /// A fetcher that resolves names as the system does.
    pub fn new() -> Self {
        Self::with(Arc::new(System))
    }

    /// A fetcher that resolves names in another way.
    pub fn with(addresses: Arc<dyn Addresses>) -> Self {
        Self { addresses, within: WITHIN }
    }

    /// With another time for a document than the usual five seconds.
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }
}

impl Default for HttpFetch {
    fn default() -> Self {
        Self::new()
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, target: FetchTarget) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        Box::pin(async move { self.get(&target).await.map_err(FetchError) })
    }
}

impl HttpFetch {
    async fn get(&self, target: &FetchTarget) -> Result<Fetched, String> {
        let url = Url::parse(&target.url).map_err(|error| format!("`{}` is no URL: {error}", target.url))?;
        let loopback = is_loopback(&target.url);
        let allow_private = target.config.allow_private || loopback;
        check_url(&url, loopback, allow_private)?;
        let client = self.client(&url, &target.config, allow_private)?;
        let mut response = client.get(url).send().await.map_err(|error| describe(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("{} answered {status}", response.url()));
        }
        let cache_control = response
            .headers()
            .get(http::header::CACHE_CONTROL)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| describe(&error))? {
            if body.len().saturating_add(chunk.len()) > LARGEST {
                return Err(format!("{} answered with more than {LARGEST} bytes", response.url()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { body, cache_control })
    }

    /// One client per fetch: fetches are rare, and nothing of one issuer is shared with another.
    fn client(&self, url: &Url, config: &FetchConfig, allow_private: bool) -> Result<Client, String> {
        let roots = match (url.scheme(), &config.ca_pem) {
            ("https", None) => system_roots()?,
            ("https", Some(pem)) => roots_of(pem)?,
            _ => RootCertStore::empty(),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let from = url.clone();
        Client::builder()
            .user_agent(concat!("daypass/", env!("CARGO_PKG_VERSION")))
            // A proxy would connect for us, to addresses that nobody checks.
            .no_proxy()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::custom(move |attempt| within_origin(&from, attempt)))
            .dns_resolver(Guarded { addresses: Arc::clone(&self.addresses), allow_private })
            .pool_max_idle_per_host(0)
            .timeout(self.within)
            .build()
            .map_err(|error| format!("no client could be made: {}", describe(&error)))
    }
}

/// Whether an URL is a loopback issuer's. The text decides, by the rule that discovery holds a `jwks_uri` to: what is no
/// loopback issuer to that rule (`https://127.1/`, `https://LOCALHOST/`) must not become one by being read as an URL.
fn is_loopback(url: &str) -> bool {
    let base = url.split_once('?').map_or(url, |(base, _)| base);
    Issuer::parse(base).is_ok_and(|issuer| issuer.is_loopback())
}

/// https, or http to loopback, and no user information. An address in place of a name is checked here, because nothing
/// resolves it.
fn check_url(url: &Url, loopback: bool, allow_private: bool) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        other => return Err(format!("{other} is not fetched from {host}: only https")),
    }
    if has_user(url) {
        return Err(format!("what is before the `@` would be sent to {host} as a user name"));
    }
    if let Some(address) = guard::literal(host)
        && !allow_private
    {
        guard::check(address).map_err(|why| format!("{host} is not connected to: {why}"))?;
    }
    Ok(())
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Follows a redirect to the same scheme, host and port.
fn within_origin(from: &Url, attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let there = attempt.url();
    if there.origin() != from.origin() || has_user(there) {
        let message = format!("redirect to another origin ({})", there.origin().ascii_serialization());
        return attempt.error(message);
    }
    if attempt.previous().len() > REDIRECTS { attempt.error("too many redirects") } else { attempt.follow() }
}

/// The certificate authorities of the system.
fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(format!("no certificate authority is known to the system; give `ca_file`{why}"));
    }
    Ok(roots)
}

/// The certificate authorities of an issuer's own bundle.
fn roots_of(pem: &str) -> Result<RootCertStore, String> {
    let unusable = |why: String| format!("the issuer's CA bundle is not usable: {why}");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() { Err(unusable("it holds no certificate".to_owned())) } else { Ok(roots) }
}

/// The whole chain of causes: what went wrong is usually at its end.
fn describe(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
