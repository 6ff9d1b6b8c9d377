//! Our keys and those of issuers.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;
use daypass_exchange::admin::Scope;
use daypass_store::{JwksOrigin, KeyPurpose, StoredJwks};
use daypass_token::{JwksLimits, KeySet};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{AdminApp, AdminError, Body, ok, shortened};
use crate::wire::Peer;

/// Our keys, without secrets.
pub(super) async fn list(
    State(state): State<Arc<AdminApp>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, AdminError> {
    state.admit(Scope::Keys, peer, &headers).await?;
    Ok(ok(&json!({ "keys": state.app.exchange.ring().keys().listed() })))
}

/// What is known of issuers' keys.
pub(super) async fn issuers(
    State(state): State<Arc<AdminApp>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, AdminError> {
    state.admit(Scope::Keys, peer, &headers).await?;
    let now = state.app.exchange.clock().now();
    let issuers: Vec<Value> = state
        .app
        .exchange
        .issuer_keys()
        .map(|keys| {
            let status = keys.status(now);
            json!({
                "issuer": keys.issuer(),
                "origin": status.origin.to_string(),
                "state": format!("{:?}", status.state).to_lowercase(),
                "keys": status.keys,
                "last_failure": status.last_failure.map(|failure| failure.to_string()),
            })
        })
        .collect();
    Ok(ok(&json!({ "issuers": issuers })))
}

/// Which of our keys to replace.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    purpose: String,
    #[serde(default)]
    at_once: bool,
}

/// Makes the next key of a purpose.
pub(super) async fn rotate(
    State(state): State<Arc<AdminApp>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    rotation: Body<Rotation>,
) -> Result<Response, AdminError> {
    let admin = state.admit(Scope::Keys, peer, &headers).await?;
    let rotation = rotation.read()?;
    let purpose = KeyPurpose::from_name(&rotation.purpose).ok_or_else(|| {
        AdminError::bad(format!("`{}` is not sign, seal or audit", shortened(&rotation.purpose)))
    })?;
    let how = if rotation.at_once { " at once" } else { "" };
    state.record(&admin, "rotate-keys", format!("{purpose}{how}")).await?;
    let exchange = &state.app.exchange;
    let now = exchange.clock().now();
    exchange
        .ring()
        .rotate(exchange.store(), exchange.random(), now, purpose, rotation.at_once)
        .await
        .map_err(|error| AdminError::failed(&error))?;
    Ok(ok(&json!({ "keys": exchange.ring().keys().listed() })))
}

/// Keys of an issuer that cannot be reached.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Push {
    issuer: String,
    /// As it was written, so that a member that is there twice is seen.
    jwks: Box<RawValue>,
}

/// Takes an issuer's keys.
pub(super) async fn push(
    State(state): State<Arc<AdminApp>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    push: Body<Push>,
) -> Result<Response, AdminError> {
    let admin = state.admit(Scope::Keys, peer, &headers).await?;
    let push = push.read()?;
    let exchange = &state.app.exchange;
    let issuer = state.issuer(&push.issuer)?.issuer.clone();
    let held = exchange.keys_of(issuer.as_str()).ok_or_else(|| AdminError::no_issuer(&push.issuer))?;
    let document = push.jwks.get();
    let (keys, warnings) = KeySet::from_jwks(issuer.clone(), document.as_bytes(), JwksLimits::default())
        .map_err(|error| AdminError::bad(format!("`jwks`: {error}")))?;
    state.record(&admin, "push-keys", issuer.to_string()).await?;
    let count = keys.keys().len();
    held.push(keys).map_err(|error| AdminError::bad(error.to_string()))?;
    let stored = StoredJwks {
        issuer: issuer.clone(),
        origin: JwksOrigin::Pushed,
        document: document.to_owned(),
        at: exchange.clock().now(),
    };
    exchange.store().put_jwks(stored).await.map_err(|error| AdminError::failed(&error))?;
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    Ok(ok(&json!({ "issuer": issuer, "keys": count, "warnings": warnings })))
}
