//! The thread that owns the reading connection: reads neither wait for commits nor block the async runtime.

use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::errors::translate;
use crate::StoreError;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// How many reads may wait; more make their callers wait.
const QUEUE: usize = 256;

enum Job {
    Read(Read),
    Close(oneshot::Sender<()>),
}

/// The way to the reader's thread. The thread ends when all handles are gone.
pub(super) struct ReaderHandle {
    jobs: mpsc::Sender<Job>,
}

impl ReaderHandle {
    /// Runs one query, or several on one state of the database if `work` begins a transaction.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let read = move |connection: &Connection| {
            let _ = reply.send(work(connection).map_err(translate));
        };
        self.jobs.send(Job::Read(Box::new(read))).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Finishes what is queued, closes the connection and ends the thread.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.jobs.send(Job::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

/// Starts the reader's thread.
pub(super) fn spawn(connection: Connection) -> Result<ReaderHandle, StoreError> {
    let (jobs, mut queue) = mpsc::channel(QUEUE);
    let run = move || {
        let mut closing = Vec::new();
        while let Some(job) = queue.blocking_recv() {
            match job {
                Job::Read(read) => read(&connection),
                Job::Close(done) => {
                    queue.close();
                    closing.push(done);
                }
            }
        }
        drop(connection);
        for done in closing {
            let _ = done.send(());
        }
    };
    thread::Builder::new()
        .name("store-reader".to_owned())
        .spawn(run)
        .map_err(|error| StoreError::Other(format!("the reader's thread does not start: {error}")))?;
    Ok(ReaderHandle { jobs })
}
