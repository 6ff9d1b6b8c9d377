//! Issuers' keys over real HTTP: rotated, withdrawn, asked for by strangers, and out of reach.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use daypass_token::sign::SigningKey;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{Answer, Ask, Client, Refusal, Wire};
use crate::issuer::Issuer;
use crate::load::{Load, Tally};
use crate::log::{Log, verify};
use crate::platform::{Job, job, key};
use crate::scale;
use crate::site::{Site, issuer};

/// The least time between two fetches that unknown keys may cause.
const COOL_DOWN: Duration = Duration::from_secs(30);

/// A site that trusts one issuer, wherever it is.
fn site(ci: &Issuer) -> Site {
    Site::new().trusting(issuer("github", ci.url()))
}

/// The key that a platform signs its jobs' tokens with.
struct Signer {
    url: String,
    key: Mutex<SigningKey>,
}

impl Signer {
    fn new(ci: &Issuer, key: SigningKey) -> Arc<Self> {
        Arc::new(Self { url: ci.url().to_owned(), key: Mutex::new(key) })
    }

    fn job(&self) -> Job {
        job(&self.url, &self.key.lock().unwrap())
    }

    /// From now on another key signs; returns the one that did.
    fn change(&self, key: SigningKey) -> SigningKey {
        std::mem::replace(&mut self.key.lock().unwrap(), key)
    }
}

/// Exchanges go on until an issuer may be asked again.
async fn cool_down(load: &mut Load, since: Instant) {
    while since.elapsed() <= COOL_DOWN {
        load.more(1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_costs_no_exchange() {
    let (old, new, stranger) = (key(), key(), key());
    // A plain run does not wait for a cool-down: the platform has published its next key already.
    let ci = if scale::is_full() {
        Issuer::publishing([&old]).await
    } else {
        Issuer::publishing([&old, &new]).await
    };
    let (site, client) = (site(&ci), Client::new());
    let service = site.serve().await;
    let signer = Signer::new(&ci, old);
    let jobs = Arc::clone(&signer);
    let mut load = Load::begin(&client, &[service.url()], 8, move || Ask::usual(Wire::OAuth, jobs.job()));
    let some = scale::of(40, 1_000);
    load.more(some).await;
    let fetched = Instant::now();
    assert_eq!(ci.fetches(), 1);
    if scale::is_full() {
        ci.publish([&*signer.key.lock().unwrap(), &new]);
        cool_down(&mut load, fetched).await;
    }
    let (public, retired) = (new.public_jwk().clone(), signer.change(new));
    load.more(some).await;
    let fetched = Instant::now();
    assert_eq!(ci.fetches(), scale::of(1, 2));
    if scale::is_full() {
        ci.publish([&*signer.key.lock().unwrap()]);
        assert_eq!(*signer.key.lock().unwrap().public_jwk(), public);
        cool_down(&mut load, fetched).await;
        // Somebody's unknown key has the set fetched, and the withdrawn one stops at once.
        let ask = Ask::usual(Wire::OAuth, job(ci.url(), &stranger));
        client.ask(service.url(), &ask).await.refusal();
        let ask = Ask::usual(Wire::OAuth, job(ci.url(), &retired));
        let refusal = client.ask(service.url(), &ask).await.refusal();
        assert_eq!(ci.fetches(), 3);
        println!("a token of the withdrawn key: {refusal}");
        load.more(some).await;
    }
    let answers = load.end().await;
    let tally = Tally::of(&answers);
    assert_eq!(tally, Tally { issued: answers.len(), ..Tally::default() }, "a rotation has cost an exchange");
    assert_eq!(Log::read(&site).await.account_for(&answers), tally.issued);
    service.stop().await;
    println!("{tally} during a rotation, {} fetches, {} records", ci.fetches(), verify(&site).await);
}

/// Whether it says that the key of the token is not known, now or for good.
fn is_about_keys(refusal: &Refusal) -> bool {
    let later = refusal.retry_after.is_some_and(|seconds| seconds > 0);
    match (refusal.status, refusal.code.as_str()) {
        (400, "IDPCommunicationError") => later,
        (503, "temporarily_unavailable") => later && refusal.is_for_now(),
        (400, "InvalidIdentityToken" | "invalid_request") => refusal.message.contains("key"),
        _ => false,
    }
}

/// How long exchanges take, one after the other.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    /// Takes the time of another good exchange.
    async fn take(&mut self, client: &Client, service: &str, ask: Ask) {
        let began = Instant::now();
        client.ask(service, &ask).await.credential();
        self.0.push(began.elapsed());
    }

    /// The longest time but for a hundredth of all.
    fn p99(&mut self) -> Duration {
        self.0.sort();
        self.0[self.0.len() * 99 / 100]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_unknown_keys_costs_one_fetch_and_no_good_token() {
    let good = key();
    let ci = Issuer::publishing([&good]).await;
    let (site, client) = (site(&ci), Client::new());
    let service = site.serve().await;
    let ask = |n: usize| Ask::usual(Wire::BOTH[n % 2], job(ci.url(), &good));
    let (mut before, mut during) = (Times::default(), Times::default());
    let began = Instant::now();
    // The whole run floods when the issuer may be asked again; else nothing is fetched at all.
    while before.0.len() < 30 || scale::is_full() && began.elapsed() <= COOL_DOWN {
        before.take(&client, service.url(), ask(before.0.len())).await;
    }
    let fetches = ci.fetches();
    let began = Instant::now();
    let (clients, each) = (50, scale::of(10, 200));
    let mut flood = JoinSet::new();
    for n in 0..clients {
        let (client, service, url) = (client.clone(), service.url().to_owned(), ci.url().to_owned());
        flood.spawn(async move {
            let mut answers = Vec::new();
            for _ in 0..each {
                // Every token has a key of its own.
                let ask = Ask::usual(Wire::BOTH[n % 2], job(&url, &key()));
                answers.push(client.ask(&service, &ask).await);
            }
            answers
        });
    }
    let mut refused = 0;
    while !flood.is_empty() {
        during.take(&client, service.url(), ask(during.0.len())).await;
        while let Some(answers) = flood.try_join_next() {
            for answer in answers.unwrap() {
                match answer {
                    Answer::Refused(refusal) if is_about_keys(&refusal) => refused += 1,
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    let (took, cost) = (began.elapsed(), ci.fetches() - fetches);
    let most = 1 + took.as_secs() / COOL_DOWN.as_secs();
    assert_eq!(refused, clients * each);
    assert!(u64::try_from(cost).unwrap() <= most, "{cost} fetches within {took:?}");
    assert_eq!(cost > 0, scale::is_full());
    let log = Log::read(&site).await;
    assert_eq!(log.all_uses(), before.0.len() + during.0.len());
    println!(
        "{refused} tokens of unknown keys refused within {took:?}, {cost} fetches; {} good exchanges before (p99 {:?}), \
         {} during (p99 {:?})",
        before.0.len(),
        before.p99(),
        during.0.len(),
        during.p99()
    );
    service.stop().await;
    println!("{} records", verify(&site).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_hangs_delays_nobody_else() {
    let (good, other) = (key(), key());
    let (ci, silent) = (Issuer::publishing([&good]).await, Issuer::publishing([&other]).await);
    silent.fall_silent();
    let both = [issuer("github", ci.url()), issuer("silent", silent.url())].concat();
    let (site, client) = (Site::new().trusting(both), Client::new());
    let service = site.serve().await;
    silent.asked().await;
    let (asking, url) = (client.clone(), service.url().to_owned());
    let ask = Ask::usual(Wire::OAuth, job(silent.url(), &other));
    let waiting = tokio::spawn(async move { asking.ask(&url, &ask).await });
    let mut times = Times::default();
    while !waiting.is_finished() {
        let ask = Ask::usual(Wire::BOTH[times.0.len() % 2], job(ci.url(), &good));
        times.take(&client, service.url(), ask).await;
    }
    let refusal = waiting.await.unwrap().refusal();
    assert!(refusal.is_for_now(), "{refusal:?}");
    assert_eq!(silent.fetches(), 0);
    service.stop().await;
    let (count, p99) = (times.0.len(), times.p99());
    println!("{count} exchanges (p99 {p99:?}) while a token of a silent issuer waited: {refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn known_keys_serve_while_their_issuer_is_away_and_across_a_restart() {
    let good = key();
    let ci = Issuer::publishing([&good]).await;
    let (site, client, url) = (site(&ci), Client::new(), ci.url().to_owned());
    let exchanges = scale::of(20, 200);
    let mut asked = 0;
    let mut service = site.serve().await;
    let mut away = Some(ci);
    for _ in 0..3 {
        for n in 0..exchanges {
            let ask = Ask::usual(Wire::BOTH[n % 2], job(&url, &good));
            client.ask(service.url(), &ask).await.credential();
            asked += 1;
            if let Some(ci) = away.take() {
                ci.go_away().await;
            }
        }
        service.kill().await;
        service = site.serve().await;
    }
    let unknown = Ask::usual(Wire::Aws, job(&url, &key()));
    let refusal = client.ask(service.url(), &unknown).await.refusal();
    assert!(is_about_keys(&refusal), "{refusal:?}");
    service.stop().await;
    println!("{asked} exchanges, all but the first without the issuer; {} records", verify(&site).await);
}
