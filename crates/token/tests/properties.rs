//! What holds for every token, key set and document.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use daypass_claims::{Algorithm, ClaimSet, ClaimValue};
use daypass_token::discovery::DiscoveryDocument;
use daypass_token::jwk::Jwk;
use daypass_token::sign::{SigningAlgorithm, SigningKey, TokenHeader};
use daypass_token::{JwksLimits, KeySet, UnverifiedToken, VerificationKey};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

use crate::common::*;

static KEYS: LazyLock<[SigningKey; 3]> = LazyLock::new(|| {
    [SigningAlgorithm::ES256, SigningAlgorithm::EdDSA, SigningAlgorithm::RS256]
        .map(|algorithm| named(algorithm, "k1"))
});

fn claim_value() -> impl Strategy<Value = ClaimValue> {
    prop_oneof![
        Just(ClaimValue::Null),
        any::<bool>().prop_map(ClaimValue::from),
        any::<i64>().prop_map(ClaimValue::from),
        "\\PC{0,20}".prop_map(ClaimValue::from),
        prop::collection::vec("\\PC{0,8}", 0..4).prop_map(ClaimValue::from),
    ]
}

proptest! {
    #[test]
    fn what_is_signed_arrives_as_it_was(
        which in 0_usize..3,
        extra in prop::collection::btree_map("x_[a-z]{1,12}", claim_value(), 0..12),
    ) {
        let mut said = ClaimSet::from_json(claims().to_string().as_bytes()).unwrap();
        for (name, value) in extra {
            said.insert(name, value);
        }
        let key = &KEYS[which];
        let raw = key.sign(&TokenHeader::new("JWT"), &said).unwrap();
        let token = check_with(&raw, &set_of(&[key]), &expected(), NOW).unwrap();
        prop_assert_eq!(token.claims(), &said);
    }

    #[test]
    fn any_other_character_anywhere_is_noticed(which in 0_usize..3, place in any::<prop::sample::Index>(), c in any::<char>()) {
        let key = &KEYS[which];
        let raw = key.sign(&TokenHeader::new("JWT"), &claims()).unwrap();
        let (before, rest) = raw.split_at(place.index(raw.len()));
        let bent = format!("{before}{c}{}", rest.split_at(1).1);
        prop_assume!(bent != raw);
        prop_assert!(check_with(&bent, &set_of(&[key]), &expected(), NOW).is_err());
    }

    #[test]
    fn a_token_cut_short_or_made_longer_is_noticed(place in any::<prop::sample::Index>(), c in "[A-Za-z0-9_.=-]") {
        let raw = with_claims(json!({}));
        let (before, rest) = raw.split_at(place.index(raw.len()));
        prop_assert!(check(before).is_err());
        let longer = format!("{before}{c}{rest}");
        prop_assert!(check(&longer).is_err());
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,120}", bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = UnverifiedToken::parse(&text);
        for bytes in [text.as_bytes(), &bytes] {
            let _ = Jwk::parse(bytes);
            let _ = KeySet::from_jwks(ISSUER.clone(), bytes, JwksLimits::default());
            let _ = DiscoveryDocument::parse(bytes, &ISSUER);
            let _ = SigningKey::from_pkcs8(SigningAlgorithm::ES256, bytes);
        }
    }

    #[test]
    fn no_numbers_make_a_key_panic(
        n in prop::collection::vec(any::<u8>(), 0..300),
        e in prop::collection::vec(any::<u8>(), 0..6),
        kty in prop::sample::select(vec!["RSA", "EC", "OKP"]),
        crv in prop::sample::select(vec!["P-256", "P-384", "P-521", "Ed25519"]),
        signature in prop::collection::vec(any::<u8>(), 0..140),
    ) {
        let jwk = json!({
            "kty": kty, "crv": crv, "n": encode(&n), "e": encode(&e), "x": encode(&n), "y": encode(&n),
        });
        if let Ok(key) = Jwk::parse(jwk.to_string().as_bytes()).and_then(VerificationKey::new) {
            for algorithm in Algorithm::ALL {
                prop_assert!(key.verify_bytes(algorithm, b"message", &signature).is_err());
            }
        }
    }

    #[test]
    fn verifying_is_refused_from_the_end_of_leeway_on_and_never_before(after in 0_i64..1_000) {
        let passed = check_at(&with_claims(json!({})), at(after)).is_ok();
        prop_assert_eq!(passed, after < 300 + 60);
    }
}

/// No other library at hand signs with it, so the library below does.
#[test]
fn es512_verifies() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(66);
    let jwk = json!({"kty": "EC", "crv": "P-521", "x": encode(x), "y": encode(y), "alg": "ES512"});
    let key = VerificationKey::new(Jwk::parse(jwk.to_string().as_bytes()).unwrap()).unwrap();
    let signature = pair.sign(&SystemRandom::new(), b"message").unwrap();
    assert!(key.verify_bytes(Algorithm::ES512, b"message", signature.as_ref()).is_ok());
    assert!(key.verify_bytes(Algorithm::ES512, b"massage", signature.as_ref()).is_err());
    assert!(key.verify_bytes(Algorithm::ES512, b"message", &[0; 132]).is_err());
}
