//! Many callers at once, and the end of a store.

use daypass_store::{Entry, Receipt, StoreError};

use crate::places::Place;
use crate::tools::{Held, append_all, decision_id, entry, open_chain, verify};

pub(crate) async fn a_thousand_entries_at_once_keep_their_order(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    let answers = append_all(&store, (1..=1_000).map(entry)).await;
    let mut seqs: Vec<u64> = answers.into_iter().map(|answer| answer.unwrap().seq()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=1_000).collect::<Vec<_>>());
    assert_eq!(verify(&*store).await.unwrap().len(), 1_001);
}

pub(crate) async fn entries_that_wait_share_a_commit(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    let before = place.transactions().await;
    let mut held = Held::new(&*store, 1).await;
    for n in 2..=1_000 {
        held.add(entry(n)).await;
    }
    // In the order in which they were handed over.
    for (n, answer) in (1..).zip(held.release().await) {
        let receipt = answer.unwrap();
        assert_eq!((receipt.decision(), receipt.seq()), (decision_id(n), u64::from(n)));
    }
    // The one that held up the writer, alone or with some that came in time, and the others in batches of 256.
    let transactions = place.transactions().await - before;
    assert!(transactions <= 1 + 4, "{transactions}");
    verify(&*store).await.unwrap();
}

pub(crate) async fn a_refused_entry_harms_no_other_of_its_batch(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    store.append(entry(50)).await.unwrap();
    let mut held = Held::new(&*store, 1).await;
    held.add(entry(2)).await;
    held.add(entry(50)).await;
    held.add(entry(3)).await;
    held.add(entry(3)).await;
    held.add(Entry { compose: Box::new(|_| panic!("no body today")), ..entry(4) }).await;
    held.add(entry(5)).await;
    let answers = held.release().await;
    let seqs: Vec<_> = answers.iter().map(|answer| answer.as_ref().ok().map(Receipt::seq)).collect();
    assert_eq!(seqs, [Some(2), Some(3), None, Some(4), None, None, Some(5)]);
    assert_eq!(answers[2], Err(StoreError::Exists("decision")));
    assert_eq!(answers[4], Err(StoreError::Exists("decision")));
    assert!(matches!(&answers[5], Err(StoreError::Other(text)) if text.contains("panicked")));
    assert_eq!(verify(&*store).await.unwrap().len(), 6);
    assert_eq!(store.append(entry(4)).await.unwrap().seq(), 6);
}

pub(crate) async fn closing_finishes_what_is_queued_and_refuses_the_rest(place: &dyn Place) {
    let store = place.open().await;
    open_chain(&*store, 0).await;
    let mut held = Held::new(&*store, 1).await;
    held.add(entry(2)).await;
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close().await }
    });
    for answer in held.release().await {
        answer.unwrap();
    }
    closing.await.unwrap().unwrap();
    assert_eq!(store.append(entry(3)).await, Err(StoreError::Closed));
    assert_eq!(store.heads().await, Err(StoreError::Closed));
    assert_eq!(store.check().await, Err(StoreError::Closed));
    assert_eq!(store.close().await, Ok(()));
    assert_eq!(verify(&*place.open().await).await.unwrap().len(), 3);
}

pub(crate) async fn a_store_that_is_well_says_so(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.check().await, Ok(()));
    open_chain(&*store, 0).await;
    assert_eq!(store.check().await, Ok(()));
    assert_eq!(verify(&*store).await.unwrap().len(), 1);
}
