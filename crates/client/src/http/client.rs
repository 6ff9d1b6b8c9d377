//! Where `reqwest` clients are built: nowhere else.

use std::path::Path;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder};

use super::error::root_cause;
use super::proxy::ProxySettings;
use super::{HttpError, HttpOptions};

/// For `https`: the system's certificates and the extra ones, through the proxy if there is one.
pub(super) fn over_tls(options: &HttpOptions, proxy: Option<&ProxySettings>) -> Result<Client, HttpError> {
    let mut builder = bounded(options).https_only(true);
    if let Some(pem) = &options.extra_roots {
        let roots = Certificate::from_pem_bundle(pem).map_err(|_| HttpError::ExtraRoots)?;
        if roots.is_empty() {
            return Err(HttpError::ExtraRoots);
        }
        builder = builder.tls_certs_merge(roots);
    }
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy.to_reqwest()?);
    }
    build(builder)
}

/// For `http`, without looking for certificates.
pub(super) fn in_plain(options: &HttpOptions) -> Result<Client, HttpError> {
    build(bounded(options).tls_certs_only([]))
}

/// Through a Unix socket.
#[cfg(unix)]
pub(super) fn over_socket(options: &HttpOptions, path: &Path) -> Result<Client, HttpError> {
    build(bounded(options).tls_certs_only([]).unix_socket(path))
}

/// Through a Unix socket, which this system does not have.
#[cfg(not(unix))]
pub(super) fn over_socket(_: &HttpOptions, path: &Path) -> Result<Client, HttpError> {
    Err(HttpError::Setup(format!("`{}` is a Unix socket", path.display())))
}

/// No redirects: a token is for the host that it was meant for.
fn bounded(options: &HttpOptions) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("daypass/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
}

fn build(builder: ClientBuilder) -> Result<Client, HttpError> {
    builder.build().map_err(|error| HttpError::Setup(root_cause(&error)))
}
