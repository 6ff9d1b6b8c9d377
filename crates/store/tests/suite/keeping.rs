//! Keys, revocations, policies, key sets and marks.

use daypass_claims::{Algorithm, Issuer};
use daypass_store::{JwksOrigin, KeyPurpose, Revocation, Selector, StoreError, StoredJwks, StoredKey};

use crate::places::Place;
use crate::tools::at;

fn key(id: &str, purpose: KeyPurpose, generation: i64) -> StoredKey {
    StoredKey {
        id: id.to_owned(),
        purpose,
        generation,
        algorithm: (purpose != KeyPurpose::Seal).then_some(Algorithm::ES256),
        public: (purpose != KeyPurpose::Seal).then(|| format!("{{\"kid\":\"{id}\"}}")),
        wrapped: vec![0, 1, 2, 0xff],
        created_at: at(1),
        publish_from: at(2),
        use_from: at(3),
        retire_at: None,
        remove_at: None,
    }
}

pub(crate) async fn keys_are_kept_by_generation(place: &dyn Place) {
    let store = place.open().await;
    let (first, second) = (key("a", KeyPurpose::Sign, 1), key("b", KeyPurpose::Sign, 2));
    let seal = StoredKey { retire_at: Some(at(8)), remove_at: Some(at(9)), ..key("c", KeyPurpose::Seal, 1) };
    for key in [&second, &first, &seal] {
        store.put_key(key.clone()).await.unwrap();
    }
    assert_eq!(store.keys(KeyPurpose::Sign).await, Ok(vec![first, second]));
    assert_eq!(store.keys(KeyPurpose::Seal).await, Ok(vec![seal]));
    assert_eq!(store.keys(KeyPurpose::Audit).await, Ok(vec![]));
}

pub(crate) async fn a_key_is_added_once(place: &dyn Place) {
    let (store, other) = (place.open().await, place.open().await);
    store.put_key(key("a", KeyPurpose::Sign, 1)).await.unwrap();
    for taken in [key("a", KeyPurpose::Sign, 2), key("b", KeyPurpose::Sign, 1)] {
        assert_eq!(other.put_key(taken).await, Err(StoreError::Exists("key")));
    }
    other.put_key(key("b", KeyPurpose::Seal, 1)).await.unwrap();
    assert_eq!(store.keys(KeyPurpose::Sign).await, Ok(vec![key("a", KeyPurpose::Sign, 1)]));
}

pub(crate) async fn the_earlier_retirement_of_a_key_stands(place: &dyn Place) {
    let store = place.open().await;
    store.put_key(key("a", KeyPurpose::Sign, 1)).await.unwrap();
    for (retire, remove, expected) in
        [(10, 20, (10, 20)), (30, 40, (10, 20)), (5, 99, (5, 20)), (3, 3, (3, 3))]
    {
        store.retire_key("a", at(retire), at(remove)).await.unwrap();
        let (retire_at, remove_at) = (Some(at(expected.0)), Some(at(expected.1)));
        let retired = StoredKey { retire_at, remove_at, ..key("a", KeyPurpose::Sign, 1) };
        assert_eq!(store.keys(KeyPurpose::Sign).await, Ok(vec![retired]));
    }
    store.retire_key("unknown", at(5), at(99)).await.unwrap();
}

pub(crate) async fn keys_are_removed_when_their_time_has_come(place: &dyn Place) {
    let store = place.open().await;
    store.put_key(key("a", KeyPurpose::Sign, 1)).await.unwrap();
    store.put_key(key("b", KeyPurpose::Sign, 2)).await.unwrap();
    store.retire_key("a", at(10), at(20)).await.unwrap();
    assert_eq!(store.remove_keys(at(19)).await, Ok(0));
    assert_eq!(store.remove_keys(at(20)).await, Ok(1));
    assert_eq!(store.keys(KeyPurpose::Sign).await, Ok(vec![key("b", KeyPurpose::Sign, 2)]));
}

fn revocation(selector: Selector, not_before: i64, forget_at: i64) -> Revocation {
    Revocation { selector, not_before: at(not_before), forget_at: at(forget_at) }
}

pub(crate) async fn a_revocation_moves_forward_only(place: &dyn Place) {
    let store = place.open().await;
    let role = || Selector::Role("deploy".to_owned());
    store.revoke(revocation(role(), 10, 20)).await.unwrap();
    store.revoke(revocation(role(), 5, 30)).await.unwrap();
    assert_eq!(store.revocations(at(0)).await, Ok(vec![revocation(role(), 10, 30)]));
    store.revoke(revocation(role(), 15, 25)).await.unwrap();
    assert_eq!(store.revocations(at(0)).await, Ok(vec![revocation(role(), 15, 30)]));
}

pub(crate) async fn revocations_are_told_apart_by_their_selector(place: &dyn Place) {
    let store = place.open().await;
    let (one, two) = ("https://one.example".to_owned(), "https://two.example".to_owned());
    let all = [
        Selector::Credential("7".to_owned()),
        Selector::Repository { issuer: one.clone(), repository: "7".to_owned() },
        Selector::Role("7".to_owned()),
        Selector::Run { issuer: one, run: "7".to_owned() },
        Selector::Run { issuer: two, run: "7".to_owned() },
    ];
    for selector in &all {
        store.revoke(revocation(selector.clone(), 1, 2)).await.unwrap();
    }
    let found: Vec<_> =
        store.revocations(at(0)).await.unwrap().into_iter().map(|revocation| revocation.selector).collect();
    assert_eq!(found, all);
}

pub(crate) async fn revocations_are_forgotten(place: &dyn Place) {
    let store = place.open().await;
    let role = Selector::Role("deploy".to_owned());
    store.revoke(revocation(role.clone(), 10, 20)).await.unwrap();
    assert_eq!(store.revocations(at(20)).await, Ok(vec![revocation(role, 10, 20)]));
    assert_eq!(store.revocations(at(21)).await, Ok(vec![]));
    assert_eq!(store.sweep(at(20)).await, Ok(0));
    assert_eq!(store.sweep(at(21)).await, Ok(1));
    assert_eq!(store.revocations(at(0)).await, Ok(vec![]));
}

pub(crate) async fn policies_are_found_by_their_hash(place: &dyn Place) {
    let store = place.open().await;
    store.put_policy([1; 32], "one".to_owned()).await.unwrap();
    store.put_policy([2; 32], "two".to_owned()).await.unwrap();
    store.put_policy([1; 32], "one".to_owned()).await.unwrap();
    assert_eq!(store.policy([1; 32]).await, Ok(Some("one".to_owned())));
    assert_eq!(store.policy([2; 32]).await, Ok(Some("two".to_owned())));
    assert_eq!(store.policy([3; 32]).await, Ok(None));
}

pub(crate) async fn key_sets_are_replaced_per_issuer_and_origin(place: &dyn Place) {
    let store = place.open().await;
    let jwks = |issuer: &str, origin, document: &str, time| StoredJwks {
        issuer: Issuer::parse(issuer).unwrap(),
        origin,
        document: document.to_owned(),
        at: at(time),
    };
    let (one, two) = ("https://one.example", "https://two.example/");
    for set in [
        jwks(two, JwksOrigin::Pushed, "c", 1),
        jwks(one, JwksOrigin::Pushed, "b", 1),
        jwks(one, JwksOrigin::Fetched, "a", 1),
        jwks(one, JwksOrigin::Fetched, "A", 2),
    ] {
        store.put_jwks(set).await.unwrap();
    }
    let expected = vec![
        jwks(one, JwksOrigin::Fetched, "A", 2),
        jwks(one, JwksOrigin::Pushed, "b", 1),
        jwks(two, JwksOrigin::Pushed, "c", 1),
    ];
    assert_eq!(store.jwks().await, Ok(expected));
}

pub(crate) async fn the_first_to_set_a_mark_wins(place: &dyn Place) {
    let (store, other) = (place.open().await, place.open().await);
    assert_eq!(store.marked("account").await, Ok(None));
    assert_eq!(store.mark("account", "1".to_owned()).await, Ok("1".to_owned()));
    assert_eq!(other.mark("account", "2".to_owned()).await, Ok("1".to_owned()));
    assert_eq!(other.mark("development", "2".to_owned()).await, Ok("2".to_owned()));
    assert_eq!(other.marked("account").await, Ok(Some("1".to_owned())));
}
