//! Getting issuers' documents: bounded in time and size, to checked addresses only.

mod guard;

use std::sync::Arc;

use daypass_exchange::config::FetchConfig;
use daypass_exchange::keys::{Fetch, FetchError, FetchTarget, Fetched};
use daypass_store::BoxFuture;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};

use guard::Guarded;
pub use guard::{Addresses, Forbidden, System};

/// The largest document that is read.
const LARGEST: usize = 256 * 1_024;
/// How many redirects are followed, all within one host.
const REDIRECTS: usize = 3;

/// Fetches over HTTPS, and from loopback issuers over HTTP.
#[derive(Debug)]
pub struct HttpFetch {
    addresses: Arc<dyn Addresses>,
}

impl HttpFetch {
    /// A fetcher that resolves names as the system does.
    pub fn new() -> Self {
        Self::with(Arc::new(System))
    }

    /// A fetcher that resolves names in another way.
    pub fn with(addresses: Arc<dyn Addresses>) -> Self {
        Self { addresses }
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
        check_url(&url, &target.config)?;
        let client = client(&url, &target.config, Arc::clone(&self.addresses))?;
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
}

/// One client per fetch: fetches are rare, and nothing of one issuer is shared with another.
fn client(url: &Url, config: &FetchConfig, addresses: Arc<dyn Addresses>) -> Result<Client, String> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let allow_private = config.allow_private || guard::is_loopback_host(&host);
    let scheme = url.scheme().to_owned();
    let same_host = Policy::custom(move |attempt| {
        let there = attempt.url();
        if there.host_str() != Some(host.as_str()) || there.scheme() != scheme {
            let message = format!("redirect to another host ({there})");
            return attempt.error(message);
        }
        if attempt.previous().len() > REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    });
    let mut builder = Client::builder()
        .user_agent(concat!("daypass/", env!("CARGO_PKG_VERSION")))
        // A proxy would connect for us, to addresses that nobody checks.
        .no_proxy()
        .redirect(same_host)
        .dns_resolver(Guarded { addresses, allow_private })
        .pool_max_idle_per_host(0);
    if let Some(pem) = &config.ca_pem {
        let roots = Certificate::from_pem_bundle(pem.as_bytes())
            .map_err(|error| format!("the issuer's CA bundle is not usable: {error}"))?;
        builder = builder.tls_certs_only(roots);
    }
    builder.build().map_err(|error| format!("no client could be made: {error}"))
}

/// https, or http to loopback; an address in place of a name is checked here, because nothing resolves it.
fn check_url(url: &Url, config: &FetchConfig) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default();
    let loopback = guard::is_loopback_host(host);
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        other => return Err(format!("{other} is not fetched from {host}: only https")),
    }
    if let Some(address) = guard::literal(host)
        && !config.allow_private
        && !loopback
    {
        guard::check(address).map_err(|why| format!("{host} is not connected to: {why}"))?;
    }
    Ok(())
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
