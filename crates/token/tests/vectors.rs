//! Third-party vectors: Wycheproof and the JOSE cookbook (RFC 7520, RFC 7797, RFC 8037). Read from `$DAYPASS_VECTORS` or
//! `../shared/vectors` beside the checkout, skipped with a note where absent; `DAYPASS_REQUIRE_VECTORS=1` insists.

use daypass_claims::Algorithm;
use daypass_token::jwk::{Jwk, JwkError};
use daypass_token::jws::Jws;
use daypass_token::{JwksLimits, KeySet, VerificationKey};
use serde_json::{Value, json};

use crate::common::*;

const HMAC: &str = "HMAC: a published or shared secret proves nothing about who signed";
const OTHER_ALG: &str = "the key's `alg` names another algorithm than the header";
const NO_ALG: &str = "the key's `alg` is `ES521`, which RFC 7518 does not define";
const ENCRYPTED: &str = "JWE is not supported";

/// Where Wycheproof says *valid* and daypass refuses: file, test, reason. Nothing that it calls invalid is accepted.
const REFUSED_BY_POLICY: &[(&str, u64, &str)] = &[
    ("json_web_signature_test.json", 1, HMAC),
    ("json_web_signature_test.json", 346, OTHER_ALG),
    ("json_web_signature_test.json", 347, NO_ALG),
    ("json_web_signature_test.json", 348, HMAC),
    ("json_web_signature_test.json", 350, OTHER_ALG),
    ("json_web_signature_test.json", 351, NO_ALG),
    ("json_web_signature_test.json", 352, HMAC),
    ("json_web_signature_test.json", 357, HMAC),
    ("json_web_signature_test.json", 358, HMAC),
    ("json_web_signature_test.json", 359, HMAC),
    ("json_web_signature_test.json", 372, HMAC),
    ("json_web_signature_test.json", 373, HMAC),
    ("json_web_signature_test.json", 376, HMAC),
    ("json_web_signature_test.json", 377, HMAC),
    ("json_web_key_test.json", 2, HMAC),
    ("json_web_key_test.json", 13, HMAC),
    ("json_web_key_test.json", 14, HMAC),
    ("json_web_key_test.json", 15, HMAC),
    ("json_web_crypto_test.json", 1, HMAC),
    ("json_web_crypto_test.json", 48, HMAC),
    ("json_web_crypto_test.json", 50, ENCRYPTED),
    ("json_web_crypto_test.json", 67, ENCRYPTED),
];

/// Whether `text` opens and one of the published keys that it names made its signature.
fn accepts(keys: &Value, text: &str) -> bool {
    let keys = keys.get("keys").cloned().unwrap_or_else(|| json!([keys]));
    let document = json!({ "keys": keys }).to_string();
    let Ok((set, _)) = KeySet::from_jwks(ISSUER.clone(), document.as_bytes(), JwksLimits::default()) else {
        return false;
    };
    let Ok(jws) = Jws::parse(text) else { return false };
    set.keys().filter(|key| key.key_id() == jws.header().key_id()).any(|key| jws.check_signature(key).is_ok())
}

fn without(key: &Value, members: &[&str]) -> Value {
    let mut key = key.clone();
    for member in members {
        key.as_object_mut().unwrap().remove(*member);
    }
    key
}

fn tests(group: &Value) -> &[Value] {
    group["tests"].as_array().unwrap()
}

fn wycheproof_jose(file: &str) {
    let Some(folder) = vectors("wycheproof/testvectors_v1") else { return };
    let vectors = read_json(folder.join(file));
    let (mut ran, mut refused) = (0, Vec::new());
    for group in vectors["testGroups"].as_array().unwrap() {
        let keys = group.get("public").unwrap_or(&group["private"]);
        for test in tests(group) {
            ran += 1;
            let (id, valid) = (test["tcId"].as_u64().unwrap(), test["result"] == "valid");
            // One test is in the JSON serialisation, for which the compact reader has no type at all.
            let text = test.get("jws").or(test.get("jwe")).map(|text| text.as_str().unwrap_or_default());
            let accepted = accepts(keys, text.unwrap());
            assert!(valid || !accepted, "{file} {id}: {} was accepted", test["comment"]);
            if valid && !accepted {
                refused.push(id);
            }
        }
    }
    assert_eq!(ran, vectors["numberOfTests"].as_u64().unwrap());
    let by_policy: Vec<u64> =
        REFUSED_BY_POLICY.iter().filter(|(f, ..)| *f == file).map(|(_, id, _)| *id).collect();
    assert_eq!(refused, by_policy, "{file}");
}

#[test]
fn wycheproof_json_web_signature() {
    wycheproof_jose("json_web_signature_test.json");
}

#[test]
fn wycheproof_json_web_key() {
    wycheproof_jose("json_web_key_test.json");
}

#[test]
fn wycheproof_json_web_crypto() {
    wycheproof_jose("json_web_crypto_test.json");
}

#[test]
fn what_is_refused_for_its_alg_verifies_without_it() {
    let Some(folder) = vectors("wycheproof/testvectors_v1") else { return };
    let file = read_json(folder.join("json_web_signature_test.json"));
    let mut seen = 0;
    for group in file["testGroups"].as_array().unwrap() {
        for test in tests(group) {
            let id = test["tcId"].as_u64().unwrap();
            if [346, 347, 350, 351].contains(&id) {
                assert!(accepts(&without(&group["public"], &["alg"]), test["jws"].as_str().unwrap()), "{id}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 4);
}

/// Runs a file of raw signatures. `jwk` makes the key of a group.
fn wycheproof_signatures(file: &str, algorithm: Algorithm, jwk: impl Fn(&Value) -> Value) {
    let Some(folder) = vectors("wycheproof/testvectors_v1") else { return };
    let vectors = read_json(folder.join(file));
    let mut ran = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let jwk = Jwk::parse(jwk(&group["publicKey"]).to_string().as_bytes()).unwrap();
        let key = VerificationKey::new(jwk).unwrap();
        for test in tests(group) {
            ran += 1;
            let [message, signature] = ["msg", "sig"].map(|member| hex(test[member].as_str().unwrap()));
            let accepted = key.verify_bytes(algorithm, &message, &signature).is_ok();
            // *Acceptable* is one RSA signature with a sloppy encoding: it is refused.
            let valid = test["result"] == "valid";
            assert_eq!(accepted, valid, "{file} {}: {}", test["tcId"], test["comment"]);
        }
    }
    assert_eq!(ran, vectors["numberOfTests"].as_u64().unwrap());
}

fn ec(curve: &str, public: &Value) -> Value {
    let point = hex(public["uncompressed"].as_str().unwrap());
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
}

fn rsa(public: &Value) -> Value {
    let [n, e] = ["modulus", "publicExponent"].map(|member| {
        let number = hex(public[member].as_str().unwrap());
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        encode(&number[zeros..])
    });
    json!({"kty": "RSA", "n": n, "e": e})
}

#[test]
fn wycheproof_es256() {
    wycheproof_signatures("ecdsa_secp256r1_sha256_p1363_test.json", Algorithm::ES256, |key| ec("P-256", key));
}

#[test]
fn wycheproof_es384() {
    wycheproof_signatures("ecdsa_secp384r1_sha384_p1363_test.json", Algorithm::ES384, |key| ec("P-384", key));
}

#[test]
fn wycheproof_rs256() {
    wycheproof_signatures("rsa_signature_2048_sha256_test.json", Algorithm::RS256, rsa);
}

#[test]
fn wycheproof_ps256() {
    wycheproof_signatures("rsa_pss_2048_sha256_mgf1_32_test.json", Algorithm::PS256, rsa);
}

#[test]
fn wycheproof_ed25519_malleability_and_encodings() {
    wycheproof_signatures(
        "ed25519_test.json",
        Algorithm::EdDSA,
        |key| json!({"kty": "OKP", "crv": "Ed25519", "x": encode(hex(key["pk"].as_str().unwrap()))}),
    );
}

const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi"];

#[test]
fn cookbook_signatures() {
    let Some(folder) = vectors("jose-cookbook") else { return };
    for (file, accepted) in [
        ("jws/4_1.rsa_v15_signature.json", true),
        ("jws/4_2.rsa-pss_signature.json", true),
        ("jws/4_3.ecdsa_signature.json", true),
        ("jws/4_4.hmac-sha2_integrity_protection.json", false),
        ("jws/4_5.signature_with_detached_content.json", false),
        ("curve25519/jws.json", true),
        ("rfc7797/hmac-sha2_b64_false.json", false),
    ] {
        let example = read_json(folder.join(file));
        let key = without(&example["input"]["key"], PRIVATE);
        let text = example["output"]["compact"].as_str().unwrap();
        assert_eq!(accepts(&key, text), accepted, "{file}");
        if accepted {
            let jws = Jws::parse(text).unwrap();
            assert_eq!(jws.payload(), example["input"]["payload"].as_str().unwrap().as_bytes(), "{file}");
        }
    }
}

#[test]
fn cookbook_json_serialisations_are_not_read() {
    let Some(folder) = vectors("jose-cookbook") else { return };
    for file in [
        "jws/4_1.rsa_v15_signature.json",
        "jws/4_6.protecting_specific_header_fields.json",
        "jws/4_7.protecting_content_only.json",
        "jws/4_8.multiple_signatures.json",
        "rfc7797/4.2.hmac-sha2_b64_false.json",
    ] {
        let example = read_json(folder.join(file));
        assert!(Jws::parse(&example["output"]["json"].to_string()).is_err(), "{file}");
    }
    // Of several signatures over one payload, the RS256 one is a compact token by itself.
    let several = read_json(folder.join("jws/4_8.multiple_signatures.json"));
    let output = &several["output"]["json"];
    let first = &output["signatures"][0];
    let text = [&first["protected"], &output["payload"], &first["signature"]]
        .map(|part| part.as_str().unwrap())
        .join(".");
    let key = without(&several["input"]["key"][0], PRIVATE);
    assert!(accepts(&without(&key, &["kid"]), &text));
}

#[test]
fn an_unencoded_payload_is_refused_for_what_it_is() {
    let Some(folder) = vectors("jose-cookbook") else { return };
    let example = read_json(folder.join("rfc7797/hmac-sha2_b64_false.json"));
    let text = example["output"]["compact"].as_str().unwrap();
    assert!(Jws::parse(text).is_err());
    // The same header over an algorithm that daypass knows: `b64` alone is reason enough.
    let header = json!({"alg": "ES256", "b64": false, "crit": ["b64"]}).to_string();
    let text = format!("{}.e30.AA", encode(header));
    assert_eq!(Jws::parse(&text).unwrap_err().code(), "token-unencoded-payload");
}

#[test]
fn cookbook_keys() {
    let Some(folder) = vectors("jose-cookbook/jwk") else { return };
    let parse = |file: &str| Jwk::parse(read_json(folder.join(file)).to_string().as_bytes());
    for (public, private) in [
        ("3_1.ec_public_key.json", "3_2.ec_private_key.json"),
        ("3_3.rsa_public_key.json", "3_4.rsa_private_key.json"),
    ] {
        let jwk = parse(public).unwrap();
        assert_eq!(parse(private), Err(JwkError::PrivateMember { member: "d" }));
        let stripped = without(&read_json(folder.join(private)), PRIVATE).to_string();
        let stripped = Jwk::parse(stripped.as_bytes()).unwrap();
        assert_eq!(stripped.thumbprint(), jwk.thumbprint());
        assert!(VerificationKey::new(jwk).is_ok());
    }
    for secret in ["3_5.symmetric_key_mac_computation.json", "3_6.symmetric_key_encryption.json"] {
        assert_eq!(parse(secret), Err(JwkError::SymmetricKey));
    }
}
