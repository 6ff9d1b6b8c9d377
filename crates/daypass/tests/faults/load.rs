//! Many clients at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::client::{Answer, Ask, Client};

/// How long a client asks for one credential before that is a failure of the test.
const PATIENCE: Duration = Duration::from_secs(90);

/// Sends all requests at the same time, those to several services in turns.
pub(crate) fn at_once(client: &Client, services: &[&str], asks: &[Ask]) -> JoinSet<(Ask, Answer)> {
    let mut flying = JoinSet::new();
    for (ask, service) in asks.iter().zip(services.iter().cycle()) {
        let (client, service, ask) = (client.clone(), (*service).to_owned(), ask.clone());
        flying.spawn(async move {
            let answer = client.ask(&service, &ask).await;
            (ask, answer)
        });
    }
    flying
}

/// Clients that ask for one credential after another until they are told to stop. Each does what SDKs do: the same request
/// again, of the next service, until it has its credential.
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    answered: watch::Receiver<Tally>,
    clients: JoinSet<Vec<(Ask, Answer)>>,
}

impl Load {
    /// `clients` of them, each with a new request of `ask` every time.
    pub(crate) fn begin(
        client: &Client,
        services: &[&str],
        clients: usize,
        ask: impl Fn() -> Ask + Send + Sync + 'static,
    ) -> Self {
        let (stop, answered) = (watch::Sender::new(false), watch::Sender::new(Tally::default()));
        let services: Arc<[String]> = services.iter().map(ToString::to_string).collect();
        let ask = Arc::new(ask);
        let mut load = Self { answered: answered.subscribe(), clients: JoinSet::new(), stop };
        for n in 0..clients {
            let (client, services) = (client.clone(), Arc::clone(&services));
            let (ask, answered, stopped) = (Arc::clone(&ask), answered.clone(), load.stop.subscribe());
            load.clients.spawn(async move {
                let mut answers = Vec::new();
                while !*stopped.borrow() {
                    answers.extend(insist(&client, &services, n, ask(), &answered).await);
                }
                answers
            });
        }
        load
    }

    /// What has come of it by now.
    pub(crate) fn so_far(&self) -> Tally {
        *self.answered.borrow()
    }

    /// Waits for so many more credentials.
    pub(crate) async fn more(&mut self, count: usize) {
        let wanted = self.so_far().issued + count;
        self.until(|tally| tally.issued >= wanted).await;
    }

    /// Waits for so many more refusals.
    pub(crate) async fn more_refused(&mut self, count: usize) {
        let wanted = self.so_far().refused + count;
        self.until(|tally| tally.refused >= wanted).await;
    }

    async fn until(&mut self, reached: impl Fn(&Tally) -> bool) {
        // An error means that every client has ended, by a panic, which tells of itself at the end.
        let _ = timeout(PATIENCE, self.answered.wait_for(reached)).await.expect("a service that answers");
    }

    /// Everything that was asked and answered; the last answer to every request is a credential.
    pub(crate) async fn end(self) -> Vec<(Ask, Answer)> {
        self.stop.send_replace(true);
        self.clients.join_all().await.into_iter().flatten().collect()
    }
}

async fn insist(
    client: &Client,
    services: &[String],
    first: usize,
    ask: Ask,
    answered: &watch::Sender<Tally>,
) -> Vec<(Ask, Answer)> {
    let began = Instant::now();
    let mut answers = Vec::new();
    for service in services.iter().cycle().skip(first % services.len()) {
        let answer = client.ask(service, &ask).await;
        answered.send_modify(|tally| tally.count(&answer));
        let issued = matches!(answer, Answer::Issued { .. });
        assert!(issued || began.elapsed() < PATIENCE, "no credential within {PATIENCE:?}: {answer:?}");
        answers.push((ask.clone(), answer));
        if issued {
            break;
        }
    }
    answers
}

/// What came of requests, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) issued: usize,
    pub(crate) refused: usize,
    pub(crate) lost: usize,
}

impl Tally {
    pub(crate) const fn count(&mut self, answer: &Answer) {
        match answer {
            Answer::Issued { .. } => self.issued += 1,
            Answer::Refused(_) => self.refused += 1,
            Answer::Lost(_) => self.lost += 1,
        }
    }

    pub(crate) fn of<'a>(answers: impl IntoIterator<Item = &'a (Ask, Answer)>) -> Self {
        let mut tally = Self::default();
        answers.into_iter().for_each(|(_, answer)| tally.count(answer));
        tally
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issued, refused, lost } = self;
        write!(f, "{issued} credentials, {refused} refusals, {lost} without an answer")
    }
}
