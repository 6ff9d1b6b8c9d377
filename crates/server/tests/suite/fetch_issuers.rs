//! A service and a real issuer over HTTP: rotation, outages, withdrawn keys, floods, silence. Time is simulated.

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_server::fetch::HttpFetch;
use daypass_token::sign::{SigningKey, TokenHeader};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::site::{self, Site};
use crate::tools::{Answer, Plan, World, jwks, key};

const INSIDE: &str = "arn:aws:iam::123456789012:role/inside";
const KEYS: &str = "/keys";

/// An issuer, and a service that trusts it.
struct Ci {
    site: Site,
    world: World,
}

/// An issuer that publishes this set.
fn publishing(url: &str, set: String) -> impl Fn(&str) -> Response + Send + Sync + 'static {
    let document = json!({ "issuer": url, "jwks_uri": format!("{url}{KEYS}") }).to_string();
    move |path| match path {
        "/.well-known/openid-configuration" => site::json(document.clone()),
        KEYS => site::json(set.clone()),
        _ => site::missing(),
    }
}

fn plan(url: &str) -> Plan {
    let tables = format!(
        r#"
[[issuer]]
name = "ci"
url = "{url}"
audiences = ["sts.amazonaws.com"]
algorithms = ["ES256"]

[[role]]
name = "inside"
[[role.trust]]
issuer = "ci"
audience = "sts.amazonaws.com"
claims.sub = "project:7"
"#
    );
    Plan { fetch: Arc::new(HttpFetch::new()), ..Plan::tables(tables) }
}

impl Ci {
    async fn new(keys: &[&SigningKey]) -> Self {
        let site = Site::plain(|_| site::missing()).await;
        site.answers(publishing(&site.url(""), jwks(keys)));
        let world = World::with(plan(&site.url(""))).await;
        Self { site, world }
    }

    fn publish(&self, keys: &[&SigningKey]) {
        self.site.answers(publishing(&self.site.url(""), jwks(keys)));
    }

    fn goes_down(&self) {
        self.site.answers(|_| http::StatusCode::SERVICE_UNAVAILABLE.into_response());
    }

    fn token(&self, key: &SigningKey) -> String {
        let mut claims = self.world.claims();
        claims.insert("iss", self.site.url(""));
        claims.insert("sub", "project:7");
        key.sign(&TokenHeader::new("JWT"), &claims).unwrap()
    }

    async fn ask(&self, key: &SigningKey) -> Answer {
        self.world.web_identity(&self.token(key), &[("RoleArn", INSIDE)]).await
    }

    /// `200`, or the code of the error.
    async fn outcome(&self, key: &SigningKey) -> String {
        let answer = self.ask(key).await;
        if answer.status == 200 { "200".to_owned() } else { answer.element("Code").to_owned() }
    }

    /// Waits for the fetch that is due: a token with an unknown key is not answered before it has settled.
    async fn fetch_settles(&self) {
        assert_ne!(self.outcome(&key()).await, "200");
    }
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

#[tokio::test]
async fn keys_are_found_by_discovery() {
    let first = key();
    let ci = Ci::new(&[&first]).await;
    assert_eq!(ci.outcome(&first).await, "200");
    assert_eq!(ci.site.asked(), ["/.well-known/openid-configuration", KEYS]);
    let issuers = ci.world.admin(http::Method::GET, "/api/v1/issuers", None).await.json();
    let ours = issuers["issuers"].as_array().unwrap().iter().find(|one| one["origin"] == "fetched").unwrap();
    assert_eq!((&ours["keys"], &ours["state"]), (&json!(1), &json!("fresh")));
}

#[tokio::test]
async fn keys_rotate_without_one_failed_exchange() {
    let keys: Vec<SigningKey> = (0..4).map(|_| key()).collect();
    let ci = Ci::new(&[&keys[0]]).await;
    assert_eq!(ci.outcome(&keys[0]).await, "200");
    // Published ahead, as it should be: the fetch that is due anyway brings it before it signs.
    for pair in keys.windows(2) {
        ci.publish(&[&pair[0], &pair[1]]);
        for _ in 0..3 {
            ci.world.clock.advance(minutes(5));
            assert_eq!(ci.outcome(&pair[0]).await, "200");
        }
        assert_eq!(ci.outcome(&pair[1]).await, "200");
        assert_eq!(ci.outcome(&pair[0]).await, "200");
        ci.publish(&[&pair[1]]);
    }
    // Published and used in one moment: the first token with it brings it.
    let surprise = key();
    ci.publish(&[&keys[3], &surprise]);
    ci.world.clock.advance(minutes(1));
    assert_eq!(ci.outcome(&surprise).await, "200");
    assert_eq!(ci.outcome(&keys[3]).await, "200");
}

#[tokio::test]
async fn known_keys_outlive_an_outage_and_unknown_ones_wait_for_its_end() {
    let (known, new) = (key(), key());
    let ci = Ci::new(&[&known]).await;
    assert_eq!(ci.outcome(&known).await, "200");
    ci.goes_down();
    for _ in 0..12 {
        ci.world.clock.advance(minutes(5));
        assert_eq!(ci.outcome(&known).await, "200");
        assert_eq!(ci.outcome(&new).await, "IDPCommunicationError");
    }
    ci.publish(&[&known, &new]);
    ci.world.clock.advance(minutes(6));
    assert_eq!(ci.outcome(&new).await, "200");
}

#[tokio::test]
async fn an_outage_without_end_ends_the_keys() {
    let known = key();
    let ci = Ci::new(&[&known]).await;
    assert_eq!(ci.outcome(&known).await, "200");
    ci.goes_down();
    ci.world.clock.advance(minutes(24 * 60));
    assert_eq!(ci.outcome(&known).await, "200");
    ci.world.clock.advance(minutes(11));
    assert_eq!(ci.outcome(&known).await, "IDPCommunicationError");
}

#[tokio::test]
async fn a_restart_during_an_outage_knows_the_keys() {
    let known = key();
    let ci = Ci::new(&[&known]).await;
    assert_eq!(ci.outcome(&known).await, "200");
    let store = ci.world.app().exchange.store();
    while store.jwks().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    ci.goes_down();
    let (directory, clock) = (Arc::clone(&ci.world.directory), Arc::clone(&ci.world.clock));
    let plan = plan(&ci.site.url(""));
    let again = World::start(plan, directory, clock, Arc::clone(&ci.world.key)).await.unwrap();
    let ci = Ci { world: again, ..ci };
    assert_eq!(ci.outcome(&known).await, "200");
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_within_its_time() {
    let (withdrawn, other) = (key(), key());
    let ci = Ci::new(&[&withdrawn, &other]).await;
    assert_eq!(ci.outcome(&withdrawn).await, "200");
    ci.publish(&[&other]);
    // `max-age=600` is what the issuer said.
    ci.world.clock.advance(minutes(10));
    ci.fetch_settles().await;
    assert_eq!(ci.outcome(&withdrawn).await, "IDPCommunicationError", "it might be newer than the fetch");
    assert_eq!(ci.outcome(&other).await, "200");
    ci.world.clock.advance(minutes(1));
    assert_eq!(ci.outcome(&withdrawn).await, "InvalidIdentityToken");
}

#[tokio::test]
async fn ten_thousand_unknown_keys_cost_one_fetch() {
    let known = key();
    let ci = Ci::new(&[&known]).await;
    assert_eq!(ci.outcome(&known).await, "200");
    ci.world.clock.advance(minutes(1));
    let before = ci.site.times_asked(KEYS);
    let claims = json!({ "iss": ci.site.url(""), "aud": "sts.amazonaws.com", "sub": "project:7" });
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    let token = move |n: usize| {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "ES256", "kid": format!("k-{n}") }).to_string());
        format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode([1; 64]))
    };
    let mut flood = JoinSet::new();
    for part in 0..16 {
        let (http, url, token) = (ci.world.http.clone(), ci.world.url.clone(), token.clone());
        flood.spawn(async move {
            for n in 0..625 {
                let body = crate::tools::form(&[
                    ("Action", "AssumeRoleWithWebIdentity"),
                    ("RoleArn", INSIDE),
                    ("RoleSessionName", "flood"),
                    ("WebIdentityToken", &token(part * 625 + n)),
                ]);
                let request = http.post(&url).header("content-type", "application/x-www-form-urlencoded");
                let answer = crate::tools::answer(request.body(body)).await;
                assert_eq!(answer.status, 400);
            }
        });
    }
    // Those who have a good key do not notice.
    for _ in 0..20 {
        assert_eq!(ci.outcome(&known).await, "200");
    }
    while let Some(ended) = flood.join_next().await {
        ended.unwrap();
    }
    assert_eq!(ci.site.times_asked(KEYS), before + 1);
    // Nor do they fill the log: a hundred a second are recorded, the others counted.
    ci.world.clock.advance(Duration::from_secs(1));
    ci.world.app().exchange.flush_summary().await;
    let records = ci.world.records(1_000).await;
    let singly = records.iter().filter(|record| record["session"] == "flood").count();
    assert_eq!(singly, 100);
    let counted = |record: &Value| {
        record["refused"].as_object().map(|refused| refused.values().filter_map(Value::as_u64).sum::<u64>())
    };
    assert_eq!(records.iter().filter_map(counted).sum::<u64>(), 9_900);
}

#[tokio::test]
async fn a_silent_issuer_delays_nobody_else() {
    let theirs = Arc::new(key());
    let ci = Arc::new(Ci::new(&[]).await);
    // The set without keys was refused; from now on nothing comes at all.
    ci.fetch_settles().await;
    let before = ci.site.asked().len();
    let url = ci.site.url("");
    ci.site.answers_at_the_gate(publishing(&url, jwks(&[&theirs])));
    ci.world.clock.advance(minutes(10));
    let waiting = tokio::spawn({
        let (ci, theirs) = (Arc::clone(&ci), Arc::clone(&theirs));
        async move { ci.outcome(&theirs).await }
    });
    ci.site.was_asked(before + 1).await;
    for _ in 0..20 {
        assert_eq!(ci.world.session().await.id.len(), 20);
        assert_eq!(ci.world.get("/healthz").await.status, 200);
    }
    assert!(!waiting.is_finished());
    ci.site.open_the_gate();
    ci.site.was_asked(before + 2).await;
    ci.site.open_the_gate();
    assert_eq!(waiting.await.unwrap(), "200");
}

#[tokio::test]
async fn one_broken_key_does_not_harm_the_others() {
    let good = key();
    let ci = Ci::new(&[]).await;
    let mut set: Value = serde_json::from_str(&jwks(&[&good])).unwrap();
    set["keys"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({ "kty": "EC", "crv": "P-256", "kid": "x", "x": "AA" }));
    ci.fetch_settles().await;
    ci.site.answers(publishing(&ci.site.url(""), set.to_string()));
    ci.world.clock.advance(minutes(10));
    assert_eq!(ci.outcome(&good).await, "200");
}

#[tokio::test]
async fn an_issuer_speaks_for_itself_only() {
    let theirs = key();
    let ci = Ci::new(&[&theirs]).await;
    let url = ci.site.url("");
    ci.site.answers(publishing(&format!("{url}/"), jwks(&[&theirs])));
    ci.world.clock.advance(minutes(10));
    ci.fetch_settles().await;
    let issuers = ci.world.admin(http::Method::GET, "/api/v1/issuers", None).await.json();
    let ours = issuers["issuers"].as_array().unwrap().iter().find(|one| one["origin"] == "fetched").unwrap();
    let why = format!("discovery document is for the issuer `{url}/`, not for `{url}`");
    assert_eq!(ours["last_failure"], why);
}

#[tokio::test]
async fn development_keys_are_not_taken_from_anybody() {
    let named = daypass_claims::KeyId::parse("daypass-dev-1").unwrap();
    let development = key().with_key_id(named);
    let ci = Ci::new(&[&development]).await;
    assert_eq!(ci.outcome(&development).await, "IDPCommunicationError");
}
