//! The log: what is checked, and what is found.

use std::time::Duration;

use daypass_exchange::record::{Log, LogEntry, SignedCheckpoint, Verification, verify};
use daypass_store::StoreError;

use crate::support::World;

async fn log(world: &World) -> Log {
    let store = world.exchange.store();
    let mut entries: Vec<LogEntry> = Vec::new();
    for head in store.heads().await.unwrap() {
        entries.extend(store.records(head.chain, 0, 10_000).await.unwrap().into_iter().map(LogEntry::from));
    }
    let checkpoints = store.checkpoints().await.unwrap();
    let checkpoints = checkpoints.iter().map(|it| serde_json::from_str(&it.statement).unwrap()).collect();
    let keys = world.exchange.ring().keys();
    let keys =
        keys.audit_keys().iter().map(|key| daypass_token::VerificationKey::new(key.jwk().clone()).unwrap());
    Log { entries, checkpoints, outside: Vec::new(), keys: keys.collect() }
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
async fn nothing_leaves_when_the_record_cannot_be_written() {
    let world = World::new().await;
    world.exchange.store().close().await.unwrap();
    let refused = world.ask("deploy", &world.token(&[])).await.unwrap_err();
    assert!(matches!(refused.refusal, daypass_exchange::Refusal::Store(StoreError::Closed)));
    assert!(refused.refusal.retry_after().is_some());
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
