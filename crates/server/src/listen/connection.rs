//! One connection: what its requests pass before they are routed, and when it is given up.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, header};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

use super::activity::{Activity, Patience, Verdict};
use crate::wire::Peer;

/// The largest head of a request: a session token is a few kilobytes of it.
const LARGEST_HEAD: u32 = 64 * 1_024;

/// What is spoken on a connection. It is known before the first byte, by ALPN: finding it out from what comes would mean
/// waiting for a client that sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// A connection that is about to be served.
pub(super) struct Connection {
    pub(super) front: Front,
    pub(super) patience: Patience,
    pub(super) stop: watch::Receiver<bool>,
}

impl Connection {
    /// Serves requests until the client leaves, takes too long, or the service stops.
    pub(super) async fn serve<S>(self, stream: S, protocol: Protocol)
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let io = TokioIo::new(stream);
        match protocol {
            Protocol::Http1 => {
                let mut builder = http1::Builder::new();
                // Counted here instead, because it does not tell a head that is late from a client that is idle.
                builder.header_read_timeout(None).max_header_size(LARGEST_HEAD as usize);
                let connection = builder.serve_connection(io, self.front.clone());
                self.drive(protocol, connection).await;
            }
            Protocol::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder
                    .timer(TokioTimer::new())
                    .max_concurrent_streams(64)
                    .max_header_list_size(LARGEST_HEAD)
                    .keep_alive_interval(Duration::from_secs(30));
                let connection = builder.serve_connection(io, self.front.clone());
                self.drive(protocol, connection).await;
            }
        }
    }

    /// Sees a connection to its end. One that has been idle for long enough is asked to end, and ended if it does not.
    async fn drive<C>(mut self, protocol: Protocol, connection: C)
    where
        C: GracefulConnection<Error = hyper::Error>,
    {
        let mut connection = std::pin::pin!(connection);
        let mut ending = false;
        let mut wait = self.patience.head;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended badly");
                    }
                    return;
                }
                _ = self.stop.wait_for(|stopping| *stopping), if !ending => {}
                () = sleep(wait) => match self.front.activity.judge(protocol, self.patience) {
                    Verdict::Wait(longer) => {
                        wait = longer;
                        continue;
                    }
                    Verdict::End if !ending => {}
                    Verdict::End | Verdict::GiveUp => return,
                },
            }
            ending = true;
            wait = self.patience.head;
            connection.as_mut().graceful_shutdown();
        }
    }
}

/// What every request of a connection passes before it is routed.
#[derive(Clone)]
pub(super) struct Front {
    router: Router,
    peer: Peer,
    body: Duration,
    activity: Arc<Activity>,
}

impl Front {
    pub(super) const fn new(router: Router, peer: Peer, body: Duration, activity: Arc<Activity>) -> Self {
        Self { router, peer, body, activity }
    }
}

impl Service<Request<Incoming>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let request_in_progress = Activity::begin(&self.activity);
        let (mut head, body) = request.into_parts();
        name_host(&mut head);
        head.extensions.insert(self.peer);
        let body = Punctual { body, within: self.body, late: None };
        let routed = tower::Service::call(&mut self.router.clone(), Request::from_parts(head, body));
        Box::pin(async move {
            let _ended_when_dropped = request_in_progress;
            routed.await
        })
    }
}

/// HTTP/2 says `:authority` where HTTP/1.1 says `Host` (RFC 9113 section 8.3.1). Signatures are over `Host` on both.
fn name_host(head: &mut Parts) {
    if !head.headers.contains_key(header::HOST)
        && let Some(authority) = head.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        head.headers.insert(header::HOST, host);
    }
}

/// A body that arrives in time or not at all.
struct Punctual {
    body: Incoming,
    within: Duration,
    /// Runs from when the body is first waited for: one that comes along with its head costs no timer.
    late: Option<Pin<Box<Sleep>>>,
}

/// The body was late.
#[derive(Debug, thiserror::Error)]
#[error("the body of the request did not arrive within {0:?}")]
struct Late(Duration);

impl Body for Punctual {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let within = this.within;
        let late = this.late.get_or_insert_with(|| Box::pin(sleep(within)));
        late.as_mut().poll(context).map(|()| Some(Err(Late(within).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
