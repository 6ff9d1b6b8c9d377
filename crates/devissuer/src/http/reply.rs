//! Reading bodies and answering with errors, in JSON both.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, RequestExt as _};
use serde::de::DeserializeOwned;

use super::guard::GuardError;
use crate::error::RequestError;
use crate::job::JobError;
use crate::mint::ErrorReply;

/// The longest body that is read, in bytes: thrice the longest token.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// An answer that is a refusal: an [`ErrorReply`].
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let reply = ErrorReply { error: self.code.to_owned(), message: self.message };
        (self.status, Json(reply)).into_response()
    }
}

impl From<GuardError> for ApiError {
    fn from(error: GuardError) -> Self {
        Self::new(StatusCode::FORBIDDEN, error.code(), error.to_string())
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        if error.is_callers() {
            return Self::new(StatusCode::BAD_REQUEST, error.code(), error.to_string());
        }
        tracing::error!(%error, "the development issuer failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.code(), error.to_string())
    }
}

impl From<JobError> for ApiError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Unauthorised => {
                Self::new(StatusCode::UNAUTHORIZED, "job-unauthorised", error.to_string())
            }
            JobError::Request(error) => error.into(),
            JobError::Audience(_) => Self::new(StatusCode::BAD_REQUEST, "name-malformed", error.to_string()),
        }
    }
}

/// A body in JSON. Its type must be said to be `application/json`, which no form of a web page can.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let named = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = named.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            let message = "the body's Content-Type must be application/json";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", message));
        }
        let body = to_bytes(request.into_limited_body(), MAX_BODY_BYTES).await.map_err(|_| {
            let message = format!("the body cannot be read, or has more than {MAX_BODY_BYTES} bytes");
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", message)
        })?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, "request-malformed", error.to_string()))
    }
}
