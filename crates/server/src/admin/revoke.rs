//! `POST /api/v1/revoke`: credentials of a role, a run, a repository, or one of them, are dead on every replica within five
//! seconds.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};
use axum::response::Response;
use daypass_exchange::admin::Scope;
use daypass_exchange::config::LONGEST_SESSION;
use daypass_store::{Revocation, Selector};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::{AdminApp, AdminError, ok};
use crate::wire::Peer;

/// What is to be revoked: exactly one of the four; a run and a repository are an issuer's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    role: Option<String>,
    run: Option<String>,
    repository: Option<String>,
    credential: Option<String>,
    issuer: Option<String>,
}

pub(super) async fn revoke(
    State(state): State<Arc<AdminApp>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Result<Response, AdminError> {
    let admin = state.admit(Scope::Revoke, peer, &headers).await?;
    let Json(wish) = wish.map_err(|error| AdminError::bad(error.body_text()))?;
    let selector = selector(&state, wish)?;
    state.record(&admin, "revoke", selector.to_string()).await?;
    let exchange = &state.app.exchange;
    let now = exchange.clock().now();
    // Credentials carry whole seconds: what was issued earlier in this second is meant too.
    let not_before = now + Duration::from_secs(1);
    let forget_at = now + LONGEST_SESSION + Duration::from_secs(60);
    let revocation = Revocation { selector: selector.clone(), not_before, forget_at };
    exchange.store().revoke(revocation).await.map_err(|error| AdminError::failed(&error))?;
    exchange.refresh_revocations().await.map_err(|error| AdminError::failed(&error))?;
    Ok(ok(&json!({
        "revoked": selector.to_string(),
        "not_before": not_before.to_rfc3339(),
        "everywhere_within_seconds": 5,
    })))
}

fn selector(state: &AdminApp, wish: Wish) -> Result<Selector, AdminError> {
    let issuer = |named: Option<String>| -> Result<String, AdminError> {
        let issuers = &state.app.exchange.config().issuers;
        match named {
            Some(named) => issuers
                .iter()
                .find(|issuer| issuer.name == named || issuer.issuer.as_str() == named)
                .map(|issuer| issuer.issuer.to_string())
                .ok_or_else(|| AdminError::bad(format!("no issuer `{named}` is configured"))),
            None => match issuers.as_slice() {
                [one] => Ok(one.issuer.to_string()),
                _ => Err(AdminError::bad("say whose: `issuer` is missing")),
            },
        }
    };
    match wish {
        Wish { role: Some(role), run: None, repository: None, credential: None, issuer: None } => {
            match state.app.exchange.roles().find(&role) {
                Some(role) => Ok(Selector::Role(role.name().to_owned())),
                // A role may have been taken out of the configuration while its sessions live on.
                None => Ok(Selector::Role(role)),
            }
        }
        Wish { role: None, run: Some(run), repository: None, credential: None, issuer: named } => {
            Ok(Selector::Run { issuer: issuer(named)?, run })
        }
        Wish { role: None, run: None, repository: Some(repository), credential: None, issuer: named } => {
            Ok(Selector::Repository { issuer: issuer(named)?, repository })
        }
        Wish { role: None, run: None, repository: None, credential: Some(id), issuer: None } => {
            Ok(Selector::Credential(id))
        }
        _ => Err(AdminError::bad("give exactly one of `role`, `run`, `repository` and `credential`")),
    }
}
