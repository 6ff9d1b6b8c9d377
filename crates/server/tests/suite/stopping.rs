//! Stopping: what has begun is finished and on disk, and nobody can keep it from happening.

use std::sync::Arc;
use std::time::Duration;

use daypass_server::Bounds;
use daypass_server::fetch::HttpFetch;
use daypass_store::{SqliteStore, Store};
use daypass_token::sign::TokenHeader;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::site::{self, Authority, Site};
use crate::tools::{Plan, World, jwks, key};

/// Every record on disk, read by another process's means.
async fn on_disk(world_directory: &std::path::Path) -> Vec<Value> {
    let store = SqliteStore::open_read_only(&world_directory.join("data")).unwrap();
    let records = store.latest(1_000).await.unwrap();
    records.into_iter().map(|record| serde_json::from_slice(&record.body.unwrap().0).unwrap()).collect()
}

#[tokio::test]
async fn an_exchange_that_has_begun_is_finished_and_on_record() {
    let theirs = key();
    let site = Site::plain(|_| site::missing()).await;
    let url = site.url("");
    let (document, set) =
        (json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }).to_string(), jwks(&[&theirs]));
    site.answers_at_the_gate(move |path| match path {
        "/keys" => site::json(set.clone()),
        _ => site::json(document.clone()),
    });
    let tables = format!(
        "[[issuer]]\nname = \"ci\"\nurl = \"{url}\"\naudiences = [\"sts.amazonaws.com\"]\nalgorithms = [\"ES256\"]\n\
         [[role]]\nname = \"inside\"\n[[role.trust]]\nissuer = \"ci\"\naudience = \"sts.amazonaws.com\"\nclaims.sub = \"project:7\"\n"
    );
    let world = World::with(Plan { fetch: Arc::new(HttpFetch::new()), ..Plan::tables(tables) }).await;
    let mut claims = world.claims();
    claims.insert("iss", url);
    claims.insert("sub", "project:7");
    let token = theirs.sign(&TokenHeader::new("JWT"), &claims).unwrap();
    let usual = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", "arn:aws:iam::123456789012:role/inside"),
        ("RoleSessionName", "run-1"),
        ("WebIdentityToken", &token),
    ];
    let (http, public) = (world.http.clone(), world.service.public());
    let request = http.post(&world.url).header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(crate::tools::form(&usual));
    let asking = tokio::spawn(crate::tools::answer(request));
    // The issuer has been asked and does not answer yet: the exchange waits for its keys.
    site.was_asked(1).await;
    // A request that came before has been read, or the connection would be closed for sending nothing.
    while !world.get("/healthz").await.body.starts_with("ok") {}
    let directory = Arc::clone(&world.directory);
    let stopping = tokio::spawn(world.service.stop());
    while TcpStream::connect(public).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished(), "nothing more is accepted, and what has begun is waited for");
    site.open_the_gate();
    site.was_asked(2).await;
    site.open_the_gate();
    let answer = asking.await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    stopping.await.unwrap().unwrap();
    let records = on_disk(directory.path()).await;
    let last = records.last().unwrap();
    assert_eq!((&last["id"], &last["outcome"]), (&json!(answer.element("RequestId")), &json!("admitted")));
}

#[tokio::test]
async fn nobody_can_keep_it_from_happening() {
    // Nothing but the end of the grace cuts these off.
    let patient = Duration::from_secs(600);
    let bounds = Bounds {
        head: patient,
        idle: patient,
        body: patient,
        answer: patient,
        grace: Duration::from_millis(200),
        ..Bounds::default()
    };
    for tls in [None, Some(Authority::new())] {
        let encrypted = tls.is_some();
        let world = World::with(Plan { bounds, tls, ..Plan::default() }).await;
        let public = world.service.public();
        let mut open = Vec::new();
        let beginnings: &[&str] = if encrypted {
            &["", "\u{16}\u{3}\u{1}"]
        } else {
            &[
                "",
                "GET / HTTP/1.1\r\n",
                "POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
                "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
                "POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
            ]
        };
        for beginning in beginnings {
            let mut stream = TcpStream::connect(public).await.unwrap();
            stream.write_all(beginning.as_bytes()).await.unwrap();
            open.push(stream);
        }
        let mut admin = TcpStream::connect(world.service.admin()).await.unwrap();
        admin
            .write_all(b"POST /api/v1/revoke HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            .await
            .unwrap();
        open.push(admin);
        assert_eq!(world.get("/healthz").await.status, 200);
        world.service.stop().await.unwrap();
        for mut stream in open {
            let mut rest = Vec::new();
            // Closed or reset: in any case over.
            let _ = stream.read_to_end(&mut rest).await;
        }
    }
}

#[tokio::test]
async fn what_was_only_counted_is_written_down_and_a_last_checkpoint_signed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("checkpoints.jsonl");
    let tables = format!("[audit]\ncheckpoint_file = \"{}\"\n", file.display());
    let world = World::with(Plan::tables(tables)).await;
    for _ in 0..105 {
        assert_eq!(world.web_identity("not a token", &[]).await.status, 400);
    }
    world.clock.advance(Duration::from_secs(1));
    let data = Arc::clone(&world.directory);
    world.service.stop().await.unwrap();
    let records = on_disk(data.path()).await;
    assert_eq!(records.last().unwrap()["refused"]["token-segments"], 5, "{}", records.last().unwrap());
    let store = SqliteStore::open_read_only(&data.path().join("data")).unwrap();
    let kept = store.checkpoints().await.unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    let last: Value = serde_json::from_str(written.lines().last().unwrap()).unwrap();
    let statement: Value = serde_json::from_str(&kept.last().unwrap().statement).unwrap();
    assert_eq!(last, statement);
    let head = store.heads().await.unwrap().remove(0);
    assert!(written.contains(&hex::encode(head.hash)), "it states the last head: {written}");
}

#[tokio::test]
async fn a_stopped_service_starts_again_with_everything_it_had() {
    let world = World::new().await;
    let keys = world.session().await;
    let (directory, clock, key) =
        (Arc::clone(&world.directory), Arc::clone(&world.clock), Arc::clone(&world.key));
    world.service.stop().await.unwrap();
    let again = World::start(Plan::default(), directory, clock, key).await.unwrap();
    assert_eq!(again.signed(&keys, &[("Action", "GetCallerIdentity")]).await.status, 200);
    assert_eq!(again.app().exchange.store().heads().await.unwrap().len(), 2, "one chain for each boot");
}
