//! What can be asked for besides documents.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::{Value, json};

use super::reply::{ApiError, Body};
use crate::control::{OutageRequest, RemoveKeyRequest, RotateRequest, SkewRequest, Status};
use crate::error::RequestError;
use crate::issuer::DevIssuer;
use crate::job::AgentRequest;
use crate::mint::{JobReply, MintReply, MintRequest};

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) async fn mint(
    State(dev): State<DevIssuer>,
    Body(request): Body<MintRequest>,
) -> Answer<MintReply> {
    blocking(move || dev.mint(&request)).await.map(Json)
}

pub(super) async fn job(State(dev): State<DevIssuer>, Body(request): Body<MintRequest>) -> Answer<JobReply> {
    let environment = blocking(move || dev.job_environment(&request)).await?;
    Ok(Json(JobReply { environment }))
}

/// Answers as the real service does: the token, and how long it is.
pub(super) async fn github(
    State(dev): State<DevIssuer>,
    Path(platform): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Answer<Value> {
    let secret = authorization(&headers, "bearer")?;
    let token = blocking(move || dev.github_token(&platform, &secret, &query)).await?;
    Ok(Json(json!({ "count": token.len(), "value": token })))
}

pub(super) async fn azure(
    State(dev): State<DevIssuer>,
    Path((platform, job)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Value> {
    let secret = authorization(&headers, "bearer")?;
    let token = blocking(move || dev.azure_token(&platform, &job, &secret)).await?;
    Ok(Json(json!({ "oidcToken": token })))
}

pub(super) async fn buildkite(
    State(dev): State<DevIssuer>,
    Path(job): Path<String>,
    headers: HeaderMap,
    Body(request): Body<AgentRequest>,
) -> Answer<MintReply> {
    let secret = authorization(&headers, "token")?;
    let token = blocking(move || dev.buildkite_token(&job, &secret, &request)).await?;
    Ok(Json(MintReply { token }))
}

pub(super) async fn status(State(dev): State<DevIssuer>) -> Answer<Status> {
    act(dev, |_| Ok(())).await
}

pub(super) async fn rotate(
    State(dev): State<DevIssuer>,
    Body(request): Body<RotateRequest>,
) -> Answer<Status> {
    act(dev, move |dev| dev.rotate(&request)).await
}

pub(super) async fn remove_key(
    State(dev): State<DevIssuer>,
    Body(request): Body<RemoveKeyRequest>,
) -> Answer<Status> {
    act(dev, move |dev| dev.remove_key(&request)).await
}

pub(super) async fn skew(State(dev): State<DevIssuer>, Body(request): Body<SkewRequest>) -> Answer<Status> {
    act(dev, move |dev| {
        dev.set_skew(request.seconds);
        Ok(())
    })
    .await
}

pub(super) async fn outage(
    State(dev): State<DevIssuer>,
    Body(request): Body<OutageRequest>,
) -> Answer<Status> {
    act(dev, move |dev| dev.disturb(&request)).await
}

/// A path that is there, asked in another way than it can be.
pub(super) async fn other_method(method: Method, uri: Uri) -> ApiError {
    let message = format!("{} cannot be asked with {method}", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", message)
}

/// Does something to the issuers and says how things are then.
async fn act(
    dev: DevIssuer,
    work: impl FnOnce(&DevIssuer) -> Result<(), RequestError> + Send + 'static,
) -> Answer<Status> {
    blocking(move || work(&dev).map(|()| Json(dev.status()))).await
}

/// Runs what may have to make an RSA key or write a file.
pub(super) async fn blocking<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(error) => Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "interrupted", error.to_string())),
    }
}

/// What follows `scheme` in the `Authorization` header.
fn authorization(headers: &HeaderMap, scheme: &str) -> Result<String, ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let found = value.and_then(|value| value.split_once(' '));
    match found {
        Some((named, secret)) if named.eq_ignore_ascii_case(scheme) => Ok(secret.trim().to_owned()),
        _ => {
            let message = format!("request has no `Authorization: {scheme} ...`");
            Err(ApiError::new(StatusCode::UNAUTHORIZED, "job-unauthorised", message))
        }
    }
}
