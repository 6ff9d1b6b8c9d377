//! Every way in which documents go wrong, as a relying party meets it.

use daypass_claims::Issuer;
use daypass_devissuer::{IssuerMode, Outage, OutageStatus};
use daypass_token::discovery::DiscoveryError;
use daypass_token::{JwksLimits, KeySet, KeySetError};
use serde_json::json;

use crate::common::{GITHUB, Server, check, github, issuer_of};

/// A GitHub of its own on loopback, with a key, a token and an outage.
struct Disturbed {
    server: Server,
    issuer: Issuer,
    token: String,
    jwks: String,
}

impl Disturbed {
    async fn by(outage: &str) -> Self {
        let server = Server::start(IssuerMode::Loopback).await;
        let token = server.mint(&github()).await;
        let issuer = issuer_of(&token);
        let jwks = server.dev.jwks_url(&issuer).unwrap();
        let status = server.outage(json!(outage), Some("github-actions")).await;
        let listed = OutageStatus { issuer: Some(issuer.clone()), outage: outage.parse().unwrap() };
        assert_eq!(status.outages, [listed]);
        Self { server, issuer, token, jwks }
    }

    async fn key_set(&self) -> Result<KeySet, KeySetError> {
        let (status, body) = self.server.get(&self.jwks).await;
        assert_eq!(status, 200);
        KeySet::from_jwks(self.issuer.clone(), &body, JwksLimits::default()).map(|(keys, _)| keys)
    }

    /// Ends the outage; all is well then.
    async fn over(self) {
        let status = self.server.outage(json!(null), None).await;
        assert_eq!(status.outages, []);
        assert!(self.server.verify(&self.issuer, &self.token).await.is_ok());
        self.server.stop().await;
    }
}

#[tokio::test]
async fn unavailable() {
    let disturbed = Disturbed::by("unavailable").await;
    for url in [disturbed.server.dev.discovery_url(&disturbed.issuer).unwrap(), disturbed.jwks.clone()] {
        let response = disturbed.server.http.get(url).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (503, &"1".parse().unwrap())
        );
    }
    disturbed.over().await;
}

#[tokio::test]
async fn garbage() {
    let disturbed = Disturbed::by("garbage").await;
    assert!(matches!(disturbed.server.discovery(&disturbed.issuer).await, Err(DiscoveryError::Json(_))));
    assert!(matches!(disturbed.key_set().await, Err(KeySetError::Json(_))));
    disturbed.over().await;
}

#[tokio::test]
async fn redirect_to_where_the_document_would_be_found() {
    let disturbed = Disturbed::by("redirect").await;
    let response = disturbed.server.http.get(&disturbed.jwks).send().await.unwrap();
    assert_eq!(response.status(), 302);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with("http://localhost:"), "{location}");
    let (status, body) = disturbed.server.get(&location).await;
    assert_eq!(status, 200);
    let (keys, _) = KeySet::from_jwks(disturbed.issuer.clone(), &body, JwksLimits::default()).unwrap();
    assert!(check(&keys, &disturbed.token).is_ok());
    disturbed.over().await;
}

#[tokio::test]
async fn wrong_issuer_by_a_slash() {
    let disturbed = Disturbed::by("wrong-issuer").await;
    let found = disturbed.server.discovery(&disturbed.issuer).await.unwrap_err();
    let slash = format!("{}/", disturbed.issuer);
    assert!(matches!(found, DiscoveryError::IssuerMismatch { found, .. } if found == slash));
    disturbed.over().await;
}

#[tokio::test]
async fn one_malformed_key_beside_the_good_ones() {
    let disturbed = Disturbed::by("malformed-key").await;
    let (_, body) = disturbed.server.get(&disturbed.jwks).await;
    let (keys, warnings) = KeySet::from_jwks(disturbed.issuer.clone(), &body, JwksLimits::default()).unwrap();
    assert_eq!(warnings.iter().map(|warning| warning.index).collect::<Vec<_>>(), [0]);
    assert!(check(&keys, &disturbed.token).is_ok());
    disturbed.over().await;
}

#[tokio::test]
async fn empty_set() {
    let disturbed = Disturbed::by("empty-set").await;
    let error = disturbed.key_set().await.unwrap_err();
    assert!(matches!(error, KeySetError::NoUsableKey(warnings) if warnings.is_empty()));
    disturbed.over().await;
}

#[tokio::test]
async fn huge_and_yet_good_json() {
    let disturbed = Disturbed::by("huge").await;
    let error = disturbed.key_set().await.unwrap_err();
    assert!(matches!(error, KeySetError::TooLarge { bytes, .. } if bytes > 4 * 1024 * 1024));
    let (_, body) = disturbed.server.get(&disturbed.jwks).await;
    let limits = JwksLimits { bytes: body.len(), ..JwksLimits::default() };
    assert!(KeySet::from_jwks(disturbed.issuer.clone(), &body, limits).is_ok());
    disturbed.over().await;
}

#[tokio::test]
async fn slow_until_it_is_over() {
    let disturbed = Disturbed::by("slow").await;
    let mut response = disturbed.server.http.get(&disturbed.jwks).send().await.unwrap();
    let mut body = response.chunk().await.unwrap().unwrap().to_vec();
    assert!(b"{\"keys\":[".starts_with(&body), "{body:?}");
    disturbed.server.outage(json!(null), None).await;
    body.extend(response.bytes().await.unwrap());
    let (keys, _) = KeySet::from_jwks(disturbed.issuer.clone(), &body, JwksLimits::default()).unwrap();
    assert!(check(&keys, &disturbed.token).is_ok());
    disturbed.over().await;
}

#[tokio::test]
async fn hang_until_it_is_over_or_the_server_stops() {
    let disturbed = Disturbed::by("hang").await;
    let held = tokio::spawn(disturbed.server.http.get(&disturbed.jwks).send());
    // Another issuer is served meanwhile.
    disturbed.server.mint(&daypass_devissuer::MintRequest::new("gitlab-com")).await;
    let gitlab = disturbed.server.dev.issuer_of("gitlab-com", None).unwrap();
    disturbed.server.keys(&gitlab).await;
    assert!(!held.is_finished());
    // It goes from bad to worse, and is answered accordingly.
    disturbed.server.outage(json!("unavailable"), Some("github-actions")).await;
    assert_eq!(held.await.unwrap().unwrap().status(), 503);

    disturbed.server.outage(json!("hang"), Some("github-actions")).await;
    let held = tokio::spawn(disturbed.server.http.get(&disturbed.jwks).send());
    disturbed.server.keys(&gitlab).await;
    assert!(!held.is_finished());
    disturbed.server.stop().await;
    assert!(held.await.is_ok());
}

#[tokio::test]
async fn an_outage_is_of_one_issuer_or_of_all_and_tokens_are_minted_as_ever() {
    let server = Server::start(IssuerMode::True).await;
    let status = async |platform: &str| {
        let issuer = server.dev.issuer_of(platform, None).unwrap();
        server.get(&server.dev.jwks_url(&issuer).unwrap()).await.0
    };
    server.outage(json!("unavailable"), Some(GITHUB)).await;
    assert_eq!((status("github-actions").await, status("gitlab-com").await), (503, 200));
    server.outage(json!("unavailable"), None).await;
    assert_eq!((status("github-actions").await, status("gitlab-com").await), (503, 503));
    server.mint(&github()).await;
    let status = server.outage(json!("slow"), Some("gitlab-com")).await;
    let outages: Vec<Outage> = status.outages.iter().map(|listed| listed.outage).collect();
    assert_eq!(outages, [Outage::Unavailable, Outage::Slow]);
    server.stop().await;
}
