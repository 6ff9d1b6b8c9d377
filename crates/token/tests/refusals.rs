//! How refusals read, and in which order they come.

use std::collections::BTreeSet;

use daypass_token::{Expectations, Refusal, TokenKind};
use serde_json::{Value, json};

use crate::common::*;

/// A token for each refusal that one can present.
fn presented() -> Vec<(String, Refusal)> {
    let now = NOW.as_secs();
    let good = with_claims(json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let raws = [
        "x".repeat(20_001),
        format!("{good}.AA.AA"),
        "not a token".to_owned(),
        format!("{good}="),
        format!("{signed}."),
        sign_text(&KEY, header().to_string(), "[]"),
        with_claim_text(r#""sub":"b""#),
        with_claims(json!({"\u{17f}ub": "x"})),
        with_header(json!({"typ": 7})),
        with_header(json!({"alg": null})),
        with_header(json!({"alg": "None"})),
        with_header(json!({"alg": "HS256"})),
        with_header(json!({"alg": "ES256K"})),
        with_header(json!({"enc": "A128GCM"})),
        with_header(json!({"zip": "DEF"})),
        with_header(json!({"b64": false})),
        with_header(json!({"cty": "JWT"})),
        with_header(json!({"kid": ""})),
        with_claims(json!({"iss": null})),
        with_claims(json!({"iss": "https://ci.example/\n`"})),
        with_header(json!({"alg": "PS256"})),
        with_header(json!({"kid": "k9"})),
        with_header(json!({"alg": "RS256"})),
        format!("{signed}.AAAA"),
        with_header(json!({"typ": "at+jwt"})),
        with_header(json!({"crit": ["a", "b"]})),
        with_header(json!({"crit": []})),
        with_claims(json!({"cnf": {"jkt": "x"}})),
        with_claims(json!({"exp": null})),
        with_claims(json!({"exp": "soon"})),
        with_claims(json!({"exp": -1})),
        with_claims(json!({"exp": u64::MAX})),
        with_claims(json!({"iat": now - 900, "exp": now - 600})),
        with_claims(json!({"nbf": now + 90})),
        with_claims(json!({"iat": null})),
        with_claims(json!({"iat": now + 90})),
        with_claims(json!({"exp": now})),
        with_claims(json!({"exp": now + 90_000})),
        with_claims(json!({"iat": now - 86_500, "exp": now - 100 + 41})),
        with_claims(json!({"aud": null})),
        with_claims(json!({"aud": []})),
        with_claims(json!({"aud": 7})),
        with_claims(json!({"aud": ""})),
        with_claims(json!({"aud": ["sts.example.com", "b"]})),
        with_claims(json!({"aud": "b"})),
        with_claims(json!({"sub": null})),
        with_claims(json!({"sub": 7})),
        with_claims(json!({"sub": "a\nb"})),
    ];
    raws.into_iter().map(|raw| (raw.clone(), check(&raw).unwrap_err())).collect()
}

#[test]
fn refusals_read_well_and_never_show_the_token() {
    let mut lines = Vec::new();
    for (raw, refusal) in presented() {
        let text = refusal.to_string();
        for part in raw.split('.').filter(|part| part.len() > 12) {
            assert!(!text.contains(part) && !format!("{refusal:?}").contains(part), "{text}");
        }
        assert!(!text.chars().any(char::is_control) && text.len() < 300, "{text:?}");
        let expected = refusal.expected().map(|hint| format!("\n    expected: {hint}")).unwrap_or_default();
        lines.push(format!("{}: {text}{expected}", refusal.code()));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_was_expected_is_not_in_the_text() {
    for (_, refusal) in presented() {
        let text = refusal.to_string();
        assert!(!text.contains("sts.example.com") && !text.contains("`https://ci.example`"), "{text}");
    }
}

#[test]
fn codes_are_short_words_joined_by_dashes() {
    let codes: BTreeSet<&str> = presented().iter().map(|(_, refusal)| refusal.code()).collect();
    assert!(
        codes.iter().all(|code| code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))),
        "{codes:?}"
    );
    assert!(codes.len() > 40);
}

#[test]
fn a_token_can_be_too_old_before_it_expires() {
    let young = Expectations { max_age: secs(600), ..expected() };
    let raw = with_claims(json!({"iat": NOW.as_secs() - 700}));
    let refusal = check_with(&raw, &set_of(&[&KEY]), &young, NOW).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "token was issued at 2027-01-15T07:48:20Z, which is too long ago; it is 2027-01-15T08:00:00Z"
    );
    assert_eq!(
        (refusal.code(), refusal.expected()),
        ("token-too-old", Some("an age of at most 10m".to_owned()))
    );
}

#[test]
fn an_access_token_has_refusals_of_its_own() {
    let access = Expectations { kind: TokenKind::AccessToken, ..expected() };
    let text = |header: Value, claims: Value| {
        let refusal = check_with(&sign(&header, &claims), &set_of(&[&KEY]), &access, NOW).unwrap_err();
        format!("{refusal} / {}", refusal.expected().unwrap_or_default())
    };
    assert_eq!(
        text(with(header(), json!({"typ": null})), claims()),
        "token has no type (`typ`); an access token has `at+jwt` / "
    );
    assert_eq!(
        text(header(), claims()),
        "token has the type `JWT` (`typ`), which is not accepted here / `typ` of `at+jwt`"
    );
    assert_eq!(
        text(with(header(), json!({"typ": "at+jwt"})), claims()),
        "access token has no `client_id` / "
    );
}

/// A token that is wrong in every way, mended in the order in which its faults are reported.
#[test]
fn the_first_fault_in_the_fixed_order_is_reported() {
    let now = NOW.as_secs();
    let mut header = json!({"alg": "PS256", "kid": "k9", "typ": "at+jwt", "crit": ["x"], "zip": "DEF"});
    let mut claims = json!({
        "iss": "https://other.example", "exp": now - 600, "nbf": now + 600, "iat": now + 600, "aud": "other", "cnf": {},
    });
    let stranger = named(daypass_token::sign::SigningAlgorithm::ES256, "k1");
    let mut signed_by_us = false;
    let mut reported = Vec::new();
    loop {
        let key = if signed_by_us { &*KEY } else { &stranger };
        let raw = sign_text(key, header.to_string(), claims.to_string());
        let Err(refusal) = check(&raw) else { break };
        reported.push(refusal.code());
        match refusal.code() {
            "token-compressed" => header = with(header, json!({"zip": null})),
            "issuer-mismatch" => claims = with(claims, json!({"iss": ISSUER.as_str()})),
            "algorithm-not-allowed" => header = with(header, json!({"alg": "ES256"})),
            "key-id-unknown" => header = with(header, json!({"kid": "k1"})),
            "signature-invalid" => signed_by_us = true,
            "type-not-accepted" => header = with(header, json!({"typ": "JWT"})),
            "critical-extension" => header = with(header, json!({"crit": null})),
            "key-bound" => claims = with(claims, json!({"cnf": null})),
            "token-expired" => claims = with(claims, json!({"exp": now + 100_000})),
            "token-not-yet-valid" => claims = with(claims, json!({"nbf": null})),
            "issued-in-future" => claims = with(claims, json!({"iat": now})),
            "lifetime-too-long" => claims = with(claims, json!({"exp": now + 300})),
            "audience-mismatch" => claims = with(claims, json!({"aud": "sts.example.com"})),
            "subject-missing" => claims = with(claims, json!({"sub": "someone"})),
            other => panic!("{other} comes out of order"),
        }
    }
    insta::assert_snapshot!(reported.join(" "), @"token-compressed issuer-mismatch algorithm-not-allowed key-id-unknown signature-invalid type-not-accepted critical-extension key-bound token-expired token-not-yet-valid issued-in-future lifetime-too-long audience-mismatch subject-missing");
}
