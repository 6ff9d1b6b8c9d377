//! Many clients at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

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
    issued: watch::Receiver<usize>,
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
        let (stop, issued) = (watch::Sender::new(false), watch::Sender::new(0));
        let services: Arc<[String]> = services.iter().map(ToString::to_string).collect();
        let ask = Arc::new(ask);
        let mut load = Self { issued: issued.subscribe(), clients: JoinSet::new(), stop };
        for n in 0..clients {
            let (client, services) = (client.clone(), Arc::clone(&services));
            let (ask, issued, stopped) = (Arc::clone(&ask), issued.clone(), load.stop.subscribe());
            load.clients.spawn(async move {
                let mut answers = Vec::new();
                while !*stopped.borrow() {
                    answers.extend(insist(&client, &services, n, ask()).await);
                    issued.send_modify(|issued| *issued += 1);
                }
                answers
            });
        }
        load
    }

    /// How many credentials there are by now.
    pub(crate) fn issued(&self) -> usize {
        *self.issued.borrow()
    }

    /// Waits for so many more credentials.
    pub(crate) async fn more(&mut self, count: usize) {
        let wanted = self.issued() + count;
        // The clients hold the other end: an error is one that has panicked, and tells of itself at the end.
        let _ = self.issued.wait_for(|issued| *issued >= wanted).await;
    }

    /// Everything that was asked and answered; the last answer to every request is a credential.
    pub(crate) async fn end(self) -> Vec<(Ask, Answer)> {
        self.stop.send_replace(true);
        self.clients.join_all().await.into_iter().flatten().collect()
    }
}

async fn insist(client: &Client, services: &[String], first: usize, ask: Ask) -> Vec<(Ask, Answer)> {
    let began = Instant::now();
    let mut answers = Vec::new();
    for service in services.iter().cycle().skip(first % services.len()) {
        let answer = client.ask(service, &ask).await;
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
