//! What administrators do: explain, rotate, push, revoke. Each act is on record.

use std::time::Duration;

use daypass_token::sign::TokenHeader;
use http::Method;
use serde_json::{Value, json};

use crate::tools::{Answer, DEPLOY, GITHUB, Plan, World, jwks, key};

const IDENTITY: [(&str, &str); 1] = [("Action", "GetCallerIdentity")];

async fn explain(world: &World, question: Value) -> Answer {
    world.admin(Method::POST, "/api/v1/explain", Some(question)).await
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or(&answer.body).to_owned())
}

/// The newest record: an act, what about, and by whom.
async fn act(world: &World) -> (String, String, String) {
    let record = world.records(1).await.remove(0);
    let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    (text("act"), text("about"), text("by"))
}

#[tokio::test]
async fn a_decision_is_explained_in_full() {
    let world = World::new().await;
    let refused = world.web_identity(&world.token(&[("ref", "refs/heads/dev".into())]), &[]).await;
    let id = refused.element("RequestId");
    let explained = explain(&world, json!({ "decision": id })).await;
    assert_eq!(explained.status, 200, "{}", explained.body);
    let explained = explained.json();
    assert_eq!(explained["record"]["id"], id);
    let miss = &explained["evaluation"]["nearest_miss"][0];
    assert_eq!(
        (&miss["seen"], &miss["wanted"]),
        (&json!("\"refs/heads/dev\""), &json!("\"refs/heads/main\""))
    );
    assert_eq!(act(&world).await, ("explain".to_owned(), id.to_owned(), "bootstrap-token".to_owned()));
}

#[tokio::test]
async fn a_role_is_explained_for_a_token_or_for_claims() {
    let world = World::new().await;
    let token = world.token(&[]);
    let claims = serde_json::to_value(world.claims()).unwrap();
    let allowed = explain(&world, json!({ "role": "deploy", "token": format!("{token}\n") })).await.json();
    assert_eq!(allowed["outcome"], "allow", "{allowed}");
    assert_eq!(act(&world).await.1, "role deploy");
    let allowed = explain(&world, json!({ "role": DEPLOY, "claims": claims })).await.json();
    assert_eq!(allowed["outcome"], "allow", "{allowed}");
    let mut other = claims;
    other["ref"] = json!("refs/heads/dev");
    let denied = explain(&world, json!({ "role": "deploy", "claims": other })).await.json();
    assert_eq!(denied["outcome"], "deny");
    assert_eq!(denied["nearest_miss"][0]["condition"], "claims.ref");
    assert_eq!(
        world.app().exchange.store().revocations(daypass_claims::Timestamp::from_secs(0)).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn questions_that_cannot_be_answered() {
    let world = World::new().await;
    let records = world.records(1_000).await.len();
    let long = "x".repeat(5_000);
    for (question, status, message) in [
        (json!({}), 400, "give either `decision`, or `role` with `token` or `claims`"),
        (
            json!({ "decision": "x", "role": "deploy" }),
            400,
            "give either `decision`, or `role` with `token` or `claims`",
        ),
        (json!({ "decision": "x" }), 400, "`x` is not the id of a decision"),
        (json!({ "role": "nobody", "claims": {} }), 404, "there is no role `nobody`"),
        (json!({ "role": long, "claims": {} }), 404, &format!("there is no role `{}`", "x".repeat(256))),
        (
            json!({ "question": "why?" }),
            400,
            "unknown field `question`, expected one of `decision`, `role`, `token`, `claims` at line 1 column 11",
        ),
    ] {
        assert_eq!(error(&explain(&world, question).await), (status, message.to_owned()));
    }
    assert_eq!(world.records(1_000).await.len(), records, "nothing was done that could be on record");
    let unknown = "01a0c450-6c00-7fa0-a940-9edd2ba56212";
    let answer = explain(&world, json!({ "decision": unknown })).await;
    assert_eq!(error(&answer), (404, format!("there is no decision {unknown}")));
    let answer = explain(&world, json!({ "role": "deploy" })).await;
    assert_eq!(error(&answer), (400, "give `role` with either `token` or `claims`".to_owned()));
    let request = world.admin_request(Method::POST, "/api/v1/explain", None).bearer_auth(world.admin_token());
    let twice = r#"{"role": "deploy", "claims": {"sub": "a", "sub": "b"}}"#;
    let answer = crate::tools::answer(request.header("content-type", "application/json").body(twice)).await;
    assert!(error(&answer).1.starts_with("`claims`: "), "{}", answer.body);
}

#[tokio::test]
async fn a_decision_past_its_retention_is_gone() {
    let world =
        World::with(Plan { tables: "[audit]\nretention = \"1d\"\n".to_owned(), ..Plan::default() }).await;
    let refused = world.web_identity(&world.token(&[("ref", "refs/heads/dev".into())]), &[]).await;
    world.clock.advance(Duration::from_secs(2 * 86_400));
    world.app().exchange.sweep().await.unwrap();
    let answer = explain(&world, json!({ "decision": refused.element("RequestId") })).await;
    assert_eq!(answer.status, 410, "{}", answer.body);
}

#[tokio::test]
async fn our_keys_are_listed_without_secrets_and_rotated() {
    let world = World::new().await;
    let listed = world.admin(Method::GET, "/api/v1/keys", None).await.json();
    let purposes = |listed: &Value| {
        let mut keys: Vec<String> = listed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| format!("{} {} {}", key["purpose"], key["generation"], key["state"]).replace('"', ""))
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(purposes(&listed), ["audit 1 in use", "seal 1 in use", "sign 1 in use"]);
    let rotate = async |body: Value| world.admin(Method::POST, "/api/v1/keys/rotate", Some(body)).await;
    let rotated = rotate(json!({ "purpose": "sign" })).await;
    assert_eq!(
        purposes(&rotated.json()),
        ["audit 1 in use", "seal 1 in use", "sign 1 in use", "sign 2 published"]
    );
    assert_eq!(
        act(&world).await,
        ("rotate-keys".to_owned(), "sign".to_owned(), "bootstrap-token".to_owned())
    );
    let wrong = rotate(json!({ "purpose": "everything" })).await;
    assert_eq!(error(&wrong), (400, "`everything` is not sign, seal or audit".to_owned()));
    let wrong = rotate(json!({ "purpose": "sign", "now": true })).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn a_leaked_sealing_key_is_replaced_with_everything_it_made() {
    let world = World::new().await;
    let keys = world.session().await;
    let body = json!({ "purpose": "seal", "at_once": true });
    let rotated = world.admin(Method::POST, "/api/v1/keys/rotate", Some(body)).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    assert_eq!(act(&world).await.1, "seal at once");
    assert_eq!(world.signed(&keys, &IDENTITY).await.element("Code"), "InvalidClientTokenId");
    let fresh = world.session().await;
    assert_eq!(world.signed(&fresh, &IDENTITY).await.status, 200);
}

const PUSHED: &str = r#"
[[issuer]]
name = "behind"
url = "https://gitlab.internal.example"
audiences = ["sts.amazonaws.com"]
algorithms = ["ES256"]
pushed_keys = true

[[role]]
name = "inside"
[[role.trust]]
issuer = "behind"
audience = "sts.amazonaws.com"
claims.sub = "project:7"
"#;

#[tokio::test]
async fn keys_are_pushed_for_an_issuer_that_cannot_be_reached() {
    let world = World::with(Plan::tables(PUSHED)).await;
    let theirs = key();
    let mut claims = world.claims();
    claims.insert("iss", "https://gitlab.internal.example");
    claims.insert("sub", "project:7");
    let token = theirs.sign(&TokenHeader::new("JWT"), &claims).unwrap();
    let inside = "arn:aws:iam::123456789012:role/inside";
    let before = world.web_identity(&token, &[("RoleArn", inside)]).await;
    assert_eq!(before.element("Code"), "IDPCommunicationError");
    let jwks: Value = serde_json::from_str(&jwks(&[&theirs])).unwrap();
    let push = async |body: Value| world.admin(Method::POST, "/api/v1/keys/push", Some(body)).await;
    let pushed = push(json!({ "issuer": "behind", "jwks": jwks })).await;
    assert_eq!(pushed.status, 200, "{}", pushed.body);
    assert_eq!(
        pushed.json(),
        json!({ "issuer": "https://gitlab.internal.example", "keys": 1, "warnings": [] })
    );
    assert_eq!(act(&world).await.1, "https://gitlab.internal.example");
    assert_eq!(world.web_identity(&token, &[("RoleArn", inside)]).await.status, 200);
    let issuers = world.admin(Method::GET, "/api/v1/issuers", None).await.json();
    let behind = issuers["issuers"].as_array().unwrap().iter().find(|one| one["origin"] == "pushed").unwrap();
    assert_eq!((&behind["keys"], &behind["state"]), (&json!(1), &json!("fresh")), "{behind}");

    let wrong = push(json!({ "issuer": "nobody", "jwks": jwks })).await;
    assert_eq!(error(&wrong), (404, "no issuer `nobody` is configured".to_owned()));
    let wrong = push(json!({ "issuer": "behind", "jwks": { "keys": [] } })).await;
    assert!(error(&wrong).1.starts_with("`jwks`: "), "{}", wrong.body);
    let wrong = push(json!({ "issuer": GITHUB, "jwks": jwks })).await;
    assert_eq!(error(&wrong), (400, format!("the keys of `{GITHUB}` are pinned and cannot be pushed")));
    let named = daypass_claims::KeyId::parse("daypass-dev-1").unwrap();
    let development =
        serde_json::from_str::<Value>(&crate::tools::jwks(&[&key().with_key_id(named)])).unwrap();
    let wrong = push(json!({ "issuer": "behind", "jwks": development })).await;
    assert_eq!(
        error(&wrong),
        (400, "`daypass-dev-1` is a development key, which anybody can make".to_owned())
    );
}

#[tokio::test]
async fn a_key_set_with_a_member_twice_is_not_taken() {
    let world = World::with(Plan::tables(PUSHED)).await;
    let body = r#"{"issuer": "behind", "jwks": {"keys": [], "keys": []}}"#;
    let request =
        world.admin_request(Method::POST, "/api/v1/keys/push", None).bearer_auth(world.admin_token());
    let answer = crate::tools::answer(request.header("content-type", "application/json").body(body)).await;
    assert_eq!(answer.status, 400);
    assert!(error(&answer).1.contains("keys"), "{}", answer.body);
}

#[tokio::test]
async fn revocation_reaches_another_replica_with_its_next_reading() {
    for wish in ["role", "role arn", "run", "repository", "credential", "access key"] {
        let world = World::new().await;
        let replica = world.again().await;
        let answer = world.web_identity(&world.token(&[]), &[]).await;
        let keys = crate::tools::Keys::of(&answer);
        let body = match wish {
            "role" => json!({ "role": "deploy" }),
            "role arn" => json!({ "role": DEPLOY }),
            "run" => json!({ "run": "77" }),
            "repository" => json!({ "repository": "2002", "issuer": GITHUB }),
            "credential" => json!({ "credential": answer.element("RequestId") }),
            _ => json!({ "credential": keys.id }),
        };
        let revoked = world.admin(Method::POST, "/api/v1/revoke", Some(body)).await;
        assert_eq!(revoked.status, 200, "{wish}: {}", revoked.body);
        assert_eq!(revoked.json()["everywhere_within_seconds"], 5);
        assert_eq!(act(&world).await.0, "revoke");
        assert_eq!(world.signed(&keys, &IDENTITY).await.status, 403, "{wish}: at once where it was said");
        assert!(daypass_exchange::REFRESH_EVERY <= Duration::from_secs(5));
        replica.app().exchange.refresh().await.unwrap();
        let dead = replica.signed(&keys, &IDENTITY).await;
        assert_eq!(
            dead.element("Message"),
            "The security token included in the request was revoked.",
            "{wish}"
        );
        world.clock.advance(Duration::from_secs(1));
        let later = replica.session().await;
        assert_eq!(replica.signed(&later, &IDENTITY).await.status, 200, "{wish}: what comes after lives");
    }
}

#[tokio::test]
async fn what_was_issued_within_the_second_is_revoked_and_the_next_second_is_not() {
    let world = World::new().await;
    world.clock.advance(Duration::from_millis(900));
    let keys = world.session().await;
    let revoked = world.admin(Method::POST, "/api/v1/revoke", Some(json!({ "role": "deploy" }))).await;
    assert_eq!(revoked.json()["not_before"], "2026-09-21T14:13:21Z");
    assert_eq!(revoked.json().get("remark"), None);
    assert_eq!(world.signed(&keys, &IDENTITY).await.status, 403);
    world.clock.advance(Duration::from_millis(100));
    let later = world.session().await;
    assert_eq!(world.signed(&later, &IDENTITY).await.status, 200);
}

#[tokio::test]
async fn sessions_of_a_role_that_is_gone_can_still_be_revoked() {
    let world = World::new().await;
    let gone = json!({ "role": "arn:aws:iam::123456789012:role/ci/gone" });
    let revoked = world.admin(Method::POST, "/api/v1/revoke", Some(gone)).await;
    assert_eq!(revoked.json()["revoked"], "role gone", "sessions are known by the name of their role");
    assert_eq!(revoked.json()["remark"], "no role is named `gone` now: mind the spelling");
    let revoked = world.admin(Method::POST, "/api/v1/revoke", Some(json!({ "role": "gone" }))).await;
    assert_eq!(revoked.json()["revoked"], "role gone");
}

#[tokio::test]
async fn wishes_that_are_wrong_revoke_nothing() {
    let world = World::with(Plan::tables(PUSHED)).await;
    let records = world.records(1_000).await.len();
    let long = "x".repeat(1_025);
    for (wish, status, message) in [
        (json!({}), 400, "give exactly one of `role`, `run`, `repository` and `credential`"),
        (
            json!({ "role": "deploy", "run": "77" }),
            400,
            "give exactly one of `role`, `run`, `repository` and `credential`",
        ),
        (json!({ "run": "77" }), 400, "say whose: `issuer` is missing"),
        (json!({ "run": "77", "issuer": "nobody" }), 404, "no issuer `nobody` is configured"),
        (json!({ "role": "" }), 400, "`role` has 0 bytes, 1 to 1024 are taken"),
        (json!({ "credential": long }), 400, "`credential` has 1025 bytes, 1 to 1024 are taken"),
        (
            json!({ "role": "arn:aws:iam::210987654321:role/deploy" }),
            400,
            "the role's ARN does not begin with `arn:aws:iam::123456789012:role/`: its sessions are not ours",
        ),
    ] {
        let answer = world.admin(Method::POST, "/api/v1/revoke", Some(wish)).await;
        assert_eq!(error(&answer), (status, message.to_owned()));
    }
    assert_eq!(world.records(1_000).await.len(), records);
    let store = world.app().exchange.store();
    assert_eq!(store.revocations(daypass_claims::Timestamp::from_secs(0)).await.unwrap(), []);
}

#[tokio::test]
async fn an_act_that_cannot_be_recorded_is_not_done() {
    let world = World::new().await;
    let keys = world.session().await;
    let database = world.directory.path().join("data/daypass.sqlite3");
    let other = rusqlite::Connection::open(database).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = world.admin(Method::POST, "/api/v1/revoke", Some(json!({ "role": "deploy" }))).await;
    assert_eq!(error(&refused), (503, "the database is locked by another process".to_owned()));
    other.execute_batch("ROLLBACK").unwrap();
    world.app().exchange.refresh().await.unwrap();
    assert_eq!(world.signed(&keys, &IDENTITY).await.status, 200);
}
