//! The one place that speaks HTTP as a client: bounded in time and size, no redirects, no plain text beyond loopback.

mod client;
mod error;
mod proxy;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use daypass_claims::Timestamp;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::OnceCell;
use url::{Host, Url};
use zeroize::Zeroizing;

use self::proxy::ProxySettings;
use crate::retry::retry_after;
use crate::{Env, Secret};

pub use self::error::HttpError;

/// How requests are made.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Certificates of authorities to trust besides the system's, PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// Send tokens over `http://` to hosts other than this one, where anyone on the way can read and use them.
    /// Default: no.
    pub plain_http_anywhere: bool,
    /// How long a connection may take to come up. Default: 5 s.
    pub connect_timeout: Duration,
    /// How long a request may take, with its answer. Default: 15 s, as a server may have to fetch keys first.
    pub timeout: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            extra_roots: None,
            plain_http_anywhere: false,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
        }
    }
}

/// The largest answer that is read, in bytes. Tokens and credentials are a hundredth of it.
const LARGEST_ANSWER: usize = 256 * 1024;

/// Room for nearly every answer, so that growing leaves no copies in memory, in bytes.
const USUAL_ANSWER: usize = 32 * 1024;

/// An HTTP client. Certificates are read when the first `https` request is made, so that a job in an image without any
/// can still talk to a server on loopback.
#[derive(Debug)]
pub struct Http {
    options: HttpOptions,
    proxy: Option<ProxySettings>,
    plain: OnceCell<reqwest::Client>,
    tls: OnceCell<reqwest::Client>,
}

/// A request. `Debug` shows nothing of what it carries.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<(&'static str, Secret)>,
    /// Goes through this Unix socket instead of the network.
    pub(crate) socket: Option<PathBuf>,
    /// The URL is the catalogue's, such as a metadata service's, which only speaks `http`.
    pub(crate) well_known: bool,
}

/// An answer, whatever its status. The body may hold a credential.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Http {
    /// Takes the proxy from `HTTPS_PROXY` or `ALL_PROXY` and its exceptions from `NO_PROXY`, in either letter case.
    ///
    /// The proxy is for `https`, which it cannot read. What goes over `http` goes to this machine, or was allowed to
    /// be read by anyone; it takes no detour.
    pub fn new(options: HttpOptions, env: Env<'_>) -> Result<Self, HttpError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(HttpError::NoProvider);
        }
        let proxy = ProxySettings::from_env(env)?;
        Ok(Self { options, proxy, plain: OnceCell::new(), tls: OnceCell::new() })
    }

    /// Makes the request, within `patience` if that is shorter than what [`HttpOptions`] grants.
    pub(crate) async fn send(&self, call: &Call, patience: Duration) -> Result<Answer, HttpError> {
        let host = call.host();
        self.check_scheme(call, &host)?;
        let timeout = self.options.timeout.min(patience);
        let client = self.client_for(call).await?;
        let mut request = client
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone())
            .timeout(timeout);
        if let Some((content_type, body)) = &call.body {
            request =
                request.header(reqwest::header::CONTENT_TYPE, *content_type).body(body.expose().to_owned());
        }
        let failed = |error| HttpError::from_reqwest(error, &host, timeout);
        let mut response = request.send().await.map_err(failed)?;
        let mut body = Zeroizing::new(Vec::with_capacity(USUAL_ANSWER));
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(HttpError::TooLarge { host, limit: LARGEST_ANSWER });
            }
            body.extend_from_slice(&chunk);
        }
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        Ok(Answer { status, headers, body })
    }

    fn check_scheme(&self, call: &Call, host: &str) -> Result<(), HttpError> {
        let excused = call.well_known || call.socket.is_some() || self.options.plain_http_anywhere;
        match call.url.scheme() {
            "https" => Ok(()),
            "http" if excused || is_loopback(&call.url) => Ok(()),
            "http" => Err(HttpError::PlainHttp { host: host.to_owned() }),
            other => Err(HttpError::Scheme { scheme: other.to_owned() }),
        }
    }

    async fn client_for(&self, call: &Call) -> Result<reqwest::Client, HttpError> {
        if let Some(path) = &call.socket {
            return client::over_socket(&self.options, path);
        }
        let cell = if call.url.scheme() == "https" { &self.tls } else { &self.plain };
        let client = cell
            .get_or_try_init(async || {
                if call.url.scheme() == "https" {
                    client::over_tls(&self.options, self.proxy.as_ref())
                } else {
                    client::in_plain(&self.options)
                }
            })
            .await?;
        Ok(client.clone())
    }
}

impl Call {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, socket: None, well_known: false }
    }

    /// Adds a header that must not be seen.
    pub(crate) fn secret_header(&mut self, name: HeaderName, value: &str) -> Result<(), HttpError> {
        let mut value =
            HeaderValue::from_str(value).map_err(|_| HttpError::Header { name: name.to_string() })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }

    /// Host and port, as messages name the server: paths and queries can hold what is not for logs.
    pub(crate) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {})", self.method, self.host())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Whether the same request can have another answer later: too many requests, or trouble behind the server's door.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504)
    }

    /// What the server says about when to come back.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        self.header("retry-after").and_then(|value| retry_after(value, now))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Whether an URL's host is this machine. Names other than `localhost` do not count, whatever they resolve to.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
