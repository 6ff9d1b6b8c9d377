//! Who may ask. There is no password: being on this machine is what it takes, and a browser on it is not enough.
//!
//! A page of any site can make the browser of its reader send requests here. If the page's host resolves to this
//! machine (DNS rebinding), the requests bear that host's name; if not, those that could do anything bear the page's
//! origin. Both are refused, for every path.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use super::reply::ApiError;
use crate::issuer::DevIssuer;

/// Why a request is refused before anything is done about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GuardError {
    #[error("request names no host")]
    NoHost,
    #[error("request is for another host: this is {own} or localhost:{}", own.port())]
    ForeignHost { own: SocketAddr },
    #[error("request comes from a web page (`Origin`); a development issuer is not for browsers")]
    Origin,
}

impl GuardError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::NoHost => "host-missing",
            Self::ForeignHost { .. } => "host-foreign",
            Self::Origin => "origin-present",
        }
    }
}

/// Lets a request through or refuses it; answers that do not say for how long they hold hold for no time.
pub(super) async fn guard(
    State(dev): State<DevIssuer>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    check(dev.address(), request.headers(), request.uri())?;
    let mut response = next.run(request).await;
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    Ok(response)
}

fn check(own: SocketAddr, headers: &HeaderMap, uri: &Uri) -> Result<(), GuardError> {
    if headers.contains_key(header::ORIGIN) {
        return Err(GuardError::Origin);
    }
    // HTTP/2 and proxies write the host into the URI; where both are there, both count.
    let named = headers.get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let mut hosts = named.chain(uri.authority().map(Authority::as_str)).peekable();
    if hosts.peek().is_none() {
        return Err(GuardError::NoHost);
    }
    if hosts.all(|host| is_own(own, host)) { Ok(()) } else { Err(GuardError::ForeignHost { own }) }
}

fn is_own(own: SocketAddr, host: &str) -> bool {
    let names = [own.to_string(), format!("localhost:{}", own.port())];
    names.iter().any(|name| {
        // A client leaves the port out where it is HTTP's own.
        host.eq_ignore_ascii_case(name)
            || name.strip_suffix(":80").is_some_and(|name| host.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn refusal(own: &str, pairs: &[(&'static str, &'static str)], uri: &'static str) -> Option<&'static str> {
        let result = check(own.parse().unwrap(), &headers(pairs), &Uri::from_static(uri));
        result.err().map(|error| error.code())
    }

    const OWN: &str = "127.0.0.1:8090";

    #[test]
    fn its_own_names_are_let_in() {
        for host in ["127.0.0.1:8090", "localhost:8090", "LOCALHOST:8090"] {
            assert_eq!(refusal(OWN, &[("host", host)], "/mint"), None, "{host}");
        }
        assert_eq!(refusal(OWN, &[], "http://127.0.0.1:8090/mint"), None);
        assert_eq!(refusal("[::1]:8090", &[("host", "[::1]:8090")], "/mint"), None);
        assert_eq!(refusal("127.0.0.1:80", &[("host", "localhost")], "/mint"), None);
    }

    #[test]
    fn every_other_host_is_foreign() {
        for host in [
            "evil.example",
            "evil.example:8090",
            "localhost.evil.example:8090",
            "127.0.0.1:8091",
            "127.0.0.1",
            "localhost",
            "127.0.0.2:8090",
            "[::1]:8090",
            "127.0.0.1:8090@evil.example",
            "127.0.0.1:8090 ",
            "",
        ] {
            assert_eq!(refusal(OWN, &[("host", host)], "/mint"), Some("host-foreign"), "{host}");
        }
    }

    #[test]
    fn every_name_in_the_request_counts() {
        let two = [("host", OWN), ("host", "evil.example")];
        assert_eq!(refusal(OWN, &two, "/mint"), Some("host-foreign"));
        assert_eq!(refusal(OWN, &[("host", OWN)], "http://evil.example/mint"), Some("host-foreign"));
        assert_eq!(refusal(OWN, &[("host", "evil.example")], "http://127.0.0.1:8090/"), Some("host-foreign"));
        assert_eq!(refusal(OWN, &[], "/mint"), Some("host-missing"));
    }

    #[test]
    fn no_origin_is_let_in_not_even_its_own() {
        for origin in ["https://evil.example", "http://127.0.0.1:8090", "null", ""] {
            let pairs = [("host", OWN), ("origin", origin)];
            assert_eq!(refusal(OWN, &pairs, "/mint"), Some("origin-present"), "{origin}");
        }
    }
}
