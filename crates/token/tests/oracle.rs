//! A second opinion: what `jsonwebtoken` signs verifies here, and what daypass signs verifies there.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair,
};
use base64::Engine as _;
use daypass_claims::{Algorithm, Issuer};
use daypass_token::jwk::Jwk;
use daypass_token::sign::{SigningAlgorithm, TokenHeader};
use daypass_token::{Expectations, KeySet, UnverifiedToken, VerificationKey, verify};
use jsonwebtoken as theirs;
use serde_json::{Value, json};

use crate::common::*;

/// Wraps PKCS#8 as the PEM that `jsonwebtoken` reads.
fn pem(pkcs8: &[u8]) -> Vec<u8> {
    let body = base64::engine::general_purpose::STANDARD.encode(pkcs8);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")).into_bytes()
}

fn ec_key(algorithm: &'static EcdsaSigningAlgorithm, curve: &str) -> (theirs::EncodingKey, Value) {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = point[1..].split_at(point.len() / 2);
    let jwk = json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)});
    (theirs::EncodingKey::from_ec_pem(&pem(pair.to_pkcs8v1().unwrap().as_ref())).unwrap(), jwk)
}

fn ed_key() -> (theirs::EncodingKey, Value) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key())});
    (theirs::EncodingKey::from_ed_pem(&pem(pair.to_pkcs8v1().unwrap().as_ref())).unwrap(), jwk)
}

fn rsa_key() -> (theirs::EncodingKey, Value) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key();
    let jwk = json!({
        "kty": "RSA",
        "n": encode(public.modulus().big_endian_without_leading_zero()),
        "e": encode(public.exponent().big_endian_without_leading_zero()),
    });
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    (theirs::EncodingKey::from_rsa_pem(&pem(pkcs8.as_ref())).unwrap(), jwk)
}

#[test]
fn what_they_sign_verifies_here() {
    use Algorithm as Ours;
    use theirs::Algorithm as Theirs;
    let rsa = rsa_key();
    for (key, algorithms) in [
        (ec_key(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"), vec![(Theirs::ES256, Ours::ES256)]),
        (ec_key(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"), vec![(Theirs::ES384, Ours::ES384)]),
        (ed_key(), vec![(Theirs::EdDSA, Ours::EdDSA)]),
        (
            rsa,
            vec![
                (Theirs::RS256, Ours::RS256),
                (Theirs::RS384, Ours::RS384),
                (Theirs::RS512, Ours::RS512),
                (Theirs::PS256, Ours::PS256),
                (Theirs::PS384, Ours::PS384),
                (Theirs::PS512, Ours::PS512),
            ],
        ),
    ] {
        let (private, jwk) = key;
        let key = VerificationKey::new(Jwk::parse(jwk.to_string().as_bytes()).unwrap()).unwrap();
        let set = KeySet::from_keys(ISSUER.clone(), [key]).unwrap();
        for (algorithm, ours) in algorithms {
            let raw = theirs::encode(&theirs::Header::new(algorithm), &claims(), &private).unwrap();
            let token = UnverifiedToken::parse(&raw).unwrap();
            let keys = set.select(&token, &[ours]).unwrap();
            assert!(verify(&token, &keys, &expected(), NOW).is_ok(), "{ours}");
            // And only with the algorithm that it names.
            let (head, rest) = raw.split_once('.').unwrap();
            for other in Algorithm::ALL.into_iter().filter(|other| *other != ours) {
                let header = json!({"alg": other.as_str(), "typ": "JWT"}).to_string();
                let bent = UnverifiedToken::parse(&format!("{}.{rest}", encode(header))).unwrap();
                let passed = set
                    .select(&bent, &[other])
                    .is_ok_and(|keys| verify(&bent, &keys, &expected(), NOW).is_ok());
                assert!(!passed && !head.is_empty(), "{ours} as {other}");
            }
        }
    }
}

/// Their verdict at the real time, which the claims are written for.
fn their_verdict(raw: &str, key: &Jwk, algorithm: theirs::Algorithm) -> bool {
    let key: theirs::jwk::Jwk = serde_json::from_value(serde_json::to_value(key).unwrap()).unwrap();
    let mut validation = theirs::Validation::new(algorithm);
    validation.set_audience(&[OURS[0].as_str()]);
    validation.set_issuer(&[ISSUER.as_str()]);
    validation.validate_nbf = true;
    theirs::decode::<Value>(raw, &theirs::DecodingKey::from_jwk(&key).unwrap(), &validation).is_ok()
}

/// Valid from 1970 until 2100 for them; `now` is a parameter for us only.
fn long_lived(changes: Value) -> Value {
    with(with(claims(), json!({"nbf": 0, "exp": 4_102_444_800_i64})), changes)
}

#[test]
fn what_daypass_signs_verifies_there() {
    for (ours, algorithm) in [
        (SigningAlgorithm::ES256, theirs::Algorithm::ES256),
        (SigningAlgorithm::EdDSA, theirs::Algorithm::EdDSA),
        (SigningAlgorithm::RS256, theirs::Algorithm::RS256),
    ] {
        let key = named(ours, "k1");
        let raw = key.sign(&TokenHeader::new("JWT"), &long_lived(json!({}))).unwrap();
        assert!(their_verdict(&raw, key.public_jwk(), algorithm), "{ours:?}");
        assert!(!their_verdict(&raw, named(ours, "k1").public_jwk(), algorithm), "{ours:?}");
        assert_eq!(theirs::decode_header(&raw).unwrap().kid.as_deref(), Some("k1"));
    }
}

#[test]
fn what_daypass_accepts_they_accept() {
    let ages = Expectations { max_lifetime: secs(u32::MAX.into()), ..expected() };
    let mut accepted = 0;
    for changes in [
        json!({}),
        json!({"aud": ["sts.example.com"]}),
        json!({"aud": "other"}),
        json!({"aud": null}),
        json!({"iss": "https://ci.example/"}),
        json!({"nbf": 4_000_000_000_i64}),
        json!({"exp": 1}),
        json!({"exp": "soon"}),
        json!({"sub": "other"}),
        json!({"extra": {"a": [1, 2.5, null]}}),
    ] {
        let raw = sign(&header(), &long_lived(changes.clone()));
        if check_with(&raw, &set_of(&[&KEY]), &ages, NOW).is_ok() {
            accepted += 1;
            assert!(their_verdict(&raw, KEY.public_jwk(), theirs::Algorithm::ES256), "{changes}");
        }
    }
    assert_eq!(accepted, 4);
}

#[test]
fn daypass_refuses_what_they_let_pass() {
    // Extensions that must be understood, and a member given twice (the last one wins there).
    let critical = sign(&with(header(), json!({"crit": ["exp"], "exp": 1})), &long_lived(json!({})));
    let twice =
        sign_text(&KEY, header().to_string(), text_with(r#""role":"a","role":"b""#, &long_lived(json!({}))));
    for raw in [critical, twice] {
        assert!(their_verdict(&raw, KEY.public_jwk(), theirs::Algorithm::ES256));
        assert!(check(&raw).is_err());
    }
}

#[test]
fn keys_of_another_issuer_do_not_help() {
    let other = Issuer::parse("https://other.example").unwrap();
    let raw = sign(&header(), &long_lived(json!({"iss": other.as_str()})));
    assert!(!their_verdict(&raw, KEY.public_jwk(), theirs::Algorithm::ES256));
    assert_eq!(code(&raw), "issuer-mismatch");
}
