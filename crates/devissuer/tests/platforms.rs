//! Each platform: its documents and its tokens hold together, from one end to the other.

use daypass_claims::{Audience, ClaimValue, Issuer};
use daypass_devissuer::{IssuerMode, MintRequest};
use daypass_issuers::{Fit, catalogue};
use daypass_token::{DEVELOPMENT_KEY_PREFIX, Refusal, UnverifiedToken};

use crate::common::{GITHUB, NOW, Server, check, claims, github, issuer_of};

async fn every_variant_verifies(mode: IssuerMode) {
    let server = Server::start(mode).await;
    for platform in catalogue().platforms() {
        for variant in &platform.variants {
            let about = format!("{} {}", platform.id, variant.name);
            let token = server.mint(&MintRequest::new(&platform.id).variant(&variant.name)).await;
            let issuer = issuer_of(&token);
            assert_eq!(issuer.is_loopback(), mode == IssuerMode::Loopback, "{about}: {issuer}");
            assert_eq!(server.dev.issuer_of(&platform.id, Some(&variant.name)).unwrap(), issuer);
            match server.verify(&issuer, &token).await {
                Ok(verified) => {
                    assert!(verified.key_id().unwrap().as_str().starts_with(DEVELOPMENT_KEY_PREFIX));
                    for (name, value) in verified.claims().iter() {
                        let spec = platform.claims.get(name.as_str()).unwrap();
                        assert_ne!(spec.fit(value), Fit::Mismatch, "{about}: {name}");
                    }
                }
                // What goes into some subjects was not established; such tokens have none.
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::SubjectMissing, "{about}");
                    assert!(platform.subjects.is_empty(), "{about}");
                }
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn every_variant_of_every_platform_verifies_under_its_true_issuer() {
    every_variant_verifies(IssuerMode::True).await;
}

#[tokio::test]
async fn every_variant_of_every_platform_verifies_under_a_loopback_issuer() {
    every_variant_verifies(IssuerMode::Loopback).await;
}

#[tokio::test]
async fn a_token_without_wishes_is_that_of_a_push_to_main_for_aws() {
    let server = Server::start(IssuerMode::True).await;
    let token = server.mint(&github()).await;
    let said = claims(&token);
    let text = |name: &str| said.get(name).and_then(ClaimValue::as_str).unwrap().to_owned();
    assert_eq!(text("iss"), GITHUB);
    assert_eq!(text("aud"), "sts.amazonaws.com");
    assert_eq!(text("sub"), "repo:acme/app:ref:refs/heads/main");
    assert_eq!(UnverifiedToken::parse(&token).unwrap().header().typ(), Some("JWT"));
    let number = |name: &str| said.get(name).unwrap().to_string().parse::<i64>().unwrap() - NOW.as_secs();
    assert_eq!((number("iat"), number("exp"), number("nbf")), (0, 300, -600));
    server.stop().await;
}

#[tokio::test]
async fn what_follows_from_a_claim_follows_and_so_does_the_issuer() {
    let server = Server::start(IssuerMode::Loopback).await;
    let token = server
        .mint(
            &github().claim("repository", "acme/web").claim("environment", "production").without("head_ref"),
        )
        .await;
    let said = claims(&token);
    assert_eq!(said.get("sub").unwrap().as_str(), Some("repo:acme/web:environment:production"));
    assert!(!said.contains("head_ref"));

    let org = "99999999-0000-4000-8000-000000000001";
    let circleci = MintRequest::new("circleci");
    let token = server.mint(&circleci.clone().claim("oidc.circleci.com/org-id", org)).await;
    assert_eq!(issuer_of(&token).as_str(), server.url(&format!("/circleci/org/{org}")));
    server.verify(&issuer_of(&token), &token).await.unwrap();

    // The other way round, by the name that the issuer has at home or here.
    for named in [format!("https://oidc.circleci.com/org/{org}"), server.url(&format!("/circleci/org/{org}"))]
    {
        let token = server.mint(&circleci.clone().claim("iss", named)).await;
        assert_eq!(claims(&token).get("oidc.circleci.com/org-id").unwrap().as_str(), Some(org));
        server.verify(&issuer_of(&token), &token).await.unwrap();
    }
    server.stop().await;
}

#[tokio::test]
async fn an_audience_is_asked_for_or_the_platforms_own_or_that_of_aws() {
    let server = Server::start(IssuerMode::True).await;
    let audience =
        async |request: &MintRequest| claims(&server.mint(request).await).get("aud").unwrap().to_string();
    let named = Audience::parse("sts.example.com").unwrap();
    assert_eq!(audience(&github().audience(named)).await, r#""sts.example.com""#);
    let own = MintRequest { audience: Some(vec![]), ..github() };
    assert_eq!(audience(&own).await, r#""https://github.com/acme""#);
    assert_eq!(audience(&MintRequest::new("azure-devops")).await, r#""api://AzureADTokenExchange""#);
    server.stop().await;
}

#[tokio::test]
async fn a_lifetime_is_counted_from_now_and_may_be_over() {
    let server = Server::start(IssuerMode::True).await;
    let issuer = Issuer::parse(GITHUB).unwrap();
    let keys = server.keys(&issuer).await;
    let lives = async |seconds: i64| check(&keys, &server.mint(&github().lifetime(seconds)).await);
    let verified = lives(3_600).await.unwrap();
    assert_eq!((verified.issued_at(), verified.expires_at().as_secs()), (NOW, NOW.as_secs() + 3_600));
    let verified = lives(10).await.unwrap();
    assert_eq!(verified.issued_at().as_secs(), NOW.as_secs() - 290);
    assert_eq!(lives(-600).await.unwrap_err().code(), "token-expired");
    assert_eq!(lives(25 * 3_600).await.unwrap_err().code(), "lifetime-too-long");
    server.stop().await;
}

#[tokio::test]
async fn circleci_publishes_the_members_that_its_documentation_shows() {
    let server = Server::start(IssuerMode::Loopback).await;
    let org = "0a1b2c3d-0000-4000-8000-000000000001";
    let (status, body) =
        server.get(&server.url(&format!("/circleci/org/{org}/.well-known/openid-configuration"))).await;
    assert_eq!(status, 200);
    let text = String::from_utf8(body).unwrap().replace(server.dev.url(), "http://BASE");
    insta::assert_snapshot!(text, @r#"{"issuer":"http://BASE/circleci/org/0a1b2c3d-0000-4000-8000-000000000001","jwks_uri":"http://BASE/circleci/org/0a1b2c3d-0000-4000-8000-000000000001/.well-known/jwks-pub.json","response_types_supported":["id_token"],"id_token_signing_alg_values_supported":["RS256"],"claims_supported":["aud","sub","iss","iat","exp","oidc.circleci.com/project-id","oidc.circleci.com/context-ids","oidc.circleci.com/vcs-ref","oidc.circleci.com/vcs-origin"]}"#);
    server.stop().await;
}

#[tokio::test]
async fn documents_may_be_kept_as_long_as_configured_and_tokens_may_not() {
    let server = Server::start(IssuerMode::True).await;
    let cache = async |response: reqwest::RequestBuilder| {
        let response = response.send().await.unwrap();
        response.headers().get("cache-control").unwrap().to_str().unwrap().to_owned()
    };
    let jwks = server.dev.jwks_url(&Issuer::parse(GITHUB).unwrap()).unwrap();
    assert_eq!(cache(server.http.get(jwks)).await, "public, max-age=300");
    let mint = server.http.post(server.url("/mint")).json(&github());
    assert_eq!(cache(mint).await, "no-store");
    server.stop().await;
}
