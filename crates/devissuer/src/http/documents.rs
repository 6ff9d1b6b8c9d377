//! Discovery documents and key sets, right and wrong.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use daypass_claims::Issuer;
use daypass_token::DEVELOPMENT_KEY_PREFIX;
use daypass_token::jwk::Jwk;
use http_body_util::channel::Channel;
use serde::Serialize;
use serde_json::json;

use super::acts::blocking;
use super::reply::ApiError;
use crate::address::{Document, Played};
use crate::discovery;
use crate::error::RequestError;
use crate::issuer::DevIssuer;
use crate::keys::KeyRing;
use crate::outage::Outage;

/// A query that spares a request the outage; it is what [`Outage::Redirect`] leads to.
const UNDISTURBED: &str = "undisturbed";
/// What [`Outage::Huge`] puts before the document, in bytes.
const PADDING: usize = 4 * 1024 * 1024;
/// What [`Outage::Slow`] waits after each byte.
const PAUSE: Duration = Duration::from_secs(1);

/// Everything that is no act: a document, or nothing.
pub(super) async fn document(
    State(dev): State<DevIssuer>,
    method: Method,
    uri: Uri,
) -> Result<Response, ApiError> {
    let found = dev.addresses().document(uri.path());
    let Some((played, document)) = found.filter(|_| method == Method::GET || method == Method::HEAD) else {
        let message = format!("{method} {} is nothing that a development issuer does", uri.path());
        return Err(ApiError::new(StatusCode::NOT_FOUND, "not-found", message));
    };
    let outage = match uri.query() {
        Some(UNDISTURBED) => None,
        _ => undelayed(&dev, &played.issuer).await,
    };
    match outage {
        Some(Outage::Unavailable) => return Ok(unavailable()),
        Some(Outage::Garbage) => return Ok(captive_portal()),
        Some(Outage::Redirect) => return Ok(redirect(&dev, &uri)),
        _ => {}
    }
    let issuer = played.issuer.clone();
    let text = {
        let dev = dev.clone();
        blocking(move || write(&dev, &played, document, outage)).await?
    };
    let body = match outage {
        Some(Outage::Huge) => Body::from([" ".repeat(PADDING).into_bytes(), text].concat()),
        Some(Outage::Slow) => slowly(&dev, issuer, text.into()),
        _ => Body::from(text),
    };
    let cache = format!("public, max-age={}", dev.max_age().as_secs());
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CACHE_CONTROL, cache)];
    Ok((headers, body).into_response())
}

/// The issuer's outage, after it has kept the request waiting if that is what it does.
async fn undelayed(dev: &DevIssuer, issuer: &Issuer) -> Option<Outage> {
    while dev.outages().of(issuer) == Some(Outage::Hang) {
        dev.outages().end_of(Outage::Hang, issuer.clone()).await;
    }
    dev.outages().of(issuer)
}

fn write(
    dev: &DevIssuer,
    played: &Played,
    document: Document,
    outage: Option<Outage>,
) -> Result<Vec<u8>, RequestError> {
    let text = match document {
        Document::Discovery => {
            let jwks = dev.addresses().advertised_jwks_url(played);
            let issuer = match outage {
                Some(Outage::WrongIssuer) => nearly(played)?,
                _ => played.issuer.clone(),
            };
            serde_json::to_vec(&discovery::document(played, &issuer, &jwks)?)
        }
        Document::Jwks => {
            let published = dev.with_keys(played, KeyRing::published)?;
            let good = published.keys.iter().filter(|_| outage != Some(Outage::EmptySet)).map(Listed::Good);
            let malformed = (outage == Some(Outage::MalformedKey)).then(malformed_key);
            serde_json::to_vec(&Keys { keys: malformed.into_iter().chain(good).collect() })
        }
    };
    text.map_err(|error| RequestError::Sign(error.into()))
}

/// A key set that need not be one.
#[derive(Serialize)]
struct Keys<'k> {
    keys: Vec<Listed<'k>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Listed<'k> {
    Good(&'k Jwk),
    Malformed(serde_json::Value),
}

/// Another issuer, by a slash.
fn nearly(played: &Played) -> Result<Issuer, RequestError> {
    let text = played.issuer.as_str();
    let other = text.strip_suffix('/').map_or_else(|| format!("{text}/"), str::to_owned);
    let platform = played.platform.id.clone();
    Issuer::parse(&other).map_err(|_| RequestError::NoIssuer { platform, found: other })
}

/// A key with a modulus of one byte.
fn malformed_key<'k>() -> Listed<'k> {
    let kid = format!("{DEVELOPMENT_KEY_PREFIX}malformed");
    Listed::Malformed(
        json!({ "use": "sig", "alg": "RS256", "kid": kid, "kty": "RSA", "n": "AQ", "e": "AQAB" }),
    )
}

fn unavailable() -> Response {
    let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "outage", "this is an outage, by request");
    ([(header::RETRY_AFTER, "1")], error).into_response()
}

fn captive_portal() -> Response {
    let page = "<!doctype html><title>Welcome</title><p>Accept our terms to use this network.</p>\n";
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

fn redirect(dev: &DevIssuer, uri: &Uri) -> Response {
    let elsewhere = format!("http://localhost:{}{}?{UNDISTURBED}", dev.address().port(), uri.path());
    match HeaderValue::try_from(elsewhere) {
        Ok(location) => (StatusCode::FOUND, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::FOUND.into_response(),
    }
}

fn slowly(dev: &DevIssuer, issuer: Issuer, mut text: Bytes) -> Body {
    let (mut sender, body) = Channel::<Bytes>::new(1);
    let end = dev.outages().end_of(Outage::Slow, issuer);
    tokio::spawn(async move {
        tokio::pin!(end);
        while !text.is_empty() {
            // An error means that nobody reads on.
            if sender.send_data(text.split_to(1)).await.is_err() {
                return;
            }
            tokio::select! {
                () = &mut end => break,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        let _ = sender.send_data(text).await;
    });
    Body::new(body)
}
