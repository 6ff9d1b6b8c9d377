//! A CI platform's key server: real HTTP on loopback, and whatever can be the matter with it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use daypass_token::sign::SigningKey;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::platform::jwks;

/// A running issuer; gone when it is dropped.
pub(crate) struct Issuer {
    url: String,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Desk {
    url: String,
    set: Mutex<String>,
    fetches: AtomicUsize,
    silent: AtomicBool,
    asked: Notify,
}

impl Issuer {
    /// One that publishes these keys.
    pub(crate) async fn publishing<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk { url: url.clone(), set: Mutex::new(jwks(keys)), ..Desk::default() });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(set))
            .with_state(Arc::clone(&desk));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, desk, serving }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on these are its keys.
    pub(crate) fn publish<'k>(&self, keys: impl IntoIterator<Item = &'k SigningKey>) {
        *self.desk.set.lock().unwrap() = jwks(keys);
    }

    /// How often its key set was fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.desk.fetches.load(Ordering::SeqCst)
    }

    /// From now on it takes requests and does not answer.
    pub(crate) fn fall_silent(&self) {
        self.desk.silent.store(true, Ordering::SeqCst);
    }

    /// Waits until somebody asks it for something.
    pub(crate) async fn asked(&self) {
        self.desk.asked.notified().await;
    }

    /// Stops listening.
    pub(crate) async fn go_away(mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn discovery(State(desk): State<Arc<Desk>>) -> Response {
    desk.open().await;
    Json(json!({ "issuer": desk.url, "jwks_uri": format!("{}/keys", desk.url) })).into_response()
}

async fn set(State(desk): State<Arc<Desk>>) -> Response {
    desk.open().await;
    desk.fetches.fetch_add(1, Ordering::SeqCst);
    ([("content-type", "application/json")], desk.set.lock().unwrap().clone()).into_response()
}

impl Desk {
    /// Waits for ever while it is silent.
    async fn open(&self) {
        self.asked.notify_one();
        if self.silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}
