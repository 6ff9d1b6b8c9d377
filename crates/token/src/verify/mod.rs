//! From an [`UnverifiedToken`] to a [`VerifiedToken`]: the one place where a token becomes something to decide on.

mod audience;
mod refusal;
mod time;
mod timing;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use daypass_claims::{Algorithm, Audience, ClaimSet, ClaimValue, Issuer, KeyId, Subject, Timestamp};

use crate::digest::{TokenDigest, sha256};
use crate::header::{Header, is_jwt, is_media_type};
use crate::key_set::{SelectError, SelectedKeys};
use crate::text::excerpt;
use crate::unverified::UnverifiedToken;

pub use refusal::Refusal;
pub use time::TimeError;
use timing::Times;

/// How far the clocks of issuer and verifier may be apart.
///
/// One constant for every comparison with the clock **and** for how long the use of a token is remembered: a token
/// is good until `exp + LEEWAY`, so a replay record must live at least that long. With a record that dies at `exp`,
/// whoever has read a token out of a log presents it again in the minute in which it still verifies and nobody
/// remembers it.
pub const LEEWAY: Duration = Duration::from_secs(60);

/// Which rules apply. They exclude each other, so a token of one kind can never pass for the other
/// (RFC 8725 section 3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// What a CI platform hands to a job. `typ` is absent or `JWT`; any other type is a token for another purpose
    /// (`at+jwt`, `secevent+jwt`, `logout+jwt`, `txntoken+jwt`, `wit+jwt`).
    CiIdToken,
    /// An access token of RFC 9068: `typ` is `at+jwt`, and `client_id` and `jti` are there.
    AccessToken,
}

/// What a relying party expects of the tokens of one issuer.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'e> {
    /// The configured issuer; compared byte for byte.
    pub issuer: &'e Issuer,
    /// The names under which this relying party may be addressed. None means that no token is accepted.
    pub audiences: &'e [Audience],
    /// Whether a token may be addressed to others as well. Anyone of them could present it here, so: only where the
    /// issuer leaves no choice.
    pub multiple_audiences: bool,
    /// The longest `exp - iat` that is accepted.
    pub max_lifetime: Duration,
    /// How long after `iat` a token is accepted, whatever its `exp` says; [`LEEWAY`] is granted here too.
    pub max_age: Duration,
    /// Which rules apply.
    pub kind: TokenKind,
}

impl<'e> Expectations<'e> {
    /// A CI platform's token for one of `audiences` alone, living at most 24 hours (what GCP accepts).
    pub const fn new(issuer: &'e Issuer, audiences: &'e [Audience]) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            issuer,
            audiences,
            multiple_audiences: false,
            max_lifetime: DAY,
            max_age: DAY,
            kind: TokenKind::CiIdToken,
        }
    }
}

/// A token whose signature, times and address have been checked: its claims are its issuer's word.
///
/// [`verify`] is the only way to make one. There is no other constructor, no `Default` and no `Deserialize`:
///
/// ```compile_fail
/// let forged: daypass_token::VerifiedToken = Default::default();
/// ```
/// ```compile_fail
/// let forged: daypass_token::VerifiedToken = serde_json::from_str("{}").unwrap();
/// ```
///
/// Claims are data. They keep the types that the issuer gave them, and absent, null and empty stay three things.
#[derive(Clone)]
pub struct VerifiedToken {
    issuer: Issuer,
    subject: Subject,
    audience: Audience,
    audiences: Vec<Audience>,
    key_id: Option<KeyId>,
    algorithm: Algorithm,
    times: Times,
    token_id: Option<Box<str>>,
    claims: Arc<ClaimSet>,
    digest: TokenDigest,
    replay_key: [u8; 32],
}

/// Checks `token` with the keys that were selected for it.
///
/// The first reason in this order is reported: issuer, key, signature, type and critical extensions, expiry, not
/// before, lifetime, audience, subject. No claim but `iss` has a say before the signature holds (RFC 7515 section
/// 5.2, RFC 8725 section 3.3).
///
/// Both limits of the validity are inclusive of [`LEEWAY`] and nothing more: a token is refused from `exp + LEEWAY`
/// on, and before `nbf - LEEWAY` and `iat - LEEWAY`. `iat` is required, because the maximum age and the maximum
/// lifetime are counted from it; every CI platform of the catalogue whose claims are known writes it.
pub fn verify(
    token: &UnverifiedToken,
    keys: &SelectedKeys,
    expected: &Expectations<'_>,
    now: Timestamp,
) -> Result<VerifiedToken, Refusal> {
    check_issuer(token, keys, expected.issuer)?;
    check_signature(token, keys)?;
    let header = token.header();
    check_type(header, expected.kind)?;
    check_critical(header)?;
    let claims = token.unverified_claims();
    check_bindings(claims)?;
    let times = timing::check(claims, expected, now)?;
    let (audience, audiences) = audience::check(claims, expected)?;
    let subject = subject(claims)?;
    if expected.kind == TokenKind::AccessToken {
        require_text(claims, "client_id")?;
        require_text(claims, "jti")?;
    }
    let token_id = text(claims, "jti");
    Ok(VerifiedToken {
        issuer: expected.issuer.clone(),
        subject,
        audience,
        audiences,
        key_id: token.key_id().cloned(),
        algorithm: token.algorithm(),
        times,
        token_id: token_id.map(Into::into),
        replay_key: replay_key(expected.issuer, token_id, token),
        digest: token.digest(),
        claims: token.shared_claims(),
    })
}

impl VerifiedToken {
    /// Who issued it: the configured issuer.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Who it speaks for (`sub`).
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The audience that is ours: the first of the token's that was expected.
    pub const fn audience(&self) -> &Audience {
        &self.audience
    }

    /// All audiences, in the token's order.
    pub fn audiences(&self) -> &[Audience] {
        &self.audiences
    }

    /// The key that signed it, where the token names it.
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// The algorithm of its signature.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// When it was issued (`iat`).
    pub const fn issued_at(&self) -> Timestamp {
        self.times.issued_at
    }

    /// When it expires (`exp`). It is accepted for [`LEEWAY`] longer, and its use must be remembered that long.
    pub const fn expires_at(&self) -> Timestamp {
        self.times.expires_at
    }

    /// When it became valid (`nbf`), where it says so.
    pub const fn not_before(&self) -> Option<Timestamp> {
        self.times.not_before
    }

    /// Its identifier (`jti`), where that is a non-empty string.
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// Everything that it says.
    pub fn claims(&self) -> &ClaimSet {
        &self.claims
    }

    /// The SHA-256 of the token as received.
    pub const fn digest(&self) -> TokenDigest {
        self.digest
    }

    /// What its uses are counted under, until `expires_at() + LEEWAY`.
    ///
    /// SHA-256 over issuer and `jti`; without a `jti`, over issuer and the signed bytes. Never over the signature:
    /// whoever has one valid ECDSA signature can compute a second one for the same token.
    pub const fn replay_key(&self) -> [u8; 32] {
        self.replay_key
    }
}

/// Shows who, for whom and until when; no claim beyond that.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("audience", &self.audience)
            .field("expires_at", &self.times.expires_at)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// Token, keys and expectations must speak of one issuer, and the keys must have been selected for the token's
/// algorithm: selecting for one token and verifying another is refused here.
fn check_issuer(token: &UnverifiedToken, keys: &SelectedKeys, expected: &Issuer) -> Result<(), Refusal> {
    let found = token.issuer().ok_or(SelectError::IssuerMissing)?;
    if found != expected.as_str() {
        let expected = expected.clone();
        return Err(SelectError::IssuerMismatch { found: excerpt(found), expected }.into());
    }
    if keys.issuer() != expected {
        return Err(Refusal::ForeignKeys { keys_of: keys.issuer().clone() });
    }
    let algorithm = token.algorithm();
    if keys.algorithm() != algorithm {
        return Err(SelectError::KeyAlgorithm { algorithm, key: vec![keys.algorithm()] }.into());
    }
    Ok(())
}

fn check_signature(token: &UnverifiedToken, keys: &SelectedKeys) -> Result<(), Refusal> {
    let holds = keys.keys().iter().any(|key| token.jws().check_signature(key).is_ok());
    if holds { Ok(()) } else { Err(Refusal::Signature) }
}

fn check_type(header: &Header, kind: TokenKind) -> Result<(), Refusal> {
    let fits = match (kind, header.typ()) {
        (TokenKind::CiIdToken, None) => true,
        (TokenKind::CiIdToken, Some(typ)) => is_jwt(typ),
        (TokenKind::AccessToken, None) => return Err(Refusal::TypeMissing),
        (TokenKind::AccessToken, Some(typ)) => is_media_type(typ, "at+jwt"),
    };
    if fits {
        Ok(())
    } else {
        Err(Refusal::Type { found: header.typ().map(excerpt).unwrap_or_default(), kind })
    }
}

/// daypass understands no extension, so `crit` is always a refusal; an empty or malformed one is forbidden by
/// RFC 7515 section 4.1.11 in any case.
fn check_critical(header: &Header) -> Result<(), Refusal> {
    let Some(critical) = header.critical() else { return Ok(()) };
    let names: Option<Vec<&str>> =
        critical.as_array().and_then(|names| names.iter().map(ClaimValue::as_str).collect());
    match names {
        Some(names) if !names.is_empty() => Err(Refusal::Critical { extensions: excerpt(&names.join(", ")) }),
        _ => Err(Refusal::CriticalMalformed),
    }
}

/// `cnf` (RFC 7800) ties a token to a key that its bearer must prove to hold. daypass has no such proof to check, and
/// taking the token without one would undo the issuer's protection.
fn check_bindings(claims: &ClaimSet) -> Result<(), Refusal> {
    if claims.contains("cnf") { Err(Refusal::Confirmation) } else { Ok(()) }
}

fn subject(claims: &ClaimSet) -> Result<Subject, Refusal> {
    match claims.get("sub") {
        None => Err(Refusal::SubjectMissing),
        Some(ClaimValue::String(text)) => Subject::parse(text).map_err(Refusal::Subject),
        Some(other) => Err(Refusal::SubjectType { kind: other.kind() }),
    }
}

/// A claim that is a non-empty string.
fn text<'c>(claims: &'c ClaimSet, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(ClaimValue::as_str).filter(|text| !text.is_empty())
}

fn require_text(claims: &ClaimSet, claim: &'static str) -> Result<(), Refusal> {
    text(claims, claim).map(|_| ()).ok_or(Refusal::ClaimMissing { claim })
}

/// Every part is preceded by its length, so that no two pairs run together to the same bytes.
fn replay_key(issuer: &Issuer, token_id: Option<&str>, token: &UnverifiedToken) -> [u8; 32] {
    let (kind, identity) = match token_id {
        Some(id) => (b"jti", id.as_bytes()),
        None => (b"jws", token.jws().signing_input()),
    };
    let issuer = issuer.as_str().as_bytes();
    let length = |bytes: &[u8]| (bytes.len() as u64).to_be_bytes();
    sha256([b"daypass-replay-v1".as_slice(), &length(issuer), issuer, kind, &length(identity), identity])
}
