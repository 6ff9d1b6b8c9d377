//! Each step refuses with its own reason, and nothing earlier has a say.

use std::time::Duration;

use daypass_claims::ClaimValue;
use daypass_exchange::credential::Secret;
use daypass_exchange::record::Outcome;
use daypass_exchange::{Refusal, Wire};
use daypass_token::sign::TokenHeader;
use daypass_token::{Expectations, KeySet, UnverifiedToken};
use serde_json::Value;

use crate::support::{World, config_text, issuer, key};

#[tokio::test]
async fn the_intended_job_is_admitted_and_everything_about_it_is_on_record() {
    let world = World::new().await;
    let token = world.token(&[]);
    let admitted = world.ask("deploy", &token).await.unwrap();
    let Secret::AwsSession { access_key_id, secret_access_key, .. } = admitted.credential.secret() else {
        panic!()
    };
    assert!(access_key_id.starts_with("ASIA") && access_key_id.len() == 20);
    assert_eq!(secret_access_key.len(), 40);
    assert_eq!(admitted.who.arn, "arn:aws:sts::123456789012:assumed-role/deploy/run-1");
    assert_eq!(
        admitted.credential.expires_at().since(admitted.credential.issued_at()),
        Duration::from_secs(3_600)
    );

    let (record, exchange) = world.last_record().await;
    assert_eq!(record.id, admitted.decision.to_string());
    assert_eq!(exchange.outcome, Outcome::Admitted);
    assert_eq!(exchange.issuer.as_deref(), Some(crate::support::GITHUB));
    let claims: Value = serde_json::from_str(exchange.claims.as_ref().unwrap().as_str()).unwrap();
    assert_eq!(claims["repository_id"], "2002");
    assert_eq!(exchange.statement.as_deref(), Some("trust 1"));
    assert_eq!(exchange.token_sha256.unwrap(), UnverifiedToken::parse(&token).unwrap().digest().to_string());
    assert_eq!(exchange.key_id.as_deref(), Some(world.key.key_id().as_str()));
    assert_eq!(exchange.credential.unwrap().access_key_id.as_deref(), Some(access_key_id.as_str()));
    assert_eq!(exchange.token_use.unwrap().ordinal, 1);
    assert_eq!(exchange.client, "192.0.2.9");
    let body = world.exchange.store().latest(1).await.unwrap().remove(0).body.unwrap();
    let text = String::from_utf8(body.0).unwrap();
    assert!(!text.contains(&token) && !text.contains(secret_access_key.as_str()), "no secret is on record");
}

/// The reason, the role, and how the token differs.
type Case = (&'static str, &'static str, Vec<(&'static str, ClaimValue)>);

#[tokio::test]
async fn each_refusal_has_its_own_reason() {
    let world = World::new().await;
    let now = daypass_claims::Clock::now(&*world.clock).as_secs();
    let text = |text: &str| ClaimValue::from(text);
    let cases: [Case; 12] = [
        ("issuer-unknown", "deploy", vec![("iss", text("https://evil.example"))]),
        ("token-expired", "deploy", vec![("exp", (now - 61).into()), ("iat", (now - 400).into())]),
        ("token-not-yet-valid", "deploy", vec![("nbf", (now + 120).into())]),
        ("audience-mismatch", "deploy", vec![("aud", text("https://other.example"))]),
        ("audience-several", "deploy", vec![("aud", vec!["sts.amazonaws.com", "x"].into())]),
        ("lifetime-too-long", "deploy", vec![("exp", (now + 90_000).into())]),
        ("role-unknown", "nobody", vec![]),
        ("trust-denied", "deploy", vec![("ref", text("refs/heads/feature"))]),
        ("trust-denied", "deploy", vec![("repository_id", text("2003"))]),
        ("trust-denied", "deploy", vec![("repository_owner_id", text("9"))]),
        ("session-claims", "deploy", vec![("https://aws.amazon.com/tags", text("x"))]),
        ("trust-denied", "deploy", vec![("https://aws.amazon.com/source_identity", text("octocat"))]),
    ];
    for (code, role, changes) in cases {
        let shown = format!("{changes:?}");
        assert_eq!(world.refusal(role, &world.token(&changes)).await, code, "{shown}");
        let (_, record) = world.last_record().await;
        assert_eq!(record.reason.as_deref(), Some(code), "the reason is on record");
        assert_eq!(record.outcome, Outcome::Refused);
    }
    assert_eq!(world.refusal("deploy", "not a token").await, "token-segments");
    let forged = key().with_key_id(world.key.key_id().clone());
    let forged = forged.sign(&TokenHeader::new("JWT"), &world.claims()).unwrap();
    assert_eq!(world.refusal("deploy", &forged).await, "signature-invalid");
    let unknown = key().sign(&TokenHeader::new("JWT"), &world.claims()).unwrap();
    assert_eq!(world.refusal("deploy", &unknown).await, "key-id-unknown");
}

#[tokio::test]
async fn what_nobody_vouches_for_is_not_on_record() {
    let world = World::new().await;
    let forged = key()
        .with_key_id(world.key.key_id().clone())
        .sign(&TokenHeader::new("JWT"), &world.claims())
        .unwrap();
    world.ask("deploy", &forged).await.unwrap_err();
    let (_, record) = world.last_record().await;
    assert!(record.claims.is_none() && record.subject.is_none());
    assert!(record.token_sha256.is_some());
    let token = world.token(&[("iss", "https://evil.example".into())]);
    world.ask("deploy", &token).await.unwrap_err();
    let (_, record) = world.last_record().await;
    assert_eq!(record.issuer.as_deref(), Some("unknown"));
}

#[tokio::test]
async fn a_denial_is_recorded_with_its_whole_explanation_and_can_be_explained_again() {
    let world = World::new().await;
    let refused = world.ask("deploy", &world.token(&[("ref", "refs/heads/dev".into())])).await.unwrap_err();
    let (_, record) = world.last_record().await;
    let explanation = record.explanation.unwrap();
    assert_eq!(explanation["nearest_miss"][0]["condition"], "claims.ref");
    let explained = world.exchange.explain(refused.decision).await.unwrap();
    let evaluation = explained.evaluation.unwrap();
    assert_eq!(evaluation.nearest_miss[0].seen, "\"refs/heads/dev\"");
    assert_eq!(evaluation.nearest_miss[0].wanted, "\"refs/heads/main\"");
}

#[tokio::test]
async fn sessions_are_as_long_as_asked_and_never_longer_than_the_role_allows() {
    let world = World::new().await;
    let mut request = world.request("deploy", &world.token(&[]));
    request.duration = Some(Duration::from_secs(900));
    let admitted = world.exchange.exchange(request).await.unwrap();
    assert_eq!(
        admitted.credential.expires_at().since(admitted.credential.issued_at()),
        Duration::from_secs(900)
    );
    let mut request = world.request("deploy", &world.token(&[]));
    request.duration = Some(Duration::from_secs(3_601));
    let refused = world.exchange.exchange(request).await.unwrap_err();
    assert!(matches!(refused.refusal, Refusal::TooLong { .. }));
    let mut request = world.request("deploy", &world.token(&[]));
    (request.wire, request.duration) = (Wire::AwsQuery, Some(Duration::from_secs(899)));
    assert_eq!(world.exchange.exchange(request).await.unwrap_err().refusal.code(), "duration");
}

#[tokio::test]
async fn a_re_issued_token_says_what_the_role_chooses() {
    let world = World::new().await;
    let mut request = world.request("token", &world.token(&[("ref", "refs/heads/a:b%".into())]));
    request.scope = Some("read".into());
    let admitted = world.exchange.exchange(request).await.unwrap();
    let Secret::Jwt { token, .. } = admitted.credential.secret() else { panic!() };
    let us = issuer(&world.exchange.config().public_url);
    let (keys, _) = KeySet::from_jwks(
        us.clone(),
        world.exchange.ring().keys().jwks().as_bytes(),
        daypass_token::JwksLimits::default(),
    )
    .unwrap();
    let unverified = UnverifiedToken::parse(token).unwrap();
    let selected = keys.select(&unverified, &[daypass_claims::Algorithm::ES256]).unwrap();
    let audience = [daypass_claims::Audience::parse("https://api.example.com").unwrap()];
    let now = daypass_claims::Clock::now(&*world.clock);
    let verified =
        daypass_token::verify(&unverified, &selected, &Expectations::new(&us, &audience), now).unwrap();
    assert_eq!(
        verified.subject().as_str(),
        "repo:2002:ref:refs/heads/a%3Ab%25",
        "separators in values are escaped"
    );
    let claims = verified.claims();
    assert_eq!(claims.get("repository"), Some(&"acme/app".into()));
    assert_eq!(claims.get("origin"), Some(&"from push".into()));
    assert_eq!(claims.get("fixed"), Some(&true.into()));
    assert_eq!(claims.get("scope"), Some(&"read".into()));
    assert_eq!(claims.get("jti"), Some(&admitted.decision.to_string().into()));
    let tags = claims.get("https://aws.amazon.com/tags").unwrap().to_string();
    assert_eq!(tags, r#"{"principal_tags":{"Repository":["acme/app"]}}"#);
    let mut request = world.request("token", &world.token(&[]));
    request.scope = Some("admin".into());
    assert_eq!(world.exchange.exchange(request).await.unwrap_err().refusal.code(), "scope");
}

#[tokio::test]
async fn a_wire_that_cannot_carry_the_credential_says_so_only_to_the_admitted() {
    let world = World::new().await;
    let mut request = world.request("token", &world.token(&[]));
    request.wire = Wire::AwsQuery;
    assert_eq!(world.exchange.exchange(request).await.unwrap_err().refusal.code(), "wrong-wire");
    let mut request = world.request("token", &world.token(&[("repository_id", "9".into())]));
    request.wire = Wire::AwsQuery;
    assert_eq!(world.exchange.exchange(request).await.unwrap_err().refusal.code(), "trust-denied");
}

#[tokio::test]
async fn the_roles_claim_restricts_the_aws_wire_before_any_trust() {
    let world = World::new().await;
    let ask = async |roles: ClaimValue| {
        let mut request = world.request("deploy", &world.token(&[("https://aws.amazon.com/roles", roles)]));
        request.wire = Wire::AwsQuery;
        world.exchange.exchange(request).await.map_err(|refused| refused.refusal.code())
    };
    assert!(ask("arn:aws:iam::123456789012:role/deploy".into()).await.is_ok());
    assert!(ask(vec!["x", "arn:aws:iam::123456789012:role/deploy"].into()).await.is_ok());
    assert_eq!(ask("arn:aws:iam::123456789012:role/other".into()).await.unwrap_err(), "role-not-in-claim");
    assert_eq!(ask("deploy".into()).await.unwrap_err(), "role-not-in-claim", "names are no ARNs");
    assert_eq!(ask(7.into()).await.unwrap_err(), "session-claims");
}

#[tokio::test]
async fn an_unknown_in_the_trust_never_admits() {
    let policy = r#"{"Statement": {"Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}}"#;
    let text = config_text("[[role]]\nname = \"vpc\"\ntrust_policy = \"vpc.json\"\n");
    let key = key();
    let files = crate::support::Memory::of(&[
        ("daypass.toml", &text),
        ("github.jwks.json", &crate::support::jwks(&[&key])),
        ("vpc.json", policy),
    ]);
    let now = daypass_claims::Timestamp::from_secs(crate::support::START);
    let loaded = daypass_exchange::config::load("daypass.toml".into(), &files, &|_| None, now).unwrap();
    let mut world = World::new().await;
    world = World::from_config(loaded.config, key, &world).await;
    assert_eq!(world.refusal("vpc", &world.token(&[])).await, "trust-unknown");
}
