//! OAuth 2.0 token exchange (RFC 8693): `POST /token`.
//!
//! The role is named by `audience` (its name or ARN) or by `resource`. There is no client authentication: the subject token
//! is the proof, and what a client sends of itself is ignored.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use daypass_claims::Timestamp;
use daypass_exchange::credential::Secret;
use daypass_exchange::{
    Admitted, Client, ParameterError, Refusal, Refused, Request, SessionPolicy, SubjectToken, Wire,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use super::{FormError, Parameters, Peer};
use crate::app::App;

/// The grant type.
pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// What a subject token may be called. CI tokens are ID tokens, and JWTs.
pub(super) const TOKEN_TYPES: [&str; 2] = [ID_TOKEN, JWT];
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// What AWS keys are called on this wire; they are no access token.
const AWS_SESSION: &str = "urn:daypass:params:oauth:token-type:aws-session";

/// An OAuth error (RFC 6749 section 5.2).
struct OauthError {
    error: &'static str,
    description: String,
    status: StatusCode,
    retry_after: Option<Duration>,
    decision: Option<String>,
}

impl OauthError {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        let (status, description) = (StatusCode::BAD_REQUEST, description.into());
        Self { error, description, status, retry_after: None, decision: None }
    }

    /// What may succeed later.
    fn later(description: impl Into<String>, after: Duration) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, retry_after: Some(after), ..Self::new("temporarily_unavailable", description) }
    }

    /// Our own failure.
    fn internal() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, ..Self::new("server_error", "the service failed") }
    }
}

impl From<FormError> for OauthError {
    fn from(error: FormError) -> Self {
        Self { status: error.status(), ..Self::new("invalid_request", error.to_string()) }
    }
}

/// Answers a token request.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match exchange(&app, peer, &headers, body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn exchange(
    app: &App,
    peer: Peer,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, OauthError> {
    let parameters = read_parameters(headers, &super::whole(body)?)?;
    let (client, now) = (super::client(app, peer, headers), app.exchange.clock().now());
    let public_url = &app.exchange.config().public_url;
    let (request, requested_type) = read(public_url, client, now, &parameters)?;
    match app.exchange.exchange(request).await {
        Ok(admitted) => Ok(reply(app, &admitted, requested_type.as_deref())),
        Err(refused) => Err(of_refused(&refused)),
    }
}

/// The parameters of a body; those that name the role may be repeated, and one without a value is as good as none (RFC 6749
/// section 3.2).
fn read_parameters(headers: &HeaderMap, body: &[u8]) -> Result<Parameters, FormError> {
    Ok(super::form(headers, body)?.once(&["audience", "resource"])?.with_values())
}

/// What is asked of the service at `public_url`, with the type of token that is wished for.
fn read(
    public_url: &str,
    client: Client,
    received_at: Timestamp,
    parameters: &Parameters,
) -> Result<(Request, Option<String>), OauthError> {
    let invalid = |description: &str| OauthError::new("invalid_request", description);
    match parameters.get("grant_type") {
        Some(GRANT_TYPE) => {}
        Some(_) => {
            return Err(OauthError::new(
                "unsupported_grant_type",
                format!("the grant type must be {GRANT_TYPE}"),
            ));
        }
        None => return Err(invalid("`grant_type` is missing")),
    }
    let token = parameters.get("subject_token").ok_or_else(|| invalid("`subject_token` is missing"))?;
    match parameters.get("subject_token_type") {
        Some(kind) if TOKEN_TYPES.contains(&kind) => {}
        Some(_) => {
            return Err(invalid(&format!("`subject_token_type` must be {}", TOKEN_TYPES.join(" or "))));
        }
        None => return Err(invalid("`subject_token_type` is missing")),
    }
    if parameters.get("actor_token").is_some() || parameters.get("actor_token_type").is_some() {
        return Err(invalid("`actor_token` is not taken: a job acts for itself"));
    }
    let requested = parameters.get("requested_token_type");
    if let Some(kind) = requested
        && kind != ACCESS_TOKEN
        && kind != AWS_SESSION
        && !TOKEN_TYPES.contains(&kind)
    {
        return Err(invalid("`requested_token_type` is not one that is issued here"));
    }
    let duration = match parameters.get("duration_seconds") {
        None => None,
        Some(text) => Some(Duration::from_secs(
            text.parse().map_err(|_| invalid("`duration_seconds` must be a whole number of seconds"))?,
        )),
    };
    let request = Request {
        wire: Wire::TokenExchange,
        role: role(public_url, parameters)?,
        token: SubjectToken::new(token.to_owned()),
        duration,
        session_name: parameters.get("session_name").map(str::to_owned),
        session_policy: SessionPolicy::default(),
        scope: parameters.get("scope").map(str::to_owned),
        client,
        received_at,
    };
    Ok((request, requested.map(str::to_owned)))
}

/// The one role that `audience` and `resource` name. A resource is the role's ARN, or its URL under ours.
fn role(public_url: &str, parameters: &Parameters) -> Result<String, OauthError> {
    let url = format!("{public_url}/roles/");
    let mut named: Vec<String> = parameters.all("audience").map(str::to_owned).collect();
    for resource in parameters.all("resource") {
        if resource.contains('#') || !resource.contains(':') {
            return Err(OauthError::new(
                "invalid_target",
                "`resource` must be an absolute URI without a fragment",
            ));
        }
        named.push(resource.strip_prefix(&url).unwrap_or(resource).to_owned());
    }
    named.dedup();
    match <[String; 1]>::try_from(named) {
        Ok([role]) if role.len() <= 2_048 => Ok(role),
        Ok(_) => Err(OauthError::new("invalid_target", "`audience` is too long")),
        Err(named) if named.is_empty() => {
            Err(OauthError::new("invalid_request", "`audience` is missing: name the role, or its ARN"))
        }
        Err(_) => Err(OauthError::new("invalid_target", "name one role: a credential is for one at a time")),
    }
}

/// An answer (RFC 8693 section 2.2.1). It borrows, so that secrets are copied once: into the body.
#[derive(Serialize)]
struct Reply<'r> {
    access_token: &'r str,
    issued_token_type: &'static str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_credentials: Option<AwsCredentials<'r>>,
}

/// AWS keys, in the members that `credential_process` of the AWS SDKs knows.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AwsCredentials<'r> {
    version: u8,
    access_key_id: &'r str,
    secret_access_key: &'r str,
    session_token: &'r str,
    expiration: String,
    account_id: &'r str,
}

fn reply(app: &App, admitted: &Admitted, requested: Option<&str>) -> Response {
    let now = app.exchange.clock().now();
    let expires_in = admitted.credential.expires_at().since(now).as_secs();
    let scope = admitted.who.scope.as_deref();
    let reply = match admitted.credential.secret() {
        Secret::Jwt { token, access_token } => {
            // The role decides what it is; that it is a JWT is true in any case.
            let own = if *access_token { ACCESS_TOKEN } else { ID_TOKEN };
            let issued_token_type = if requested == Some(JWT) { JWT } else { own };
            Reply {
                access_token: token,
                issued_token_type,
                token_type: "Bearer",
                expires_in,
                scope,
                aws_credentials: None,
            }
        }
        Secret::AwsSession { access_key_id, secret_access_key, session_token } => Reply {
            access_token: session_token,
            issued_token_type: AWS_SESSION,
            token_type: "N_A",
            expires_in,
            scope,
            aws_credentials: Some(AwsCredentials {
                version: 1,
                access_key_id,
                secret_access_key,
                session_token,
                expiration: admitted.credential.expires_at().to_rfc3339(),
                account_id: &app.exchange.config().account_id,
            }),
        },
    };
    match serde_json::to_string(&reply) {
        Ok(body) => json_response(StatusCode::OK, body),
        // Strings and numbers under fixed names: this cannot fail.
        Err(_) => OauthError::internal().into_response(),
    }
}

fn of_refused(refused: &Refused) -> OauthError {
    let mut error = of_refusal(&refused.refusal);
    let about_trust = matches!(
        refused.refusal,
        Refusal::Denied(_) | Refusal::Undecided(_) | Refusal::UnknownRole(_) | Refusal::RoleRefused(_)
    );
    if about_trust && !refused.hint.is_empty() {
        error.description = refused.hint.clone();
    }
    error.decision = Some(refused.decision.to_string());
    error
}

/// RFC 8693 section 2.2.2: a subject token that is invalid for any reason, or unacceptable by policy, is
/// `invalid_request`. A role that does not exist reads the same, so that nobody learns which ones do.
fn of_refusal(refusal: &Refusal) -> OauthError {
    let not_admitted = || OauthError::new("invalid_request", "the token is not admitted to this role");
    match refusal {
        Refusal::Parameter(ParameterError::Scope(_)) => OauthError::new("invalid_scope", refusal.to_string()),
        Refusal::Denied(_) | Refusal::Undecided(_) | Refusal::UnknownRole(_) | Refusal::RoleRefused(_) => {
            not_admitted()
        }
        Refusal::WrongWire { .. } => OauthError::new("invalid_target", refusal.to_string()),
        Refusal::Keys(unavailable) => OauthError::later(refusal.to_string(), unavailable.after),
        Refusal::Store(error) => match error.retry_after() {
            Some(after) => OauthError::later(super::public_words(error), after),
            None => OauthError::internal(),
        },
        Refusal::Random(_) | Refusal::Mint(_) => OauthError::internal(),
        other => OauthError::new("invalid_request", other.to_string()),
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.error, "error_description": ascii(&self.description) });
        if let (Value::Object(members), Some(decision)) = (&mut body, self.decision) {
            members.insert("decision".to_owned(), json!(decision));
        }
        let mut response = json_response(self.status, body.to_string());
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, super::retry_after(after));
        }
        response
    }
}

/// `error_description` is limited to %x20-21 / %x23-5B / %x5D-7E (RFC 6749 section 5.2).
fn ascii(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' => '\'',
            '\\' => '/',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

fn json_response(status: StatusCode, body: String) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Reads a request without serving it, for `crate::fuzzing`: an error is told by its code and description.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_only(
    headers: &HeaderMap,
    body: &[u8],
    client: Client,
) -> Result<Request, (&'static str, String)> {
    let read = || {
        let parameters = read_parameters(headers, body)?;
        read("https://sts.example.com", client, Timestamp::from_secs(1_800_000_000), &parameters)
    };
    read().map(|(request, _)| request).map_err(|error: OauthError| (error.error, ascii(&error.description)))
}
