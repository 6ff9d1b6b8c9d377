//! The log: what is checked, and what is found.

use std::time::Duration;

use daypass_exchange::record::{LogEntry, LogLine, SignedCheckpoint, Verification, Verifier, read_store};
use daypass_store::StoreError;
use daypass_token::VerificationKey;

use crate::support::World;

/// A log that can be altered before it is checked.
#[derive(Default)]
struct Log {
    entries: Vec<LogEntry>,
    checkpoints: Vec<SignedCheckpoint>,
    outside: Vec<SignedCheckpoint>,
    keys: Vec<VerificationKey>,
}

impl Log {
    fn add(&mut self, line: LogLine) {
        match line {
            LogLine::Key(key) => self.keys.push(*key),
            LogLine::Entry(entry) => self.entries.push(*entry),
            LogLine::Checkpoint(checkpoint) => self.checkpoints.push(*checkpoint),
        }
    }
}

async fn log(world: &World) -> Log {
    let mut log = Log::default();
    let mut bad = Vec::new();
    read_store(world.exchange.store(), &mut |line| log.add(line), &mut |found| bad.push(found))
        .await
        .unwrap();
    assert_eq!(bad, []);
    log
}

fn verify(log: &Log) -> Verification {
    let mut verifier = Verifier::new();
    for key in &log.keys {
        verifier.key(VerificationKey::new(key.jwk().clone()).unwrap());
    }
    log.entries.iter().for_each(|entry| verifier.entry(entry, None));
    log.checkpoints.iter().for_each(|checkpoint| verifier.checkpoint(checkpoint.clone()));
    log.outside.iter().for_each(|checkpoint| verifier.outside(checkpoint.clone()));
    verifier.finish()
}

async fn busy_world() -> World {
    let world = World::new().await;
    for n in 0..5 {
        world.ask("deploy", &world.token(&[("jti", format!("a{n}").into())])).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    world
}

fn problem(log: &Log) -> String {
    let Verification { ok, first_bad, .. } = verify(log);
    assert!(!ok);
    let bad = first_bad.unwrap();
    format!("{}: {}", bad.seq, bad.problem)
}

#[tokio::test]
async fn an_untouched_log_verifies_over_several_boots() {
    let world = busy_world().await;
    world.exchange.checkpoint().await.unwrap();
    let again = world.again().await;
    again.ask("deploy", &again.token(&[("jti", "later".into())])).await.unwrap();
    let signed: SignedCheckpoint = again.exchange.checkpoint().await.unwrap();
    let mut log = log(&again).await;
    let found = verify(&log);
    assert!(found.ok, "{:?}", found.bad);
    assert_eq!((found.records, found.chains), (8, 2));
    assert!(found.scope.starts_with("self-consistent only"));
    log.outside = vec![signed];
    assert!(verify(&log).scope.starts_with("append-only up to the outside checkpoint of 2026-"));
}

/// Changes one digit of a claim in the body of an entry.
fn alter(entry: &mut LogEntry) {
    let body = &mut entry.body.as_mut().unwrap().0;
    let claim = b"\"run_id\":\"77\"";
    let at = body.windows(claim.len()).position(|window| window == claim).unwrap();
    body[at + claim.len() - 2] = b'8';
}

#[tokio::test]
async fn one_altered_byte_is_pointed_at() {
    let world = busy_world().await;
    let mut log = log(&world).await;
    alter(&mut log.entries[3]);
    assert_eq!(problem(&log), "3: the body was altered: it does not have the hash that was recorded");
    let entry = &mut log.entries[3];
    entry.body_hash = daypass_store::chain::body_hash(&entry.body.as_ref().unwrap().0);
    assert_eq!(problem(&log), "3: the entry was altered or moved: it does not link to the one before it");
}

#[tokio::test]
async fn removed_reordered_and_redated_entries_are_found() {
    let world = busy_world().await;
    let mut removed = log(&world).await;
    removed.entries.remove(2);
    assert_eq!(problem(&removed), "3: entry 2 before it was removed");
    let mut swapped = log(&world).await;
    swapped.entries[2].seq = 3;
    swapped.entries[3].seq = 2;
    assert_eq!(problem(&swapped), "2: the entry was altered or moved: it does not link to the one before it");
    let mut redated = log(&world).await;
    redated.entries[4].time = redated.entries[4].time + Duration::from_secs(60);
    assert!(problem(&redated).starts_with("4: the body says"));
    let mut doubled = log(&world).await;
    let copy = doubled.entries[4].clone();
    doubled.entries.push(copy);
    assert_eq!(problem(&doubled), "4: the place is taken twice: an entry was inserted");
}

#[tokio::test]
async fn a_log_that_was_cut_short_is_found_with_a_checkpoint_from_outside() {
    let world = busy_world().await;
    let signed = world.exchange.checkpoint().await.unwrap();
    let mut cut = log(&world).await;
    cut.entries.pop();
    cut.checkpoints.clear();
    assert!(verify(&cut).ok, "a log that ends early is consistent in itself");
    cut.outside = vec![signed.clone()];
    assert!(problem(&cut).starts_with("5: the entry was removed; the checkpoint of"));
    let mut forged = log(&world).await;
    let mut checkpoint = signed;
    checkpoint.checkpoint.heads[0].seq = 4;
    forged.outside = vec![checkpoint];
    assert!(problem(&forged).contains("kept outside) is forged"));
}

#[tokio::test]
async fn a_chain_that_was_followed_cannot_be_dropped_or_made_up() {
    let world = busy_world().await;
    let again = world.again().await;
    let mut dropped = log(&again).await;
    let first = dropped.entries[0].chain;
    dropped.entries.retain(|entry| entry.chain != first);
    assert!(problem(&dropped).contains("the entry was removed; chain"));
    let mut unknown_key = log(&again).await;
    unknown_key.keys.clear();
    assert!(problem(&unknown_key).starts_with("0: the genesis is forged"));
}

#[tokio::test]
async fn a_body_may_go_and_the_chain_still_verifies() {
    let world = busy_world().await;
    world.clock.advance(Duration::from_secs(100));
    let before = daypass_claims::Clock::now(&*world.clock) - Duration::from_secs(50);
    assert!(world.exchange.store().drop_bodies(before).await.unwrap() > 0);
    let log = log(&world).await;
    assert!(log.entries.iter().any(|entry| entry.body.is_none()));
    let found = verify(&log);
    assert!(found.ok, "{:?}", found.bad);
}

#[tokio::test]
async fn an_exported_log_reads_back_byte_for_byte() {
    let world = busy_world().await;
    world.exchange.checkpoint().await.unwrap();
    let mut lines = Vec::new();
    let mut bad = Vec::new();
    let mut add = |line: LogLine| lines.push(line.to_json().unwrap());
    read_store(world.exchange.store(), &mut add, &mut |found| bad.push(found)).await.unwrap();
    assert_eq!(bad, []);
    let mut verifier = Verifier::new();
    for (line, text) in (1..).zip(&lines) {
        let read = LogLine::parse(text.as_bytes()).unwrap();
        assert_eq!(read.to_json().unwrap(), *text);
        read.check(&mut verifier, Some(line));
    }
    let found = verifier.finish();
    assert!(found.ok, "{:?}", found.bad);
    assert_eq!(found.records, 6);
}

#[test]
fn each_line_that_is_none_of_a_log_has_its_reason() {
    let refusal = |line: &str| LogLine::parse(line.as_bytes()).unwrap_err().to_string();
    let entry = |member: &str, value: &str| {
        let mut line = serde_json::json!({ "entry": {
            "chain": "0190f0c2-0000-7000-8000-000000000001", "seq": 1, "time": 0,
            "decision": "0190f0c2-0000-7000-8000-000000000002", "body": null,
            "body_hash": "00".repeat(32), "hash": "00".repeat(32),
        }});
        line["entry"][member] = value.into();
        line.to_string()
    };
    assert!(LogLine::parse(entry("body", "{}").as_bytes()).is_ok());
    assert!(refusal("{").starts_with("the line is not one of a log: EOF"));
    assert!(refusal(r#"{"entry":{}}"#).contains("missing field"));
    assert!(refusal(r#"{"other":{}}"#).contains("unknown variant"));
    assert_eq!(refusal(&entry("chain", "x")), "`chain` is not what it should be");
    assert_eq!(refusal(&entry("decision", "x")), "`decision` is not what it should be");
    assert_eq!(refusal(&entry("hash", "00")), "`hash` is not what it should be");
    assert_eq!(refusal(&entry("body_hash", "xx")), "`body_hash` is not what it should be");
    assert!(refusal(r#"{"key":{"kty":"oct","k":"AA"}}"#).starts_with("the key is none"));
}

#[tokio::test]
async fn nothing_leaves_when_the_record_cannot_be_written() {
    let world = World::new().await;
    world.exchange.store().close().await.unwrap();
    let refused = world.ask("deploy", &world.token(&[])).await.unwrap_err();
    assert!(matches!(refused.refusal, daypass_exchange::Refusal::Store(StoreError::Closed)));
    assert!(refused.refusal.retry_after().is_some());
}

#[tokio::test]
async fn a_flood_of_tokens_that_are_good_and_not_admitted_is_bounded_on_record_too() {
    let world = World::new().await;
    let stranger = world.token(&[("ref", "refs/heads/x".into())]);
    for _ in 0..100 {
        world.ask("deploy", &stranger).await.unwrap_err();
    }
    world.ask("deploy", &world.token(&[])).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    world.exchange.flush_summary().await;
    let records = world.exchange.store().latest(1_000).await.unwrap();
    assert_eq!(
        records.len(),
        1 + 32 + 1 + 1,
        "genesis, what one subject may have, what was admitted, one summary"
    );
    let body = records.last().unwrap().body.as_ref().unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&body.0).unwrap();
    assert_eq!(summary["refused"], serde_json::json!({ "trust-denied": 68 }));
}

#[tokio::test]
async fn a_flood_of_unverified_tokens_is_bounded_on_record_and_counted_whole() {
    let world = World::new().await;
    for _ in 0..250 {
        world.ask("deploy", "x.y.z").await.unwrap_err();
    }
    world.clock.advance(Duration::from_secs(1));
    world.exchange.flush_summary().await;
    let records = world.exchange.store().latest(1_000).await.unwrap();
    assert_eq!(records.len(), 1 + 100 + 1, "genesis, a hundred singly, one summary");
    let body = records.last().unwrap().body.as_ref().unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&body.0).unwrap();
    assert_eq!(summary["kind"], "summary");
    let counted = summary["refused"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64);
    assert_eq!(counted.sum::<u64>(), 150);
}
