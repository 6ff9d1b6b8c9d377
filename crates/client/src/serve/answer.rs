use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;

use super::{Door, Refresher};
use crate::credential::AwsSession;
use crate::federation::ClientError;

/// What SDKs read: note `Token` where `credential_process` has `SessionToken`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials<'s> {
    access_key_id: &'s str,
    secret_access_key: &'s str,
    token: &'s str,
    expiration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'s str>,
}

#[derive(Serialize)]
struct Trouble<'t> {
    code: &'t str,
    message: &'t str,
}

/// Answers one request. The body, if any, is not read.
pub(super) async fn answer<B>(
    door: &Door,
    refresher: &Arc<Refresher>,
    request: &Request<B>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if let Err((status, code, message)) = door.admits(request) {
        tracing::warn!(code, "turned a request away");
        return Ok(trouble(status, code, message));
    }
    Ok(match refresher.session().await {
        Ok(session) => credentials(&session),
        Err(error) => trouble(status_of(&error), error.code(), &error.to_string()),
    })
}

impl Door {
    /// Whether a request may have the credentials. The address comes first: whoever got here by another name is not told
    /// whether it guessed anything else.
    fn admits<B>(&self, request: &Request<B>) -> Result<(), (StatusCode, &'static str, &'static str)> {
        let header = |name| request.headers().get(name).map_or(&b""[..], |value| value.as_bytes());
        let ours =
            [format!("127.0.0.1:{}", self.address.port()), format!("localhost:{}", self.address.port())];
        if !ours.iter().any(|host| host.as_bytes() == header(HOST)) || request.headers().contains_key(ORIGIN)
        {
            let message = "this endpoint answers to its loopback address only, and to no browser";
            return Err((StatusCode::FORBIDDEN, "ForeignHost", message));
        }
        if !self.path.is(request.uri().path().as_bytes()) {
            return Err((StatusCode::NOT_FOUND, "NotFound", "there is nothing at this path"));
        }
        if request.method() != Method::GET {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "only GET is answered"));
        }
        if !self.token.is(header(AUTHORIZATION)) {
            let message = "the Authorization header must hold the token that goes with this endpoint";
            return Err((StatusCode::UNAUTHORIZED, "Unauthorized", message));
        }
        Ok(())
    }
}

/// 403 where asking again is no use, as with a refusal by the server; 503 where it may be.
fn status_of(error: &ClientError) -> StatusCode {
    match error {
        ClientError::Exchange(error) if error.refusal().is_some_and(|refusal| refusal.status < 500) => {
            StatusCode::FORBIDDEN
        }
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn credentials(session: &AwsSession) -> Response<Full<Bytes>> {
    let body = Credentials {
        access_key_id: &session.access_key_id,
        secret_access_key: session.secret_access_key.expose(),
        token: session.session_token.expose(),
        expiration: session.expiration.to_rfc3339(),
        account_id: session.account.as_deref(),
    };
    json(StatusCode::OK, &body)
}

fn trouble(status: StatusCode, code: &str, message: &str) -> Response<Full<Bytes>> {
    let mut response = json(status, &Trouble { code, message });
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET"));
    }
    response
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<Full<Bytes>> {
    // Structs of texts always have a JSON form.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
    response
}
