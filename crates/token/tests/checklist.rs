//! The validator's checklist of RFC 8725 (BCP 225) with RFC 7515, RFC 7519 and practice: one test for each sentence.
//! The number in a test's name is that of the line; a test fails when the check that it names is taken out.

use aws_lc_rs::hmac;
use daypass_claims::{Algorithm, ClaimValue, Issuer};
use daypass_token::engine::{Engine, EnginePolicy, Fetched, Lookup};
use daypass_token::jwk::Jwk;
use daypass_token::sign::{SigningAlgorithm, TokenHeader};
use daypass_token::{
    Expectations, JwksLimits, KeySet, LEEWAY, Refusal, SelectError, TokenKind, UnverifiedToken,
    VerificationKey, verify,
};
use serde_json::{Value, json};

use crate::common::*;

#[test]
fn checklist_00_the_token_that_the_others_bend_is_good() {
    let token = check(&with_claims(json!({}))).unwrap();
    assert_eq!(token.issuer(), &*ISSUER);
    assert_eq!(token.subject().as_str(), "repo:acme/app:ref:refs/heads/main");
    assert_eq!((token.audience(), token.audiences()), (&OURS[0], &OURS[..]));
    assert_eq!(token.key_id().unwrap().as_str(), "k1");
    assert_eq!(token.algorithm(), Algorithm::ES256);
    assert_eq!((token.issued_at(), token.expires_at(), token.not_before()), (NOW, at(300), Some(at(-10))));
    assert_eq!(token.token_id(), Some("7f0c"));
}

#[test]
fn checklist_01_more_than_20_000_bytes_are_refused() {
    let fill = |length: usize| with_claims(json!({"fill": "x".repeat(length)}));
    let raw = fill(15_500);
    assert!(raw.len() > 20_000 && code(&raw) == "token-too-large");
    let raw = fill(14_000);
    assert!(raw.len() > 18_500 && code(&raw) == "ok", "{}", raw.len());
}

#[test]
fn checklist_01_there_are_exactly_three_segments() {
    let raw = with_claims(json!({}));
    assert_eq!(code(&format!("{raw}.")), "token-segments");
    assert_eq!(code(&format!(".{raw}")), "token-segments");
    assert_eq!(code(raw.rsplit_once('.').unwrap().0), "token-segments");
    assert_eq!(code(&raw.replace('.', " ")), "token-segments");
}

#[test]
fn checklist_01_base64url_has_no_padding_white_space_or_second_spelling() {
    let raw = with_claims(json!({}));
    for bent in [
        format!("{raw}="),
        format!("{raw}\n"),
        format!(" {raw}"),
        raw.replacen('.', "=.", 1),
        raw.replacen('.', ".\r\n", 1),
        raw.replacen('_', "/", 1).replacen('-', "+", 1),
    ] {
        assert!(bent == raw || code(&bent) == "token-base64", "{bent}");
    }
    // 64 bytes of signature end in a character with four unused bits.
    let (rest, last) = raw.split_at(raw.len() - 1);
    let second_spelling = match last {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "x",
    };
    assert_eq!(code(&format!("{rest}{second_spelling}")), "token-base64");
}

#[test]
fn checklist_02_header_and_payload_are_objects() {
    let (header, claims) = (header().to_string(), claims().to_string());
    for other in ["[]", "\"x\"", "7", "null", "", "\u{feff}{}"] {
        assert_eq!(code(&sign_text(&KEY, other, &claims)), "token-not-an-object", "{other}");
        assert_eq!(code(&sign_text(&KEY, &header, other)), "token-not-an-object", "{other}");
    }
    assert_eq!(code(&sign_text(&KEY, &header, b"{\"sub\":\"\xff\"}")), "token-json", "UTF-8 only");
    assert_eq!(code(&sign_text(&KEY, &header, format!("{claims}{claims}"))), "token-json");
}

#[test]
fn checklist_02_duplicate_members_are_refused_at_every_level() {
    let header = text_with(r#""alg":"ES256""#, &header());
    assert_eq!(code(&sign_text(&KEY, header, claims().to_string())), "token-json");
    for claim in
        [r#""sub":"admin""#, r#""s\u0075b":"admin""#, r#""x":{"y":1,"y":2}"#, r#""x":[{"y":1,"y":2}]"#]
    {
        assert_eq!(code(&with_claim_text(claim)), "token-json", "{claim}");
    }
}

#[test]
fn checklist_02_nesting_and_numbers_are_bounded() {
    let nested = (0..40).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(code(&with_claims(json!({"deep": nested}))), "token-json");
    assert_eq!(code(&with_claim_text(r#""id":123456789012345678901234567890"#)), "token-json");
}

#[test]
fn checklist_02_names_that_fold_to_a_registered_one_are_refused() {
    for name in ["ISS", "Sub", "\u{17f}ub", "i\u{df}", "AUD", "eXp", "Nbf", "Iat", "JTI", "Cnf", "Azp"] {
        assert_eq!(code(&with_claims(json!({name: "x"}))), "token-lookalike-member", "{name}");
    }
    for name in ["ALG", "Kid", "\u{212a}id", "TYP", "Crit", "B64"] {
        assert_eq!(code(&with_header(json!({name: "x"}))), "token-lookalike-member", "{name}");
    }
    assert_eq!(code(&with_claims(json!({"subject": "x", "issuer": "y"}))), "ok");
}

#[test]
fn checklist_03_the_algorithm_is_one_of_the_issuers() {
    let set = set_of(&[&KEY]);
    let token = UnverifiedToken::parse(&with_claims(json!({}))).unwrap();
    for allowed in [&[][..], &[Algorithm::RS256], &[Algorithm::RS256, Algorithm::EdDSA]] {
        let refused = set.select(&token, allowed).unwrap_err();
        assert_eq!(
            refused,
            SelectError::AlgorithmNotAllowed { algorithm: Algorithm::ES256, allowed: allowed.to_vec() }
        );
    }
}

#[test]
fn checklist_03_none_in_any_case_is_refused() {
    for name in ["none", "None", "NONE", "nOnE"] {
        let unsigned =
            format!("{}.{}.", encode(json!({"alg": name}).to_string()), encode(claims().to_string()));
        assert_eq!(code(&unsigned), "algorithm-none", "{name}");
        assert_eq!(code(&with_header(json!({"alg": name}))), "algorithm-none", "{name} with a signature");
    }
    let signed = with_claims(json!({}));
    let (stripped, _) = signed.rsplit_once('.').unwrap();
    assert_eq!(code(&format!("{stripped}.")), "token-unsigned");
}

#[test]
fn checklist_03_hmac_with_the_public_key_as_secret_is_refused() {
    let public = serde_json::to_vec(KEY.public_jwk()).unwrap();
    for (name, algorithm) in
        [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
    {
        let header = json!({"alg": name, "kid": "k1"}).to_string();
        let signed = format!("{}.{}", encode(header), encode(claims().to_string()));
        let tag = hmac::sign(&hmac::Key::new(algorithm, &public), signed.as_bytes());
        assert_eq!(code(&format!("{signed}.{}", encode(tag))), "algorithm-hmac");
    }
    let document = br#"{"keys":[{"kty":"oct","kid":"k1","k":"c2VjcmV0","alg":"HS256"}]}"#;
    assert!(KeySet::from_jwks(ISSUER.clone(), document, JwksLimits::default()).is_err());
}

#[test]
fn checklist_03_the_key_fits_the_algorithm_and_says_so() {
    let jwk = serde_json::to_value(KEY.public_jwk()).unwrap();
    let refused = |changes: Value| Jwk::parse(with(jwk.clone(), changes).to_string().as_bytes()).is_err();
    assert!(!refused(json!({})));
    assert!(refused(json!({"alg": "ES384"})));
    assert!(refused(json!({"alg": "RS256"})));
    assert!(refused(json!({"crv": "P-384"})));
    assert!(refused(json!({"kty": "RSA"})));
    assert!(refused(json!({"kty": "OKP"})));
    assert!(refused(json!({"use": "enc"})));
    assert!(refused(json!({"key_ops": ["encrypt"]})));
    let key = VerificationKey::new(KEY.public_jwk().clone()).unwrap();
    let signature = KEY.sign_bytes(b"x").unwrap();
    assert!(key.verify_bytes(Algorithm::ES256, b"x", &signature).is_ok());
    assert!(key.verify_bytes(Algorithm::ES384, b"x", &signature).is_err());
    let other = named(SigningAlgorithm::EdDSA, "k1");
    let claimed = sign_text(&other, header().to_string(), claims().to_string());
    let refused = check_with(&claimed, &set_of(&[&other]), &expected(), NOW).unwrap_err();
    assert_eq!(refused.code(), "key-algorithm-mismatch");
}

#[test]
fn checklist_03_rsa_keys_have_2048_bits_and_ec_points_lie_on_the_curve() {
    let small = json!({"kty": "RSA", "n": encode([0xff; 128]), "e": "AQAB"}).to_string();
    assert!(Jwk::parse(small.as_bytes()).is_err());
    let jwk = serde_json::to_value(KEY.public_jwk()).unwrap();
    let off = with(jwk.clone(), json!({"y": jwk["x"]})).to_string();
    assert!(VerificationKey::new(Jwk::parse(off.as_bytes()).unwrap()).is_err());
}

#[test]
fn checklist_03_ecdsa_signatures_are_fixed_length_and_never_der() {
    let raw = with_claims(json!({}));
    let (signed, signature) = raw.rsplit_once('.').unwrap();
    let signature = decode(signature);
    let (r, s) = signature.split_at(32);
    let integer = |number: &[u8]| {
        let number = [&[0], number].concat();
        [&[2, u8::try_from(number.len()).unwrap()], &number[..]].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let der = [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat();
    for bent in
        [der, signature[..63].to_vec(), [&signature[..], &[0]].concat(), [&[0], &signature[..]].concat()]
    {
        assert_eq!(code(&format!("{signed}.{}", encode(bent))), "signature-invalid");
    }
}

#[test]
fn checklist_03_zero_and_oversized_numbers_are_no_ecdsa_signature() {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let raw = with_claims(json!({}));
    let (signed, signature) = raw.rsplit_once('.').unwrap();
    let signature = decode(signature);
    let (r, s) = signature.split_at(32);
    let (zero, order, ones) = (vec![0; 32], hex(ORDER), vec![0xff; 32]);
    for (r, s) in [
        (&zero[..], &zero[..]),
        (&zero, s),
        (r, &zero),
        (&order, &order),
        (&order, s),
        (r, &order),
        (&zero, &order),
        (&ones, &ones),
    ] {
        assert_eq!(code(&format!("{signed}.{}", encode([r, s].concat()))), "signature-invalid");
    }
}

#[test]
fn checklist_04_crit_is_refused_whatever_it_lists() {
    for critical in [json!(["exp"]), json!(["b64"]), json!(["x"]), json!(["alg", "kid"])] {
        assert_eq!(code(&with_header(json!({"crit": critical}))), "critical-extension", "{critical}");
    }
    for critical in [json!([]), json!("exp"), json!({}), json!([1]), json!(["x", 1]), json!(true)] {
        assert_eq!(code(&with_header(json!({"crit": critical}))), "critical-malformed", "{critical}");
    }
    let null = text_with(r#""crit":null"#, &header());
    assert_eq!(code(&sign_text(&KEY, null, claims().to_string())), "critical-malformed");
}

#[test]
fn checklist_04_an_unencoded_payload_is_refused() {
    assert_eq!(code(&with_header(json!({"b64": false, "crit": ["b64"]}))), "token-unencoded-payload");
    assert_eq!(code(&with_header(json!({"b64": false}))), "token-unencoded-payload");
    assert_eq!(code(&with_header(json!({"b64": "false"}))), "token-unencoded-payload");
}

#[test]
fn checklist_04_a_key_that_the_token_brings_along_is_never_used() {
    let attacker = named(SigningAlgorithm::ES256, "k1");
    let brought = json!({
        "jwk": attacker.public_jwk(),
        "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/cert",
        "x5c": ["MIIB"],
    });
    let header = with(header(), brought);
    let forged = sign_text(&attacker, header.to_string(), claims().to_string());
    assert_eq!(code(&forged), "signature-invalid");
    assert_eq!(code(&sign(&header, &claims())), "ok", "the members themselves do no harm");
}

#[test]
fn checklist_04_kid_is_a_lookup_key_and_nothing_else() {
    for kid in
        ["../../../../dev/null", "k1' OR '1'='1", "https://evil.example/jwks", "K1", "k1 ", "*", "k%31"]
    {
        assert_eq!(code(&with_header(json!({"kid": kid}))), "key-id-unknown", "{kid}");
    }
    let odd = named(SigningAlgorithm::ES256, "../../../../dev/null");
    let header = with(header(), json!({"kid": odd.key_id().as_str()})).to_string();
    let raw = sign_text(&odd, header, claims().to_string());
    assert!(check_with(&raw, &set_of(&[&odd, &KEY]), &expected(), NOW).is_ok());
}

#[test]
fn checklist_04_without_kid_only_a_single_key_is_tried() {
    let raw = with_header(json!({"kid": null}));
    assert_eq!(code(&raw), "ok");
    let other = named(SigningAlgorithm::ES256, "k2");
    let refused = check_with(&raw, &set_of(&[&KEY, &other]), &expected(), NOW).unwrap_err();
    assert_eq!(refused, SelectError::KeyIdMissing { keys: 2 }.into());
}

#[test]
fn checklist_04_enc_and_zip_are_refused() {
    assert_eq!(code(&with_header(json!({"enc": "A128GCM"}))), "token-encryption-header");
    assert_eq!(code(&with_header(json!({"zip": "DEF"}))), "token-compressed");
}

#[test]
fn checklist_05_keys_of_one_issuer_never_verify_anothers_token() {
    let other = Issuer::parse("https://other.example").unwrap();
    let raw = with_claims(json!({"iss": other.as_str()}));
    assert_eq!(code(&raw), "issuer-mismatch");
    // Even keys that were selected for another issuer's token do not slip through.
    let token = UnverifiedToken::parse(&with_claims(json!({}))).unwrap();
    let others = KeySet::from_keys(other.clone(), [KEY.verification_key().unwrap()]).unwrap();
    let theirs = UnverifiedToken::parse(&raw).unwrap();
    let selected = others.select(&theirs, ALLOWED).unwrap();
    let refused = verify(&token, &selected, &expected(), NOW).unwrap_err();
    assert_eq!(refused, Refusal::ForeignKeys { keys_of: other });
}

#[test]
fn checklist_05_the_issuer_is_compared_byte_for_byte() {
    for iss in [
        "https://ci.example/",
        "https://CI.example",
        "http://ci.example",
        "https://ci.example ",
        "ci.example",
    ] {
        let raw = with_claims(json!({"iss": iss}));
        assert_eq!(code(&raw), "issuer-mismatch", "{iss}");
        // Nor does verification trust a selection that was made with another set.
        let token = UnverifiedToken::parse(&raw).unwrap();
        let keys = set_of(&[&KEY])
            .select(&UnverifiedToken::parse(&with_claims(json!({}))).unwrap(), ALLOWED)
            .unwrap();
        assert_eq!(verify(&token, &keys, &expected(), NOW).unwrap_err().code(), "issuer-mismatch", "{iss}");
    }
    assert_eq!(code(&with_claims(json!({"iss": null}))), "issuer-missing");
    assert_eq!(code(&with_claims(json!({"iss": ["https://ci.example"]}))), "issuer-missing");
}

#[test]
fn checklist_06_aud_is_a_string_or_a_list_of_strings() {
    assert_eq!(code(&with_claims(json!({"aud": ["sts.example.com"]}))), "ok");
    assert_eq!(code(&with_claims(json!({"aud": null}))), "audience-missing");
    assert_eq!(code(&with_claims(json!({"aud": []}))), "audience-empty");
    for malformed in
        [json!(""), json!([""]), json!(7), json!(["sts.example.com", 7]), json!({}), json!([["x"]])]
    {
        assert_eq!(code(&with_claims(json!({"aud": malformed}))), "audience-malformed", "{malformed}");
    }
}

#[test]
fn checklist_06_one_audience_is_ours_in_full() {
    for aud in [
        "STS.example.com",
        "sts.example.com/",
        "sts.example.co",
        "xsts.example.com",
        "*",
        "sts.amazonaws.com",
    ] {
        assert_eq!(code(&with_claims(json!({"aud": aud}))), "audience-mismatch", "{aud}");
    }
    let nobody = Expectations { audiences: &[], ..expected() };
    let refused = check_with(&with_claims(json!({})), &set_of(&[&KEY]), &nobody, NOW).unwrap_err();
    assert_eq!(refused.code(), "audience-mismatch");
}

#[test]
fn checklist_06_several_audiences_need_to_be_allowed() {
    let raw = with_claims(json!({"aud": ["other.example", "sts.example.com"]}));
    assert_eq!(code(&raw), "audience-several");
    let several = Expectations { multiple_audiences: true, ..expected() };
    let token = check_with(&raw, &set_of(&[&KEY]), &several, NOW).unwrap();
    assert_eq!(token.audience(), &OURS[0]);
    assert_eq!(token.audiences(), [audience("other.example"), audience("sts.example.com")]);
    let raw = with_claims(json!({"aud": ["other.example", "third.example"]}));
    let refused = check_with(&raw, &set_of(&[&KEY]), &several, NOW).unwrap_err();
    assert_eq!(refused.code(), "audience-mismatch");
}

#[test]
fn checklist_07_exp_is_required_and_ends_the_token_after_leeway() {
    assert_eq!(code(&with_claims(json!({"exp": null}))), "expiry-missing");
    let raw = with_claims(json!({}));
    let end = at(300) + LEEWAY;
    assert!(check_at(&raw, end - secs(1)).is_ok());
    let refused = check_at(&raw, end).unwrap_err();
    assert_eq!(refused, Refusal::Expired { expired_at: at(300), now: end });
    assert_eq!(LEEWAY, secs(60));
}

#[test]
fn checklist_07_nbf_and_iat_begin_the_token_within_leeway() {
    assert_eq!(code(&with_claims(json!({"nbf": NOW.as_secs() + 60}))), "ok");
    assert_eq!(code(&with_claims(json!({"nbf": NOW.as_secs() + 61}))), "token-not-yet-valid");
    assert_eq!(code(&with_claims(json!({"nbf": null}))), "ok");
    assert_eq!(code(&with_claims(json!({"iat": NOW.as_secs() + 60}))), "ok");
    assert_eq!(code(&with_claims(json!({"iat": NOW.as_secs() + 61}))), "issued-in-future");
}

#[test]
fn checklist_07_iat_is_required_and_bounds_the_age() {
    assert_eq!(code(&with_claims(json!({"iat": null}))), "issued-at-missing");
    let raw = with_claims(json!({"exp": NOW.as_secs() + 7_200}));
    let young = Expectations { max_age: secs(3_600), ..expected() };
    let check = |now| check_with(&raw, &set_of(&[&KEY]), &young, now);
    assert!(check(at(3_600) + LEEWAY).is_ok());
    assert_eq!(check(at(3_601) + LEEWAY).unwrap_err().code(), "token-too-old");
    assert_eq!(expected().max_age, secs(86_400));
}

#[test]
fn checklist_07_exp_is_after_iat_and_not_too_long_after() {
    let lifetime = |secs: i64| code(&with_claims(json!({"exp": NOW.as_secs() + secs})));
    assert_eq!(lifetime(0), "expires-before-issue");
    assert_eq!(lifetime(-30), "expires-before-issue");
    assert_eq!(lifetime(1), "ok");
    assert_eq!(lifetime(86_400), "ok");
    assert_eq!(lifetime(86_401), "lifetime-too-long");
}

#[test]
fn checklist_07_times_are_numbers_and_may_have_a_fraction() {
    #[expect(clippy::cast_precision_loss, reason = "exact: far below 2^53")]
    let exp = NOW.as_secs() as f64 + 300.75;
    let token = check(&with_claims(json!({"exp": exp}))).unwrap();
    assert_eq!(token.expires_at().as_millis(), at(300).as_millis() + 750);
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            json!(NOW.as_secs().to_string()),
            json!("soon"),
            json!(true),
            json!([1]),
            json!(-1),
            json!(-1.5),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(253_402_300_800_i64),
            json!(9e15),
        ] {
            assert_eq!(code(&with_claims(json!({claim: value}))), "time-malformed", "{claim} {value}");
        }
        let written = |text| {
            let claims = with(claims(), json!({claim: null}));
            code(&sign_text(&KEY, header().to_string(), text_with(&format!("\"{claim}\":{text}"), &claims)))
        };
        for text in ["1e400", "NaN", "Infinity", "-Infinity", "1e18", "01"] {
            assert_eq!(written(text), "token-json", "{claim} {text}");
        }
        assert_eq!(written("null"), "time-malformed", "{claim}: null is not absent");
    }
}

#[test]
fn checklist_08_sub_is_a_sensible_string() {
    assert_eq!(code(&with_claims(json!({"sub": null}))), "subject-missing");
    for sub in [
        json!(""),
        json!("a\nb"),
        json!("a\u{0}"),
        json!("a\u{85}b"),
        json!("x".repeat(1_025)),
        json!(7),
        json!(["a"]),
    ] {
        assert_eq!(code(&with_claims(json!({"sub": sub}))), "subject-malformed", "{sub}");
    }
    assert_eq!(code(&with_claims(json!({"sub": "x".repeat(1_024)}))), "ok", "CircleCI's are long");
}

#[test]
fn checklist_09_a_ci_token_is_a_jwt_or_says_nothing() {
    for typ in ["JWT", "jwt", "application/jwt"] {
        assert_eq!(code(&with_header(json!({"typ": typ}))), "ok", "{typ}");
    }
    assert_eq!(code(&with_header(json!({"typ": null}))), "ok");
    for typ in [
        "at+jwt",
        "application/at+jwt",
        "AT+JWT",
        "secevent+jwt",
        "logout+jwt",
        "txntoken+jwt",
        "wit+jwt",
        "JOSE",
        "",
    ] {
        assert_eq!(code(&with_header(json!({"typ": typ}))), "type-not-accepted", "{typ}");
    }
}

#[test]
fn checklist_09_an_access_token_says_that_it_is_one() {
    let access = Expectations { kind: TokenKind::AccessToken, ..expected() };
    let check = |typ: Value, changes: Value| {
        let claims = with(with(claims(), json!({"client_id": "app"})), changes);
        let raw = sign(&with(header(), json!({"typ": typ})), &claims);
        check_with(&raw, &set_of(&[&KEY]), &access, NOW).map_err(|refusal| refusal.code())
    };
    assert!(check(json!("at+jwt"), json!({})).is_ok());
    assert!(check(json!("application/at+jwt"), json!({})).is_ok());
    assert_eq!(check(json!("JWT"), json!({})).unwrap_err(), "type-not-accepted");
    assert_eq!(check(json!(null), json!({})).unwrap_err(), "type-missing");
    for missing in
        [json!({"client_id": null}), json!({"jti": null}), json!({"jti": ""}), json!({"client_id": 7})]
    {
        assert_eq!(check(json!("at+jwt"), missing).unwrap_err(), "claim-missing");
    }
}

#[test]
fn checklist_10_uses_are_counted_by_issuer_and_jti() {
    let key = |changes| check(&with_claims(changes)).unwrap().replay_key();
    let first = key(json!({}));
    assert_eq!(first, key(json!({"sub": "other"})), "one jti is one token, whatever else it says");
    assert_ne!(first, key(json!({"jti": "7f0d"})));
    let other = Issuer::parse("https://other.example").unwrap();
    let set = KeySet::from_keys(other.clone(), [KEY.verification_key().unwrap()]).unwrap();
    let raw = with_claims(json!({"iss": other.as_str()}));
    let foreign = check_with(&raw, &set, &Expectations::new(&other, &*OURS), NOW).unwrap();
    assert_ne!(first, foreign.replay_key(), "issuers number their tokens independently");
}

#[test]
fn checklist_10_without_jti_uses_are_counted_by_what_is_signed_and_never_by_the_signature() {
    for jti in [json!(null), json!(""), json!(7)] {
        let changes = json!({"jti": jti});
        let (one, other) = (with_claims(changes.clone()), with_claims(changes.clone()));
        assert_ne!(one, other, "ECDSA signs with a new nonce each time");
        let [one, other] = [one, other].map(|raw| check(&raw).unwrap());
        assert_eq!(one.token_id(), None);
        assert_eq!(one.replay_key(), other.replay_key());
        assert_ne!(one.digest(), other.digest());
        let third = check(&with_claims(with(changes, json!({"n": 1})))).unwrap();
        assert_ne!(one.replay_key(), third.replay_key());
    }
}

#[test]
fn checklist_10_a_second_signature_made_of_the_first_is_the_same_use() {
    let raw = with_claims(json!({"jti": null}));
    let (signed, signature) = raw.rsplit_once('.').unwrap();
    let mirrored = format!("{signed}.{}", encode(mirror(&decode(signature))));
    assert_ne!(raw, mirrored);
    let [one, other] = [raw, mirrored].map(|raw| check(&raw).unwrap());
    assert_eq!(one.replay_key(), other.replay_key());
}

#[test]
fn checklist_11_encrypted_and_nested_tokens_are_refused() {
    let jwe =
        format!("{}.AA.AA.AA.AA", encode(r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647}"#));
    assert_eq!(code(&jwe), "token-encrypted");
    let inner = with_claims(json!({}));
    assert_eq!(code(&sign_text(&KEY, header().to_string(), inner)), "token-not-an-object");
    assert_eq!(code(&with_header(json!({"cty": "JWT"}))), "token-nested");
    assert_eq!(code(&with_header(json!({"cty": "application/jwt"}))), "token-nested");
    assert_eq!(code(&with_header(json!({"cty": "json"}))), "ok");
}

#[test]
fn checklist_12_the_signature_comes_before_every_claim() {
    let everything_wrong = json!({
        "exp": 1, "nbf": "x", "iat": null, "aud": 7, "sub": null, "cnf": {},
    });
    let raw = with_claims(everything_wrong);
    let (signed, _) = raw.rsplit_once('.').unwrap();
    assert_eq!(code(&format!("{signed}.{}", encode([1; 64]))), "signature-invalid");
    let header = with(header(), json!({"typ": "at+jwt", "crit": ["x"]}));
    let raw = sign(&header, &claims());
    let (signed, _) = raw.rsplit_once('.').unwrap();
    assert_eq!(code(&format!("{signed}.{}", encode([1; 64]))), "signature-invalid");
}

#[test]
fn checklist_12_the_signature_covers_the_received_bytes() {
    let spaced = serde_json::to_string_pretty(&claims()).unwrap();
    assert_eq!(code(&sign_text(&KEY, header().to_string(), &spaced)), "ok");
    let raw = with_claims(json!({}));
    let (head, rest) = raw.split_once('.').unwrap();
    let (_, signature) = rest.rsplit_once('.').unwrap();
    assert_eq!(code(&format!("{head}.{}.{signature}", encode(spaced))), "signature-invalid");
}

#[test]
fn checklist_12_a_bad_signature_says_only_that() {
    let raw = with_claims(json!({}));
    let (signed, _) = raw.rsplit_once('.').unwrap();
    for signature in [vec![1; 64], vec![0; 64], vec![1], vec![0x30; 70]] {
        let refused = check(&format!("{signed}.{}", encode(signature))).unwrap_err();
        assert_eq!(refused.to_string(), "signature does not match the issuer's key");
    }
}

#[test]
fn checklist_13_claims_keep_their_types_and_absent_empty_and_null_stay_apart() {
    let token = check(&with_claim_text(r#""n":null,"e":"","l":[],"b":"true","id":"65""#)).unwrap();
    let claims = token.claims();
    assert_eq!(claims.get("n"), Some(&ClaimValue::Null));
    assert_eq!(claims.get("e"), Some(&ClaimValue::from("")));
    assert_eq!(claims.get("l"), Some(&ClaimValue::Array(vec![])));
    assert_eq!(claims.get("b"), Some(&ClaimValue::from("true")));
    assert_eq!(claims.get("id"), Some(&ClaimValue::from("65")));
    assert_eq!(claims.get("absent"), None);
}

#[test]
fn checklist_13_claim_values_are_never_expanded() {
    let odd = "repo:${aws:PrincipalTag/x}/*?[a-z]%2f{{sub}}";
    let token = check(&with_claims(json!({"sub": odd}))).unwrap();
    assert_eq!(token.subject().as_str(), odd);
    assert_eq!(code(&with_claims(json!({"aud": "sts.*"}))), "audience-mismatch");
    let pattern = [audience("sts.*")];
    let refused = check_with(
        &with_claims(json!({})),
        &set_of(&[&KEY]),
        &Expectations { audiences: &pattern, ..expected() },
        NOW,
    );
    assert_eq!(refused.unwrap_err().code(), "audience-mismatch");
}

#[test]
fn checklist_14_a_key_bound_token_is_refused() {
    for cnf in [json!({"jkt": "x"}), json!({"x5t#S256": "x"}), json!({}), json!("x")] {
        assert_eq!(code(&with_claims(json!({"cnf": cnf}))), "key-bound", "{cnf}");
    }
    assert_eq!(code(&with_claim_text(r#""cnf":null"#)), "key-bound");
}

#[test]
fn checklist_15_unknown_issuers_cause_no_fetch_and_unknown_keys_few() {
    let mut engine = Engine::fetching(ISSUER.clone(), EnginePolicy::default(), NOW);
    engine.restore(set_of(&[&KEY]), NOW, NOW);
    let order = engine.poll_fetch(NOW).unwrap();
    let fetched = Fetched { keys: set_of(&[&KEY]), max_age: None };
    engine.fetched(order.id, Ok(fetched), NOW);
    let unknown = |n: i64| UnverifiedToken::parse(&with_header(json!({"kid": format!("x{n}")}))).unwrap();
    let foreign = UnverifiedToken::parse(&with_claims(json!({"iss": "https://unknown.example"}))).unwrap();
    for second in 0..29 {
        let refused = engine.lookup(&foreign, ALLOWED, at(second));
        assert!(matches!(refused, Lookup::Refuse(SelectError::IssuerMismatch { .. })));
        assert!(matches!(engine.lookup(&unknown(second), ALLOWED, at(second)), Lookup::Retry { .. }));
        assert_eq!(engine.poll_fetch(at(second)), None);
    }
    assert_eq!(engine.status(at(29)).unknown_key_ids, 29, "a storm can be seen");
    assert_eq!(engine.status(at(29)).fetches, 1);
}

#[test]
fn checklist_16_what_daypass_signs_passes_its_own_checklist() {
    let raw = KEY.sign(&TokenHeader::new("JWT"), &claims()).unwrap();
    assert_eq!(code(&raw), "ok");
}

/// The other valid ES256 signature over the same bytes: s becomes n - s.
fn mirror(signature: &[u8]) -> Vec<u8> {
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let (r, s) = signature.split_at(32);
    let mut borrow = 0;
    let mut mirrored: Vec<u8> = order
        .iter()
        .zip(s)
        .rev()
        .map(|(order, s)| {
            let difference = i16::from(*order) - i16::from(*s) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).unwrap()
        })
        .collect();
    mirrored.reverse();
    [r, &mirrored].concat()
}
