//! The wires: what protocols look like from outside. All of them lead through the same ten steps.

pub(crate) mod aws;
mod discovery;
mod health;
mod parameters;
pub(crate) mod token_exchange;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::routing::{get, post};
use bytes::Bytes;
use daypass_exchange::Client;
use daypass_store::StoreError;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::app::App;

pub(crate) use parameters::{ParameterError, Parameters};

/// Larger than the largest request that can be right: a token of 20,000 characters, percent-encoded, and the rest.
const BODY_LIMIT: usize = 128 * 1_024;

/// The public listener's routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", post(aws::post).get(aws::get))
        .route("/token", post(token_exchange::post))
        .route("/.well-known/openid-configuration", get(discovery::openid_configuration))
        .route("/.well-known/oauth-authorization-server", get(discovery::authorization_server))
        .route(discovery::JWKS_PATH, get(discovery::jwks))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(app)
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// The other end's address.
    pub(crate) address: SocketAddr,
    /// Whether the connection is TLS.
    pub(crate) secure: bool,
}

/// The caller behind trusted proxies: the last address of `X-Forwarded-For` that is not a proxy of ours.
pub(crate) fn client(app: &App, peer: Peer, headers: &HeaderMap) -> Client {
    let trusted = |address: IpAddr| app.trusted_proxies.iter().any(|network| network.contains(address));
    let mut address = peer.address.ip().to_canonical();
    let mut secure = peer.secure;
    if trusted(address) {
        let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
        for hop in hops.iter().rev() {
            let Ok(hop) = hop.parse::<IpAddr>() else { break };
            address = hop.to_canonical();
            if !trusted(address) {
                break;
            }
        }
        // The last word is the proxy's, where it adds its own to what the client sent.
        let scheme = headers.get_all("x-forwarded-proto").iter().next_back();
        let scheme = scheme.and_then(|value| value.to_str().ok()?.rsplit(',').next());
        secure |= scheme.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"));
    }
    let user_agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Client { address, user_agent: user_agent.map(|agent| agent.chars().take(200).collect()), secure }
}

/// A `Retry-After` header of at least a second.
pub(crate) fn retry_after(after: std::time::Duration) -> HeaderValue {
    HeaderValue::from(after.as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX))
}

/// Whether a `Content-Type` is of a media type, whatever its parameters.
pub(crate) fn is_media_type(content_type: &str, wanted: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// A body that is no form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    /// Longer than any request that can be right.
    #[error("the body has more than {BODY_LIMIT} bytes")]
    TooLarge,
    /// Cut short, or not there in time.
    #[error("the body did not arrive whole and in time")]
    Incomplete,
    /// Of another type.
    #[error("the body must be application/x-www-form-urlencoded")]
    MediaType,
    /// Not UTF-8.
    #[error("the body is not text")]
    Text,
    /// Not a form.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
}

impl FormError {
    /// The status that says as much in HTTP.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Incomplete => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType | Self::Text | Self::Parameters(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// The bytes of a body that came whole.
pub(crate) fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, FormError> {
    body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => FormError::TooLarge,
        _ => FormError::Incomplete,
    })
}

/// The parameters in a body. An empty one has none, whatever its type.
pub(crate) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Parameters, FormError> {
    if body.is_empty() {
        return Ok(Parameters::default());
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| is_media_type(kind, "application/x-www-form-urlencoded")) {
        return Err(FormError::MediaType);
    }
    let text = std::str::from_utf8(body).map_err(|_| FormError::Text)?;
    Ok(Parameters::parse(text)?)
}

/// What strangers are told of the store's failures: nothing of where it is or what it said.
pub(crate) const fn public_words(error: &StoreError) -> &'static str {
    match error {
        StoreError::Busy => "the database is locked by another process",
        StoreError::Full => "the disk is full; records cannot be written",
        StoreError::ReadOnly => "the database is read-only; records cannot be written",
        StoreError::Unreachable(_) | StoreError::Ambiguous => "the database cannot be reached",
        StoreError::Closed => "the service is stopping",
        _ => "records cannot be written",
    }
}
