//! One token, used as often as it may be, on any number of replicas; an identical request is answered identically.

use std::time::Duration;

use daypass_claims::Clock;
use daypass_exchange::credential::Secret;
use daypass_exchange::record::Outcome;
use daypass_exchange::{Admitted, Wire};
use daypass_store::KeyPurpose;

use crate::support::{World, config_text};

fn secrets(admitted: &Admitted) -> Vec<String> {
    match admitted.credential.secret() {
        Secret::AwsSession { access_key_id, secret_access_key, session_token } => {
            vec![access_key_id.clone(), secret_access_key.to_string(), session_token.to_string()]
        }
        Secret::Jwt { token, .. } => vec![token.to_string()],
    }
}

#[tokio::test]
async fn a_token_is_used_once_on_the_oauth_wire() {
    let world = World::new().await;
    let token = world.token(&[]);
    world.ask("deploy", &token).await.unwrap();
    let mut second = world.request("deploy", &token);
    second.session_name = Some("other".into());
    let refused = world.exchange.exchange(second).await.unwrap_err();
    assert_eq!(refused.refusal.code(), "token-used");
    assert!(refused.hint.contains("2026-09-21T14:13:20Z"), "the first use's time is told: {}", refused.hint);
    let (_, record) = world.last_record().await;
    assert_eq!((record.outcome, record.reason.as_deref()), (Outcome::Refused, Some("token-used")));
}

#[tokio::test]
async fn another_role_is_another_use_of_the_same_token() {
    let world = World::new().await;
    let token = world.token(&[]);
    world.ask("deploy", &token).await.unwrap();
    assert_eq!(world.refusal("token", &token).await, "token-used");
}

#[tokio::test]
async fn sdks_may_present_their_token_file_again_and_each_use_is_counted() {
    let world = World::new().await;
    let token = world.token(&[]);
    for ordinal in 1..=32 {
        let mut request = world.request("deploy", &token);
        (request.wire, request.session_name) = (Wire::AwsQuery, Some(format!("run-{ordinal}")));
        world.exchange.exchange(request).await.unwrap();
        let (_, record) = world.last_record().await;
        assert_eq!(record.token_use.unwrap().ordinal, ordinal);
    }
    let mut request = world.request("deploy", &token);
    (request.wire, request.session_name) = (Wire::AwsQuery, Some("run-33".into()));
    assert_eq!(world.exchange.exchange(request).await.unwrap_err().refusal.code(), "token-used");
}

#[tokio::test]
async fn an_identical_request_gets_the_identical_answer_from_any_replica() {
    let world = World::new().await;
    let replica = world.again().await;
    for role in ["deploy", "token"] {
        let token = world.token(&[("jti", role.into())]);
        let first = world.ask(role, &token).await.unwrap();
        world.clock.advance(Duration::from_secs(59));
        for other in [&world, &replica] {
            let again = other.ask(role, &token).await.unwrap();
            assert_eq!(secrets(&again), secrets(&first), "{role}");
            assert_eq!(again.credential.id(), first.credential.id());
            assert_eq!(again.credential.expires_at(), first.credential.expires_at());
            let (_, record) = other.last_record().await;
            assert_eq!(record.token_use.unwrap().retry_of, Some(first.decision.to_string()));
        }
        world.clock.advance(Duration::from_secs(2));
        assert_eq!(world.refusal(role, &token).await, "token-used", "{role}: after the window it is a use");
    }
}

#[tokio::test]
async fn a_retry_gets_its_answer_though_the_keys_have_been_rotated() {
    let world = World::new().await;
    let replica = world.again().await;
    for purpose in [KeyPurpose::Sign, KeyPurpose::Seal] {
        let now = world.clock.now();
        world
            .exchange
            .ring()
            .rotate(world.exchange.store(), world.exchange.random(), now, purpose, false)
            .await
            .unwrap();
    }
    // The last moment before the next sealing key is in use; by then every replica has it.
    world.clock.advance(Duration::from_secs(59));
    let mut first = Vec::new();
    for role in ["deploy", "token"] {
        let token = world.token(&[("jti", role.into())]);
        first.push((role, secrets(&world.ask(role, &token).await.unwrap()), token));
    }
    world.clock.advance(Duration::from_secs(2));
    for other in [&world, &replica] {
        other.exchange.refresh().await.unwrap();
        for (role, answer, token) in &first {
            assert_eq!(secrets(&other.ask(role, token).await.unwrap()), *answer, "{role}");
        }
        assert_eq!(other.exchange.ring().keys().seal().generation(), 2);
    }
}

#[tokio::test]
async fn what_is_kept_for_a_retry_opens_nothing_without_the_token() {
    let world = World::new().await;
    let token = world.token(&[]);
    let first = world.ask("token", &token).await.unwrap();
    let issued = secrets(&first).remove(0);
    let file = std::fs::read(world.directory.path().join("data/daypass.sqlite3")).unwrap();
    let wal = std::fs::read(world.directory.path().join("data/daypass.sqlite3-wal")).unwrap_or_default();
    let signature = issued.rsplit('.').next().unwrap();
    for bytes in [file, wal] {
        assert!(!bytes.windows(signature.len()).any(|window| window == signature.as_bytes()));
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
}

#[tokio::test]
async fn many_at_once_share_exactly_the_uses_there_are() {
    let world = World::with(&config_text("").replacen(
        "max_session = \"1h\"",
        "max_session = \"1h\"\nmax_uses = 5",
        1,
    ))
    .await;
    let token = world.token(&[]);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (exchange, mut request) = (world.exchange.clone(), world.request("deploy", &token));
        request.session_name = Some(format!("run-{n}"));
        tasks.spawn(async move { exchange.exchange(request).await.is_ok() });
    }
    let admitted = tasks.join_all().await.into_iter().filter(|admitted| *admitted).count();
    assert_eq!(admitted, 5);
}

#[tokio::test]
async fn a_token_without_an_id_is_told_by_what_was_signed_not_by_its_signature() {
    let world = World::new().await;
    let mut claims = world.claims();
    claims.remove("jti");
    // ECDSA signs differently each time: two signatures, one token.
    let (one, other) = (world.signed(&claims), world.signed(&claims));
    assert_ne!(one, other);
    world.ask("deploy", &one).await.unwrap();
    assert_eq!(world.refusal("deploy", &other).await, "token-used");
}
