//! `GET /api/v1/audit?limit=N`: the newest records.

use std::sync::Arc;

use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use daypass_exchange::admin::Scope;
use http::HeaderMap;
use serde_json::{Value, json};

use super::{AdminApp, AdminError, ok};
use crate::wire::{Parameters, Peer};

pub(super) async fn latest(
    State(state): State<Arc<AdminApp>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, AdminError> {
    let admin = state.admit(Scope::Audit, peer, &headers).await?;
    let parameters = Parameters::parse(query.as_deref().unwrap_or_default())
        .and_then(|parameters| parameters.once(&[]))
        .map_err(|error| AdminError::bad(error.to_string()))?;
    let limit = match parameters.get("limit") {
        None => 100,
        Some(text) => match text.parse::<u32>() {
            Ok(limit @ 1..=1_000) => limit,
            _ => return Err(AdminError::bad("`limit` must be a whole number from 1 to 1000")),
        },
    };
    state.record(&admin, "read-audit", format!("the newest {limit}")).await?;
    let records =
        state.app.exchange.store().latest(limit).await.map_err(|error| AdminError::failed(&error))?;
    let records: Vec<Value> = records
        .into_iter()
        .map(|record| {
            let body = record.body.and_then(|body| serde_json::from_slice::<Value>(&body.0).ok());
            json!({ "chain": record.chain.to_string(), "seq": record.seq, "hash": hex::encode(record.hash), "record": body })
        })
        .collect();
    Ok(ok(&json!({ "records": records })))
}
