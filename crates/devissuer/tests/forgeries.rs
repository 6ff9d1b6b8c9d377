//! Tokens that must be refused, each for its own reason.

use daypass_claims::{ClaimValue, Issuer, KeyId};
use daypass_devissuer::{ForgedAlgorithm, IssuerMode, KeyChoice, MintRequest};
use daypass_token::{FormError, Refusal, SelectError};

use crate::common::{GITHUB, Server, check, github};

async fn github_refusal(server: &Server, request: &MintRequest) -> Refusal {
    let keys = server.keys(&Issuer::parse(GITHUB).unwrap()).await;
    check(&keys, &server.mint(request).await).unwrap_err()
}

#[tokio::test]
async fn a_rogue_key_has_the_name_of_the_real_one_and_only_the_signature_tells() {
    let server = Server::start(IssuerMode::True).await;
    let rogue = github().key(KeyChoice::Rogue);
    assert_eq!(github_refusal(&server, &rogue).await, Refusal::Signature);
    // The same after a rotation: the name is always the current one.
    server.control("rotate", &serde_json::json!({})).await;
    assert_eq!(github_refusal(&server, &rogue).await, Refusal::Signature);
    let fresh = KeyId::parse("of-its-own").unwrap();
    let named = MintRequest { kid: Some(fresh.clone()), ..rogue };
    assert_eq!(github_refusal(&server, &named).await, Refusal::Key(SelectError::UnknownKeyId(fresh)));
    server.stop().await;
}

#[tokio::test]
async fn a_retired_key_is_unknown_though_it_was_published_once() {
    let server = Server::start(IssuerMode::True).await;
    let retired = github().key(KeyChoice::Retired);
    // No key was withdrawn yet: there is one all the same.
    assert_eq!(github_refusal(&server, &retired).await.code(), "key-id-unknown");

    let issuer = Issuer::parse(GITHUB).unwrap();
    let before = server.keys(&issuer).await;
    server.control("rotate", &serde_json::json!({ "scope": "github-actions" })).await;
    server.control("remove-key", &serde_json::json!({ "scope": GITHUB })).await;
    let token = server.mint(&retired).await;
    assert!(check(&before, &token).is_ok(), "it was good before it was withdrawn");
    assert_eq!(server.verify(&issuer, &token).await.unwrap_err().code(), "key-id-unknown");
    server.stop().await;
}

#[tokio::test]
async fn another_issuers_key_vouches_for_nothing() {
    let server = Server::start(IssuerMode::True).await;
    let of = |key_of: &str| MintRequest { key_of: Some(key_of.to_owned()), ..github() };
    let foreign = of("gitlab-com");
    assert_eq!(github_refusal(&server, &foreign).await.code(), "key-id-unknown");
    // Another organisation's issuer on the same platform.
    let org = "https://oidc.circleci.com/org/99999999-0000-4000-8000-000000000001";
    assert_eq!(github_refusal(&server, &of(org)).await.code(), "key-id-unknown");
    // Under the name of GitHub's own key.
    let own = server.keys(&Issuer::parse(GITHUB).unwrap()).await;
    let kid = own.keys().next().unwrap().key_id().cloned();
    assert_eq!(github_refusal(&server, &MintRequest { kid, ..foreign.clone() }).await, Refusal::Signature);
    // It is GitLab's key: what it signs for GitLab is good.
    let gitlab = Issuer::parse("https://gitlab.com").unwrap();
    let theirs = server.keys(&gitlab).await;
    let token = server.mint(&MintRequest::new("gitlab-com")).await;
    assert!(check(&theirs, &token).is_ok());
    let swapped = server.mint(&foreign).await;
    assert_eq!(check(&theirs, &swapped).unwrap_err().code(), "issuer-mismatch");
    server.stop().await;
}

#[tokio::test]
async fn signatures_that_are_none_are_refused_by_their_algorithm() {
    let server = Server::start(IssuerMode::True).await;
    let forged = |alg| MintRequest { alg: Some(alg), ..github() };
    let none = github_refusal(&server, &forged(ForgedAlgorithm::None)).await;
    assert_eq!(none, Refusal::Form(FormError::AlgorithmNone));
    let hmac = github_refusal(&server, &forged(ForgedAlgorithm::HS256)).await;
    assert_eq!(hmac.code(), "algorithm-hmac");
    server.stop().await;
}

#[tokio::test]
async fn a_claim_can_be_anything_and_is_refused_for_what_it_is() {
    let server = Server::start(IssuerMode::True).await;
    for (request, code) in [
        (github().claim("iss", format!("{GITHUB}/")), "issuer-mismatch"),
        (github().without("iss"), "issuer-missing"),
        (github().without("exp"), "expiry-missing"),
        (github().without("sub"), "subject-missing"),
        (github().claim("sub", ClaimValue::Null), "subject-malformed"),
        (github().claim("aud", vec!["sts.amazonaws.com", "other"]).claim("aud", true), "audience-malformed"),
        (github().claim("iat", "now"), "time-malformed"),
    ] {
        assert_eq!(github_refusal(&server, &request).await.code(), code);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_dates_tokens_wrongly() {
    let server = Server::start(IssuerMode::True).await;
    let refusal = async |seconds: i64| {
        let status = server.control("skew", &serde_json::json!({ "seconds": seconds })).await;
        assert_eq!(status.skew, seconds);
        server.verify(&Issuer::parse(GITHUB).unwrap(), &server.mint(&github()).await).await.err()
    };
    assert_eq!(refusal(3_600).await.unwrap().code(), "token-not-yet-valid");
    assert_eq!(refusal(300).await.unwrap().code(), "issued-in-future");
    assert_eq!(refusal(-3_600).await.unwrap().code(), "token-expired");
    assert!(refusal(0).await.is_none());
    server.stop().await;
}
