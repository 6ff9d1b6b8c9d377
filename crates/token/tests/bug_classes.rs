//! Faults that other token services have had, each under the name of its class.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair, RSA_PSS_SHA256};
use daypass_claims::{Algorithm, ClaimValue, Issuer, KeyId, Number};
use daypass_token::engine::{
    Engine, EnginePolicy, FetchFailure, Fetched, KeySnapshot, Lookup, Miss, RetryReason,
};
use daypass_token::jwk::Jwk;
use daypass_token::sign::{SigningAlgorithm, SigningKey};
use daypass_token::{
    Expectations, JwksLimits, KeySet, LEEWAY, SelectError, UnverifiedToken, VerificationKey,
};
use serde_json::json;

use crate::common::*;

fn parsed(raw: &str) -> UnverifiedToken {
    UnverifiedToken::parse(raw).unwrap()
}

/// A good token that names another key.
fn naming(kid: &str) -> UnverifiedToken {
    parsed(&with_header(json!({"kid": kid})))
}

fn brings(keys: &[&SigningKey]) -> Result<Fetched, FetchFailure> {
    match keys {
        [] => Err(FetchFailure::Transport("connection refused".to_owned())),
        keys => Ok(Fetched { keys: set_of(keys), max_age: None }),
    }
}

/// An engine that has just fetched `k1`.
fn running() -> Engine {
    let mut engine = Engine::fetching(ISSUER.clone(), EnginePolicy::default(), NOW);
    let order = engine.poll_fetch(NOW).unwrap();
    engine.fetched(order.id, brings(&[&KEY]), NOW);
    engine
}

fn serves(snapshot: &KeySnapshot, now: i64) -> bool {
    snapshot.select(&parsed(&with_claims(json!({}))), ALLOWED, at(now)).is_ok()
}

#[test]
fn alg_from_header() {
    // One RSA key without `alg`; a PS256 signature of it is sound. The issuer signs with RS256 only.
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let jwk = json!({
        "kty": "RSA",
        "n": encode(pair.public_key().modulus().big_endian_without_leading_zero()),
        "e": encode(pair.public_key().exponent().big_endian_without_leading_zero()),
    });
    let key = VerificationKey::new(Jwk::parse(jwk.to_string().as_bytes()).unwrap()).unwrap();
    let header = json!({"alg": "PS256"}).to_string();
    let signed = format!("{}.{}", encode(header), encode(claims().to_string()));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    assert!(key.verify_bytes(Algorithm::PS256, signed.as_bytes(), &signature).is_ok());
    let set = KeySet::from_keys(ISSUER.clone(), [key]).unwrap();
    let token = parsed(&format!("{signed}.{}", encode(&signature)));
    assert!(set.select(&token, &[Algorithm::PS256]).is_ok());
    let refused = set.select(&token, &[Algorithm::RS256]).unwrap_err();
    assert!(matches!(refused, SelectError::AlgorithmNotAllowed { .. }));
}

#[test]
fn allow_list_lost_on_retry_path() {
    let mut engine = running();
    let other = named(SigningAlgorithm::EdDSA, "k2");
    let raw = sign_text(&other, r#"{"alg":"EdDSA","kid":"k2"}"#, claims().to_string());
    let Lookup::Wait(ticket) = engine.lookup(&parsed(&raw), ALLOWED, at(60)) else { panic!("no ticket") };
    let order = engine.poll_fetch(at(60)).unwrap();
    engine.fetched(order.id, brings(&[&KEY, &other]), at(61));
    let again = engine.resume(ticket, &parsed(&raw), &[Algorithm::ES256], at(61));
    assert!(matches!(again, Lookup::Refuse(SelectError::AlgorithmNotAllowed { .. })), "{again:?}");
    assert!(matches!(engine.resume(ticket, &parsed(&raw), ALLOWED, at(61)), Lookup::Use(_)));
}

#[test]
fn global_kid_map_across_issuers() {
    let evil = Issuer::parse("https://evil.example").unwrap();
    let theirs = named(SigningAlgorithm::ES256, "k1");
    let evil_set = KeySet::from_keys(evil.clone(), [theirs.verification_key().unwrap()]).unwrap();
    // The evil issuer signs a token in the good one's name, under the good one's key id.
    let forged = sign_text(&theirs, header().to_string(), claims().to_string());
    assert_eq!(code(&forged), "signature-invalid");
    let refused = check_with(&forged, &evil_set, &expected(), NOW).unwrap_err();
    assert_eq!(refused.code(), "issuer-mismatch");
    let both = Expectations::new(&evil, &*OURS);
    assert_eq!(check_with(&forged, &evil_set, &both, NOW).unwrap_err().code(), "issuer-mismatch");
}

#[test]
fn one_bad_jwk_empties_cache() {
    let good = serde_json::to_string(KEY.public_jwk()).unwrap();
    for bad in [
        "null",
        "{}",
        r#"{"kty":"RSA","n":"AQ","e":"AQAB"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
        r#"{"kty":"EC","kty":"EC"}"#,
        r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}"#,
        r#"{"kid":123456789012345678901234567890}"#,
    ] {
        let document = format!(r#"{{"keys":[{bad},{good},{bad}]}}"#);
        let (set, warnings) =
            KeySet::from_jwks(ISSUER.clone(), document.as_bytes(), JwksLimits::default()).unwrap();
        assert_eq!((set.keys().len(), warnings.len()), (1, 2), "{bad}");
        assert!(check_with(&with_claims(json!({})), &set, &expected(), NOW).is_ok(), "{bad}");
    }
}

#[test]
fn cache_cleared_before_the_new_keys_are_read() {
    for document in [&b"<html>502 Bad Gateway</html>"[..], b"", b"{\"keys\":[]}", b"{\"keys\":[{}]}"] {
        let mut engine = running();
        let order = engine.poll_fetch(at(720)).unwrap();
        let result = KeySet::from_jwks(ISSUER.clone(), document, JwksLimits::default());
        engine.fetched(order.id, Err(result.unwrap_err().into()), at(721));
        assert!(serves(&engine.snapshot(), 721));
    }
}

#[test]
fn key_never_expires() {
    let mut engine = running();
    let order = engine.poll_fetch(at(720)).unwrap();
    engine.fetched(order.id, brings(&[&named(SigningAlgorithm::ES256, "k2")]), at(721));
    assert!(!serves(&engine.snapshot(), 721), "withdrawn");
    let forgotten = running();
    assert!(!serves(&forgotten.snapshot(), 900 + 24 * 3_600), "unconfirmed for a day");
}

#[test]
fn unknown_kid_amplification() {
    let mut engine = running();
    let mut fetches = 0;
    for second in 0..600 {
        for kid in ["x", "y", "z"] {
            engine.lookup(&naming(kid), ALLOWED, at(second));
            // Failures must not lift the limit either.
            if let Some(order) = engine.poll_fetch(at(second)) {
                fetches += 1;
                engine.fetched(order.id, brings(&[]), at(second));
            }
        }
    }
    assert!(fetches <= 6, "{fetches} fetches in ten minutes, though the issuer answers none");
}

#[test]
fn rate_limiter_that_blocks_instead_of_failing() {
    let mut engine = running();
    let limited = engine.lookup(&naming("x"), ALLOWED, at(1));
    let Lookup::Retry { after, why } = limited else { panic!("{limited:?}") };
    assert_eq!((after, why), (secs(29), RetryReason::CoolingDown));
    assert!(serves(&engine.snapshot(), 1), "and others are served meanwhile");
}

#[test]
fn write_lock_across_fetch() {
    let mut engine = running();
    let reader = engine.snapshot();
    let order = engine.poll_fetch(at(720)).unwrap();
    assert!(serves(&reader, 722), "a reader needs nothing of the engine while a fetch is in flight");
    engine.fetched(order.id, brings(&[&named(SigningAlgorithm::ES256, "k2")]), at(723));
    assert!(serves(&reader, 723), "and what it holds does not change under it");
}

#[test]
fn first_fetch_fails_and_nothing_ever_asks_again() {
    let mut engine = Engine::fetching(ISSUER.clone(), EnginePolicy::default(), NOW);
    let order = engine.poll_fetch(NOW).unwrap();
    engine.fetched(order.id, brings(&[]), NOW);
    let snapshot = engine.snapshot();
    assert_eq!(snapshot.select(&naming("k1"), ALLOWED, at(1)).unwrap_err(), Miss::NoKeys);
    let order = engine.poll_fetch(engine.next_wakeup().unwrap()).expect("a retry");
    engine.fetched(order.id, brings(&[&KEY]), at(1));
    assert!(serves(&engine.snapshot(), 1));
}

#[test]
fn discovery_before_policy() {
    // An order only ever names the configured issuer: nothing in a token can direct a fetch.
    let mut engine = Engine::fetching(ISSUER.clone(), EnginePolicy::default(), NOW);
    let inside = parsed(&with_claims(json!({"iss": "https://169.254.169.254/latest"})));
    engine.lookup(&inside, ALLOWED, NOW);
    assert_eq!(engine.poll_fetch(NOW).unwrap().issuer, *ISSUER);
    let mut idle = running();
    idle.lookup(&inside, ALLOWED, at(600));
    assert_eq!(idle.poll_fetch(at(600)), None);
}

#[test]
fn float_to_int_truncation() {
    let token =
        check(&with_claims(json!({"repository_id": 65.9, "big": 9_007_199_254_740_993_i64}))).unwrap();
    assert_eq!(token.claims().get("repository_id"), Some(&ClaimValue::Number(Number::Float(65.9))));
    assert_ne!(token.claims().get("repository_id"), Some(&ClaimValue::from(65)));
    assert_eq!(token.claims().get("big"), Some(&ClaimValue::from(9_007_199_254_740_993)));
    // `exp` half a second ago is in the past, not rounded to now.
    let raw = with_claims(json!({"iat": 1_799_999_000, "nbf": 1_799_999_000, "exp": 1_799_999_940.5}));
    assert!(check_at(&raw, NOW).is_ok());
    assert_eq!(check_at(&raw, at(1)).unwrap_err().code(), "token-expired");
}

#[test]
fn array_and_bool_claims() {
    assert_eq!(code(&with_claims(json!({"sub": ["repo:acme/app"]}))), "subject-malformed");
    assert_eq!(code(&with_claims(json!({"sub": true}))), "subject-malformed");
    assert_eq!(code(&with_claims(json!({"iss": [ISSUER.as_str()]}))), "issuer-missing");
    assert_eq!(code(&with_claims(json!({"aud": true}))), "audience-malformed");
    assert_eq!(code(&with_claims(json!({"exp": true}))), "time-malformed");
    let token = check(&with_claims(json!({"ref_protected": "true", "contexts": ["a"]}))).unwrap();
    assert_ne!(token.claims().get("ref_protected"), Some(&ClaimValue::Bool(true)));
    assert_ne!(token.claims().get("contexts"), Some(&ClaimValue::from("a")));
}

#[test]
fn zero_leeway_with_test_clock() {
    // Issuer and verifier disagree by half a minute, either way.
    for skew in [-30, 30] {
        let issued = at(skew).as_secs();
        let raw = with_claims(json!({"iat": issued, "nbf": issued, "exp": issued + 300}));
        assert!(check(&raw).is_ok(), "{skew}");
    }
}

#[test]
fn case_folding() {
    assert_eq!(code(&with_claims(json!({"iss": "https://CI.EXAMPLE"}))), "issuer-mismatch");
    assert_eq!(code(&with_claims(json!({"aud": "STS.EXAMPLE.COM"}))), "audience-mismatch");
    assert_eq!(code(&with_header(json!({"kid": "K1"}))), "key-id-unknown");
    assert_eq!(code(&with_header(json!({"alg": "es256"}))), "algorithm-unknown");
    assert_eq!(code(&with_claims(json!({"Sub": "admin"}))), "token-lookalike-member");
    let token = check(&with_claims(json!({"Repository": "x"}))).unwrap();
    assert_eq!(token.claims().get("repository"), None);
}

#[test]
fn startswith_issuer() {
    for iss in [
        "https://ci.example.evil.example",
        "https://ci.example@evil.example",
        "https://ci.example/evil",
        "https://ci.exampl",
        "https://evil.example/https://ci.example",
        "",
    ] {
        assert_eq!(code(&with_claims(json!({"iss": iss}))), "issuer-mismatch", "{iss}");
    }
}

#[test]
fn jti_retention_shorter_than_leeway() {
    let raw = with_claims(json!({}));
    let token = check(&raw).unwrap();
    let forget_at = token.expires_at() + LEEWAY;
    assert!(check_at(&raw, forget_at - secs(1)).is_ok(), "accepted to the last while it is remembered");
    assert!(check_at(&raw, forget_at).is_err(), "and not accepted once it is forgotten");
}

#[test]
fn delimiter_collision_in_the_replay_key() {
    let key = |issuer: &str, jti: &str| {
        let issuer = Issuer::parse(issuer).unwrap();
        let set = KeySet::from_keys(issuer.clone(), [KEY.verification_key().unwrap()]).unwrap();
        let raw = with_claims(json!({"iss": issuer.as_str(), "jti": jti}));
        check_with(&raw, &set, &Expectations::new(&issuer, &*OURS), NOW).unwrap().replay_key()
    };
    assert_ne!(key("https://a.example", "/bc"), key("https://a.example/b", "c"));
    assert_ne!(key("https://a.example", "/"), key("https://a.example/", "7"));
    assert_ne!(key("https://a.example/", "/bjtic"), key("https://a.example/jti/b", "c"));
}

#[test]
fn last_match_wins() {
    assert_eq!(code(&with_claim_text(r#""aud":"sts.example.com""#)), "token-json");
    let twice = r#"{"keys":[],"keys":[]}"#.as_bytes();
    assert!(KeySet::from_jwks(ISSUER.clone(), twice, JwksLimits::default()).is_err());
}

#[test]
fn first_of_two_keys_of_one_name_shadows_the_second() {
    let other = named(SigningAlgorithm::ES256, "k1");
    for set in [set_of(&[&other, &KEY]), set_of(&[&KEY, &other])] {
        assert!(check_with(&with_claims(json!({})), &set, &expected(), NOW).is_ok());
    }
}

#[test]
fn shared_audience_across_deployments() {
    let staging = with_claims(json!({"aud": "sts.staging.example.com"}));
    assert_eq!(code(&staging), "audience-mismatch");
}

#[test]
fn key_id_as_a_path() {
    let kid = KeyId::parse("../../etc/passwd").unwrap();
    let mut engine = running();
    let refused = engine.snapshot().select(&naming(kid.as_str()), ALLOWED, at(60)).unwrap_err();
    assert_eq!(refused, Miss::UnknownKeyId(kid));
    engine.lookup(&naming("../../etc/passwd"), ALLOWED, at(60));
    assert_eq!(engine.poll_fetch(at(60)).unwrap().issuer, *ISSUER, "it directs no fetch either");
}
