//! Sessions that leave, and what becomes of them.

use std::collections::BTreeMap;
use std::time::Duration;

use daypass_claims::Clock;
use daypass_exchange::credential::{
    ProvenSession, SealedSession, Secret, SessionRefusal, access_key_is_ours,
};
use daypass_exchange::{Admitted, Client, SessionPolicy, SessionRequest};
use daypass_store::{KeyPurpose, Revocation, Selector};

use crate::support::{World, config_text};

fn keys(admitted: &Admitted) -> (String, String, String) {
    let Secret::AwsSession { access_key_id, secret_access_key, session_token } = admitted.credential.secret()
    else {
        panic!("no AWS session")
    };
    (access_key_id.clone(), secret_access_key.to_string(), session_token.to_string())
}

fn prove(world: &World, admitted: &Admitted) -> Result<ProvenSession, SessionRefusal> {
    let (id, secret, token) = keys(admitted);
    let ring = world.exchange.ring().keys();
    SealedSession::open(&ring, "123456789012", &token)?.prove(
        &id,
        &world.exchange.revocations(),
        world.clock.now(),
        |own| own == secret,
    )
}

#[tokio::test]
async fn any_replica_knows_a_session_by_itself() {
    let world = World::new().await;
    let admitted = world.ask("deploy", &world.token(&[])).await.unwrap();
    let replica = world.again().await;
    let session = prove(&replica, &admitted).unwrap();
    assert_eq!(session.arn(), "arn:aws:sts::123456789012:assumed-role/deploy/run-1");
    assert_eq!(session.session().run.as_deref(), Some("77"));
    assert_eq!(session.session().repository.as_deref(), Some("2002"));
    let (id, ..) = keys(&admitted);
    assert!(access_key_is_ours(&replica.exchange.ring().keys(), &id));
    assert!(!access_key_is_ours(&replica.exchange.ring().keys(), "ASIAIOSFODNN7EXAMPLE"));
}

#[tokio::test]
async fn a_session_is_refused_when_anything_about_it_is_wrong() {
    let world = World::new().await;
    let admitted = world.ask("deploy", &world.token(&[])).await.unwrap();
    let (id, secret, token) = keys(&admitted);
    let ring = world.exchange.ring().keys();
    let open = |account: &str, token: &str| SealedSession::open(&ring, account, token);
    assert_eq!(open("123456789013", &token).unwrap_err(), SessionRefusal::Token, "another account");
    assert_eq!(open("123456789012", token.strip_prefix('d').unwrap()).unwrap_err(), SessionRefusal::Token);
    assert_eq!(
        open("123456789012", &token.replacen("dps1_", "dps2_", 1)).unwrap_err(),
        SessionRefusal::Token
    );
    let mut damaged = token.clone().into_bytes();
    damaged[30] = if damaged[30] == b'A' { b'B' } else { b'A' };
    let damaged = String::from_utf8(damaged).unwrap();
    assert_eq!(open("123456789012", &damaged).unwrap_err(), SessionRefusal::Token);
    let prove = |id: &str, matches: bool| {
        let sealed = open("123456789012", &token).unwrap();
        sealed.prove(id, &world.exchange.revocations(), world.clock.now(), |own| matches && own == secret)
    };
    assert!(prove(&id, true).is_ok());
    assert_eq!(prove("ASIAIOSFODNN7EXAMPLE", true).unwrap_err(), SessionRefusal::AccessKey);
    assert_eq!(prove(&id, false).unwrap_err(), SessionRefusal::Signature);
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(prove(&id, true).unwrap_err(), SessionRefusal::Expired);
}

#[tokio::test]
async fn revocations_reach_every_replica_with_the_next_reading() {
    let selectors = |admitted: &Admitted| {
        let github = crate::support::GITHUB.to_owned();
        vec![
            Selector::Role("deploy".into()),
            Selector::Run { issuer: github.clone(), run: "77".into() },
            Selector::Repository { issuer: github, repository: "2002".into() },
            Selector::Credential(admitted.credential.id().to_string()),
            Selector::Credential(admitted.credential.access_key_id().unwrap().to_owned()),
        ]
    };
    for which in 0..5 {
        let world = World::new().await;
        let replica = world.again().await;
        let admitted = world.ask("deploy", &world.token(&[])).await.unwrap();
        world.clock.advance(Duration::from_secs(2));
        let now = world.clock.now();
        let selector = selectors(&admitted).remove(which);
        let revocation =
            Revocation { selector, not_before: now, forget_at: now + Duration::from_secs(90_000) };
        world.exchange.store().revoke(revocation).await.unwrap();
        assert!(prove(&replica, &admitted).is_ok(), "not read yet");
        replica.exchange.refresh().await.unwrap();
        assert_eq!(prove(&replica, &admitted).unwrap_err(), SessionRefusal::Revoked);
        let later = replica.ask("deploy", &replica.token(&[("jti", "later".into())])).await.unwrap();
        assert!(prove(&replica, &later).is_ok(), "what is issued afterwards lives");
    }
}

#[tokio::test]
async fn sealing_keys_rotate_without_ending_sessions_unless_they_leaked() {
    let world = World::new().await;
    let admitted = world.ask("deploy", &world.token(&[])).await.unwrap();
    let rotate = async |at_once| {
        let exchange = &world.exchange;
        let now = world.clock.now();
        exchange
            .ring()
            .rotate(exchange.store(), exchange.random(), now, KeyPurpose::Seal, at_once)
            .await
            .unwrap();
    };
    rotate(false).await;
    world.clock.advance(Duration::from_secs(120));
    world.exchange.refresh().await.unwrap();
    assert_eq!(world.exchange.ring().keys().seal().generation(), 2);
    assert!(prove(&world, &admitted).is_ok());
    rotate(true).await;
    assert_eq!(prove(&world, &admitted).unwrap_err(), SessionRefusal::Token);
}

#[tokio::test]
async fn a_session_assumes_another_role_only_where_that_roles_trust_names_it() {
    let chained =
        "[[role]]\nname = \"second\"\nmax_session = \"2h\"\n[[role.trust]]\nfrom_role = \"deploy\"\n";
    let world = World::with(&config_text(chained)).await;
    let admitted = world.ask("deploy", &world.token(&[])).await.unwrap();
    let first = prove(&world, &admitted).unwrap();
    let client = Client { address: "192.0.2.9".parse().unwrap(), user_agent: None, secure: true };
    let wanted = |duration| SessionRequest {
        session_name: "chained",
        duration,
        tags: BTreeMap::new(),
        transitive_tags: Vec::new(),
        source_identity: None,
        external_id: None,
        client: &client,
        received_at: world.clock.now(),
    };
    let assume = async |role: &str, duration| {
        let none = SessionPolicy::default();
        let wanted = wanted(duration);
        world
            .exchange
            .assume_from_session(&first, role, &wanted, &none)
            .await
            .map_err(|refused| refused.refusal.code())
    };
    let second = assume("second", None).await.unwrap();
    assert_eq!(second.who.arn, "arn:aws:sts::123456789012:assumed-role/second/chained");
    assert_eq!(
        second.credential.expires_at(),
        admitted.credential.expires_at(),
        "never past the first session"
    );
    let (_, record) = world.last_record().await;
    assert_eq!(record.action, "assume-role");
    assert_eq!(record.from_session.as_deref(), Some(first.access_key_id()));
    assert_eq!(assume("deploy", None).await.unwrap_err(), "trust-denied");
    assert_eq!(assume("nobody", None).await.unwrap_err(), "role-unknown");
    assert_eq!(assume("second", Some(Duration::from_secs(3_601))).await.unwrap_err(), "session-too-long");
    world.clock.advance(Duration::from_secs(1_800));
    let later = assume("second", None).await.unwrap();
    assert_eq!(later.credential.expires_at(), admitted.credential.expires_at());
}
