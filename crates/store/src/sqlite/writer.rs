//! The thread that owns the writing connection, and group commit.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use daypass_claims::Timestamp;
use rusqlite::{Connection, Transaction};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::append::{OpenChain, begin};
use super::errors::{ask_file_system, translate, translate_commit};
use super::uses::UseIndex;
use super::{SqliteOptions, open, rows};
use crate::batch::{Pending, answer, refuse};
use crate::{ChainId, DecisionId, Entry, Receipt, RecordBody, StoreError};

/// How long a lock is waited for right after the full wait was in vain.
const IMPATIENT: Duration = Duration::from_millis(20);

type Act = Box<dyn FnOnce(&mut Writer) + Send>;

enum Job {
    /// Entries, and where their callers wait.
    Append(Vec<Pending>, Option<Handle>),
    Act(Act),
    Close(oneshot::Sender<()>),
}

/// The way to the writer's thread. The thread ends when all handles are gone.
pub(super) struct WriterHandle {
    jobs: mpsc::UnboundedSender<Job>,
    /// Entries that will go to the writer together.
    gathering: Mutex<Vec<Pending>>,
    /// A permit for every entry that is under way.
    room: Arc<Semaphore>,
}

impl WriterHandle {
    /// Appends an entry; the answer comes after the commit.
    ///
    /// The first of several callers gives way, once, to everybody who can go on, and takes along what they append. Were each
    /// entry sent by itself, the writer's thread would be woken for it, and where cores are few would take the core at once
    /// and commit that one alone: the faster the disk, the smaller the batches.
    pub(super) async fn append(&self, entry: Entry) -> Result<Receipt, StoreError> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let is_first = {
            let mut gathering = self.gathering();
            gathering.push(Pending { entry, reply });
            gathering.len() == 1
        };
        if is_first {
            let carrier = Carrier(self);
            tokio::task::yield_now().await;
            drop(carrier);
        }
        let answered = answer.await.map_err(|_| StoreError::Closed)?;
        drop(room);
        answered
    }

    fn gathering(&self) -> MutexGuard<'_, Vec<Pending>> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what has been gathered.
    fn carry(&self) {
        let gathered = std::mem::take(&mut *self.gathering());
        if !gathered.is_empty() {
            // If the writer is gone, the callers hear so when their replies are dropped.
            let _ = self.jobs.send(Job::Append(gathered, Handle::try_current().ok()));
        }
    }

    /// Opens the chain that entries are appended to.
    pub(super) async fn open_chain(
        &self,
        chain: ChainId,
        decision: DecisionId,
        time: Timestamp,
        genesis: RecordBody,
    ) -> Result<Receipt, StoreError> {
        self.act(move |writer| {
            open::synchronise(&writer.connection)?;
            let (opened, receipt) = OpenChain::open(&mut writer.connection, chain, decision, time, &genesis)?;
            writer.chain = Some(opened);
            Ok(receipt)
        })
        .await
    }

    /// Does `work` in a transaction of its own.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.act(move |writer| {
            let transaction = begin(&mut writer.connection)?;
            let done = work(&transaction).map_err(translate)?;
            transaction.commit().map_err(translate_commit)?;
            Ok(done)
        })
        .await
    }

    /// Deletes expired uses, at most `limit`; returns how many.
    pub(super) async fn sweep_uses(&self, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
        self.act(move |writer| {
            let transaction = begin(&mut writer.connection)?;
            let swept = rows::delete_expired_uses(&transaction, now, limit).map_err(translate)?;
            transaction.commit().map_err(translate_commit)?;
            for (record, key) in &swept {
                writer.index.remove(key, *record);
            }
            Ok(swept.len())
        })
        .await
    }

    /// Writes a heartbeat, to the file that was opened.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        self.act(|writer| {
            if open::identity(&writer.path) != writer.identity {
                let path = writer.path.display();
                return Err(StoreError::Damaged(format!(
                    "`{path}` was moved, deleted or replaced while open"
                )));
            }
            Ok(())
        })
        .await?;
        let sql = "UPDATE pulse SET weight = randomblob(32768)";
        self.write(|transaction| transaction.execute(sql, []).map(drop)).await
    }

    /// Finishes what is queued, closes the connection and ends the thread.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        self.carry();
        if self.jobs.send(Job::Close(done)).is_ok() {
            let _ = closed.await;
        }
    }

    async fn act<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let act = move |writer: &mut Writer| {
            let done = work(writer).map_err(|error| ask_file_system(error, &writer.path));
            let _ = reply.send(done);
        };
        self.carry();
        self.jobs.send(Job::Act(Box::new(act))).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

/// Sends what has been gathered when it is dropped, be it because its caller has gone.
struct Carrier<'w>(&'w WriterHandle);

impl Drop for Carrier<'_> {
    fn drop(&mut self) {
        self.0.carry();
    }
}

/// What the thread owns.
struct Writer {
    path: PathBuf,
    identity: Option<(u64, u64)>,
    connection: Connection,
    index: UseIndex,
    chain: Option<OpenChain>,
    batch: usize,
    busy_timeout: Duration,
    /// What the last batch failed with.
    failing: Option<StoreError>,
    /// The runtime of those who appended last.
    callers: Option<Handle>,
}

impl Writer {
    /// Takes whatever has queued up while the last batch was being committed, and commits it as one: the busier the
    /// server, the more entries share the price of a commit. Waiting for more was measured, and does not pay.
    fn run(mut self, mut queue: mpsc::UnboundedReceiver<Job>) {
        let mut jobs = Vec::with_capacity(self.batch);
        let mut closing = Vec::new();
        while queue.blocking_recv_many(&mut jobs, self.batch) > 0 {
            let mut batch = Vec::with_capacity(self.batch);
            for job in jobs.drain(..) {
                match job {
                    Job::Append(gathered, runtime) => {
                        self.callers = runtime;
                        for pending in gathered {
                            batch.push(pending);
                            if batch.len() == self.batch {
                                self.commit(std::mem::take(&mut batch));
                            }
                        }
                    }
                    Job::Act(act) => {
                        self.commit(std::mem::take(&mut batch));
                        act(&mut self);
                    }
                    Job::Close(done) => {
                        queue.close();
                        closing.push(done);
                    }
                }
            }
            self.commit(batch);
        }
        drop(self);
        for done in closing {
            let _ = done.send(());
        }
    }

    fn commit(&mut self, mut batch: Vec<Pending>) {
        if batch.is_empty() {
            return;
        }
        let Some(chain) = &mut self.chain else {
            return refuse(batch, &StoreError::NoChain, self.callers.as_ref());
        };
        let outcome = chain
            .append(&mut self.connection, &mut self.index, &mut batch)
            .map_err(|error| ask_file_system(error, &self.path));
        self.note(outcome.as_ref().err());
        match outcome {
            Ok(answers) => answer(batch, answers, self.callers.as_ref()),
            Err(error) => refuse(batch, &error, self.callers.as_ref()),
        }
    }

    /// Takes note of how the last batch went. Says so in the log only when that has changed: under load a full disk
    /// would fill the log as well.
    fn note(&mut self, error: Option<&StoreError>) {
        if self.failing.as_ref() == error {
            return;
        }
        match error {
            Some(error) => tracing::error!(%error, "records cannot be written"),
            None => tracing::info!("records can be written again"),
        }
        self.failing = error.cloned();
        // Those who queued while a lock was waited for in vain are not made to wait as long again, batch by batch.
        let busy = self.failing == Some(StoreError::Busy);
        let timeout = if busy { self.busy_timeout.min(IMPATIENT) } else { self.busy_timeout };
        // Sets a number in the connection; there is nothing that can fail.
        let _ = self.connection.busy_timeout(timeout);
    }
}

/// Starts the writer's thread.
pub(super) fn spawn(
    path: &Path,
    connection: Connection,
    options: &SqliteOptions,
) -> Result<WriterHandle, StoreError> {
    let mut index = UseIndex::default();
    index.catch_up(&connection).map_err(translate)?;
    let writer = Writer {
        path: path.to_owned(),
        identity: open::identity(path),
        connection,
        index,
        chain: None,
        batch: options.batch.max(1),
        busy_timeout: options.busy_timeout,
        failing: None,
        callers: None,
    };
    let (jobs, queue) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(options.queue.clamp(1, Semaphore::MAX_PERMITS)));
    thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.run(queue))
        .map_err(|error| StoreError::Other(format!("the writer's thread does not start: {error}")))?;
    Ok(WriterHandle { jobs, gathering: Mutex::default(), room })
}
