//! Accepting connections: plain on loopback or TLS, with bounds on everything that a stranger can hold open, and a graceful
//! end.

mod activity;
mod attentive;
mod connection;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use self::activity::{Activity, Patience};
use self::attentive::Attentive;
use self::connection::{Connection, Front, Protocol};
use crate::metrics::Metrics;
use crate::wire::Peer;

/// Bounds on what a stranger can hold open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How long a client may take for each of: the TLS handshake, its first request, the head of every request.
    pub head: Duration,
    /// How long it may stay between two requests. Longer than the minute for which proxies keep a connection that they may use
    /// again (nginx, the load balancers of the clouds): whoever closes first must be them, or a request is lost on its way to
    /// a connection that is just being closed.
    pub idle: Duration,
    /// How long the body of a request may take to arrive.
    pub body: Duration,
    /// How long a client may take nothing of what it is sent.
    pub answer: Duration,
    /// How many connections are open at once; more wait to be accepted.
    pub connections: usize,
    /// How long open requests may take to finish when the service stops.
    pub grace: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            connections: 4_096,
            grace: Duration::from_secs(25),
        }
    }
}

/// A bound socket with what is served on it.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    pub(crate) bounds: Bounds,
    pub(crate) metrics: Arc<Metrics>,
}

/// Binds an address.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until `stop` turns true; then accepts nothing more and lets what is open finish.
pub(crate) async fn serve(listener: Listener, mut stop: watch::Receiver<bool>) {
    let Listener { socket, tls, router, bounds, metrics } = listener;
    let slots = Arc::new(Semaphore::new(bounds.connections));
    let mut open = JoinSet::new();
    loop {
        // Those that have ended are forgotten as new ones come.
        while open.try_join_next().is_some() {}
        let slot = Arc::clone(&slots).acquire_owned();
        let accepted = tokio::select! {
            _ = stop.wait_for(|stopping| *stopping) => break,
            accepted = async { (slot.await, socket.accept().await) } => accepted,
        };
        let (Ok(slot), accepted) = accepted else { break };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, usually. Accepting again at once would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let activity = Activity::new();
        let stream = Attentive::new(stream, bounds.answer, Arc::clone(&activity));
        let peer = Peer { address, secure: tls.is_some() };
        let front = Front::new(router.clone(), peer, bounds.body, activity);
        let patience = Patience { head: bounds.head, idle: bounds.idle };
        let connection = Connection { front, patience, stop: stop.clone() };
        let (tls, stop, counted) = (tls.clone(), stop.clone(), metrics.connection());
        open.spawn(async move {
            let _held = (slot, counted);
            match tls {
                None => connection.serve(stream, Protocol::Http1).await,
                Some(acceptor) => {
                    if let Some((stream, protocol)) = handshake(&acceptor, stream, bounds.head, stop).await {
                        connection.serve(stream, protocol).await;
                    }
                }
            }
        });
    }
    drop(socket);
    let all_ended = async { while open.join_next().await.is_some() {} };
    if timeout(bounds.grace, all_ended).await.is_err() {
        tracing::warn!("some requests did not finish in time and are cut off");
        open.shutdown().await;
    }
}

/// TLS, unless the client takes too long or the service stops: whoever is not through yet has asked for nothing.
async fn handshake(
    acceptor: &TlsAcceptor,
    stream: Attentive<TcpStream>,
    within: Duration,
    mut stop: watch::Receiver<bool>,
) -> Option<(TlsStream<Attentive<TcpStream>>, Protocol)> {
    let shaken = tokio::select! {
        _ = stop.wait_for(|stopping| *stopping) => return None,
        shaken = timeout(within, acceptor.accept(stream)) => shaken.ok()?,
    };
    match shaken {
        Ok(stream) => {
            let agreed = stream.get_ref().1.alpn_protocol();
            let protocol = if agreed == Some(b"h2") { Protocol::Http2 } else { Protocol::Http1 };
            Some((stream, protocol))
        }
        Err(error) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
    }
}
