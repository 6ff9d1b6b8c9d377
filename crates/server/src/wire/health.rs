//! Whether the process lives, and whether it can do its work.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;

use crate::app::App;

/// Lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Can write records, and is not about to stop.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let why = app.ready().await.err();
    let status = if why.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "ready": why.is_none(), "why": why }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
