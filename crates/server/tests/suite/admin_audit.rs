//! Reading the log over the admin listener.

use http::Method;
use serde_json::{Value, json};

use crate::tools::{Answer, World};

async fn audit(world: &World, query: &str) -> Answer {
    world.admin(Method::GET, &format!("/api/v1/audit{query}"), None).await
}

#[tokio::test]
async fn the_newest_records_are_read_and_that_is_on_record() {
    let world = World::new().await;
    let refused = world.web_identity(&world.token(&[("ref", "refs/heads/dev".into())]), &[]).await;
    let records = audit(&world, "?limit=2").await.json();
    let [decision, reading] = records["records"].as_array().unwrap().as_slice() else { panic!("{records}") };
    assert_eq!(decision["record"]["id"], refused.element("RequestId"));
    assert_eq!(decision["seq"], 1, "the genesis is 0");
    assert_eq!(decision["hash"].as_str().unwrap().len(), 64);
    assert_eq!(decision["chain"], reading["chain"]);
    assert_eq!(
        (&reading["record"]["act"], &reading["record"]["by"]),
        (&json!("read-audit"), &json!("bootstrap-token"))
    );
    assert_eq!(audit(&world, "").await.json()["records"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn questions_that_are_wrong() {
    let world = World::new().await;
    let before = world.records(1_000).await.len();
    for query in ["?limit=0", "?limit=1001", "?limit=x", "?limit=", "?limit=-1"] {
        let answer = audit(&world, query).await;
        assert_eq!(answer.json()["error"], "`limit` must be a whole number from 1 to 1000", "{query}");
    }
    assert_eq!(audit(&world, "?follow=yes").await.json()["error"], "`follow` must be true or false");
    assert_eq!(audit(&world, "?limit=1&limit=2").await.status, 400);
    assert_eq!(world.records(1_000).await.len(), before);
}

/// Lines of a response that goes on.
struct Lines {
    response: reqwest::Response,
    rest: String,
}

impl Lines {
    async fn of(world: &World, query: &str) -> Self {
        let request = world.admin_request(Method::GET, &format!("/api/v1/audit{query}"), None);
        let response = request.bearer_auth(world.admin_token()).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        Self { response, rest: String::new() }
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((line, rest)) = self.rest.split_once('\n') {
                let line = serde_json::from_str(line).unwrap();
                self.rest = rest.to_owned();
                return Some(line);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn a_follower_reads_everything_once_in_order_and_on_every_chain() {
    let world = World::new().await;
    let replica = world.again().await;
    let mut lines = Lines::of(&world, "?limit=1&follow=true").await;
    let first = lines.next().await.unwrap();
    assert_eq!(first["record"]["act"], "read-audit", "one act, on record once");
    for _ in 0..3 {
        world.session().await;
    }
    replica.session().await;
    let mut seen: Vec<(String, u64)> = Vec::new();
    for _ in 0..4 {
        let line = lines.next().await.unwrap();
        assert_eq!(line["record"]["outcome"], "admitted");
        seen.push((line["chain"].as_str().unwrap().to_owned(), line["seq"].as_u64().unwrap()));
    }
    let ours = first["chain"].as_str().unwrap();
    let seqs = |own: bool| {
        seen.iter().filter(|(chain, _)| (chain == ours) == own).map(|(_, seq)| *seq).collect::<Vec<_>>()
    };
    assert_eq!((seqs(true), seqs(false)), (vec![2, 3, 4], vec![1]));
}

#[tokio::test]
async fn a_follower_does_not_keep_the_service_from_stopping() {
    let world = World::new().await;
    let mut lines = Lines::of(&world, "?limit=1&follow=true").await;
    assert!(lines.next().await.is_some());
    world.service.stop().await.unwrap();
    assert_eq!(lines.next().await, None);
}
