//! Chains, records and checkpoints.

use daypass_store::{Checkpoint, Head, RecordBody, StoreError, UseOutcome, chain};

use crate::places::Place;
use crate::tools::{
    append_all, at, body, chain_id, decision_id, entry, open_chain, read_chain, start, verify,
};

pub(crate) async fn a_chain_begins_with_its_genesis(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.heads().await, Ok(vec![]));
    let receipt = open_chain(&*store, 7).await;
    assert_eq!((receipt.chain(), receipt.seq()), (chain_id(7), 0));
    assert_eq!(receipt.outcome(), &UseOutcome::NotCounted);
    let [genesis] = store.records(chain_id(7), 0, 10).await.unwrap().try_into().unwrap();
    assert_eq!(genesis.decision, receipt.decision());
    assert_eq!(genesis.body, Some(RecordBody(b"{}".to_vec())));
    let hash = chain::link(chain_id(7), 0, at(7), &chain::body_hash(b"{}"), &chain::START);
    assert_eq!(genesis.hash, hash);
    assert_eq!(store.heads().await, Ok(vec![Head { chain: chain_id(7), seq: 0, hash, time: at(7) }]));
}

pub(crate) async fn nothing_is_appended_before_a_chain_is_open(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.append(entry(1)).await, Err(StoreError::NoChain));
    open_chain(&*store, 1).await;
    assert_eq!(store.append(entry(1)).await.unwrap().seq(), 1);
}

pub(crate) async fn a_chain_is_opened_once(place: &dyn Place) {
    let store = place.open().await;
    let genesis = || RecordBody(b"{}".to_vec());
    let receipt = open_chain(&*store, 1).await;
    let again = store.open_chain(chain_id(1), decision_id(9), at(9), genesis()).await;
    assert_eq!(again, Err(StoreError::Exists("chain")));
    let used = store.open_chain(chain_id(2), receipt.decision(), at(9), genesis()).await;
    assert_eq!(used, Err(StoreError::Exists("decision")));
    // Neither leaves anything behind, nor harms the chain that is open.
    assert_eq!(store.append(entry(1)).await.unwrap().chain(), chain_id(1));
    assert_eq!(verify(&*store).await.unwrap().len(), 2);
    store.open_chain(chain_id(2), decision_id(9), at(9), genesis()).await.unwrap();
}

pub(crate) async fn records_come_back_as_they_were_written(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 1).await;
    let receipt = store.append(entry(5)).await.unwrap();
    assert_eq!((receipt.chain(), receipt.seq(), receipt.decision()), (chain_id(1), 1, decision_id(5)));
    let record = store.record(decision_id(5)).await.unwrap().unwrap();
    let body = body(5, &UseOutcome::NotCounted);
    assert_eq!((record.chain, record.seq, record.time), (chain_id(1), 1, at(5)));
    assert_eq!(record.decision, decision_id(5));
    assert_eq!(record.body_hash, chain::body_hash(&body.0));
    assert_eq!(record.body, Some(body));
    assert_eq!(store.records(chain_id(1), 1, 1).await, Ok(vec![record]));
    assert_eq!(store.record(decision_id(6)).await, Ok(None));
}

pub(crate) async fn a_chain_is_read_in_pages(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 1).await;
    for n in 1..=6 {
        store.append(entry(n)).await.unwrap();
    }
    let seqs = |from, limit| {
        let store = store.clone();
        async move {
            let records = store.records(chain_id(1), from, limit).await.unwrap();
            records.iter().map(|record| record.seq).collect::<Vec<_>>()
        }
    };
    assert_eq!(seqs(0, 3).await, [0, 1, 2]);
    assert_eq!(seqs(3, 3).await, [3, 4, 5]);
    assert_eq!(seqs(6, 3).await, [6]);
    assert_eq!(seqs(7, 3).await, [0; 0]);
    assert_eq!(seqs(u64::MAX, 3).await, [0; 0]);
    assert_eq!(store.records(chain_id(2), 0, 3).await, Ok(vec![]));
}

pub(crate) async fn a_decision_is_recorded_once(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 1).await;
    store.append(entry(1)).await.unwrap();
    assert_eq!(store.append(entry(1)).await, Err(StoreError::Exists("decision")));
    let other = place.open().await;
    open_chain(&*other, 2).await;
    assert_eq!(other.append(entry(1)).await, Err(StoreError::Exists("decision")));
    assert_eq!(store.append(entry(2)).await.unwrap().seq(), 2);
    verify(&*store).await.unwrap();
}

pub(crate) async fn heads_are_in_the_order_of_opening(place: &dyn Place) {
    let (first, second) = (place.open().await, place.open().await);
    open_chain(&*first, 3).await;
    open_chain(&*second, 8).await;
    second.append(entry(20)).await.unwrap();
    first.append(entry(21)).await.unwrap();
    first.append(entry(22)).await.unwrap();
    let heads = second.heads().await.unwrap();
    let found: Vec<_> = heads.iter().map(|head| (head.chain, head.seq, head.time)).collect();
    assert_eq!(found, [(chain_id(3), 2, at(22)), (chain_id(8), 1, at(20))]);
    verify(&*first).await.unwrap();
}

pub(crate) async fn the_latest_records_are_those_of_all_chains(place: &dyn Place) {
    let (first, second) = (place.open().await, place.open().await);
    open_chain(&*first, 1).await;
    open_chain(&*second, 2).await;
    for n in [10, 12, 14] {
        first.append(entry(n)).await.unwrap();
        second.append(entry(n + 1)).await.unwrap();
    }
    let latest = first.latest(4).await.unwrap();
    let times: Vec<_> = latest.iter().map(|record| record.time).collect();
    assert_eq!(times, [at(12), at(13), at(14), at(15)]);
    assert_eq!(first.latest(100).await.unwrap().len(), 8);
}

pub(crate) async fn a_chain_verifies_without_the_bodies_that_were_dropped(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    // More than one transaction's worth.
    for answer in append_all(&store, (1..=1_200).map(entry)).await {
        answer.unwrap();
    }
    // All but the genesis, without whose signature nobody could tell who opened the chain.
    assert_eq!(store.drop_bodies(at(1_101)).await, Ok(1_100));
    assert_eq!(store.drop_bodies(at(1_101)).await, Ok(0));
    for record in verify(&*store).await.unwrap() {
        assert_eq!(record.body.is_none(), record.seq > 0 && record.time < at(1_101), "{:?}", record.time);
    }
    assert_eq!(store.append(entry(2_000)).await.unwrap().seq(), 1_201);
}

pub(crate) async fn checkpoints_are_kept_in_order(place: &dyn Place) {
    let store = place.open().await;
    let checkpoint = |time, text: &str| Checkpoint { time: at(time), statement: text.to_owned() };
    for (time, text) in [(5, "b"), (5, "c"), (3, "a")] {
        store.put_checkpoint(checkpoint(time, text)).await.unwrap();
    }
    let expected = vec![checkpoint(3, "a"), checkpoint(5, "b"), checkpoint(5, "c")];
    assert_eq!(store.checkpoints().await, Ok(expected));
}

pub(crate) async fn a_restart_keeps_everything(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 1).await;
    for n in 1..=5 {
        store.append(entry(n)).await.unwrap();
    }
    let before = verify(&*store).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(verify(&*store).await.unwrap(), before);
    open_chain(&*store, 2).await;
    assert_eq!(store.append(entry(6)).await.unwrap().seq(), 1);
    assert_eq!(verify(&*store).await.unwrap().len(), 8);
    assert_eq!(read_chain(&*store, chain_id(1)).await.unwrap(), before);
}

pub(crate) async fn an_entry_is_written_although_its_caller_has_gone(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 1).await;
    let mut append = store.append(entry(1));
    start(&mut append).await;
    drop(append);
    assert_eq!(store.append(entry(2)).await.unwrap().seq(), 2);
    assert!(store.record(decision_id(1)).await.unwrap().is_some());
}
