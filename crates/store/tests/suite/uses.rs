//! Uses of tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_store::{Entry, RecordBody, Store, StoreError, UseOutcome};

use crate::places::Place;
use crate::tools::{Held, append_all, at, body, decision_id, entry, open_chain, outcome, use_entry, verify};

/// What the retry of the use that decision `n` took with `use_entry(n, token, request, ..)` must be answered.
fn retry_of(n: u32, ordinal: u32, token: u8, request: u8) -> UseOutcome {
    UseOutcome::Retry {
        decision: decision_id(n),
        ordinal,
        at: at(i64::from(n)),
        sealed: vec![token, request],
    }
}

pub(crate) async fn a_use_is_counted_retried_and_exhausted(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    assert_eq!(outcome(&*store, use_entry(1, 1, 1, 2)).await, UseOutcome::Fresh { ordinal: 1 });
    assert_eq!(outcome(&*store, use_entry(2, 1, 1, 2)).await, retry_of(1, 1, 1, 1));
    assert_eq!(outcome(&*store, use_entry(3, 1, 2, 2)).await, UseOutcome::Fresh { ordinal: 2 });
    let exhausted = UseOutcome::Exhausted { uses: 2, first_at: at(1) };
    assert_eq!(outcome(&*store, use_entry(4, 1, 3, 2)).await, exhausted);
    assert_eq!(outcome(&*store, use_entry(5, 1, 2, 2)).await, retry_of(3, 2, 1, 2));
    // Another token is another matter, and a repetition after the window is a use.
    assert_eq!(outcome(&*store, use_entry(6, 2, 1, 1)).await, UseOutcome::Fresh { ordinal: 1 });
    assert_eq!(outcome(&*store, use_entry(60_001, 1, 1, 2)).await, exhausted);
    assert_eq!(verify(&*store).await.unwrap().len(), 8);
}

pub(crate) async fn the_body_is_composed_from_the_outcome(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    for (n, entry) in [(1, use_entry(1, 1, 1, 1)), (2, use_entry(2, 1, 1, 1)), (3, use_entry(3, 1, 2, 1))] {
        let outcome = outcome(&*store, entry).await;
        let record = store.record(decision_id(n)).await.unwrap().unwrap();
        assert_eq!(record.body, Some(body(n, &outcome)));
    }
}

pub(crate) async fn uses_within_a_batch_see_each_other(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    let mut held = Held::new(&*store, 1).await;
    held.add(use_entry(2, 9, 1, 2)).await;
    held.add(use_entry(3, 9, 1, 2)).await;
    held.add(use_entry(4, 9, 2, 2)).await;
    held.add(use_entry(5, 9, 3, 2)).await;
    let answers = held.release().await;
    let outcomes: Vec<_> =
        answers.iter().skip(1).map(|answer| answer.as_ref().unwrap().outcome().clone()).collect();
    let expected = [
        UseOutcome::Fresh { ordinal: 1 },
        retry_of(2, 1, 9, 1),
        UseOutcome::Fresh { ordinal: 2 },
        UseOutcome::Exhausted { uses: 2, first_at: at(2) },
    ];
    assert_eq!(outcomes, expected);
}

pub(crate) async fn another_store_gives_the_same_answer_to_a_retry(place: &dyn Place) {
    let (here, there) = (place.open().await, place.open().await);
    open_chain(&*here, 1).await;
    open_chain(&*there, 2).await;
    assert_eq!(outcome(&*here, use_entry(5, 1, 1, 1)).await, UseOutcome::Fresh { ordinal: 1 });
    assert_eq!(outcome(&*there, use_entry(6, 1, 1, 1)).await, retry_of(5, 1, 1, 1));
    // Its clock may be behind.
    assert_eq!(outcome(&*there, use_entry(4, 1, 1, 1)).await, retry_of(5, 1, 1, 1));
}

/// Three stores, each wanting the same token 40 times with different requests.
async fn three_stores_want_the_same(place: &dyn Place, max_uses: u32) {
    let stores = [place.open().await, place.open().await, place.open().await];
    let mut tasks = Vec::new();
    for (store, first) in stores.iter().zip([0, 40, 80]) {
        open_chain(&**store, first).await;
        let store = store.clone();
        let entries =
            (first + 1..=first + 40).map(move |n| use_entry(n, 1, u8::try_from(n).unwrap(), max_uses));
        tasks.push(tokio::spawn(async move { append_all(&store, entries).await }));
    }
    let mut ordinals = Vec::new();
    let mut exhausted = 0;
    for task in tasks {
        for answer in task.await.unwrap() {
            match answer.unwrap().outcome() {
                UseOutcome::Fresh { ordinal } => ordinals.push(*ordinal),
                UseOutcome::Exhausted { uses, .. } => {
                    assert_eq!(*uses, max_uses);
                    exhausted += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    ordinals.sort_unstable();
    assert_eq!(ordinals, (1..=max_uses).collect::<Vec<_>>());
    assert_eq!(exhausted, 120 - max_uses);
    // What the records say is what the callers were told, although some transactions were run again.
    let records = verify(&*stores[0]).await.unwrap();
    assert_eq!(records.len(), 123);
    let fresh = |body: &RecordBody| String::from_utf8_lossy(&body.0).contains("Fresh");
    let recorded = records.iter().filter(|record| record.body.as_ref().is_some_and(fresh)).count();
    assert_eq!(u32::try_from(recorded), Ok(max_uses));
}

pub(crate) async fn three_stores_count_a_single_use_once(place: &dyn Place) {
    three_stores_want_the_same(place, 1).await;
}

pub(crate) async fn three_stores_count_five_uses(place: &dyn Place) {
    three_stores_want_the_same(place, 5).await;
}

pub(crate) async fn one_of_many_identical_requests_takes_the_use(place: &dyn Place) {
    let stores = [place.open().await, place.open().await];
    let mut tasks = Vec::new();
    for (store, first) in stores.iter().zip([0, 20]) {
        open_chain(&**store, first).await;
        let store = store.clone();
        let entries = (first + 1..=first + 20).map(|n| use_entry(n, 1, 1, 1));
        tasks.push(tokio::spawn(async move { append_all(&store, entries).await }));
    }
    let mut takers = Vec::new();
    let mut retried = Vec::new();
    for task in tasks {
        for receipt in task.await.unwrap().into_iter().map(Result::unwrap) {
            match receipt.outcome() {
                UseOutcome::Fresh { ordinal: 1 } => takers.push(receipt.decision()),
                UseOutcome::Retry { decision, ordinal: 1, .. } => retried.push(*decision),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(takers.len(), 1);
    assert_eq!(retried, vec![takers[0]; 39]);
}

pub(crate) async fn a_refused_entry_takes_no_use(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    store.append(entry(1)).await.unwrap();
    assert_eq!(store.append(use_entry(1, 1, 1, 1)).await, Err(StoreError::Exists("decision")));
    let panics = Entry { compose: Box::new(|_| panic!("no body today")), ..use_entry(2, 1, 1, 1) };
    assert!(matches!(store.append(panics).await, Err(StoreError::Other(_))));
    assert_eq!(outcome(&*store, use_entry(3, 1, 2, 1)).await, UseOutcome::Fresh { ordinal: 1 });
}

pub(crate) async fn uses_are_forgotten_by_sweeping_only(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    assert_eq!(outcome(&*store, use_entry(1, 1, 1, 1)).await, UseOutcome::Fresh { ordinal: 1 });
    // Long after the use's expiry (300 s), but nobody has swept.
    let exhausted = UseOutcome::Exhausted { uses: 1, first_at: at(1) };
    assert_eq!(outcome(&*store, use_entry(400_000, 1, 2, 1)).await, exhausted);
    assert_eq!(store.sweep(at(300_000)).await, Ok(0));
    assert_eq!(store.sweep(at(300_001)).await, Ok(1));
    assert_eq!(store.sweep(at(300_001)).await, Ok(0));
    assert_eq!(outcome(&*store, use_entry(400_001, 1, 3, 1)).await, UseOutcome::Fresh { ordinal: 1 });
}

pub(crate) async fn sweeping_is_bounded(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    let token = |n: u32| {
        let mut entry = use_entry(n, 1, 1, 1);
        entry.token_use.as_mut().unwrap().key[..4].copy_from_slice(&n.to_be_bytes());
        entry
    };
    for answer in append_all(&store, (1..=700).map(token)).await {
        answer.unwrap();
    }
    let mut sweeps = Vec::new();
    while sweeps.last() != Some(&0) {
        sweeps.push(store.sweep(at(1_000_000)).await.unwrap());
    }
    assert_eq!(sweeps, [500, 200, 0]);
}

pub(crate) async fn a_sweep_by_another_store_is_noticed(place: &dyn Place) {
    let (here, there) = (place.open().await, place.open().await);
    open_chain(&*here, 1).await;
    assert_eq!(outcome(&*here, use_entry(1, 1, 1, 1)).await, UseOutcome::Fresh { ordinal: 1 });
    assert_eq!(there.sweep(at(1_000_000)).await, Ok(1));
    assert_eq!(outcome(&*here, use_entry(2, 1, 2, 1)).await, UseOutcome::Fresh { ordinal: 1 });
    open_chain(&*there, 2).await;
    assert!(matches!(outcome(&*there, use_entry(3, 1, 3, 1)).await, UseOutcome::Exhausted { uses: 1, .. }));
}

pub(crate) async fn uses_survive_a_restart(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 1).await;
    outcome(&*store, use_entry(1, 1, 1, 1)).await;
    store.close().await.unwrap();
    let store = place.open().await;
    open_chain(&*store, 2).await;
    assert_eq!(outcome(&*store, use_entry(2, 1, 1, 1)).await, retry_of(1, 1, 1, 1));
    let exhausted = UseOutcome::Exhausted { uses: 1, first_at: at(1) };
    assert_eq!(outcome(&*store, use_entry(3, 1, 2, 1)).await, exhausted);
}

/// Two stores in turn, few tokens and requests, jumps in time and sweeps; after each step the answer is that of a
/// model which is written without looking at the store's rule.
pub(crate) async fn any_sequence_of_uses_matches_the_model(place: &dyn Place) {
    const WINDOW: i64 = 60_000;
    let stores: [Arc<dyn Store>; 2] = [place.open().await, place.open().await];
    open_chain(&*stores[0], 0).await;
    open_chain(&*stores[1], 1).await;
    let mut uses: BTreeMap<u8, Vec<(u8, u32)>> = BTreeMap::new();
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut pick = |from: u32| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        u32::try_from(random % u64::from(from)).unwrap()
    };
    let mut now = 1;
    for step in 0..250 {
        now += if pick(10) == 0 { 30_000 } else { 1 + pick(1_000) };
        let store = &stores[pick(2) as usize];
        if pick(60) == 0 {
            store.sweep(at(i64::from(now))).await.unwrap();
            uses.retain(|_, _| now <= 300_000);
        }
        let (token, request) = (u8::try_from(pick(5)).unwrap(), u8::try_from(pick(6)).unwrap());
        let max_uses = 4;
        let earlier = uses.entry(token).or_default();
        let recent = |(earlier_request, n): &(u8, u32)| {
            *earlier_request == request && i64::from(now) - i64::from(*n) < WINDOW
        };
        let expected = if let Some(index) = earlier.iter().rposition(recent) {
            retry_of(earlier[index].1, u32::try_from(index).unwrap() + 1, token, request)
        } else if earlier.len() < max_uses {
            earlier.push((request, now));
            UseOutcome::Fresh { ordinal: u32::try_from(earlier.len()).unwrap() }
        } else {
            UseOutcome::Exhausted { uses: 4, first_at: at(i64::from(earlier[0].1)) }
        };
        let found = outcome(&**store, use_entry(now, token, request, 4)).await;
        assert_eq!(found, expected, "step {step}");
    }
}
