//! An issuer, a relying party, and a token between them that the tests bend.
//!
//! Tokens are put together from text, not with the crate's own writer, so that they can be wrong in any way.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_claims::{Algorithm, Audience, Issuer, KeyId, Timestamp};
use daypass_token::sign::{SigningAlgorithm, SigningKey};
use daypass_token::{Expectations, KeySet, Refusal, UnverifiedToken, VerifiedToken, verify};
use serde_json::{Value, json};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(crate) const ALLOWED: &[Algorithm] = &[Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256];

pub(crate) static ISSUER: LazyLock<Issuer> = LazyLock::new(|| Issuer::parse("https://ci.example").unwrap());
pub(crate) static OURS: LazyLock<[Audience; 1]> = LazyLock::new(|| [audience("sts.example.com")]);
pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| named(SigningAlgorithm::ES256, "k1"));

pub(crate) fn named(algorithm: SigningAlgorithm, kid: &str) -> SigningKey {
    SigningKey::generate(algorithm).unwrap().with_key_id(KeyId::parse(kid).unwrap())
}

pub(crate) fn audience(text: &str) -> Audience {
    Audience::parse(text).unwrap()
}

pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(NOW.as_secs() + secs)
}

pub(crate) fn set_of(keys: &[&SigningKey]) -> KeySet {
    KeySet::from_keys(ISSUER.clone(), keys.iter().map(|key| key.verification_key().unwrap())).unwrap()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The header and claims of a good token.
pub(crate) fn header() -> Value {
    json!({"alg": "ES256", "kid": "k1", "typ": "JWT"})
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER.as_str(),
        "sub": "repo:acme/app:ref:refs/heads/main",
        "aud": "sts.example.com",
        "iat": NOW.as_secs(),
        "nbf": NOW.as_secs() - 10,
        "exp": NOW.as_secs() + 300,
        "jti": "7f0c",
    })
}

/// `members` with some set, or taken out where the change is `null`.
pub(crate) fn with(mut members: Value, changes: Value) -> Value {
    let map = members.as_object_mut().unwrap();
    let Value::Object(changes) = changes else { panic!("changes are an object: {changes}") };
    for (name, value) in changes {
        match value {
            Value::Null => map.remove(&name),
            value => map.insert(name, value),
        };
    }
    members
}

/// The JSON of `members` with one more member before them, as text: a duplicate or a `null`, for instance.
pub(crate) fn text_with(member: &str, members: &Value) -> String {
    members.to_string().replacen('{', &format!("{{{member},"), 1)
}

/// A token of any header and payload text, signed by `key`.
pub(crate) fn sign_text(key: &SigningKey, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let signature = key.sign_bytes(signed.as_bytes()).unwrap();
    format!("{signed}.{}", encode(signature))
}

pub(crate) fn sign(header: &Value, claims: &Value) -> String {
    sign_text(&KEY, header.to_string(), claims.to_string())
}

/// A good token with some claims changed.
pub(crate) fn with_claims(changes: Value) -> String {
    sign(&header(), &with(claims(), changes))
}

/// A good token with some header members changed.
pub(crate) fn with_header(changes: Value) -> String {
    sign(&with(header(), changes), &claims())
}

/// A good token with one more claim, as text.
pub(crate) fn with_claim_text(claim: &str) -> String {
    sign_text(&KEY, header().to_string(), text_with(claim, &claims()))
}

/// What the relying party expects unless a test says otherwise.
pub(crate) fn expected() -> Expectations<'static> {
    Expectations::new(&ISSUER, &*OURS)
}

/// The whole way: form, key, verification.
pub(crate) fn check_with(
    raw: &str,
    set: &KeySet,
    expected: &Expectations<'_>,
    now: Timestamp,
) -> Result<VerifiedToken, Refusal> {
    let token = UnverifiedToken::parse(raw)?;
    let keys = set.select(&token, ALLOWED)?;
    verify(&token, &keys, expected, now)
}

pub(crate) fn check_at(raw: &str, now: Timestamp) -> Result<VerifiedToken, Refusal> {
    check_with(raw, &set_of(&[&KEY]), &expected(), now)
}

pub(crate) fn check(raw: &str) -> Result<VerifiedToken, Refusal> {
    check_at(raw, NOW)
}

/// The code of the refusal; `ok` if there is none.
pub(crate) fn code(raw: &str) -> &'static str {
    check(raw).map_or_else(|refusal| refusal.code(), |_| "ok")
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The third-party test vectors. Where there are none the test is skipped with a note, unless they are insisted on.
pub(crate) fn vectors(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("DAYPASS_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let folder = root.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("DAYPASS_REQUIRE_VECTORS").is_none_or(|value| value != "1"),
        "no test vectors at {}",
        folder.display()
    );
    println!("skipped: no test vectors at {}", folder.display());
    None
}

pub(crate) fn read_json(path: impl AsRef<std::path::Path>) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
