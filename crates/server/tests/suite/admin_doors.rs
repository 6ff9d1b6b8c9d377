//! Who gets in at the admin listener, and who does not: every route, every way of not being an administrator.

use std::os::unix::fs::PermissionsExt;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::tools::{Answer, GITHUB, HandClock, Plan, World, answer, key};

/// Every route that needs a token, with a request that would be right.
fn routes() -> Vec<(Method, &'static str, Option<Value>)> {
    let claims = json!({ "iss": GITHUB });
    vec![
        (Method::POST, "/api/v1/explain", Some(json!({ "role": "deploy", "claims": claims }))),
        (Method::GET, "/api/v1/keys", None),
        (Method::POST, "/api/v1/keys/rotate", Some(json!({ "purpose": "sign" }))),
        (Method::POST, "/api/v1/keys/push", Some(json!({ "issuer": "pushed", "jwks": { "keys": [] } }))),
        (Method::GET, "/api/v1/issuers", None),
        (Method::POST, "/api/v1/revoke", Some(json!({ "role": "deploy" }))),
        (Method::GET, "/api/v1/audit", None),
        (Method::GET, "/api/v1/audit?follow=true", None),
    ]
}

/// What must not have changed when nobody got in.
async fn state(world: &World) -> (usize, usize, usize) {
    let store = world.app().exchange.store();
    let records = store.latest(1_000).await.unwrap().len();
    let revocations = store.revocations(daypass_claims::Timestamp::from_secs(0)).await.unwrap().len();
    (records, revocations, world.app().exchange.ring().keys().listed().len())
}

fn error(answer: &Answer) -> String {
    answer.json()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_a_token_nothing_is_done() {
    let world = World::new().await;
    let before = state(&world).await;
    for (method, path, body) in routes() {
        let refused = answer(world.admin_request(method, path, body)).await;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.header("www-authenticate"), "Bearer", "{path}");
        assert_eq!(error(&refused), "an Authorization header with a Bearer token is needed");
        assert_eq!(refused.header("cache-control"), "no-store");
    }
    assert_eq!(state(&world).await, before);
}

#[tokio::test]
async fn with_a_wrong_token_nothing_is_done() {
    let world = World::new().await;
    let before = state(&world).await;
    let right = world.admin_token();
    let shorter = right.get(..right.len() - 1).unwrap();
    let other = right.replace(|c: char| c.is_ascii_digit(), "a");
    let longer = format!("{right}a");
    let job = world.token(&[]);
    let forged = key().sign(&daypass_token::sign::TokenHeader::new("JWT"), &world.claims()).unwrap();
    let upper = right.to_uppercase();
    for token in [shorter, &other, &longer, &upper, "dpa1_", &forged, "not a token"] {
        for (method, path, body) in routes() {
            let refused = answer(world.admin_request(method, path, body).bearer_auth(token)).await;
            assert_eq!(refused.status, 401, "{path} {token}");
            assert_eq!(error(&refused), "the token is not accepted");
        }
    }
    for (method, path, body) in routes() {
        let refused = answer(world.admin_request(method, path, body).bearer_auth(&job)).await;
        assert_eq!(refused.status, 403, "{path}: a CI job that nobody trusts with anything");
    }
    let basic = world.admin_request(Method::GET, "/api/v1/keys", None).basic_auth("admin", Some(&right));
    assert_eq!(answer(basic).await.status, 401);
    assert_eq!(state(&world).await, before);
}

#[tokio::test]
async fn the_scheme_is_written_in_any_case() {
    let world = World::new().await;
    let request = world.admin_request(Method::GET, "/api/v1/keys", None);
    let request = request.header("authorization", format!("bearer {}", world.admin_token()));
    assert_eq!(answer(request).await.status, 200);
}

#[tokio::test]
async fn web_pages_are_refused_whatever_they_know() {
    let world = World::new().await;
    let token = world.admin_token();
    let port = world.service.admin().port();
    let before = state(&world).await;
    let mut all = routes();
    all.push((Method::GET, "/metrics", None));
    all.push((Method::GET, "/nothing", None));
    for (method, path, body) in all {
        let request = || world.admin_request(method.clone(), path, body.clone()).bearer_auth(&token);
        for host in [format!("evil.example:{port}"), "evil.example".to_owned(), format!("192.0.2.1:{port}")] {
            let refused = answer(request().header("host", &host)).await;
            assert_eq!(refused.status, 403, "{path} for {host}");
        }
        for origin in ["https://evil.example", "null", &format!("http://127.0.0.1:{port}")] {
            let refused = answer(request().header("origin", origin)).await;
            assert_eq!(refused.status, 403, "{path} from {origin}");
            assert_eq!(
                error(&refused),
                "requests of web pages and for other hosts than loopback are refused"
            );
        }
    }
    assert_eq!(state(&world).await, before);
}

#[tokio::test]
async fn a_tunnel_may_end_on_any_port() {
    let world = World::new().await;
    for host in ["localhost:9000", "127.0.0.1:9000", "[::1]:9000", "localhost"] {
        let request = world.admin_request(Method::GET, "/api/v1/keys", None).header("host", host);
        assert_eq!(answer(request.bearer_auth(world.admin_token())).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn what_a_web_form_can_send_is_no_request() {
    let world = World::new().await;
    let before = state(&world).await;
    let token = world.admin_token();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let request = world.admin_request(Method::POST, "/api/v1/revoke", None).header("content-type", kind);
        let refused = answer(request.body("{\"role\":\"deploy\"}").bearer_auth(&token)).await;
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let large = json!({ "role": "x".repeat(1_024 * 1_024) });
    let refused = world.admin(Method::POST, "/api/v1/revoke", Some(large)).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(state(&world).await, before);
}

#[tokio::test]
async fn a_token_in_the_wrong_place_is_not_echoed() {
    let world = World::new().await;
    let token = world.token(&[]);
    for body in [json!(token), json!({ "claims": token, "role": 1 }), json!({ "decision": token })] {
        let refused = world.admin(Method::POST, "/api/v1/explain", Some(body)).await;
        assert_eq!(refused.status, 400);
        assert!(!refused.body.contains(token.rsplit('.').next().unwrap()), "{}", refused.body);
    }
}

/// CI jobs of one repository that may revoke and explain, and those of another that may read the log.
const TRUST: &str = r#"
[[issuer]]
name = "far"
url = "https://ci.example.com"
audiences = ["sts.amazonaws.com"]
algorithms = ["ES256"]

[[admin.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "3003"
claims.ref = "refs/heads/main"
scopes = ["revoke", "explain"]

[[admin.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "4004"
claims.ref = "refs/heads/main"
scopes = ["audit"]
"#;

#[tokio::test]
async fn a_trusted_job_may_do_what_it_is_trusted_with() {
    let world = World::with(Plan::tables(TRUST)).await;
    let operations = [("repository_id", "3003".into())];
    let security = [("repository_id", "4004".into())];
    let ask = async |changes: &[(&str, daypass_claims::ClaimValue)], method, path, body| {
        let request = world.admin_request(method, path, body).bearer_auth(world.token(changes));
        answer(request).await
    };
    let revoke = || Some(json!({ "role": "deploy" }));
    let revoked = ask(&operations, Method::POST, "/api/v1/revoke", revoke()).await;
    assert_eq!(revoked.status, 200, "{}", revoked.body);
    let record = world.records(1).await.remove(0);
    assert_eq!((&record["act"], &record["about"]), (&json!("revoke"), &json!("role deploy")));
    assert_eq!(record["by"], "repo:acme/app:ref:refs/heads/main", "the subject is who did it");
    assert_eq!(ask(&security, Method::GET, "/api/v1/audit", None).await.status, 200);

    let refused = ask(&security, Method::POST, "/api/v1/revoke", revoke()).await;
    assert_eq!(
        (refused.status.as_u16(), error(&refused)),
        (403, "the token is not trusted with `revoke`".to_owned())
    );
    assert_eq!(ask(&operations, Method::GET, "/api/v1/audit", None).await.status, 403);
    assert_eq!(ask(&operations, Method::GET, "/api/v1/keys", None).await.status, 403);
    let branch = [operations[0].clone(), ("ref", "refs/heads/dev".into())];
    assert_eq!(ask(&branch, Method::POST, "/api/v1/revoke", revoke()).await.status, 403);
    let now = daypass_claims::Clock::now(&*world.clock).as_secs();
    let expired = [operations[0].clone(), ("iat", (now - 400).into()), ("exp", (now - 61).into())];
    assert_eq!(ask(&expired, Method::POST, "/api/v1/revoke", revoke()).await.status, 401);
    let audience = [operations[0].clone(), ("aud", "https://other.example".into())];
    assert_eq!(ask(&audience, Method::POST, "/api/v1/revoke", revoke()).await.status, 401);
    let far = [operations[0].clone(), ("iss", "https://ci.example.com".into())];
    let later = ask(&far, Method::POST, "/api/v1/revoke", revoke()).await;
    assert_eq!((later.status.as_u16(), error(&later)), (503, "the issuer's keys are not at hand".to_owned()));
}

#[tokio::test]
async fn the_bootstrap_token_is_made_once_and_for_one_reader() {
    let world = World::new().await;
    let file = world.service.admin_token_file().unwrap();
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = world.admin_token();
    assert!(token.starts_with("dpa1_") && token.len() == 5 + 64, "{token}");
    let again = world.again().await;
    assert_eq!(again.admin_token(), token);
    assert_eq!(again.admin(Method::GET, "/api/v1/keys", None).await.status, 200);
}

#[tokio::test]
async fn a_file_that_holds_no_token_is_not_used() {
    let directory = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for content in ["", "\n", "dpa1_short", "secret-but-of-another-form-0123456789abcdef"] {
        std::fs::write(data.join("admin-token"), content).unwrap();
        let started = World::start(
            Plan::default(),
            std::sync::Arc::clone(&directory),
            HandClock::new(),
            std::sync::Arc::new(key()),
        );
        let error = started.await.err().unwrap().to_string();
        assert!(error.ends_with("does not hold a token; remove it to have one made"), "{error}");
        assert!(content.trim().is_empty() || !error.contains(content.trim()));
    }
}
