//! The wires: what protocols look like from outside. All of them lead through the same ten steps.

pub(crate) mod aws;
mod discovery;
mod health;
mod parameters;
mod token_exchange;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use daypass_exchange::Client;
use http::{HeaderMap, HeaderValue};

use crate::app::App;

pub(crate) use parameters::Parameters;

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
        secure |= headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    }
    let user_agent = headers.get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Client { address, user_agent: user_agent.map(|agent| agent.chars().take(200).collect()), secure }
}

/// A `Retry-After` header of at least a second.
pub(crate) fn retry_after(after: std::time::Duration) -> HeaderValue {
    HeaderValue::from(after.as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX))
}
