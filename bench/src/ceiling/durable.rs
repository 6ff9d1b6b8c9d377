//! Waiting: what a load waits for from a server that only writes down what it is asked, and answers when that is on disk.
//!
//! Nothing of the product is in it, so whatever is slow about it is the machine's: its disk, its kernel, whoever else is on its
//! cores, and the load itself. It can be told to be busy for a while with each request, because a queue that a pause of the machine
//! has left takes the longer to be worked off, the more there is to do.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Sample;
use crate::cores::{self, Cores};
use crate::load::{Answered, Load};

/// Somebody who waits until something is on disk.
type Waiter = oneshot::Sender<()>;

/// How a load of so many requests, at this rate, is answered by a server that is busy for so long with each.
pub(crate) async fn wait(
    sample: &Sample,
    directory: &Path,
    cores: Cores,
    (requests, rate): (usize, f64),
    busy: Duration,
) -> Result<Answered> {
    let (stop, stopped) = oneshot::channel();
    let (ready, started) = mpsc::channel();
    let answer = Bytes::from(sample.answer.clone());
    let row = vec![7; sample.record.len() + sample.sealed];
    let log = tempfile::tempfile_in(directory)?;
    let server = thread::spawn(move || serve(cores.server, (answer, busy), (log, row), &ready, stopped));
    let Ok(address) = started.recv() else {
        server.join().unwrap_or_else(|_| bail!("the server panicked"))?;
        bail!("the server ended at once");
    };
    let mut load = Load::connect(address).await?;
    let answered = load.at_rate(vec![sample.request.clone(); requests], rate).await?;
    let _ = stop.send(());
    server.join().unwrap_or_else(|_| bail!("the server panicked"))?;
    Ok(answered)
}

/// Serves on one core until it is told to stop.
fn serve(
    core: usize,
    (answer, busy): (Bytes, Duration),
    (log, row): (File, Vec<u8>),
    ready: &mpsc::Sender<std::net::SocketAddr>,
    stopped: oneshot::Receiver<()>,
) -> Result<()> {
    cores::pin(core)?;
    let (append, appended) = mpsc::channel::<Waiter>();
    let writer = thread::spawn(move || write(log, &row, &appended));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        ready.send(listener.local_addr()?).context("nobody waits for the server")?;
        let router = Router::new().route(
            "/token",
            post(move |body: Bytes| async move {
                std::hint::black_box(body.len());
                spend(busy);
                let (waiter, on_disk) = oneshot::channel();
                let sent = append.send(waiter).is_ok();
                if sent && on_disk.await.is_ok() { Ok(answer) } else { Err(StatusCode::SERVICE_UNAVAILABLE) }
            }),
        );
        tokio::select! {
            served = axum::serve(listener, router) => Ok::<(), anyhow::Error>(served?),
            _ = stopped => Ok(()),
        }
    })?;
    drop(runtime);
    writer.join().unwrap_or_else(|_| bail!("the writer panicked"))
}

/// Takes CPU time, whatever the clock on the wall says meanwhile.
fn spend(time: Duration) {
    let before = cores::cpu_time();
    while !time.is_zero() && cores::cpu_time().saturating_sub(before) < time {
        std::hint::spin_loop();
    }
}

/// Appends a row for everybody who waits, and tells them when all of these are on disk.
fn write(mut log: File, row: &[u8], appended: &mpsc::Receiver<Waiter>) -> Result<()> {
    while let Ok(first) = appended.recv() {
        let waiters: Vec<Waiter> = std::iter::once(first).chain(appended.try_iter()).collect();
        log.write_all(&row.repeat(waiters.len()))?;
        log.sync_data()?;
        for waiter in waiters {
            // One who has left does not mind.
            let _ = waiter.send(());
        }
    }
    Ok(())
}
