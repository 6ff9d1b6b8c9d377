//! What relying parties and load balancers read.

use std::time::Duration;

use daypass_claims::{Algorithm, Audience, Clock, Issuer};
use daypass_token::discovery::{DiscoveryDocument, oauth_well_known_url, well_known_url};
use daypass_token::{Expectations, JwksLimits, KeySet, UnverifiedToken, verify};
use serde_json::json;

use crate::tools::{Plan, World, redacted};

#[tokio::test]
async fn a_relying_party_finds_the_keys_of_what_is_issued() {
    let plan =
        Plan { top: "signing = { algorithms = [\"ES256\", \"RS256\"] }".to_owned(), ..Plan::default() };
    let world = World::with(plan).await;
    let us = Issuer::parse(&world.url).unwrap();
    let path = well_known_url(&us).replace(&world.url, "");
    let answer = world.get(&path).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    redacted().bind(|| insta::assert_json_snapshot!(answer.json()));
    let document = DiscoveryDocument::parse(answer.body.as_bytes(), &us).unwrap();

    let keys = world.get(&document.jwks_uri().replace(&world.url, "")).await;
    assert_eq!(keys.header("content-type"), "application/json");
    assert!(!keys.body.contains("\"d\""), "only public halves");
    let (keys, warnings) =
        KeySet::from_jwks(us.clone(), keys.body.as_bytes(), JwksLimits::default()).unwrap();
    assert_eq!((keys.keys().len(), warnings.len()), (2, 0));
    let reply = world.exchange(&world.token(&[]), &[]).await.json();
    let token = UnverifiedToken::parse(reply["access_token"].as_str().unwrap()).unwrap();
    let selected = keys.select(&token, &[Algorithm::ES256]).unwrap();
    let audience = [Audience::parse("https://api.example.com").unwrap()];
    let verified = verify(&token, &selected, &Expectations::new(&us, &audience), world.clock.now()).unwrap();
    assert_eq!(verified.subject().as_str(), "repo:2002:ref:refs/heads/main");
}

#[tokio::test]
async fn oauth_clients_find_the_endpoint() {
    let world = World::new().await;
    let us = Issuer::parse(&world.url).unwrap();
    let answer = world.get(&oauth_well_known_url(&us).replace(&world.url, "")).await;
    redacted().bind(|| insta::assert_json_snapshot!(answer.json()));
}

#[tokio::test]
async fn the_name_of_the_service_is_configured_and_never_taken_from_a_request() {
    let plan = Plan { top: "public_url = \"https://sts.example.com\"".to_owned(), ..Plan::default() };
    let world = World::with(plan).await;
    let request = world.http.get(format!("{}/.well-known/openid-configuration", world.url));
    let answer = crate::tools::answer(request.header("host", "evil.example")).await;
    assert_eq!(answer.json()["issuer"], "https://sts.example.com");
    assert_eq!(answer.json()["jwks_uri"], "https://sts.example.com/.well-known/jwks.json");
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_an_old_one_after() {
    let world = World::new().await;
    let ids = async || {
        let keys = world.get("/.well-known/jwks.json").await.json();
        let ids = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let signed_with = async || {
        let reply = world.exchange(&world.token(&[]), &[]).await.json();
        let token = UnverifiedToken::parse(reply["access_token"].as_str().unwrap()).unwrap();
        token.header().key_id().unwrap().to_string()
    };
    let first = ids().await;
    let body = json!({ "purpose": "sign" });
    let rotated = world.admin(http::Method::POST, "/api/v1/keys/rotate", Some(body)).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let both = ids().await;
    assert_eq!(both.len(), 2);
    assert!(both.contains(&first[0]));
    assert_eq!(signed_with().await, first[0], "relying parties have not fetched the new one yet");
    world.clock.advance(Duration::from_secs(3_600));
    world.app().exchange.refresh().await.unwrap();
    let second = signed_with().await;
    assert!(second != first[0] && both.contains(&second));
    assert_eq!(ids().await.len(), 2, "what the old one signed is still good");
    world.clock.advance(Duration::from_secs(12 * 3_600 + 61));
    world.app().exchange.refresh().await.unwrap();
    assert_eq!(ids().await, [second]);
}

#[tokio::test]
async fn health_is_told() {
    let world = World::new().await;
    let alive = world.get("/healthz").await;
    assert_eq!((alive.status.as_u16(), alive.body.as_str()), (200, "ok\n"));
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json(), json!({ "ready": true, "why": null }));
}

#[tokio::test]
async fn asking_for_readiness_costs_one_write_a_second() {
    let world = World::new().await;
    assert_eq!(world.get("/readyz").await.status, 200);
    let database = world.directory.path().join("data/daypass.sqlite3");
    let other = rusqlite::Connection::open(database).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(world.get("/readyz").await.status, 200, "the answer stands for a second");
    world.clock.advance(Duration::from_secs(1));
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json(), json!({ "ready": false, "why": "the database is locked by another process" }));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(world.get("/readyz").await.status, 503);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.get("/readyz").await.status, 200);
}
