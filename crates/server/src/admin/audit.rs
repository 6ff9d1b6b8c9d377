//! `GET /api/v1/audit?limit=N`: the newest records; with `follow=true` as lines of JSON, and what comes after them for as
//! long as the reader stays. Reading is an act and is on record: one who looks again and again would fill the log with his
//! looking.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use daypass_exchange::admin::Scope;
use daypass_store::{ChainId, StoreError, StoredRecord};
use http::{HeaderMap, header};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{AdminApp, AdminError, ok};
use crate::app::App;
use crate::system::every;
use crate::wire::{Parameters, Peer};

/// How often a follower looks for what is new.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many records are read at once.
const PAGE: u32 = 500;

pub(super) async fn read(
    State(state): State<Arc<AdminApp>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, AdminError> {
    let admin = state.admit(Scope::Audit, peer, &headers).await?;
    let parameters = Parameters::parse(query.as_deref().unwrap_or_default())
        .and_then(|parameters| parameters.once(&[]))
        .map_err(|error| AdminError::bad(error.to_string()))?;
    let limit = match parameters.get("limit").map(str::parse) {
        None => 100,
        Some(Ok(limit @ 1..=1_000)) => limit,
        Some(_) => return Err(AdminError::bad("`limit` must be a whole number from 1 to 1000")),
    };
    let follow = match parameters.get("follow") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(AdminError::bad("`follow` must be true or false")),
    };
    let how = if follow { " and what follows" } else { "" };
    state.record(&admin, "read-audit", format!("the newest {limit}{how}")).await?;
    let failed = |error: StoreError| AdminError::failed(&error);
    if follow {
        let (follower, records) = Follower::start(Arc::clone(&state.app), limit).await.map_err(failed)?;
        let (sender, lines) = mpsc::channel(64);
        tokio::spawn(follower.run(records, sender));
        return Ok(
            ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::new(Lines(lines))).into_response()
        );
    }
    let records = state.app.exchange.store().latest(limit).await.map_err(failed)?;
    let records: Vec<Value> = records.iter().map(entry).collect();
    Ok(ok(&json!({ "records": records })))
}

fn entry(record: &StoredRecord) -> Value {
    let body = record.body.as_ref().and_then(|body| serde_json::from_slice::<Value>(&body.0).ok());
    let hash = hex::encode(record.hash);
    json!({ "chain": record.chain.to_string(), "seq": record.seq, "hash": hash, "record": body })
}

/// Reads on where it stopped.
struct Follower {
    app: Arc<App>,
    /// The first place of each chain that has not been read.
    next: HashMap<ChainId, u64>,
}

impl Follower {
    /// The newest records, and the places behind them.
    async fn start(app: Arc<App>, limit: u32) -> Result<(Self, Vec<StoredRecord>), StoreError> {
        let store = app.exchange.store();
        let heads = store.heads().await?;
        let next: HashMap<ChainId, u64> =
            heads.iter().map(|head| (head.chain, head.seq.saturating_add(1))).collect();
        let mut records = store.latest(limit).await?;
        // What was written in between is read on the first look.
        records.retain(|record| next.get(&record.chain).is_some_and(|next| record.seq < *next));
        Ok((Self { app, next }, records))
    }

    /// Sends lines until the reader leaves or the service stops.
    async fn run(mut self, records: Vec<StoredRecord>, sender: mpsc::Sender<Bytes>) {
        let mut stopping = self.app.stopping();
        let feed = async {
            send(&sender, &records).await;
            let mut interval = every(LOOK_EVERY);
            loop {
                interval.tick().await;
                if let Err(error) = self.look(&sender).await {
                    tracing::warn!(%error, "the log could not be followed");
                }
            }
        };
        tokio::select! {
            () = feed => {}
            () = sender.closed() => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    async fn look(&mut self, sender: &mpsc::Sender<Bytes>) -> Result<(), StoreError> {
        for head in self.app.exchange.store().heads().await? {
            let next = self.next.entry(head.chain).or_insert(0);
            while *next <= head.seq {
                let records = self.app.exchange.store().records(head.chain, *next, PAGE).await?;
                let Some(last) = records.last() else { break };
                *next = last.seq.saturating_add(1);
                send(sender, &records).await;
            }
        }
        Ok(())
    }
}

async fn send(sender: &mpsc::Sender<Bytes>, records: &[StoredRecord]) {
    for record in records {
        // A reader that has left is noticed by whoever runs this.
        let _ = sender.send(Bytes::from(format!("{}\n", entry(record)))).await;
    }
}

/// A body of lines.
struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
