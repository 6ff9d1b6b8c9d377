//! HTTP: an axum route that reads a body and answers with one, and does nothing else.

use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use rustix::thread::{Pid, gettid};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Sample;
use crate::cores::{self, Cores};
use crate::load::Load;

/// The microseconds of CPU that the server's thread takes for one request.
pub(super) async fn micros(sample: &Sample, cores: Cores, requests: usize) -> Result<f64> {
    let (stop, stopped) = oneshot::channel();
    let (ready, started) = mpsc::channel();
    let answer = Bytes::from(sample.answer.clone());
    let server = thread::spawn(move || serve(cores.server, answer, &ready, stopped));
    let Ok((thread, address)) = started.recv() else {
        return server.join().unwrap_or_else(|_| bail!("the server panicked")).and(Ok(0.0));
    };
    let mut load = Load::connect(address).await?;
    let same = |count| vec![sample.request.clone(); count];
    load.as_fast_as_answered(same(requests / 10)).await?;
    let before = cores::cpu_of_thread(thread)?;
    load.as_fast_as_answered(same(requests)).await?;
    let took = cores::cpu_of_thread(thread)?.saturating_sub(before);
    let _ = stop.send(());
    server.join().unwrap_or_else(|_| bail!("the server panicked"))?;
    Ok(took.as_secs_f64() * 1e6 / requests as f64)
}

/// Serves on one core until it is told to stop.
fn serve(
    core: usize,
    answer: Bytes,
    ready: &mpsc::Sender<(Pid, std::net::SocketAddr)>,
    stopped: oneshot::Receiver<()>,
) -> Result<()> {
    cores::pin(core)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        ready.send((gettid(), listener.local_addr()?)).context("nobody waits for the server")?;
        let router = Router::new().route(
            "/token",
            post(move |body: Bytes| async move {
                std::hint::black_box(body.len());
                answer
            }),
        );
        tokio::select! {
            served = axum::serve(listener, router) => Ok(served?),
            _ = stopped => Ok(()),
        }
    })
}
