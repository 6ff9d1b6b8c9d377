//! Keys: their rotation, their file, and that each issuer has its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use daypass_claims::Issuer;
use daypass_devissuer::{DevIssuer, IssuerMode, KeyError, KeyFile, KeyState, NoStore, StartError, Status};
use daypass_token::{JwksLimits, KeySet};
use serde_json::json;

use crate::common::{GITHUB, Server, check, github, options};

fn github_keys(status: &Status) -> Vec<(String, KeyState)> {
    let keys = &status.issuers[&Issuer::parse(GITHUB).unwrap()];
    keys.iter().map(|key| (key.kid.as_str().to_owned(), key.state)).collect()
}

#[tokio::test]
async fn old_tokens_verify_after_a_rotation_until_their_key_is_removed() {
    let server = Server::start(IssuerMode::True).await;
    let issuer = Issuer::parse(GITHUB).unwrap();
    let old = server.mint(&github()).await;
    let status = server.control("rotate", &json!({ "scope": "github-actions" })).await;
    let new = server.mint(&github()).await;
    let first = server.verify(&issuer, &old).await.unwrap().key_id().cloned().unwrap();
    let second = server.verify(&issuer, &new).await.unwrap().key_id().cloned().unwrap();
    assert_ne!(first, second);
    let expected = |state| vec![(first.to_string(), state), (second.to_string(), KeyState::Published)];
    assert_eq!(github_keys(&status), expected(KeyState::Published));

    let status = server.control("remove-key", &json!({ "scope": "github-actions" })).await;
    assert_eq!(github_keys(&status), expected(KeyState::Withdrawn));
    assert_eq!(server.verify(&issuer, &old).await.unwrap_err().code(), "key-id-unknown");
    assert!(server.verify(&issuer, &new).await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn an_issuer_that_loses_its_current_key_gets_a_new_one() {
    let server = Server::start(IssuerMode::True).await;
    let issuer = Issuer::parse(GITHUB).unwrap();
    let token = server.mint(&github()).await;
    let kid = server.verify(&issuer, &token).await.unwrap().key_id().cloned();
    let status = server.control("remove-key", &json!({ "scope": "github-actions", "kid": kid })).await;
    let states: Vec<KeyState> = github_keys(&status).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [KeyState::Withdrawn, KeyState::Published]);
    assert_eq!(server.verify(&issuer, &token).await.unwrap_err().code(), "key-id-unknown");
    assert!(server.verify(&issuer, &server.mint(&github()).await).await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn a_rotation_without_scope_is_of_every_issuer_that_has_keys() {
    let server = Server::start(IssuerMode::True).await;
    for platform in ["github-actions", "gitlab-com"] {
        server.mint(&daypass_devissuer::MintRequest::new(platform)).await;
    }
    let status = server.control("rotate", &json!({})).await;
    let counts: Vec<usize> = status.issuers.values().map(Vec::len).collect();
    assert_eq!(counts, [2, 2]);
    server.stop().await;
}

#[tokio::test]
async fn each_issuer_has_keys_of_its_own_and_in_process_they_are_the_same() {
    let server = Server::start(IssuerMode::True).await;
    let mut names = BTreeSet::new();
    for url in [GITHUB, "https://gitlab.com", "https://oidc.circleci.com"] {
        let issuer = Issuer::parse(url).unwrap();
        let fetched = server.keys(&issuer).await;
        let own = serde_json::to_vec(&server.dev.jwks_for(&issuer).unwrap()).unwrap();
        let (own, _) = KeySet::from_jwks(issuer, &own, JwksLimits::default()).unwrap();
        let ids = |set: &KeySet| set.keys().map(|key| key.key_id().cloned()).collect::<Vec<_>>();
        assert_eq!(ids(&own), ids(&fetched));
        assert!(own.development_key().is_some(), "whoever refuses development keys knows them");
        names.extend(ids(&own));
    }
    assert_eq!(names.len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn keys_outlive_the_process_with_their_history() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("issuer-keys.json");
    let issuer = Issuer::parse(GITHUB).unwrap();
    let server = Server::with(IssuerMode::True, Box::new(KeyFile::new(&path))).await;
    let withdrawn = server.mint(&github()).await;
    server.control("rotate", &json!({})).await;
    let status = server.control("remove-key", &json!({ "scope": "github-actions" })).await;
    let token = server.mint(&github()).await;
    server.stop().await;

    let server = Server::with(IssuerMode::True, Box::new(KeyFile::new(&path))).await;
    assert_eq!(github_keys(&server.dev.status()), github_keys(&status));
    assert!(server.verify(&issuer, &token).await.is_ok());
    assert!(check(&server.keys(&issuer).await, &withdrawn).is_err());
    server.stop().await;
}

#[test]
fn keys_of_the_other_mode_are_kept_and_those_of_another_port_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let file = KeyFile::new(directory.path().join("issuer-keys.json"));
    let run = |address: &str, mode| {
        let dev = DevIssuer::new(address.parse().unwrap(), options(mode, Box::new(file.clone()))).unwrap();
        dev.jwks_for(&dev.issuer_of("github-actions", None).unwrap()).unwrap();
        dev.status()
    };
    let first = run("127.0.0.1:8090", IssuerMode::True);
    let elsewhere = run("127.0.0.1:8091", IssuerMode::Loopback);
    assert_eq!(elsewhere.issuers.len(), 1, "the true issuer is not played");
    run("127.0.0.1:8092", IssuerMode::Loopback);
    let saved = std::fs::read_to_string(file.path()).unwrap();
    assert!(saved.contains(GITHUB) && saved.contains(":8092/") && !saved.contains(":8091/"));
    assert_eq!(run("127.0.0.1:8090", IssuerMode::True), first);
}

#[test]
fn a_key_file_that_is_not_ours_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = KeyFile::new(directory.path().join("issuer-keys.json"));
    let address = "127.0.0.1:8090".parse().unwrap();
    let open = |file: &KeyFile| DevIssuer::new(address, options(IssuerMode::True, Box::new(file.clone())));
    let dev = open(&file).unwrap();
    dev.jwks_for(&Issuer::parse(GITHUB).unwrap()).unwrap();
    let good = std::fs::read_to_string(file.path()).unwrap();

    let refusal = |text: String| {
        std::fs::write(file.path(), text).unwrap();
        match open(&file) {
            Err(StartError::Keys(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(refusal("{}".to_owned()), KeyError::Document(_)));
    let newer = good.replace("\"version\": 1", "\"version\": 2");
    assert!(matches!(refusal(newer), KeyError::Version { found: 2 }));
    let real = good.replace("daypass-dev-", "2026-");
    assert!(matches!(refusal(real), KeyError::NotDevelopment { .. }));
    let broken = good.replace("\"private_key\": \"M", "\"private_key\": \"!");
    assert!(matches!(refusal(broken), KeyError::PrivateKey { .. }));
    let swapped = good.replace("\"RS256\"", "\"ES256\"");
    assert!(matches!(refusal(swapped), KeyError::PrivateKey { .. }));
    let unknown = good.replace("\"RS256\"", "\"PS256\"");
    assert!(matches!(refusal(unknown), KeyError::Sign(_)));
    for error in [refusal("{".to_owned()), refusal(good.replace("\"M", "\"?"))] {
        assert!(!good.split('"').any(|part| part.len() > 400 && error.to_string().contains(part)), "{error}");
    }
}

#[test]
fn a_key_that_cannot_be_saved_is_not_used() {
    #[derive(Debug, Default)]
    struct Full;

    impl daypass_devissuer::KeyStore for Full {
        fn load(&self) -> std::io::Result<Option<zeroize::Zeroizing<Vec<u8>>>> {
            Ok(None)
        }

        fn save(&self, _document: &[u8]) -> std::io::Result<()> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
    }

    let dev = DevIssuer::new("127.0.0.1:8090".parse().unwrap(), options(IssuerMode::True, Box::new(Full)));
    let dev = dev.unwrap();
    let error = dev.mint(&github()).unwrap_err();
    assert_eq!((error.code(), error.is_callers()), ("keys-unavailable", false));
    assert!(dev.status().issuers.is_empty());
}

#[test]
fn nothing_shows_a_private_key() {
    let dev = DevIssuer::new("127.0.0.1:8090".parse().unwrap(), options(IssuerMode::True, Box::new(NoStore)));
    let dev = Arc::new(dev.unwrap());
    dev.mint(&github()).unwrap();
    let shown = format!("{dev:?}");
    assert_eq!(shown, "DevIssuer { address: 127.0.0.1:8090, mode: True, .. }");
}
