//! Whether the process lives, and whether it can do its work.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::app::App;

/// Lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Can write records, has its keys, and is not about to stop.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let not_ready = if app.is_stopping() {
        Some("stopping".to_owned())
    } else {
        app.exchange.store().check().await.err().map(|error| error.to_string())
    };
    let status = if not_ready.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "ready": not_ready.is_none(), "why": not_ready }).to_string();
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
