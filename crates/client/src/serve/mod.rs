//! The container-credentials endpoint: how AWS SDKs ask a helper on the same machine for credentials, again and again.
//!
//! Anything on the machine can reach loopback, and so can a web page in a browser on it. A request must know the path and
//! the token, both random, and name our address as its host, so that a foreign name made to point here gets nothing.

mod answer;
mod refresh;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use daypass_claims::{Random, RandomError};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

pub use self::refresh::Refresher;
use crate::Secret;

/// How many requests are served at once. SDKs send one per process, now and then.
const CONNECTIONS: usize = 64;

/// How long a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(5);

/// The most that is read of a request's head, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// The endpoint, listening.
pub struct ContainerEndpoint {
    listener: TcpListener,
    door: Arc<Door>,
}

/// What a request must know.
struct Door {
    address: SocketAddr,
    path: Secret,
    token: Secret,
}

/// Why there is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServeError {
    /// No port on loopback.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(String),
    /// No randomness for path and token.
    #[error("{0}")]
    Random(#[from] RandomError),
}

impl ContainerEndpoint {
    /// Listens on a random port of 127.0.0.1, with a random path and token.
    pub async fn bind(random: &dyn Random) -> Result<Self, ServeError> {
        let failed = |error: std::io::Error| ServeError::Listen(error.to_string());
        let path = Secret::new(format!("/credentials/{}", draw(random)?));
        let token = Secret::new(draw(random)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, door: Arc::new(Door { address, path, token }) })
    }

    /// The value of `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.door.address, self.door.path.expose())
    }

    /// What clients send as `Authorization`: the content of the file that `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` names.
    pub fn token(&self) -> &Secret {
        &self.door.token
    }

    /// Serves until it is dropped.
    pub async fn serve(self, refresher: Arc<Refresher>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: what has them may give them back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (door, refresher) = (Arc::clone(&self.door), Arc::clone(&refresher));
            tokio::spawn(async move {
                serve_connection(stream, &door, &refresher).await;
                drop(place);
            });
        }
    }
}

/// One request on each connection.
async fn serve_connection(stream: TcpStream, door: &Door, refresher: &Arc<Refresher>) {
    let service = service_fn(async |request| answer::answer(door, refresher, &request).await);
    let served = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(ARRIVAL)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a request was not served");
    }
}

fn draw(random: &dyn Random) -> Result<String, RandomError> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

impl fmt::Debug for ContainerEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContainerEndpoint({})", self.door.address)
    }
}

#[cfg(test)]
mod tests;
