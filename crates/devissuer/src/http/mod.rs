//! The HTTP side: who may ask, and which function answers.

mod acts;
mod documents;
mod guard;
mod reply;

use std::net::SocketAddr;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::issuer::DevIssuer;

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Issuers and guards know the address, so it cannot be another one.
    #[error("the development issuer is for {expected} and the listener is on {found}")]
    OtherListener {
        /// What the issuer was made for.
        expected: SocketAddr,
        /// Where the listener is.
        found: SocketAddr,
    },
    /// The listener failed.
    #[error("the development issuer's listener failed: {0}")]
    Listener(#[from] std::io::Error),
}

impl DevIssuer {
    /// Every path, behind the guard.
    ///
    /// To be served on the address that the issuer was made for and nowhere else; [`serve`](Self::serve) sees to it.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/mint", post(acts::mint))
            .route("/job", post(acts::job))
            .route("/control", get(acts::status))
            .route("/control/rotate", post(acts::rotate))
            .route("/control/remove-key", post(acts::remove_key))
            .route("/control/skew", post(acts::skew))
            .route("/control/outage", post(acts::outage))
            .route("/{platform}/idtoken", get(acts::github))
            .route("/{platform}/jobs/{job}/oidctoken", post(acts::azure))
            .route("/buildkite/jobs/{job}/oidc/tokens", post(acts::buildkite))
            .fallback(documents::document)
            .method_not_allowed_fallback(acts::other_method)
            .layer(from_fn_with_state(self.clone(), guard::guard))
            .with_state(self.clone())
    }

    /// Serves until `shutdown`. Whoever an outage keeps waiting is let go then.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let (expected, found) = (self.address(), listener.local_addr()?);
        if expected != found {
            return Err(ServeError::OtherListener { expected, found });
        }
        let router = self.router();
        let stop = async move {
            shutdown.await;
            self.outages().close();
        };
        axum::serve(listener, router).with_graceful_shutdown(stop).await?;
        Ok(())
    }
}
