//! The admin listener: explain, keys, revocation, the log, metrics. Separate from the public one, on loopback, and every act
//! is on record before it is done.

mod audit;
mod auth;
mod explain;
mod keys;
mod revoke;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

pub(crate) use auth::AdminToken;
pub use auth::AdminTokenError;

use crate::app::App;

/// What admin handlers are given.
pub(crate) struct AdminApp {
    pub(crate) app: Arc<App>,
    pub(crate) token: Option<AdminToken>,
    pub(crate) hosts: Vec<String>,
}

/// The admin listener's routes.
pub(crate) fn router(app: Arc<App>, token: Option<AdminToken>, listen: SocketAddr) -> Router {
    let hosts = vec![listen.to_string(), format!("localhost:{}", listen.port())];
    let state = Arc::new(AdminApp { app, token, hosts });
    Router::new()
        .route("/api/v1/explain", post(explain::explain))
        .route("/api/v1/keys", get(keys::list))
        .route("/api/v1/keys/rotate", post(keys::rotate))
        .route("/api/v1/keys/push", post(keys::push))
        .route("/api/v1/issuers", get(keys::issuers))
        .route("/api/v1/revoke", post(revoke::revoke))
        .route("/api/v1/audit", get(audit::latest))
        .route("/metrics", get(metrics))
        .layer(DefaultBodyLimit::max(1_024 * 1_024))
        .with_state(state)
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
