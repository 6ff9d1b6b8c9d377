//! One connection, and the task that drives it.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::errors::translate;
use super::target::Target;
use crate::StoreError;

/// A wait of a statement for another transaction ends before the whole call gives up, so that we learn of it as an
/// error and not as a silence. `statement_timeout` would not do: it also cuts short a commit's wait for replication,
/// and PostgreSQL then reports success.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// When the server ends a transaction that we seem to have forgotten. If we are cut off in the middle of one, its
/// locks would otherwise stay until the server's own keepalive notices.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(5);

/// How long a connection may take to close politely.
const GOODBYE: Duration = Duration::from_secs(1);

/// An open connection. Dropping it closes the socket at once.
pub(super) struct Link {
    client: Client,
    driver: Driver,
}

/// The task that reads and writes the socket; it ends with the client, or at once when this is dropped.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    /// Connects within `patience` and prepares the session.
    pub(super) async fn connect(target: &Target, patience: Duration) -> Result<Self, StoreError> {
        let connecting = async {
            let (client, connection) =
                target.config.connect(target.tls.clone()).await.map_err(|error| translate(&error))?;
            let driver = Driver(tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(error = %translate(&error), "a database connection broke");
                }
            }));
            let link = Self { client, driver };
            link.prepare_session().await.map_err(|error| translate(&error))?;
            Ok(link)
        };
        timeout(patience, connecting).await.map_err(|_| {
            StoreError::Unreachable(format!("no connection within {} ms", patience.as_millis()))
        })?
    }

    async fn prepare_session(&self) -> Result<(), tokio_postgres::Error> {
        let (lock, idle) = (LOCK_TIMEOUT.as_millis(), IDLE_IN_TRANSACTION.as_millis());
        let settings = format!("SET lock_timeout = {lock}; SET idle_in_transaction_session_timeout = {idle}");
        self.client.batch_execute(&settings).await?;
        // A receipt promises durability. Stronger settings than `on` are the operator's and stay.
        let row = self.client.query_one("SELECT current_setting('synchronous_commit', true)", &[]).await?;
        if row.try_get::<_, Option<&str>>(0)? == Some("off") {
            self.client.batch_execute("SET synchronous_commit = on").await?;
        }
        Ok(())
    }

    /// Where statements are sent.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the connection is known to have ended.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Says goodbye to the server and waits until the connection has ended.
    pub(super) async fn close(self) {
        let Self { client, mut driver } = self;
        drop(client);
        let _ = timeout(GOODBYE, &mut driver.0).await;
    }
}
