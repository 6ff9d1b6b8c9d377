use super::*;
use crate::jwk::Jwk;
use crate::key::VerificationKey;
use crate::key_set::{JwksLimits, KeySetError};
use crate::sign::{SigningAlgorithm, SigningKey};
use crate::{encoding, jwk};
use daypass_claims::Algorithm::{ES256, RS256};
use proptest::prelude::*;
use std::sync::LazyLock;

const ISSUER: &str = "https://ci.example";
const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const ALLOWED: &[Algorithm] = &[ES256];

fn issuer() -> Issuer {
    Issuer::parse(ISSUER).unwrap()
}

fn at(secs: u64) -> Timestamp {
    START + Duration::from_secs(secs)
}

/// One key pair serves for all: the engine tells keys apart by name.
fn keys(names: &[&str]) -> KeySet {
    static KEY: LazyLock<Jwk> =
        LazyLock::new(|| SigningKey::generate(SigningAlgorithm::ES256).unwrap().public_jwk().clone());
    let key =
        |name: &&str| VerificationKey::new(KEY.clone().with_key_id(KeyId::parse(name).unwrap())).unwrap();
    KeySet::from_keys(issuer(), names.iter().map(key)).unwrap()
}

fn token(kid: &str) -> UnverifiedToken {
    let header = encoding::encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#));
    let payload = encoding::encode(format!(r#"{{"iss":"{ISSUER}"}}"#));
    UnverifiedToken::parse(&format!("{header}.{payload}.c2ln")).unwrap()
}

/// The answer of an issuer that publishes these keys; without any, it is down.
fn brings(names: &[&str]) -> Result<Fetched, FetchFailure> {
    if names.is_empty() {
        return Err(FetchFailure::Transport("connection refused".to_owned()));
    }
    Ok(Fetched { keys: keys(names), max_age: Some(Duration::from_secs(600)) })
}

/// An engine that has fetched `names` at [`START`]; they live ten minutes.
fn running(names: &[&str]) -> Engine {
    let mut engine = Engine::fetching(issuer(), EnginePolicy::default(), START);
    let order = engine.poll_fetch(START).unwrap();
    engine.fetched(order.id, brings(names), START);
    engine
}

fn knows(engine: &Engine, kid: &str, now: Timestamp) -> bool {
    engine.snapshot().select(&token(kid), ALLOWED, now).is_ok()
}

fn retries(lookup: &Lookup, expected: RetryReason) -> bool {
    matches!(lookup, Lookup::Retry { why, .. } if *why == expected)
}

#[test]
fn the_first_fetch_is_due_at_once_and_tokens_wait_for_it() {
    let mut engine = Engine::fetching(issuer(), EnginePolicy::default(), START);
    assert_eq!(engine.status(START).state, KeyState::Missing);
    let Lookup::Wait(ticket) = engine.lookup(&token("a"), ALLOWED, START) else { panic!("no ticket") };
    let order = engine.poll_fetch(START).unwrap();
    assert_eq!((order.issuer, order.deadline), (issuer(), at(5)));
    assert_eq!(engine.poll_fetch(START), None, "one fetch at a time");
    assert!(matches!(engine.resume(ticket, &token("a"), ALLOWED, at(1)), Lookup::Wait(_)));
    engine.fetched(order.id, brings(&["a"]), at(1));
    assert!(matches!(engine.resume(ticket, &token("a"), ALLOWED, at(1)), Lookup::Use(_)));
    assert_eq!(engine.status(at(1)).state, KeyState::Fresh);
}

#[test]
fn what_no_fetch_could_mend_is_refused_without_asking() {
    let mut engine = Engine::fetching(issuer(), EnginePolicy::default(), START);
    let refused = engine.lookup(&token("a"), &[RS256], START);
    assert!(matches!(refused, Lookup::Refuse(SelectError::AlgorithmNotAllowed { .. })));
    let foreign = encoding::encode(r#"{"iss":"https://ci.example/"}"#);
    let foreign = format!("{}.{foreign}.c2ln", encoding::encode(r#"{"alg":"ES256","kid":"a"}"#));
    let foreign = UnverifiedToken::parse(&foreign).unwrap();
    let refused = engine.lookup(&foreign, ALLOWED, START);
    assert!(matches!(refused, Lookup::Refuse(SelectError::IssuerMismatch { .. })));
    assert_eq!(engine.waiters, 0);
}

#[test]
fn keys_are_fetched_again_before_they_go_stale() {
    let mut engine = running(&["a"]);
    assert_eq!(engine.next_wakeup(), Some(at(480)));
    assert_eq!(engine.poll_fetch(at(479)), None);
    let order = engine.poll_fetch(at(480)).unwrap();
    assert_eq!(engine.next_wakeup(), Some(order.deadline));
    engine.fetched(order.id, brings(&["a"]), at(481));
    assert_eq!(engine.snapshot().fresh_until(), at(480 + 600), "their life counts from the question");
}

#[test]
fn a_rotation_that_publishes_first_fails_not_one_lookup() {
    let mut engine = running(&["old"]);
    let mut published = vec!["old"];
    for second in 0..7_200 {
        let now = at(second);
        match second {
            3_000 => published = vec!["old", "new"],
            6_000 => published = vec!["new"],
            _ => {}
        }
        if let Some(order) = engine.poll_fetch(now) {
            engine.fetched(order.id, brings(&published), now);
        }
        // The issuer signs with a new key ten minutes after publishing it.
        let signer = if second < 3_600 { "old" } else { "new" };
        assert!(knows(&engine, signer, now), "second {second}");
    }
}

#[test]
fn a_rotation_without_notice_costs_one_wait() {
    let mut engine = running(&["old"]);
    let Lookup::Wait(ticket) = engine.lookup(&token("new"), ALLOWED, at(100)) else { panic!("no ticket") };
    let order = engine.poll_fetch(at(100)).unwrap();
    assert!(knows(&engine, "old", at(100)), "known keys do not wait");
    let settled = engine.fetched(order.id, brings(&["new"]), at(101));
    let [old, new] = ["old", "new"].map(|name| KeyId::parse(name).unwrap());
    assert_eq!(settled, Settled::Replaced { added: vec![new], removed: vec![old] });
    assert!(matches!(engine.resume(ticket, &token("new"), ALLOWED, at(101)), Lookup::Use(_)));
}

#[test]
fn an_hour_of_outage_is_not_noticed_and_recovery_takes_minutes() {
    let mut engine = running(&["a"]);
    let mut recovered = None;
    let mut fetches = 0;
    for second in 0..2 * 3_600 {
        let (now, down) = (at(second), (300..3_900).contains(&second));
        if let Some(order) = engine.poll_fetch(now) {
            fetches += u32::from(down);
            engine.fetched(order.id, if down { brings(&[]) } else { brings(&["a", "b"]) }, now);
        }
        assert!(knows(&engine, "a", now), "second {second}");
        if recovered.is_none() && knows(&engine, "b", now) {
            recovered = Some(second);
        }
        if second == 1_500 {
            let status = engine.status(now);
            assert_eq!(status.state, KeyState::Stale);
            assert!(status.failures > 0 && status.last_failure.is_some());
        }
    }
    assert!(recovered.is_some_and(|second| (3_900..=4_200).contains(&second)), "{recovered:?}");
    assert!(fetches < 20, "{fetches} fetches at an issuer that is down");
}

#[test]
fn keys_that_could_not_be_renewed_for_a_day_serve_no_more() {
    let mut engine = running(&["a"]);
    let last = at(600 + 24 * 3_600);
    assert!(knows(&engine, "a", last - Duration::from_millis(1)));
    assert_eq!(engine.snapshot().select(&token("a"), ALLOWED, last).unwrap_err(), Miss::NoKeys);
    assert_eq!(engine.status(last).state, KeyState::Expired);
    let order = engine.poll_fetch(last).unwrap();
    engine.fetched(order.id, brings(&[]), last);
    assert!(retries(&engine.lookup(&token("a"), ALLOWED, last), RetryReason::FetchFailed));
    let order = engine.poll_fetch(last + Duration::from_secs(1)).unwrap();
    engine.fetched(order.id, brings(&["a"]), last + Duration::from_secs(1));
    assert!(knows(&engine, "a", last + Duration::from_secs(1)));
}

#[test]
fn a_withdrawn_key_is_refused_within_the_longest_life() {
    let policy = EnginePolicy::default();
    let mut engine = Engine::fetching(issuer(), policy, START);
    let order = engine.poll_fetch(START).unwrap();
    let for_ever = Some(Duration::MAX);
    engine.fetched(order.id, Ok(Fetched { keys: keys(&["good", "leaked"]), max_age: for_ever }), START);
    for second in 1..=policy.max_ttl.as_secs() {
        if let Some(order) = engine.poll_fetch(at(second)) {
            engine.fetched(order.id, Ok(Fetched { keys: keys(&["good"]), max_age: for_ever }), at(second));
        }
    }
    let end = START + policy.max_ttl;
    assert!(!knows(&engine, "leaked", end) && knows(&engine, "good", end));
}

#[test]
fn ten_thousand_unknown_keys_cause_one_fetch_per_cool_down() {
    let mut engine = running(&["a"]);
    let mut starts = Vec::new();
    let (mut waiting, mut turned_away) = (0, 0);
    for n in 0..10_000_u64 {
        let now = START + Duration::from_millis(n * 18); // three minutes in all
        match engine.lookup(&token(&format!("forged-{n}")), ALLOWED, now) {
            Lookup::Wait(_) => waiting += 1,
            Lookup::Retry { .. } => turned_away += 1,
            other => panic!("{other:?}"),
        }
        if let Some(order) = engine.poll_fetch(now) {
            starts.push(now);
            engine.fetched(order.id, brings(&["a"]), now);
        }
        assert!(knows(&engine, "a", now));
    }
    assert!(starts.len() <= 6, "{} fetches in three minutes", starts.len());
    assert!(starts.windows(2).all(|pair| pair[1].since(pair[0]) >= Duration::from_secs(30)));
    assert_eq!(waiting + turned_away, 10_000);
    assert_eq!(waiting, starts.len());
    assert_eq!(engine.status(START).unknown_key_ids, 10_000);
}

#[test]
fn no_more_than_the_allowed_number_wait() {
    let mut engine = running(&["a"]);
    let waiting = (0..1_000)
        .filter(|n| matches!(engine.lookup(&token(&n.to_string()), ALLOWED, at(60)), Lookup::Wait(_)))
        .count();
    assert_eq!(waiting, 64);
    assert!(retries(&engine.lookup(&token("x"), ALLOWED, at(60)), RetryReason::TooManyWaiters));
    let order = engine.poll_fetch(at(60)).unwrap();
    engine.fetched(order.id, brings(&["a"]), at(61));
    assert!(
        matches!(engine.lookup(&token("x"), ALLOWED, at(90)), Lookup::Wait(_)),
        "the queue is empty again"
    );
}

#[test]
fn an_unknown_key_is_refused_only_by_a_set_that_was_asked_for_later() {
    let mut engine = running(&["a"]);
    let Lookup::Wait(first) = engine.lookup(&token("x"), ALLOWED, at(60)) else { panic!("no ticket") };
    let order = engine.poll_fetch(at(60)).unwrap();
    let Lookup::Wait(second) = engine.lookup(&token("y"), ALLOWED, at(61)) else { panic!("no ticket") };
    engine.fetched(order.id, brings(&["a"]), at(62));
    let refused = engine.resume(first, &token("x"), ALLOWED, at(62));
    assert!(matches!(refused, Lookup::Refuse(SelectError::UnknownKeyId(key_id)) if key_id.as_str() == "x"));
    assert!(retries(&engine.resume(second, &token("y"), ALLOWED, at(62)), RetryReason::FetchOverlapped));
    let cooling = engine.lookup(&token("z"), ALLOWED, at(63));
    assert!(matches!(
        cooling,
        Lookup::Retry { after, why: RetryReason::CoolingDown } if after == Duration::from_secs(27)
    ));
}

#[test]
fn a_fetch_that_hangs_is_given_up_and_its_answer_ignored() {
    let mut engine = running(&["a"]);
    let Lookup::Wait(ticket) = engine.lookup(&token("b"), ALLOWED, at(60)) else { panic!("no ticket") };
    let order = engine.poll_fetch(at(60)).unwrap();
    assert!(matches!(engine.resume(ticket, &token("b"), ALLOWED, at(64)), Lookup::Wait(_)));
    assert!(retries(&engine.resume(ticket, &token("b"), ALLOWED, at(65)), RetryReason::FetchFailed));
    assert_eq!(engine.status(at(65)).last_failure, Some(FetchFailure::TimedOut));
    assert_eq!(engine.fetched(order.id, brings(&["b"]), at(66)), Settled::TooLate);
    assert!(!knows(&engine, "b", at(66)) && knows(&engine, "a", at(66)));
    assert_eq!(engine.next_wakeup(), Some(at(65 + 30)));
}

#[test]
fn a_ticket_whose_fetch_nobody_carries_out_ends_at_its_deadline() {
    let mut engine = running(&["a"]);
    let Lookup::Wait(ticket) = engine.lookup(&token("b"), ALLOWED, at(60)) else { panic!("no ticket") };
    assert_eq!(ticket.deadline(), at(65));
    assert!(retries(&engine.resume(ticket, &token("b"), ALLOWED, at(65)), RetryReason::FetchSlow));
    assert_eq!(engine.waiters, 0);
}

#[test]
fn one_bad_key_in_a_set_does_not_harm_the_others() {
    let good = keys(&["good"]).keys().next().unwrap().jwk().clone();
    let good = serde_json::to_string(&good).unwrap();
    let document = format!(r#"{{"keys":[{{"kty":"RSA","kid":"bad","n":"AQ","e":"AQAB"}},{good}]}}"#);
    let (set, warnings) = KeySet::from_jwks(issuer(), document.as_bytes(), JwksLimits::default()).unwrap();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].reason, jwk::JwkError::RsaSize { bits: 1 });
    let mut engine = running(&["old"]);
    let order = engine.poll_fetch(at(480)).unwrap();
    engine.fetched(order.id, Ok(Fetched { keys: set, max_age: None }), at(480));
    assert!(knows(&engine, "good", at(480)) && !knows(&engine, "bad", at(480)));
}

#[test]
fn an_empty_or_broken_set_replaces_nothing() {
    for document in ["{\"keys\":[]}", "{}", "", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"] {
        let error = KeySet::from_jwks(issuer(), document.as_bytes(), JwksLimits::default()).unwrap_err();
        let mut engine = running(&["a"]);
        let order = engine.poll_fetch(at(480)).unwrap();
        let settled = engine.fetched(order.id, Err(error.into()), at(480));
        assert_eq!(settled, Settled::Failed { failures: 1, retry_at: at(510) }, "{document}");
        assert!(knows(&engine, "a", at(480)), "{document}");
    }
    let empty = KeySet::from_jwks(issuer(), b"{\"keys\":[]}", JwksLimits::default());
    assert_eq!(empty.unwrap_err(), KeySetError::NoUsableKey(vec![]));
}

#[test]
fn keys_of_another_issuer_are_a_failed_fetch() {
    let other = Issuer::parse("https://other.example").unwrap();
    let jwk = keys(&["x"]).keys().next().unwrap().jwk().clone();
    let foreign = KeySet::from_keys(other.clone(), [VerificationKey::new(jwk).unwrap()]).unwrap();
    let mut engine = running(&["a"]);
    let order = engine.poll_fetch(at(480)).unwrap();
    engine.fetched(order.id, Ok(Fetched { keys: foreign, max_age: None }), at(480));
    assert_eq!(engine.status(at(480)).last_failure, Some(FetchFailure::WrongIssuer(other)));
    assert!(knows(&engine, "a", at(480)) && !knows(&engine, "x", at(480)));
}

#[test]
fn an_issuer_that_flaps_is_asked_at_the_pace_of_its_failures() {
    let mut engine = running(&["a"]);
    let mut starts = Vec::new();
    for second in 0..3_600 {
        if let Some(order) = engine.poll_fetch(at(second)) {
            starts.push(second);
            let result = if starts.len() % 2 == 0 { brings(&["a"]) } else { brings(&[]) };
            engine.fetched(order.id, result, at(second));
        }
        engine.lookup(&token("forged"), ALLOWED, at(second));
        assert!(knows(&engine, "a", at(second)));
    }
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= 30), "{starts:?}");
    assert_eq!(engine.status(at(3_600)).state, KeyState::Fresh);
}

#[test]
fn without_keys_retries_start_fast_and_slow_down() {
    let mut engine = Engine::fetching(issuer(), EnginePolicy::default(), START);
    let mut starts = Vec::new();
    for second in 0..60 {
        if let Some(order) = engine.poll_fetch(at(second)) {
            starts.push(second);
            engine.fetched(order.id, brings(&[]), at(second));
        }
        let after = engine.lookup(&token("a"), ALLOWED, at(second));
        assert!(retries(&after, RetryReason::FetchFailed), "{after:?}");
    }
    assert_eq!(starts, [0, 1, 3, 7, 15, 31]);
}

#[test]
fn a_restart_during_an_outage_serves_the_keys_of_before() {
    let mut engine = Engine::fetching(issuer(), EnginePolicy::default(), at(3_600));
    engine.restore(keys(&["a"]), START, at(3_600));
    assert!(knows(&engine, "a", at(3_600)));
    assert_eq!(engine.status(at(3_600)).state, KeyState::Stale);
    let order = engine.poll_fetch(at(3_600)).expect("a fetch stays due");
    engine.fetched(order.id, brings(&["b"]), at(3_601));
    engine.restore(keys(&["a"]), START, at(3_602));
    assert!(knows(&engine, "b", at(3_602)) && !knows(&engine, "a", at(3_602)), "fetched keys are better");
    let mut later = Engine::fetching(issuer(), EnginePolicy::default(), at(100_000));
    later.restore(keys(&["a"]), START, at(100_000));
    assert!(!knows(&later, "a", at(100_000)), "too old to serve");
}

#[test]
fn pinned_keys_stand_and_are_never_fetched() {
    let mut engine = Engine::pinned(keys(&["a"]));
    let much_later = at(10 * 365 * 86_400);
    assert!(knows(&engine, "a", much_later));
    assert_eq!((engine.poll_fetch(much_later), engine.next_wakeup()), (None, None));
    let refused = engine.lookup(&token("b"), ALLOWED, much_later);
    assert!(matches!(refused, Lookup::Refuse(SelectError::UnknownKeyId(_))));
    let error = engine.push(keys(&["b"])).unwrap_err();
    assert_eq!(error.to_string(), "the keys of `https://ci.example` are pinned and cannot be pushed");
}

#[test]
fn pushed_keys_replace_pushed_keys_and_nothing_else() {
    let mut engine = Engine::pushed(issuer());
    assert!(retries(&engine.lookup(&token("a"), ALLOWED, START), RetryReason::NotPushed));
    assert_eq!(engine.poll_fetch(START), None);
    engine.push(keys(&["a"])).unwrap();
    assert!(knows(&engine, "a", START));
    engine.push(keys(&["b"])).unwrap();
    assert!(knows(&engine, "b", START) && !knows(&engine, "a", START));
    let jwk = keys(&["x"]).keys().next().unwrap().jwk().clone();
    let other = Issuer::parse("https://other.example").unwrap();
    let foreign = KeySet::from_keys(other, [VerificationKey::new(jwk).unwrap()]).unwrap();
    assert!(matches!(engine.push(foreign), Err(PushError::WrongIssuer { .. })));
    assert!(matches!(running(&["a"]).push(keys(&["b"])), Err(PushError::NotPushed { .. })));
}

#[test]
fn a_clock_that_is_set_back_does_not_postpone_the_next_fetch() {
    let mut engine = running(&["a"]);
    assert!(engine.poll_fetch(START - Duration::from_secs(7_200)).is_some());
}

proptest! {
    /// Whatever happens in whatever order: with keys at hand, fetches begin at least a cool-down apart, one is in
    /// flight at most, the queue is bounded, and the keys are those of the last successful fetch.
    #[test]
    fn no_order_of_events_breaks_the_promises(
        events in prop::collection::vec((0_u8..5, 0_u64..40_000), 1..200),
    ) {
        let mut engine = running(&["k0"]);
        let (mut now, mut generation) = (START, 0_u32);
        let mut order: Option<FetchOrder> = None;
        let mut tickets = Vec::new();
        let mut last_start = START;
        for (event, millis) in events {
            now = now + Duration::from_millis(millis);
            let current = format!("k{generation}");
            prop_assert!(knows(&engine, &current, now));
            match event {
                0 => {
                    if let Some(new) = engine.poll_fetch(now) {
                        prop_assert!(order.as_ref().is_none_or(|old| now >= old.deadline));
                        prop_assert!(now.since(last_start) >= Duration::from_secs(30));
                        last_start = now;
                        order = Some(new);
                    }
                }
                1 => if let Some(order) = order.take() {
                    let next = format!("k{}", generation + 1);
                    if engine.fetched(order.id, brings(&[&next]), now) != Settled::TooLate {
                        generation += 1;
                    }
                },
                2 => if let Some(order) = order.take() {
                    engine.fetched(order.id, brings(&[]), now);
                },
                3 => if let Lookup::Wait(ticket) = engine.lookup(&token("forged"), ALLOWED, now) {
                    tickets.push(ticket);
                },
                _ => if let Some(ticket) = tickets.pop() {
                    let again = engine.resume(ticket, &token("forged"), ALLOWED, now);
                    prop_assert!(!matches!(again, Lookup::Use(_)));
                    prop_assert!(now < ticket.deadline || !matches!(again, Lookup::Wait(_)));
                },
            }
            prop_assert!(engine.waiters <= 64);
            prop_assert!(engine.next_wakeup().is_some());
        }
    }
}
