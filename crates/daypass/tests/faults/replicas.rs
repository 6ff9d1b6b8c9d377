//! Three replicas on one PostgreSQL, which is all that they share.

use std::path::Path;
use std::time::Duration;

use daypass_token::sign::SigningKey;
use tokio::time::{Instant, timeout};

use crate::client::{Answer, Ask, Client, Credential, Wire};
use crate::load::{Tally, at_once};
use crate::log::{Log, verify};
use crate::platform::{GITHUB, job, jwks, key};
use crate::postgres::Schema;
use crate::scale;
use crate::site::{Service, Site, issuer};

/// How long after an administrator's act on one replica all others act on it: what `daypass revoke` promises.
const EVERYWHERE: Duration = Duration::from_secs(5);

/// How long anything else may take before that is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

struct Fleet {
    schema: Schema,
    site: Site,
    replicas: [Service; 3],
}

impl Fleet {
    /// A fleet, if there is a PostgreSQL to test with. All replicas start at the same moment, on an empty database.
    async fn start(configure: impl FnOnce(Site) -> Site) -> Option<Self> {
        let schema = Schema::new().await?;
        let site = configure(Site::on(schema.url()));
        let (one, two, three) = tokio::join!(site.replica("one"), site.replica("two"), site.replica("three"));
        Some(Self { schema, site, replicas: [one, two, three] })
    }

    fn urls(&self) -> [&str; 3] {
        self.replicas.each_ref().map(Service::url)
    }

    /// Stops all of them; returns how many records there are.
    async fn stop(self) -> u64 {
        for replica in self.replicas {
            replica.stop().await;
        }
        let records = verify(&self.site).await;
        self.schema.remove().await;
        records
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_on_an_empty_database_have_the_same_keys() {
    for round in 0..scale::of(1, 10) {
        let Some(fleet) = Fleet::start(|site| site).await else { return };
        let client = Client::new();
        let mut published = Vec::new();
        let mut sessions = Vec::new();
        for url in fleet.urls() {
            published.push(client.get(&format!("{url}/.well-known/jwks.json")).await);
            sessions.push(client.ask(url, &Ask::usual(Wire::Aws, fleet.site.job())).await.credential());
        }
        assert!(published[0].0 == 200 && published[0].1.contains("ES256"), "{published:?}");
        assert!(published.iter().all(|other| *other == published[0]), "{published:?}");
        for (session, url) in sessions.iter().flat_map(|session| fleet.urls().map(|url| (session, url))) {
            client.caller(url, session).await.unwrap();
        }
        let started = fleet.replicas.each_ref().map(|replica| replica.took);
        println!("round {round}: all three up after {started:?}; {} records", fleet.stop().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_presented_to_all_at_once_is_used_as_often_as_it_may_be() {
    let Some(fleet) = Fleet::start(|site| site).await else { return };
    let client = Client::new();
    let (rounds, sessions) = (scale::of(1, 20), scale::of(30, 90));
    for (wire, role, most) in [
        (Wire::Aws, "deploy", 1),
        (Wire::Aws, "shared", 5),
        (Wire::OAuth, "api", 1),
        (Wire::OAuth, "shared", 5),
    ] {
        for _ in 0..rounds {
            let ask = Ask { role, ..Ask::usual(wire, fleet.site.job()) };
            let asks: Vec<Ask> = (0..sessions).map(|n| ask.under(format!("session-{n}"))).collect();
            let answers = at_once(&client, &fleet.urls(), &asks).join_all().await;
            for (_, answer) in &answers {
                match answer {
                    Answer::Issued { .. } => {}
                    Answer::Refused(refusal) => assert!(refusal.is_of_a_used_token(), "{refusal}"),
                    Answer::Lost(why) => panic!("{why}"),
                }
            }
            assert_eq!(Tally::of(&answers).issued, most, "{wire:?} {role}");
            let log = Log::read(&fleet.site).await;
            assert_eq!((log.account_for(&answers), log.uses(&ask)), (most, most), "{wire:?} {role}");
        }
        println!(
            "{wire:?} {role}: {rounds} tokens, each presented {sessions} times at once, used {most} times"
        );
    }
    println!("{} records", fleet.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_gets_the_same_answer_from_all() {
    let Some(fleet) = Fleet::start(|site| site).await else { return };
    let client = Client::new();
    for wire in Wire::BOTH {
        for _ in 0..scale::of(1, 20) {
            let ask = Ask::usual(wire, fleet.site.job());
            let mut answers = at_once(&client, &fleet.urls(), &vec![ask.clone(); 30]).join_all().await;
            for url in fleet.urls() {
                answers.push((ask.clone(), client.ask(url, &ask).await));
            }
            let mut credentials = answers.iter().map(|(_, answer)| answer.clone().credential());
            let first = credentials.next().unwrap();
            assert!(credentials.all(|other| other == first), "{wire:?}: a retry has another answer");
            let log = Log::read(&fleet.site).await;
            assert_eq!((log.account_for(&answers), log.uses(&ask)), (33, 1), "{wire:?}");
        }
    }
    println!("{} records", fleet.stop().await);
}

/// Waits until every replica says of a session what it should.
async fn until_all(client: &Client, fleet: &Fleet, session: &Credential, accepted: bool) -> Duration {
    let began = Instant::now();
    for url in fleet.urls() {
        loop {
            match client.caller(url, session).await {
                Ok(_) if accepted => break,
                Err(refusal) if !accepted => {
                    assert_eq!((refusal.status, &*refusal.code), (403, "InvalidClientTokenId"), "{refusal}");
                    break;
                }
                _ => assert!(began.elapsed() < PATIENCE, "{url} has not heard of it"),
            }
        }
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_one_is_a_session_of_all_until_it_is_revoked_on_any() {
    let Some(fleet) = Fleet::start(|site| site).await else { return };
    let client = Client::new();
    let other = client.ask(fleet.urls()[1], &Ask::usual(Wire::Aws, fleet.site.job())).await.credential();
    for (issued_by, revoked_on) in [(0, 1), (1, 2), (2, 0)].into_iter().take(scale::of(1, 3)) {
        let ask = Ask::usual(Wire::Aws, fleet.site.job());
        let session = client.ask(fleet.urls()[issued_by], &ask).await.credential();
        let Credential::Session { access_key_id, .. } = &session else { panic!("{session:?}") };
        for url in fleet.urls() {
            let arn = client.caller(url, &session).await.unwrap();
            assert_eq!(arn, "arn:aws:sts::123456789012:assumed-role/deploy/first");
        }
        fleet.replicas[revoked_on].administer(&["revoke", "--credential", access_key_id]).await;
        let took = until_all(&client, &fleet, &session, false).await;
        assert!(took <= EVERYWHERE, "a revoked session was accepted for {took:?}");
        until_all(&client, &fleet, &other, true).await;
        println!("revoked everywhere after {took:?}");
    }
    println!("{} records", fleet.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_killed_under_load_loses_nothing() {
    let Some(mut fleet) = Fleet::start(|site| site).await else { return };
    let client = Client::new();
    let (rounds, exchanges) = (scale::of(1, 10), scale::of(150, 3_000));
    let mut asked = Vec::new();
    for round in 0..rounds {
        let asks: Vec<Ask> =
            (0..exchanges).map(|n| Ask::usual(Wire::BOTH[n % 2], fleet.site.job())).collect();
        let moment = 1 + round * exchanges / rounds;
        let mut flying = at_once(&client, &fleet.urls(), &asks);
        let mut answers = Vec::new();
        while Tally::of(&answers).issued < moment {
            answers.push(flying.join_next().await.unwrap().unwrap());
        }
        let [one, two, three] = fleet.replicas;
        three.kill().await;
        answers.extend(flying.join_all().await);
        let tally = Tally::of(&answers);
        assert_eq!(tally.refused, 0, "the other replicas have refused");
        let log = Log::read(&fleet.site).await;
        assert_eq!(log.account_for(&answers), tally.issued);

        // Whoever lost its answer asks another replica, and so does everybody else: one use, one answer.
        let again = at_once(&client, &[one.url(), two.url()], &asks).join_all().await;
        for (ask, answer) in answers.iter().filter(|(_, answer)| matches!(answer, Answer::Issued { .. })) {
            let (_, second) = again.iter().find(|(other, _)| other == ask).unwrap();
            assert_eq!(answer.clone().credential(), second.clone().credential());
        }
        let log = Log::read(&fleet.site).await;
        assert_eq!(log.account_for(&again), exchanges);
        assert!(asks.iter().all(|ask| log.uses(ask) == 1));
        let third = fleet.site.replica("three").await;
        println!(
            "round {round}: killed at credential {moment} of {exchanges}: {tally}; {} on record",
            log.len()
        );
        fleet.replicas = [one, two, third];
        asked.extend(answers);
    }
    let sessions = asked
        .iter()
        .rev()
        .filter(|(ask, answer)| ask.wire == Wire::Aws && matches!(answer, Answer::Issued { .. }));
    for (_, answer) in sessions.take(30) {
        until_all(&client, &fleet, &answer.clone().credential(), true).await;
    }
    println!("{}; {} records", Tally::of(&asked), fleet.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_one_makes_is_taken_up_by_all() {
    let Some(fleet) = Fleet::start(|site| site).await else { return };
    let client = Client::new();
    let before = client.ask(fleet.urls()[0], &Ask::usual(Wire::Aws, fleet.site.job())).await.credential();

    // Published everywhere, long before it signs.
    let first = signer(&client, &fleet, 0).await;
    let listed = fleet.replicas[0].administer(&["keys", "rotate", "sign"]).await;
    let signing = listed["keys"].as_array().unwrap().iter().filter(|key| key["purpose"] == "sign");
    let mut next = signing.filter(|key| key["state"] == "published").map(|key| key["id"].as_str().unwrap());
    let next = next.next_back().unwrap();
    let published = async {
        for url in fleet.urls() {
            while !client.get(&format!("{url}/.well-known/jwks.json")).await.1.contains(next) {}
        }
    };
    timeout(PATIENCE, published).await.expect("the next key is published by all");
    for n in 0..3 {
        assert_eq!(signer(&client, &fleet, n).await, first);
    }

    // At once, because the old one has leaked: all sign with the new one, and nobody publishes the old.
    fleet.replicas[1].administer(&["keys", "rotate", "sign", "--at-once"]).await;
    let latest = signer(&client, &fleet, 1).await;
    assert!(latest != first && latest != next, "{latest}");
    let taken_up = async {
        for n in 0..3 {
            while signer(&client, &fleet, n).await != latest {}
            let (_, set) = client.get(&format!("{}/.well-known/jwks.json", fleet.urls()[n])).await;
            assert!(set.contains(&latest) && !set.contains(&first), "{set}");
        }
    };
    timeout(PATIENCE, taken_up).await.expect("the new key signs everywhere");

    // The sealing key likewise: what it sealed is worth nothing, what the new one seals is good everywhere.
    fleet.replicas[2].administer(&["keys", "rotate", "seal", "--at-once"]).await;
    let took = until_all(&client, &fleet, &before, false).await;
    assert!(took <= EVERYWHERE, "a session of a leaked key was accepted for {took:?}");
    for url in fleet.urls() {
        let session = client.ask(url, &Ask::usual(Wire::Aws, fleet.site.job())).await.credential();
        until_all(&client, &fleet, &session, true).await;
    }
    println!("sessions of a leaked key ended after {took:?}; {} records", fleet.stop().await);
}

/// The id of the key that a replica signs with.
async fn signer(client: &Client, fleet: &Fleet, replica: usize) -> String {
    let ask = Ask::usual(Wire::OAuth, fleet.site.job());
    client.ask(fleet.urls()[replica], &ask).await.credential().key_id().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_pushed_to_one_are_known_to_all() {
    let pushed = |site: Site| site.trusting(format!("{}pushed_keys = true\n", issuer("github", GITHUB)));
    let Some(fleet) = Fleet::start(pushed).await else { return };
    let client = Client::new();
    let (first, second) = (key(), key());
    push(&fleet, 0, &first).await;
    until_known(&client, &fleet, &first).await;
    // The next set replaces it, wherever it is pushed.
    push(&fleet, 1, &second).await;
    let took = until_known(&client, &fleet, &second).await;
    for url in fleet.urls() {
        let refusal = client.ask(url, &Ask::usual(Wire::Aws, job(GITHUB, &first))).await.refusal();
        assert_eq!((refusal.status, &*refusal.code), (400, "InvalidIdentityToken"), "{refusal}");
    }
    println!("pushed keys known everywhere after {took:?}; {} records", fleet.stop().await);
}

async fn push(fleet: &Fleet, replica: usize, key: &SigningKey) {
    let file = fleet.site.path().join("pushed.json");
    std::fs::write(&file, jwks([key])).unwrap();
    let file = Path::new(&file).to_str().unwrap();
    fleet.replicas[replica].administer(&["keys", "push", file, "--issuer", "github"]).await;
}

/// Waits until every replica accepts tokens of a key.
async fn until_known(client: &Client, fleet: &Fleet, key: &SigningKey) -> Duration {
    let began = Instant::now();
    for url in fleet.urls() {
        loop {
            match client.ask(url, &Ask::usual(Wire::Aws, job(GITHUB, key))).await {
                Answer::Issued { .. } => break,
                other => assert!(began.elapsed() < PATIENCE, "{url} does not know the key: {other:?}"),
            }
        }
    }
    began.elapsed()
}
