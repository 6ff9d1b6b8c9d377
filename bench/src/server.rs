//! The measured program: `daypass serve`, built, started on its core, and stopped.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::cores::{self, Cores};
use crate::load::{Connection, now};

/// The workspace that this one lies in.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Builds the workspace's own program, as a release is built; does nothing if it is up to date.
pub(crate) fn build() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--release", "--locked", "--quiet", "--package", "daypass"];
    let status =
        Command::new(cargo).args(arguments).current_dir(ROOT).status().context("cargo does not start")?;
    ensure!(status.success(), "daypass does not build");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(ROOT).join("target"), PathBuf::from);
    Ok(target.join("release/daypass"))
}

/// A running server; ended when dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    started: Instant,
}

/// What `serve --json` says once it serves.
#[derive(Deserialize)]
struct Serving {
    listen: SocketAddr,
}

impl Server {
    /// Starts the program on the server's core, with the `daypass.toml` of a directory, and waits until it says that it
    /// serves.
    pub(crate) fn start(program: &Path, directory: &Path, cores: Cores) -> Result<Self> {
        // A process runs where the thread that started it may run.
        cores::on(cores.server, || {
            let started = now();
            let mut process = Command::new(program)
                .args(["serve", "--json", "--quiet", "--config"])
                .arg(directory.join("daypass.toml"))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .with_context(|| format!("{} does not start", program.display()))?;
            let said = process.stdout.take().context("there is no output to read")?;
            let mut line = String::new();
            BufReader::new(said).read_line(&mut line)?;
            let Ok(serving) = serde_json::from_str::<Serving>(&line) else {
                let _ = process.kill();
                bail!("{} does not serve: {line}{}", program.display(), process.wait()?);
            };
            Ok(Self { process, address: serving.listen, started })
        })
    }

    /// From before the start to the answer to a first request.
    pub(crate) async fn first_answer(&self) -> Result<Duration> {
        let mut connection = Connection::open(self.address).await?;
        connection.ask(b"GET /healthz HTTP/1.1\r\nhost: sts.acme.example\r\n\r\n").await?;
        Ok(self.started.elapsed())
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The CPU time that it has taken so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        cores::cpu_of_process(self.process.id())
    }

    /// What it has resident.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        cores::resident_mib(self.process.id())
    }

    /// Stops it as an operator does, and insists on a clean end.
    pub(crate) fn stop(mut self) -> Result<()> {
        let id =
            i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("the server has no id")?;
        kill_process(id, Signal::TERM)?;
        let status = self.process.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
