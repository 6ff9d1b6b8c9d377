//! A CI platform: keys, and jobs with tokens of their own.

use std::sync::atomic::{AtomicU64, Ordering};

use daypass_claims::{ClaimSet, Clock};
use daypass_server::SystemClock;
use daypass_token::jwk::JwkSet;
use daypass_token::sign::{SigningAlgorithm, SigningKey, TokenHeader};

pub(crate) const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// How long tokens live, in seconds: longer than any test.
const LIFETIME: i64 = 3_600;

/// A job with its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// The token's id (`jti`), another for every job.
    pub(crate) id: String,
    pub(crate) token: String,
}

pub(crate) fn key() -> SigningKey {
    SigningKey::generate(SigningAlgorithm::ES256).unwrap()
}

/// A key set as platforms publish it.
pub(crate) fn jwks<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> String {
    let set: JwkSet = keys.into_iter().map(|key| key.public_jwk().clone()).collect();
    serde_json::to_string(&set).unwrap()
}

/// A new job of the repository that all roles trust.
pub(crate) fn job(issuer: &str, key: &SigningKey) -> Job {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = format!("job-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let now = SystemClock.now().as_secs();
    let texts = [
        ("iss", issuer),
        ("aud", "sts.amazonaws.com"),
        ("sub", "repo:acme/app:ref:refs/heads/main"),
        ("repository", "acme/app"),
        ("repository_id", "2002"),
        ("repository_owner", "acme"),
        ("repository_owner_id", "1001"),
        ("ref", "refs/heads/main"),
        ("event_name", "push"),
        ("run_id", id.as_str()),
        ("run_attempt", "1"),
        ("jti", id.as_str()),
    ];
    let mut claims: ClaimSet = texts.into_iter().collect();
    claims.insert("iat", now);
    claims.insert("exp", now + LIFETIME);
    Job { token: key.sign(&TokenHeader::new("JWT"), &claims).unwrap(), id }
}
