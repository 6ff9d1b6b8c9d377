//! Replicas over one store, whose clocks differ.

use std::time::Duration;

use daypass_claims::{Clock, Timestamp};
use daypass_exchange::keys::{Kek, KeyRing};
use daypass_store::{KeyPurpose, SqliteOptions, SqliteStore, StoredKey};

use crate::support::{GITHUB, World, config_text, jwks};

/// The ring of a replica whose clock says `now`.
async fn ring(world: &World, store: &SqliteStore, now: Timestamp) -> KeyRing {
    let signing = world.exchange.config().signing.clone();
    KeyRing::open(store, Kek::new(&[7; 32]).unwrap(), signing, world.exchange.random(), now).await.unwrap()
}

#[tokio::test]
async fn replicas_that_start_at_one_moment_have_the_same_keys_whatever_their_clocks_say() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let store =
        SqliteStore::open(directory.path(), &SqliteOptions { create: true, ..Default::default() }).unwrap();
    let now = world.clock.now();
    let ahead = ring(&world, &store, now + Duration::from_secs(3)).await;
    let behind = ring(&world, &store, now).await;
    assert!(behind.keys().signer(None).is_some());
    assert_eq!(behind.keys().jwks(), ahead.keys().jwks());
    assert_eq!(behind.keys().seal().generation(), ahead.keys().seal().generation());
    assert_eq!(behind.keys().audit().key_id(), ahead.keys().audit().key_id());
    for purpose in [KeyPurpose::Sign, KeyPurpose::Seal, KeyPurpose::Audit] {
        let keys: Vec<StoredKey> = daypass_store::Store::keys(&store, purpose).await.unwrap();
        assert_eq!(keys.len(), 1, "{purpose}");
    }
}

#[tokio::test]
async fn a_key_that_has_leaked_is_out_of_use_on_a_replica_whose_clock_is_behind() {
    let world = World::new().await;
    let (store, random, now) = (world.exchange.store(), world.exchange.random(), world.clock.now());
    let signer = || world.exchange.ring().keys().signer(None).unwrap().key_id().clone();
    let leaked = signer();
    let other = world.again().await;
    other
        .exchange
        .ring()
        .rotate(store, random, now + Duration::from_secs(3), KeyPurpose::Sign, true)
        .await
        .unwrap();
    world.exchange.refresh().await.unwrap();
    assert_ne!(signer(), leaked);
    assert_eq!(world.exchange.ring().keys().jwks(), other.exchange.ring().keys().jwks());
    assert!(!world.exchange.ring().keys().jwks().contains(leaked.as_str()));
}

#[tokio::test]
async fn keys_that_are_pushed_to_one_replica_are_taken_up_by_the_others() {
    let text = config_text("").replace("jwks_file = \"github.jwks.json\"", "pushed_keys = true");
    let world = World::with(&text).await;
    let other = world.again().await;
    let pushed = |document: String| daypass_store::StoredJwks {
        issuer: crate::support::issuer(GITHUB),
        origin: daypass_store::JwksOrigin::Pushed,
        document,
        at: world.clock.now(),
    };
    assert_eq!(other.refusal("deploy", &world.token(&[])).await, "keys-unavailable");
    world.exchange.store().put_jwks(pushed(jwks(&[&world.key]))).await.unwrap();
    other.exchange.refresh().await.unwrap();
    other.ask("deploy", &world.token(&[("jti", "1".into())])).await.unwrap();
    // What cannot be used changes nothing.
    world.exchange.store().put_jwks(pushed("{}".to_owned())).await.unwrap();
    other.exchange.refresh().await.unwrap();
    other.ask("deploy", &world.token(&[("jti", "2".into())])).await.unwrap();
    world.exchange.store().put_jwks(pushed(jwks(&[&crate::support::key()]))).await.unwrap();
    other.exchange.refresh().await.unwrap();
    assert_eq!(other.refusal("deploy", &world.token(&[("jti", "3".into())])).await, "key-id-unknown");
}
