use super::*;
use crate::encoding;
use crate::key::VerificationKey;
use crate::sign::{SigningAlgorithm, SigningKey};
use daypass_claims::Algorithm::{ES256, EdDSA, RS256};

fn issuer() -> Issuer {
    Issuer::parse("https://ci.example").unwrap()
}

fn key(algorithm: SigningAlgorithm, kid: &str) -> Jwk {
    let key = SigningKey::generate(algorithm).unwrap().with_key_id(KeyId::parse(kid).unwrap());
    key.public_jwk().clone()
}

fn document(keys: &[&Jwk]) -> String {
    serde_json::json!({ "keys": keys }).to_string()
}

fn set(keys: &[&Jwk]) -> KeySet {
    KeySet::from_jwks(issuer(), document(keys).as_bytes(), JwksLimits::default()).unwrap().0
}

fn token(header: &str, payload: &str) -> UnverifiedToken {
    let raw = format!("{}.{}.c2ln", encoding::encode(header), encoding::encode(payload));
    UnverifiedToken::parse(&raw).unwrap()
}

fn of_ci(header: &str) -> UnverifiedToken {
    token(header, r#"{"iss":"https://ci.example"}"#)
}

#[test]
fn the_key_of_that_name_is_found() {
    let [a, b] = ["a", "b"].map(|kid| key(SigningAlgorithm::ES256, kid));
    let selected = set(&[&a, &b]).select(&of_ci(r#"{"alg":"ES256","kid":"b"}"#), &[ES256]).unwrap();
    assert_eq!(selected.keys().iter().map(|key| key.jwk()).collect::<Vec<_>>(), [&b]);
    assert_eq!((selected.issuer(), selected.algorithm()), (&issuer(), ES256));
}

#[test]
fn each_refusal_to_select_has_its_reason() {
    let [a, b] = ["a", "b"].map(|kid| key(SigningAlgorithm::ES256, kid));
    let set = set(&[&a, &b]);
    let refusal = |token: &UnverifiedToken, allowed: &[Algorithm]| set.select(token, allowed).unwrap_err();
    let header = r#"{"alg":"ES256","kid":"a"}"#;
    assert_eq!(refusal(&token(header, "{}"), &[ES256]), SelectError::IssuerMissing);
    assert_eq!(
        refusal(&token(header, r#"{"iss":"https://ci.example/"}"#), &[ES256]),
        SelectError::IssuerMismatch { found: "https://ci.example/".to_owned(), expected: issuer() }
    );
    assert_eq!(
        refusal(&of_ci(header), &[RS256]),
        SelectError::AlgorithmNotAllowed { algorithm: ES256, allowed: vec![RS256] }
    );
    assert_eq!(refusal(&of_ci(r#"{"alg":"ES256"}"#), &[ES256]), SelectError::KeyIdMissing { keys: 2 });
    assert_eq!(
        refusal(&of_ci(r#"{"alg":"ES256","kid":"A"}"#), &[ES256]),
        SelectError::UnknownKeyId(KeyId::parse("A").unwrap())
    );
    assert_eq!(
        refusal(&of_ci(r#"{"alg":"RS256","kid":"a"}"#), &[ES256, RS256]),
        SelectError::KeyAlgorithm { algorithm: RS256, key: vec![ES256] }
    );
}

#[test]
fn a_token_without_key_id_is_served_by_a_single_key_only() {
    let one = key(SigningAlgorithm::ES256, "a");
    assert!(set(&[&one]).select(&of_ci(r#"{"alg":"ES256"}"#), &[ES256]).is_ok());
    let refused = set(&[&one]).select(&of_ci(r#"{"alg":"EdDSA"}"#), &[ES256, EdDSA]).unwrap_err();
    assert_eq!(refused.code(), "key-algorithm-mismatch");
}

#[test]
fn different_keys_of_one_name_are_all_tried_and_the_fitting_ones_only() {
    let [a1, a2] = [(); 2].map(|()| key(SigningAlgorithm::ES256, "a"));
    let a3 = key(SigningAlgorithm::EdDSA, "a");
    let set = set(&[&a1, &a2, &a3, &a1]);
    assert_eq!(set.keys().len(), 3, "the key that is listed twice counts once");
    let header = r#"{"alg":"ES256","kid":"a"}"#;
    assert_eq!(set.select(&of_ci(header), &[ES256]).unwrap().keys().len(), 2);
    let header = r#"{"alg":"EdDSA","kid":"a"}"#;
    assert_eq!(set.select(&of_ci(header), &[EdDSA]).unwrap().keys().len(), 1);
}

#[test]
fn keys_that_cannot_be_used_are_left_out_with_a_warning_each() {
    let good = serde_json::to_string(&key(SigningAlgorithm::ES256, "good")).unwrap();
    let document = format!(
        r#"{{"extra":1,"keys":[{good},7,{{"kty":"EC","kid":"twice","kid":"twice"}},{{"kty":"oct","kid":"hmac","k":"AA"}},
        {{"kty":"EC","use":"enc","kid":"enc"}}]}}"#
    );
    let (set, warnings) = KeySet::from_jwks(issuer(), document.as_bytes(), JwksLimits::default()).unwrap();
    assert_eq!(set.keys().len(), 1);
    let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    key 2 of the set is left out: key is not strict JSON: invalid type: integer `7`, expected a JSON object at line 1 column 1
    key 3 of the set is left out: key is not strict JSON: duplicate member "kid" at line 1 column 40
    key 4 of the set (`hmac`) is left out: key is a shared secret (`oct`); issuers sign with a private key
    key 5 of the set (`enc`) is left out: key is for `enc` (`use`), not for `sig`
    "#);
}

#[test]
fn each_refusal_of_a_document_has_its_reason() {
    let refusal =
        |document: &str, limits| KeySet::from_jwks(issuer(), document.as_bytes(), limits).unwrap_err();
    let limits = JwksLimits::default();
    assert_eq!(
        refusal("{\"keys\":[]}", JwksLimits { bytes: 5, ..limits }),
        KeySetError::TooLarge { bytes: 11, limit: 5 }
    );
    for document in ["", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[],\"keys\":[]}", "{\"keys\":[]} x"] {
        assert!(matches!(refusal(document, limits), KeySetError::Json(_)), "{document}");
    }
    assert_eq!(
        refusal("{\"keys\":[1,2,3]}", JwksLimits { keys: 2, ..limits }),
        KeySetError::TooManyKeys { keys: 3, limit: 2 }
    );
    let error = refusal("{\"keys\":[]}", limits);
    assert_eq!(error.to_string(), "key set holds no usable key (its list is empty)");
    let error = refusal("{\"keys\":[{\"kty\":\"oct\"},{}]}", limits);
    assert_eq!(
        error.to_string(),
        "key set holds no usable key (key 1 of the set is left out: key is a shared secret (`oct`); issuers sign with a \
         private key; and 1 more)"
    );
}

#[test]
fn a_set_of_keys_at_hand_is_not_empty() {
    assert!(KeySet::from_keys(issuer(), []).is_none());
    let key = VerificationKey::new(key(SigningAlgorithm::ES256, "a")).unwrap();
    let set = KeySet::from_keys(issuer(), [key]).unwrap();
    assert!(set.contains(&KeyId::parse("a").unwrap()));
}

#[test]
fn a_development_key_is_told_by_its_name_wherever_it_stands() {
    let ours = key(SigningAlgorithm::ES256, "9f86d081");
    let alike = key(SigningAlgorithm::ES256, "not-daypass-dev-1");
    let development = key(SigningAlgorithm::ES256, "daypass-dev-1");
    assert_eq!(set(&[&ours, &alike]).development_key(), None);
    let found = set(&[&ours, &development]);
    assert_eq!(found.development_key(), development.key_id());
}
