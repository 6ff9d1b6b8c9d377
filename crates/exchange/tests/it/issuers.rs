//! Issuers' keys at run time: rotation, outage, floods, a hanging issuer.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use daypass_claims::ClaimSet;
use daypass_exchange::Refusal;
use daypass_token::sign::{SigningKey, TokenHeader};

use crate::support::{GITHUB, Issuers, World, config_text, jwks, key};

/// A world whose issuers are fetched from, and whoever answers.
async fn world(issuers: &[(&str, &SigningKey)]) -> (World, Arc<Issuers>) {
    let (world, fetch) = untended(issuers).await;
    for keys in world.exchange.issuer_keys() {
        let (exchange, keys, fetch) = (world.exchange.clone(), keys.clone(), Arc::clone(&fetch));
        tokio::spawn(async move { exchange.tend_issuer(&keys, &*fetch).await });
    }
    (world, fetch)
}

/// The same, where nothing is fetched unless the test says so.
async fn untended(issuers: &[(&str, &SigningKey)]) -> (World, Arc<Issuers>) {
    let fetched = config_text("").replace("jwks_file = \"github.jwks.json\"\n", "");
    let second = "[[issuer]]\nname = \"other\"\nurl = \"https://other.example\"\naudiences = [\"sts.amazonaws.com\"]\nalgorithms = [\"ES256\"]\n";
    let (before, after) = fetched.split_once("[[role]]").unwrap();
    let world = World::with(&format!("{before}{second}[[role]]{after}")).await;
    let published = issuers.iter().map(|(url, key)| ((*url).to_owned(), jwks(&[key]))).collect();
    let fetch = Arc::new(Issuers {
        jwks: Mutex::new(published),
        down: Mutex::new(false),
        hang: Mutex::new(false),
        fetches: AtomicUsize::new(0),
    });
    (world, fetch)
}

/// Lets time pass; what has fallen due by then is fetched.
async fn pass(world: &World, fetch: &Issuers, time: Duration) {
    world.clock.advance(time);
    world.exchange.keys_of(GITHUB).unwrap().tend(fetch, &*world.clock).await;
}

fn signed(world: &World, key: &SigningKey, jti: &str) -> String {
    let mut claims: ClaimSet = world.claims();
    claims.insert("jti", jti);
    key.sign(&TokenHeader::new("JWT"), &claims).unwrap()
}

async fn outcome(world: &World, token: &str) -> &'static str {
    match world.ask("deploy", token).await {
        Ok(_) => "admitted",
        Err(refused) => refused.refusal.code(),
    }
}

#[tokio::test]
async fn the_first_token_waits_for_the_first_fetch() {
    let key = key();
    let (world, fetch) = world(&[(GITHUB, &key)]).await;
    assert_eq!(outcome(&world, &signed(&world, &key, "1")).await, "admitted");
    assert!(fetch.fetches.load(Ordering::SeqCst) >= 2, "discovery and keys");
}

#[tokio::test]
async fn a_rotation_costs_no_exchange() {
    let (old, new) = (key(), key());
    let (world, fetch) = world(&[(GITHUB, &old)]).await;
    assert_eq!(outcome(&world, &signed(&world, &old, "1")).await, "admitted");
    world.clock.advance(Duration::from_secs(60));
    fetch.jwks.lock().unwrap().insert(GITHUB.to_owned(), jwks(&[&old, &new]));
    assert_eq!(outcome(&world, &signed(&world, &new, "2")).await, "admitted");
    assert_eq!(outcome(&world, &signed(&world, &old, "3")).await, "admitted");
}

#[tokio::test]
async fn an_hour_of_outage_fails_nobody_whose_key_is_known() {
    let (known, next) = (key(), key());
    let (world, fetch) = untended(&[(GITHUB, &known)]).await;
    pass(&world, &fetch, Duration::ZERO).await;
    *fetch.down.lock().unwrap() = true;
    let before = fetch.fetches.load(Ordering::SeqCst);
    for second in (0..3_600).step_by(10) {
        pass(&world, &fetch, Duration::from_secs(10)).await;
        let token = signed(&world, &known, &format!("during-{second}"));
        assert_eq!(outcome(&world, &token).await, "admitted", "second {second}");
    }
    let asked = fetch.fetches.load(Ordering::SeqCst) - before;
    assert!((1..20).contains(&asked), "{asked} requests to an issuer that is down");
    // It comes back with a new key, and is asked again within minutes.
    fetch.jwks.lock().unwrap().insert(GITHUB.to_owned(), jwks(&[&next]));
    *fetch.down.lock().unwrap() = false;
    pass(&world, &fetch, Duration::from_secs(300)).await;
    assert_eq!(outcome(&world, &signed(&world, &next, "after")).await, "admitted");
    assert_eq!(outcome(&world, &signed(&world, &known, "withdrawn")).await, "keys-unavailable");
}

#[tokio::test]
async fn keys_that_could_not_be_renewed_for_a_day_serve_no_more_until_they_are() {
    let known = key();
    let (world, fetch) = untended(&[(GITHUB, &known)]).await;
    pass(&world, &fetch, Duration::ZERO).await;
    *fetch.down.lock().unwrap() = true;
    // Ten minutes fresh, as the issuer says, and a day stale.
    pass(&world, &fetch, Duration::from_secs(600 + 86_400 - 1)).await;
    assert_eq!(outcome(&world, &signed(&world, &known, "last")).await, "admitted");
    pass(&world, &fetch, Duration::from_secs(1)).await;
    assert_eq!(outcome(&world, &signed(&world, &known, "late")).await, "keys-unavailable");
    *fetch.down.lock().unwrap() = false;
    pass(&world, &fetch, Duration::from_secs(300)).await;
    assert_eq!(outcome(&world, &signed(&world, &known, "again")).await, "admitted");
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_within_the_life_of_its_set() {
    let (leaked, good) = (key(), key());
    let (world, fetch) = untended(&[]).await;
    fetch.jwks.lock().unwrap().insert(GITHUB.to_owned(), jwks(&[&leaked, &good]));
    pass(&world, &fetch, Duration::ZERO).await;
    fetch.jwks.lock().unwrap().insert(GITHUB.to_owned(), jwks(&[&good]));
    let mut refused = None;
    // `max-age=600` is what the issuer says.
    for second in (10..=600).step_by(10) {
        pass(&world, &fetch, Duration::from_secs(10)).await;
        let token = signed(&world, &good, &format!("good-{second}"));
        assert_eq!(outcome(&world, &token).await, "admitted", "second {second}");
        let token = signed(&world, &leaked, &format!("leaked-{second}"));
        if refused.is_none() && outcome(&world, &token).await != "admitted" {
            refused = Some(second);
        }
    }
    assert_eq!(refused, Some(480), "after four fifths of its life the set is fetched anew");
}

#[tokio::test]
async fn known_keys_survive_a_restart_during_an_outage() {
    let key = key();
    let (first, fetch) = world(&[(GITHUB, &key)]).await;
    assert_eq!(outcome(&first, &signed(&first, &key, "1")).await, "admitted");
    // What was fetched is kept beside the answer; wait until it is there.
    while first.exchange.store().jwks().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    *fetch.down.lock().unwrap() = true;
    let second = first.again().await;
    assert_eq!(outcome(&second, &signed(&second, &key, "2")).await, "admitted");
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_answered_and_costs_one_fetch() {
    let (good, bad) = (key(), key());
    let (world, fetch) = world(&[(GITHUB, &good)]).await;
    assert_eq!(outcome(&world, &signed(&world, &good, "1")).await, "admitted");
    let before = fetch.fetches.load(Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(31));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..2_000 {
        let (exchange, request) =
            (world.exchange.clone(), world.request("deploy", &signed(&world, &bad, &n.to_string())));
        tasks.spawn(async move { exchange.exchange(request).await.unwrap_err().refusal });
    }
    for refusal in tasks.join_all().await {
        assert!(matches!(refusal, Refusal::Keys(_) | Refusal::Token(_)), "{refusal}");
    }
    assert!(fetch.fetches.load(Ordering::SeqCst) - before <= 2, "one fetch: discovery and keys");
    assert_eq!(outcome(&world, &signed(&world, &good, "2")).await, "admitted");
}

#[tokio::test]
async fn an_issuer_that_hangs_delays_nobody_else() {
    let (github, other) = (key(), key());
    let (world, fetch) = world(&[(GITHUB, &github), ("https://other.example", &other)]).await;
    assert_eq!(outcome(&world, &signed(&world, &github, "1")).await, "admitted");
    *fetch.hang.lock().unwrap() = true;
    world.clock.advance(Duration::from_secs(31));
    let (exchange, waiting) = (world.exchange.clone(), world.request("deploy", &signed(&world, &other, "w")));
    let waiting = tokio::spawn(async move { exchange.exchange(waiting).await.is_err() });
    tokio::task::yield_now().await;
    for n in 0..100 {
        assert_eq!(outcome(&world, &signed(&world, &github, &format!("n{n}"))).await, "admitted");
    }
    waiting.abort();
}

#[tokio::test]
async fn an_unknown_issuer_causes_no_traffic() {
    let key = key();
    let (world, fetch) = world(&[(GITHUB, &key), ("https://evil.example", &key)]).await;
    assert_eq!(outcome(&world, &signed(&world, &key, "1")).await, "admitted");
    let before = fetch.fetches.load(Ordering::SeqCst);
    for url in ["https://evil.example", "https://token.actions.githubusercontent.com.evil.example"] {
        let mut claims = world.claims();
        claims.insert("iss", url);
        let token = key.sign(&TokenHeader::new("JWT"), &claims).unwrap();
        assert_eq!(outcome(&world, &token).await, "issuer-unknown");
    }
    assert_eq!(fetch.fetches.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn fetched_development_keys_are_refused() {
    let development = key().with_key_id(daypass_claims::KeyId::parse("daypass-dev-1").unwrap());
    let (world, _) = world(&[(GITHUB, &development)]).await;
    assert_eq!(outcome(&world, &signed(&world, &development, "1")).await, "keys-unavailable");
}

#[tokio::test]
async fn pushed_keys_serve_an_issuer_that_cannot_be_reached() {
    let text = config_text("").replace("jwks_file = \"github.jwks.json\"", "pushed_keys = true");
    let world = World::with(&text).await;
    let token = |jti: &str| signed(&world, &world.key, jti);
    assert_eq!(outcome(&world, &token("1")).await, "keys-unavailable");
    let set = |key: &SigningKey| {
        let text = jwks(&[key]);
        daypass_token::KeySet::from_jwks(
            crate::support::issuer(GITHUB),
            text.as_bytes(),
            daypass_token::JwksLimits::default(),
        )
        .unwrap()
        .0
    };
    let keys = world.exchange.keys_of(GITHUB).unwrap();
    keys.push(set(&world.key)).unwrap();
    assert_eq!(outcome(&world, &token("2")).await, "admitted");
    let development = key().with_key_id(daypass_claims::KeyId::parse("daypass-dev-1").unwrap());
    assert!(keys.push(set(&development)).unwrap_err().to_string().contains("development key"));
}
