//! Accepting connections: plain on loopback or TLS, with bounds on everything that a stranger can hold open, and a graceful
//! end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::metrics::Metrics;
use crate::wire::Peer;

/// How long a connection may take to send its request's head, and to finish a TLS handshake.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections are open at once; more wait to be accepted.
const CONNECTIONS: usize = 4_096;
/// How long open requests may take to finish when the service stops.
const GRACE: Duration = Duration::from_secs(25);

/// A bound socket with what is served on it.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) router: Router,
    pub(crate) metrics: Arc<Metrics>,
}

/// Binds an address.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until `stop` turns true; then accepts nothing more and lets what is open finish.
pub(crate) async fn serve(listener: Listener, mut stop: watch::Receiver<bool>) {
    let Listener { socket, tls, router, metrics } = listener;
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
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
        let peer = Peer { address, secure: tls.is_some() };
        let service = TowerToHyperService::new(router.clone().layer(Extension(peer)));
        let (tls, metrics, watcher) = (tls.clone(), Arc::clone(&metrics), graceful.watcher());
        tokio::spawn(async move {
            let _slot = slot;
            metrics.connected();
            match tls {
                None => connection(stream, service, watcher).await,
                Some(acceptor) => {
                    if let Some(stream) = handshake(&acceptor, stream, address).await {
                        connection(stream, service, watcher).await;
                    }
                }
            }
            metrics.disconnected();
        });
    }
    drop(socket);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    match tokio::time::timeout(HEAD_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%address, %error, "TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}

async fn connection<S>(
    stream: S,
    service: TowerToHyperService<
        impl tower::Service<
            http::Request<hyper::body::Incoming>,
            Response = axum::response::Response,
            Error = std::convert::Infallible,
            Future: Send,
        > + Clone
        + Send
        + 'static,
    >,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(64 * 1_024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .keep_alive_interval(Duration::from_secs(30));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection.into_owned()).await {
        tracing::debug!(error = %error, "a connection ended badly");
    }
}
