//! `POST /api/v1/revoke`: credentials of a role, a run, a repository, or one of them, are dead on every replica within five
//! seconds.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::response::Response;
use daypass_claims::Timestamp;
use daypass_exchange::admin::Scope;
use daypass_exchange::config::LONGEST_SESSION;
use daypass_store::{Revocation, Selector};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::{AdminApp, AdminError, Body, ok};
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
    wish: Body<Wish>,
) -> Result<Response, AdminError> {
    let admin = state.admit(Scope::Revoke, peer, &headers).await?;
    let selector = selector(&state, wish.read()?)?;
    state.record(&admin, "revoke", selector.to_string()).await?;
    let exchange = &state.app.exchange;
    let now = exchange.clock().now();
    // Credentials carry whole seconds: what was issued earlier in this second is meant too.
    let not_before = Timestamp::from_secs(now.as_secs()) + Duration::from_secs(1);
    let forget_at = not_before + LONGEST_SESSION + Duration::from_secs(60);
    let revocation = Revocation { selector: selector.clone(), not_before, forget_at };
    exchange.store().revoke(revocation).await.map_err(|error| AdminError::failed(&error))?;
    exchange.refresh_revocations().await.map_err(|error| AdminError::failed(&error))?;
    // It may have been one: its sessions live on when it is gone. Or it is written wrongly, and nothing has ended.
    let remark = match &selector {
        Selector::Role(name) if exchange.roles().find(name).is_none() => {
            Some(format!("no role is named `{name}` now: mind the spelling"))
        }
        _ => None,
    };
    let mut answer = json!({
        "revoked": selector.to_string(),
        "not_before": not_before.to_rfc3339(),
        "everywhere_within_seconds": 5,
    });
    if let (Some(members), Some(remark)) = (answer.as_object_mut(), remark) {
        members.insert("remark".to_owned(), remark.into());
    }
    Ok(ok(&answer))
}

/// The longest name, run, repository or id that is revoked by. It goes on record as it is.
const LONGEST: usize = 1_024;

fn selector(state: &AdminApp, wish: Wish) -> Result<Selector, AdminError> {
    let issuer = |named: Option<String>| match named {
        Some(named) => Ok(state.issuer(&named)?.issuer.to_string()),
        None => match state.app.exchange.config().issuers.as_slice() {
            [one] => Ok(one.issuer.to_string()),
            _ => Err(AdminError::bad("say whose: `issuer` is missing")),
        },
    };
    let selector = match wish {
        Wish { role: Some(role), run: None, repository: None, credential: None, issuer: None } => {
            Selector::Role(role_name(state, &role)?)
        }
        Wish { role: None, run: Some(run), repository: None, credential: None, issuer: named } => {
            Selector::Run { issuer: issuer(named)?, run }
        }
        Wish { role: None, run: None, repository: Some(repository), credential: None, issuer: named } => {
            Selector::Repository { issuer: issuer(named)?, repository }
        }
        Wish { role: None, run: None, repository: None, credential: Some(id), issuer: None } => {
            Selector::Credential(id)
        }
        _ => {
            return Err(AdminError::bad("give exactly one of `role`, `run`, `repository` and `credential`"));
        }
    };
    match selector.value().len() {
        1..=LONGEST => Ok(selector),
        length => {
            let message = format!("`{}` has {length} bytes, 1 to {LONGEST} are taken", selector.kind());
            Err(AdminError::bad(message))
        }
    }
}

/// Sessions are selected by the name of their role. A role may have been taken out of the configuration while its sessions
/// live on, so its ARN is read and not looked up.
fn role_name(state: &AdminApp, role: &str) -> Result<String, AdminError> {
    if let Some(known) = state.app.exchange.roles().find(role) {
        return Ok(known.name().to_owned());
    }
    let Some(rest) = role.strip_prefix("arn:") else { return Ok(role.to_owned()) };
    let ours = format!("aws:iam::{}:role/", state.app.exchange.config().account_id);
    let path = rest.strip_prefix(&ours).ok_or_else(|| {
        AdminError::bad(format!("the role's ARN does not begin with `arn:{ours}`: its sessions are not ours"))
    })?;
    Ok(path.rsplit('/').next().unwrap_or(path).to_owned())
}
