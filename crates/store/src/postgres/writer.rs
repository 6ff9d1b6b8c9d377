//! The task that owns the connection that appends, and group commit.

use std::time::Duration;

use daypass_claims::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::PostgresOptions;
use super::append::OpenChain;
use super::link::Link;
use super::pool::no_answer;
use super::target::Target;
use crate::batch::{Pending, answer, refuse};
use crate::{ChainId, DecisionId, Entry, Receipt, RecordBody, StoreError};

/// The pause after a failed attempt to connect doubles from the first of these to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

struct Opening {
    chain: ChainId,
    decision: DecisionId,
    time: Timestamp,
    genesis: RecordBody,
    reply: oneshot::Sender<Result<Receipt, StoreError>>,
}

enum Job {
    Append(Pending),
    Open(Opening),
    Close(oneshot::Sender<()>),
}

/// The way to the writer's task. The task ends when all handles are gone.
pub(super) struct WriterHandle {
    jobs: mpsc::Sender<Job>,
}

impl WriterHandle {
    /// Appends an entry; the answer comes after the commit.
    pub(super) async fn append(&self, entry: Entry) -> Result<Receipt, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Append(Pending { entry, reply })).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Opens the chain that entries are appended to.
    pub(super) async fn open_chain(
        &self,
        chain: ChainId,
        decision: DecisionId,
        time: Timestamp,
        genesis: RecordBody,
    ) -> Result<Receipt, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Open(Opening { chain, decision, time, genesis, reply })).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Finishes what is queued, closes the connection and ends the task.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.send(Job::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)
    }
}

/// What the task owns.
struct Writer {
    target: Target,
    options: PostgresOptions,
    link: Option<Link>,
    outage: Option<Outage>,
    chain: Option<OpenChain>,
    /// What the last batch failed with.
    failing: Option<StoreError>,
}

/// The time since the connection was lost.
struct Outage {
    began: Instant,
    /// When to try to connect again.
    next: Instant,
    pause: Duration,
    error: StoreError,
}

/// Starts the writer's task on a connection that is open already.
pub(super) fn spawn(target: Target, options: PostgresOptions, link: Link) -> WriterHandle {
    let (jobs, queue) = mpsc::channel(options.queue.max(1));
    let writer = Writer { target, options, link: Some(link), outage: None, chain: None, failing: None };
    tokio::spawn(writer.run(queue));
    WriterHandle { jobs }
}

impl Writer {
    /// Takes whatever has queued up while the last batch was being committed, and commits it as one: the busier the
    /// server, the more entries share the price of a commit.
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let most = self.options.batch.max(1);
        let mut jobs = Vec::with_capacity(most);
        let mut closing = Vec::new();
        while queue.recv_many(&mut jobs, most).await > 0 {
            let mut batch = Vec::with_capacity(jobs.len());
            for job in jobs.drain(..) {
                match job {
                    Job::Append(pending) => batch.push(pending),
                    Job::Open(opening) => {
                        self.commit(std::mem::take(&mut batch)).await;
                        self.open(opening).await;
                    }
                    Job::Close(done) => {
                        queue.close();
                        closing.push(done);
                    }
                }
            }
            self.commit(batch).await;
        }
        if let Some(link) = self.link.take() {
            link.close().await;
        }
        for done in closing {
            let _ = done.send(());
        }
    }

    async fn open(&mut self, opening: Opening) {
        let Opening { chain, decision, time, genesis, reply } = opening;
        let opened = match self.connected().await {
            Ok(link) => {
                let opening = OpenChain::open(&link, chain, decision, time, &genesis);
                let opened = timeout(self.options.statement_timeout, opening).await;
                self.reuse(link, opened.is_ok());
                opened.unwrap_or(Err(StoreError::Ambiguous))
            }
            Err(error) => Err(error),
        };
        let _ = reply.send(opened.map(|(opened, receipt)| {
            self.chain = Some(opened);
            receipt
        }));
    }

    async fn commit(&mut self, mut batch: Vec<Pending>) {
        if batch.is_empty() {
            return;
        }
        let outcome = self.append(&mut batch).await;
        self.note(outcome.as_ref().err());
        match outcome {
            Ok(answers) => answer(batch, answers, None),
            Err(error) => refuse(batch, &error, None),
        }
    }

    async fn append(
        &mut self,
        batch: &mut [Pending],
    ) -> Result<Vec<Result<Receipt, StoreError>>, StoreError> {
        if self.chain.is_none() {
            return Err(StoreError::NoChain);
        }
        let link = self.connected().await?;
        let chain = self.chain.as_mut().ok_or(StoreError::NoChain)?;
        let within = self.options.statement_timeout;
        let appended = timeout(within, chain.append(&link, batch))
            .await
            .map_err(|_| if chain.was_touched() { StoreError::Ambiguous } else { no_answer(within) });
        self.reuse(link, appended.is_ok());
        appended.flatten()
    }

    /// The connection, or a new one. While the database is away, the first callers wait for it to come back, later
    /// ones learn at once that it has not.
    async fn connected(&mut self) -> Result<Link, StoreError> {
        if let Some(link) = self.link.take().filter(|link| !link.is_closed()) {
            return Ok(link);
        }
        let noticed = Instant::now();
        loop {
            if let Some(outage) = &self.outage {
                let patience = outage.began + self.options.patience;
                if Instant::now() < outage.next {
                    if outage.next > patience {
                        return Err(outage.error.clone());
                    }
                    sleep_until(outage.next).await;
                }
            }
            match Link::connect(&self.target, self.options.connect_timeout).await {
                Ok(link) => {
                    if self.outage.take().is_some() {
                        tracing::info!("connected to the database again");
                    }
                    return Ok(link);
                }
                Err(error) => self.extend_outage(noticed, error),
            }
        }
    }

    fn extend_outage(&mut self, noticed: Instant, error: StoreError) {
        let (began, pause) = match &self.outage {
            Some(outage) => (outage.began, (outage.pause * 2).min(PAUSES.1)),
            None => (noticed, PAUSES.0),
        };
        self.outage = Some(Outage { began, next: Instant::now() + pause, pause, error });
    }

    /// Keeps a connection unless an answer is still to come on it.
    fn reuse(&mut self, link: Link, answered: bool) {
        if answered {
            self.link = Some(link);
        }
    }

    /// Takes note of how the last batch went. Says so in the log only when that has changed.
    fn note(&mut self, error: Option<&StoreError>) {
        if self.failing.as_ref() == error {
            return;
        }
        match error {
            Some(error) => tracing::error!(%error, "records cannot be written"),
            None => tracing::info!("records can be written again"),
        }
        self.failing = error.cloned();
    }
}
