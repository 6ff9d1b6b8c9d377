//! What relying parties read about us: who issues the tokens, and with which keys.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use daypass_claims::Algorithm;
use http::header;
use serde_json::{Value, json};

use super::token_exchange::{GRANT_TYPE, TOKEN_TYPES};
use crate::app::App;

/// Where our key set lies.
pub(super) const JWKS_PATH: &str = "/.well-known/jwks.json";

/// OpenID Connect Discovery 1.0, section 3: what an ID token issuer without an authorization endpoint has to say.
pub(super) async fn openid_configuration(State(app): State<Arc<App>>) -> Response {
    let mut document = common(&app);
    if let Value::Object(members) = &mut document {
        members.insert("subject_types_supported".to_owned(), json!(["public"]));
        members.insert("response_types_supported".to_owned(), json!(["id_token"]));
        let algorithms: Vec<&str> = app.exchange.ring().keys().algorithms().map(Algorithm::as_str).collect();
        members.insert("id_token_signing_alg_values_supported".to_owned(), json!(algorithms));
    }
    cacheable(&app, document.to_string())
}

/// RFC 8414: what an authorization server has to say.
pub(super) async fn authorization_server(State(app): State<Arc<App>>) -> Response {
    let mut document = common(&app);
    if let Value::Object(members) = &mut document {
        members.insert("response_types_supported".to_owned(), json!([]));
        members.insert("subject_token_types_supported".to_owned(), json!(TOKEN_TYPES));
    }
    cacheable(&app, document.to_string())
}

/// Our public keys.
pub(super) async fn jwks(State(app): State<Arc<App>>) -> Response {
    cacheable(&app, app.exchange.ring().keys().jwks().to_owned())
}

fn common(app: &App) -> Value {
    let issuer = &app.exchange.config().public_url;
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}{JWKS_PATH}"),
        "token_endpoint": format!("{issuer}/token"),
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ["none"],
    })
}

/// A relying party may keep a key set for less than a new key is published before it signs.
fn cacheable(app: &App, document: String) -> Response {
    let ahead = app.exchange.config().signing.publish_ahead.as_secs();
    let max_age = (ahead / 2).clamp(1, 300);
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CACHE_CONTROL, format!("public, max-age={max_age}")),
    ];
    (headers, document).into_response()
}
