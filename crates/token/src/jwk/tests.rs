use super::*;
use crate::key::VerificationKey;
use crate::sign::{SigningAlgorithm, SigningKey};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The public keys of each kind that the tests bend.
static RSA: LazyLock<Value> = LazyLock::new(|| published(SigningAlgorithm::RS256));
static EC: LazyLock<Value> = LazyLock::new(|| published(SigningAlgorithm::ES256));
static ED: LazyLock<Value> = LazyLock::new(|| published(SigningAlgorithm::EdDSA));

fn published(algorithm: SigningAlgorithm) -> Value {
    let key = SigningKey::generate(algorithm).unwrap();
    serde_json::to_value(key.public_jwk()).unwrap()
}

/// `key` with some members set, or taken out where the value is null.
fn with(key: &Value, changes: &Value) -> Vec<u8> {
    let mut members = key.as_object().unwrap().clone();
    for (member, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(member);
        } else {
            members.insert(member.clone(), value.clone());
        }
    }
    serde_json::to_vec(&members).unwrap()
}

fn refusal(key: &Value, changes: &Value) -> JwkError {
    Jwk::parse(&with(key, changes)).unwrap_err()
}

fn number(bytes: &[u8]) -> String {
    encoding::encode(bytes)
}

#[test]
fn the_thumbprint_is_the_one_in_rfc_7638() {
    let json = br#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    let jwk = Jwk::parse(json).unwrap();
    assert_eq!(jwk.thumbprint().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(jwk.key_id().unwrap().as_str(), "2011-04-29");
    assert_eq!(jwk.algorithms(), [Algorithm::RS256]);
}

#[test]
fn the_thumbprint_is_the_one_in_rfc_8037() {
    let json = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let jwk = Jwk::parse(json).unwrap();
    assert_eq!(jwk.thumbprint().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn the_thumbprint_depends_on_the_key_alone() {
    for key in [&*RSA, &*EC, &*ED] {
        let plain = Jwk::parse(&with(key, &json!({}))).unwrap();
        let dressed = Jwk::parse(&with(key, &json!({"kid": "x", "alg": null, "x5c": ["MII"]}))).unwrap();
        assert_eq!(plain.thumbprint(), dressed.thumbprint());
    }
}

#[test]
fn a_key_without_alg_serves_every_algorithm_that_fits() {
    let algorithms = |key| Jwk::parse(&with(key, &json!({"alg": null}))).unwrap().algorithms().to_vec();
    assert_eq!(algorithms(&RSA).len(), 6);
    assert_eq!(algorithms(&EC), [Algorithm::ES256]);
    assert_eq!(algorithms(&ED), [Algorithm::EdDSA]);
    let key = Jwk::parse(&with(&RSA, &json!({"alg": "PS384"}))).unwrap();
    assert_eq!(key.algorithms(), [Algorithm::PS384]);
}

#[test]
fn what_is_written_reads_back() {
    for key in [&*RSA, &*EC, &*ED] {
        let jwk = Jwk::parse(&with(key, &json!({}))).unwrap();
        assert_eq!(Jwk::parse(&serde_json::to_vec(&jwk).unwrap()), Ok(jwk));
    }
}

#[test]
fn members_must_be_there_and_be_strings() {
    assert!(matches!(Jwk::parse(b"[]"), Err(JwkError::Json(_))));
    assert!(matches!(Jwk::parse(br#"{"kty":"RSA","kty":"EC"}"#), Err(JwkError::Json(_))));
    assert_eq!(refusal(&RSA, &json!({"kty": null})), JwkError::MissingMember { member: "kty" });
    assert_eq!(refusal(&EC, &json!({"y": null})), JwkError::MissingMember { member: "y" });
    let wrong = |member, kind, wanted| JwkError::MemberType { member, kind, wanted };
    assert_eq!(refusal(&RSA, &json!({"n": 7})), wrong("n", "a number", "a string"));
    assert_eq!(refusal(&RSA, &json!({"kid": ["k"]})), wrong("kid", "a list", "a string"));
    assert_eq!(refusal(&RSA, &json!({"key_ops": "verify"})), wrong("key_ops", "a string", "a list"));
    assert!(matches!(refusal(&RSA, &json!({"kid": ""})), JwkError::KeyId(_)));
}

#[test]
fn kinds_of_keys_that_issuers_do_not_sign_with_are_refused() {
    assert_eq!(Jwk::parse(br#"{"kty":"oct","k":"c2VjcmV0"}"#), Err(JwkError::SymmetricKey));
    assert_eq!(refusal(&RSA, &json!({"kty": "rsa"})), JwkError::KeyType { kty: "rsa".to_owned() });
    assert_eq!(refusal(&EC, &json!({"crv": "secp256k1"})), JwkError::Curve { crv: "secp256k1".to_owned() });
    assert_eq!(refusal(&EC, &json!({"crv": "Ed25519"})), JwkError::Curve { crv: "Ed25519".to_owned() });
    assert_eq!(refusal(&ED, &json!({"crv": "X25519"})), JwkError::Curve { crv: "X25519".to_owned() });
}

#[test]
fn a_published_private_key_is_refused() {
    for (key, member) in [(&*RSA, "d"), (&*RSA, "p"), (&*RSA, "qi"), (&*EC, "d"), (&*ED, "d")] {
        let refused = refusal(key, &json!({member: "AQAB"}));
        assert!(matches!(refused, JwkError::PrivateMember { member: found } if found == member), "{refused}");
    }
}

#[test]
fn use_and_key_ops_must_allow_verifying() {
    assert_eq!(refusal(&RSA, &json!({"use": "enc"})), JwkError::Use { value: "enc".to_owned() });
    for operations in [json!(["encrypt"]), json!([]), json!(["sign"]), json!([7])] {
        assert_eq!(refusal(&RSA, &json!({"key_ops": operations})), JwkError::KeyOperations);
    }
    assert!(Jwk::parse(&with(&RSA, &json!({"use": null, "key_ops": ["verify"]}))).is_ok());
}

#[test]
fn alg_must_be_known_and_fit_the_key() {
    for name in ["RSA-OAEP", "none", "HS256", "ES521", "es256"] {
        let expected = JwkError::AlgorithmUnknown { name: name.to_owned() };
        assert_eq!(refusal(&RSA, &json!({"alg": name})), expected);
    }
    let mismatch = |algorithm, key| JwkError::AlgorithmMismatch { algorithm, key };
    assert_eq!(refusal(&RSA, &json!({"alg": "ES256"})), mismatch(Algorithm::ES256, "an RSA key"));
    assert_eq!(refusal(&EC, &json!({"alg": "ES384"})), mismatch(Algorithm::ES384, "an EC key on P-256"));
    assert_eq!(refusal(&ED, &json!({"alg": "RS256"})), mismatch(Algorithm::RS256, "an Ed25519 key"));
}

#[test]
fn rsa_numbers_are_held_to_size_and_shape() {
    let mut odd = vec![0xff; 256];
    let small = |bytes: usize| number(&vec![0xff; bytes]);
    assert_eq!(refusal(&RSA, &json!({"n": small(128)})), JwkError::RsaSize { bits: 1_024 });
    assert_eq!(refusal(&RSA, &json!({"n": small(1_025)})), JwkError::RsaSize { bits: 8_200 });
    odd[0] = 0x7f;
    assert_eq!(refusal(&RSA, &json!({"n": number(&odd)})), JwkError::RsaSize { bits: 2_047 });
    odd[0] = 0;
    assert_eq!(refusal(&RSA, &json!({"n": number(&odd)})), JwkError::NotMinimal { member: "n" });
    odd[0] = 0xff;
    odd[255] = 0xfe;
    assert_eq!(refusal(&RSA, &json!({"n": number(&odd)})), JwkError::RsaEvenModulus);
    for exponent in [&[1_u8][..], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_eq!(refusal(&RSA, &json!({"e": number(exponent)})), JwkError::RsaExponent, "{exponent:?}");
    }
    for exponent in [&[][..], &[0, 1, 0, 1]] {
        let expected = JwkError::NotMinimal { member: "e" };
        assert_eq!(refusal(&RSA, &json!({"e": number(exponent)})), expected, "{exponent:?}");
    }
    assert!(Jwk::parse(&with(&RSA, &json!({"e": number(&[3])}))).is_ok());
    let padded = format!("{}=", RSA["n"].as_str().unwrap());
    let expected = JwkError::Base64 { member: "n", reason: Base64Error::Padding };
    assert_eq!(refusal(&RSA, &json!({"n": padded})), expected);
}

/// 65537^128 has 2,049 bits and is a power of 65537 modulo everything.
#[test]
fn a_modulus_with_the_structure_of_roca_is_refused() {
    let mut power = vec![1_u8];
    for _ in 0..128 {
        // times 65537: the number shifted by two bytes, plus itself
        let mut sum = power.clone();
        sum.extend([0, 0]);
        let mut carry = 0;
        for (position, digit) in power.iter().rev().chain(std::iter::repeat(&0)).take(sum.len()).enumerate() {
            let at = sum.len() - 1 - position;
            let total = u16::from(sum[at]) + u16::from(*digit) + carry;
            (sum[at], carry) = (total.to_le_bytes()[0], total >> 8);
        }
        power = if carry > 0 { [vec![1], sum].concat() } else { sum };
    }
    assert_eq!(refusal(&RSA, &json!({"n": number(&power)})), JwkError::RsaRoca);
}

#[test]
fn coordinates_are_as_long_as_the_curve_and_on_it() {
    let x = encoding::decode(EC["x"].as_str().unwrap()).unwrap();
    let expected = |member, found, curve| JwkError::Coordinate { member, found, expected: 32, curve };
    assert_eq!(refusal(&EC, &json!({"x": number(&x[1..])})), expected("x", 31, "P-256"));
    assert_eq!(refusal(&EC, &json!({"y": number(&[&[0], &*x].concat())})), expected("y", 33, "P-256"));
    assert_eq!(refusal(&ED, &json!({"x": number(&x[1..])})), expected("x", 31, "Ed25519"));
    for bent in [json!({"y": EC["x"]}), json!({"x": number(&[0; 32]), "y": number(&[0; 32])})] {
        let jwk = Jwk::parse(&with(&EC, &bent)).unwrap();
        let refused = VerificationKey::new(jwk).unwrap_err();
        assert_eq!(refused, JwkError::Invalid { key: "an EC key on P-256" });
    }
}
