//! `POST /api/v1/explain`: a recorded decision, or what would be decided about given claims.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::response::Response;
use daypass_claims::ClaimSet;
use daypass_exchange::ExplainError;
use daypass_exchange::admin::Scope;
use daypass_store::DecisionId;
use daypass_token::UnverifiedToken;
use daypass_trust::{Context, evaluate};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AdminApp, AdminError, Body, ok, shortened};
use crate::wire::Peer;

/// What is to be explained: `decision`, or `role` with `token` or `claims`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    decision: Option<String>,
    role: Option<String>,
    token: Option<String>,
    /// As it was written, so that a member that is there twice is seen.
    claims: Option<Box<RawValue>>,
}

pub(super) async fn explain(
    State(state): State<Arc<AdminApp>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    question: Body<Question>,
) -> Result<Response, AdminError> {
    let admin = state.admit(Scope::Explain, peer, &headers).await?;
    match question.read()? {
        Question { decision: Some(id), role: None, token: None, claims: None } => {
            let id: DecisionId = id
                .parse()
                .map_err(|_| AdminError::bad(format!("`{}` is not the id of a decision", shortened(&id))))?;
            state.record(&admin, "explain", id.to_string()).await?;
            match state.app.exchange.explain(id).await {
                Ok(explained) => Ok(ok(&explained)),
                Err(error) => Err(AdminError::new(status_of(&error), error.to_string())),
            }
        }
        Question { decision: None, role: Some(name), token, claims } => {
            let role = state.app.exchange.roles().find(&name).ok_or_else(|| {
                AdminError::new(StatusCode::NOT_FOUND, format!("there is no role `{}`", shortened(&name)))
            })?;
            state.record(&admin, "explain", format!("role {}", role.name())).await?;
            let claims = match (token, claims) {
                (Some(token), None) => UnverifiedToken::parse(token.trim())
                    .map_err(|error| AdminError::bad(error.to_string()))?
                    .unverified_claims()
                    .clone(),
                (None, Some(claims)) => ClaimSet::from_json(claims.get().as_bytes())
                    .map_err(|error| AdminError::bad(format!("`claims`: {error}")))?,
                _ => return Err(AdminError::bad("give `role` with either `token` or `claims`")),
            };
            let context = Context::new().account(role.account());
            Ok(ok(&evaluate(&role.config().policy, &claims, &context)))
        }
        _ => Err(AdminError::bad("give either `decision`, or `role` with `token` or `claims`")),
    }
}

const fn status_of(error: &ExplainError) -> StatusCode {
    match error {
        ExplainError::Unknown(_) => StatusCode::NOT_FOUND,
        ExplainError::Dropped(_) => StatusCode::GONE,
        ExplainError::Damaged(_) => StatusCode::INTERNAL_SERVER_ERROR,
        ExplainError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
