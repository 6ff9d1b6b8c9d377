//! `POST /api/v1/explain`: a recorded decision, or what would be decided about given claims.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
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

use super::{AdminApp, AdminError, ok};
use crate::wire::Peer;

/// What is to be explained: `decision`, or `role` with `token` or `claims`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    decision: Option<String>,
    role: Option<String>,
    token: Option<String>,
    claims: Option<serde_json::Value>,
}

pub(super) async fn explain(
    State(state): State<Arc<AdminApp>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    question: Result<Json<Question>, JsonRejection>,
) -> Result<Response, AdminError> {
    let admin = state.admit(Scope::Explain, peer, &headers).await?;
    let Json(question) = question.map_err(|error| AdminError::bad(error.body_text()))?;
    match question {
        Question { decision: Some(id), role: None, token: None, claims: None } => {
            let id: DecisionId =
                id.parse().map_err(|_| AdminError::bad(format!("`{id}` is not the id of a decision")))?;
            state.record(&admin, "explain", id.to_string()).await?;
            match state.app.exchange.explain(id).await {
                Ok(explained) => Ok(ok(&explained)),
                Err(error @ ExplainError::Unknown(_)) => {
                    Err(AdminError::new(StatusCode::NOT_FOUND, error.to_string()))
                }
                Err(error @ ExplainError::Dropped(_)) => {
                    Err(AdminError::new(StatusCode::GONE, error.to_string()))
                }
                Err(error) => Err(AdminError::failed(&error)),
            }
        }
        Question { decision: None, role: Some(name), token, claims } => {
            state.record(&admin, "explain", format!("role {name}")).await?;
            let claims = match (token, claims) {
                (Some(token), None) => UnverifiedToken::parse(token.trim())
                    .map_err(|error| AdminError::bad(error.to_string()))?
                    .unverified_claims()
                    .clone(),
                (None, Some(claims)) => ClaimSet::from_json(claims.to_string().as_bytes())
                    .map_err(|error| AdminError::bad(format!("`claims`: {error}")))?,
                _ => return Err(AdminError::bad("give `role` with either `token` or `claims`")),
            };
            let role = state.app.exchange.roles().find(&name);
            let role = role.ok_or_else(|| {
                AdminError::new(StatusCode::NOT_FOUND, format!("there is no role `{name}`"))
            })?;
            let context = Context::new().account(role.account());
            Ok(ok(&evaluate(&role.config().policy, &claims, &context)))
        }
        _ => Err(AdminError::bad("give either `decision`, or `role` with `token` or `claims`")),
    }
}
