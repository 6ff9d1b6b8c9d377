//! A few connections for everything but appending.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::errors::{is_disconnect, is_retryable, translate, translate_commit};
use super::link::Link;
use super::target::Target;
use super::{ATTEMPTS, PAUSE, PostgresOptions};
use crate::StoreError;

/// A parameter and its type: known types save the round trip that asks for them.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Connections are opened when needed and kept.
pub(super) struct Pool {
    target: Target,
    connect_timeout: Duration,
    statement_timeout: Duration,
    places: Semaphore,
    idle: Mutex<Vec<Link>>,
}

impl Pool {
    pub(super) fn new(target: Target, options: &PostgresOptions) -> Self {
        Self {
            target,
            connect_timeout: options.connect_timeout,
            statement_timeout: options.statement_timeout,
            places: Semaphore::new(options.connections.max(1)),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// The database that the connections lead to.
    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    /// Reads rows.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.run(Statement { sql, parameters, kind: Kind::Read }).await.map(|done| done.rows)
    }

    /// Runs a statement that may as well run twice, and counts the rows that it changed.
    pub(super) async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, StoreError> {
        self.run(Statement { sql, parameters, kind: Kind::Write }).await.map(|done| done.changed)
    }

    /// Runs a statement that must not run twice, and counts the rows that it changed.
    pub(super) async fn execute_once(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<u64, StoreError> {
        self.run(Statement { sql, parameters, kind: Kind::WriteOnce }).await.map(|done| done.changed)
    }

    /// Closes the connections; calls from now on are refused.
    pub(super) async fn close(&self) {
        self.places.close();
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for link in idle {
            link.close().await;
        }
    }

    async fn run(&self, statement: Statement<'_>) -> Result<Done, StoreError> {
        let _place = self.places.acquire().await.map_err(|_| StoreError::Closed)?;
        let mut conflicts = 0;
        loop {
            let idle = self.take_idle();
            let was_idle = idle.is_some();
            let link = match idle {
                Some(link) => link,
                None => Link::connect(&self.target, self.connect_timeout).await?,
            };
            let error = match timeout(self.statement_timeout, statement.send(&link)).await {
                Ok(Ok(done)) => {
                    self.keep(link);
                    return Ok(done);
                }
                Ok(Err(error)) => error,
                Err(_) if statement.kind == Kind::Read => return Err(no_answer(self.statement_timeout)),
                Err(_) => return Err(StoreError::Ambiguous),
            };
            if !is_disconnect(&error) {
                self.keep(link);
                conflicts += 1;
                if is_retryable(&error) && conflicts < ATTEMPTS {
                    sleep(PAUSE * conflicts).await;
                    continue;
                }
                return Err(translate(&error));
            }
            // A connection that broke while it lay idle says nothing about the server of now.
            match statement.kind {
                Kind::Read | Kind::Write if was_idle => {}
                Kind::Read => return Err(translate(&error)),
                Kind::Write | Kind::WriteOnce => return Err(translate_commit(&error)),
            }
        }
    }

    fn take_idle(&self) -> Option<Link> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|link| !link.is_closed());
        idle.pop()
    }

    fn keep(&self, link: Link) {
        if !link.is_closed() && !self.places.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(link);
        }
    }
}

struct Statement<'a> {
    sql: &'a str,
    parameters: &'a [Parameter<'a>],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    WriteOnce,
}

struct Done {
    rows: Vec<Row>,
    changed: u64,
}

impl Statement<'_> {
    async fn send(&self, link: &Link) -> Result<Done, tokio_postgres::Error> {
        let client = link.client();
        match self.kind {
            Kind::Read => Ok(Done { rows: client.query_typed(self.sql, self.parameters).await?, changed: 0 }),
            Kind::Write | Kind::WriteOnce => {
                Ok(Done { rows: Vec::new(), changed: client.execute_typed(self.sql, self.parameters).await? })
            }
        }
    }
}

/// The server is there, as far as we know, but says nothing.
pub(super) fn no_answer(within: Duration) -> StoreError {
    StoreError::Unreachable(format!("no answer within {} ms", within.as_millis()))
}
