//! The admin listener: explain, keys, revocation, the log, metrics. Separate from the public one, on loopback. Every act that
//! changes something or shows what was decided is on record before it is done.

mod audit;
mod auth;
mod body;
mod explain;
mod keys;
mod revoke;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use daypass_exchange::config::IssuerConfig;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

pub(crate) use auth::AdminToken;
pub use auth::AdminTokenError;
use body::Body;

use crate::app::App;

/// What admin handlers are given.
pub(crate) struct AdminApp {
    pub(crate) app: Arc<App>,
    pub(crate) token: Option<AdminToken>,
}

/// The admin listener's routes.
pub(crate) fn router(app: Arc<App>, token: Option<AdminToken>) -> Router {
    let state = Arc::new(AdminApp { app, token });
    Router::new()
        .route("/api/v1/explain", post(explain::explain))
        .route("/api/v1/keys", get(keys::list))
        .route("/api/v1/keys/rotate", post(keys::rotate))
        .route("/api/v1/keys/push", post(keys::push))
        .route("/api/v1/issuers", get(keys::issuers))
        .route("/api/v1/revoke", post(revoke::revoke))
        .route("/api/v1/audit", get(audit::read))
        .route("/metrics", get(metrics))
        .layer(DefaultBodyLimit::max(1_024 * 1_024))
        .layer(from_fn(refuse_browsers))
        .with_state(state)
}

/// A browser on this host must not be talked into anything: requests for another `Host` (DNS rebinding) and with any `Origin`
/// go no further. The port does not matter, so that a tunnel may end on any.
async fn refuse_browsers(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if names_loopback(host) && !request.headers().contains_key(header::ORIGIN) {
        return next.run(request).await;
    }
    let message = "requests of web pages and for other hosts than loopback are refused";
    AdminError::new(StatusCode::FORBIDDEN, message).into_response()
}

fn names_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(crate) struct AdminError {
    status: StatusCode,
    message: String,
}

impl AdminError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    fn no_issuer(named: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("no issuer `{}` is configured", shortened(named)))
    }

    /// Something of ours failed; the store's errors are fit to be shown to an administrator.
    pub(crate) fn failed(error: &impl ToString) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let mut response = reply(self.status, &json!({ "error": self.message }));
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl AdminApp {
    /// The configured issuer of that name or URL.
    fn issuer(&self, named: &str) -> Result<&IssuerConfig, AdminError> {
        let mut issuers = self.app.exchange.config().issuers.iter();
        issuers
            .find(|issuer| issuer.name == named || issuer.issuer.as_str() == named)
            .ok_or_else(|| AdminError::no_issuer(named))
    }
}

/// Enough of what was sent to recognise it by.
fn shortened(text: &str) -> String {
    text.chars().take(256).collect()
}

/// A JSON answer.
pub(crate) fn ok(body: &impl Serialize) -> Response {
    reply(StatusCode::OK, body)
}

fn reply(status: StatusCode, body: &impl Serialize) -> Response {
    let text = serde_json::to_string(body).unwrap_or_default();
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// OpenMetrics text; it names no caller and holds no secret, so a scraper on this host needs no token.
async fn metrics(State(state): State<Arc<AdminApp>>) -> Result<Response, AdminError> {
    let text = state.app.metrics.text().map_err(|error| AdminError::failed(&error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_ours() {
        for ours in ["localhost", "LocalHost:8081", "127.0.0.1:8081", "127.8.8.8", "[::1]", "[::1]:9"] {
            assert!(names_loopback(ours), "{ours}");
        }
        for foreign in [
            "",
            ":8081",
            "evil.example:8081",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8081",
            "127.0.0.1@evil.example",
            "192.0.2.1:8081",
            "[::1].evil.example",
            "localhost:8081:80",
        ] {
            assert!(!names_loopback(foreign), "{foreign}");
        }
    }
}
