//! `daypass run -- CMD`: a command with the container-credentials endpoint beside it, so that it may outlive a session.

mod environment;
mod signals;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;

use daypass_claims::{Clock, Random};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use self::signals::Signals;
use crate::core_dumps::CoreDumps;
use crate::federation::{ClientError, SessionSource};
use crate::output::{OutputError, permissions, write_private};
use crate::serve::{ContainerEndpoint, Refresher, ServeError};

/// What to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The program: a path, or a name for `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The environment that it would have without us.
    pub environment: Vec<(OsString, OsString)>,
    /// If core files are forbidden to us, so that the program's need not be.
    pub core_dumps: Option<CoreDumps>,
}

/// A command that is ready to start: the first session is there, and the endpoint listens.
#[derive(Debug)]
pub struct Run {
    options: RunOptions,
    removed: Vec<&'static str>,
    endpoint: ContainerEndpoint,
    refresher: Arc<Refresher>,
    /// Holds the endpoint's token, and goes with it.
    dir: TempDir,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(ExitStatus);

/// Why a command was not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// There is no first session.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// There is no endpoint.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The endpoint's token could not be left for the command.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// No directory for it.
    #[error("no temporary directory: {0}")]
    Directory(String),
    /// Signals could not be taken over.
    #[error("signals cannot be forwarded: {0}")]
    Signals(String),
    /// There is no such program.
    #[error("`{0}` is not a program")]
    NotFound(String),
    /// It cannot be started.
    #[error("`{program}` cannot be started: {reason}")]
    NotStarted {
        /// The program.
        program: String,
        /// What the system says.
        reason: String,
    },
    /// It cannot be waited for.
    #[error("the command cannot be waited for: {0}")]
    Wait(String),
}

impl Run {
    /// Gets the first session, so that a command is not started to fail later, and opens the endpoint.
    pub async fn prepare(
        options: RunOptions,
        source: Arc<dyn SessionSource>,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Self, RunError> {
        let refresher = Refresher::new(source, clock);
        refresher.session().await?;
        let endpoint = ContainerEndpoint::bind(random).await?;
        let mut builder = tempfile::Builder::new();
        builder.prefix("daypass-");
        if let Some(owner_only) = permissions(0o700) {
            builder.permissions(owner_only);
        }
        let dir = builder.tempdir().map_err(|error| RunError::Directory(error.to_string()))?;
        let token_file = dir.path().join("token");
        write_private(&token_file, endpoint.token().expose().as_bytes())?;
        let (environment, removed) = environment::of_child(options.environment, &endpoint.url(), &token_file);
        Ok(Self { options: RunOptions { environment, ..options }, removed, endpoint, refresher, dir })
    }

    /// The variables that the command will not see, because SDKs would take what is in them instead.
    pub fn removed(&self) -> &[&'static str] {
        &self.removed
    }

    /// Starts the command and waits for its end, forwarding signals to it.
    pub async fn to_completion(self) -> Result<Exit, RunError> {
        let Self { options, endpoint, refresher, dir, .. } = self;
        // Before the command starts, so that no signal is lost.
        let signals = Signals::take_over().map_err(|error| RunError::Signals(error.to_string()))?;
        let mut beside = JoinSet::new();
        beside.spawn(Arc::clone(&refresher).keep_fresh());
        beside.spawn(endpoint.serve(refresher));
        let child = start(&options)?;
        let ended = signals::wait(child, signals).await.map_err(|error| RunError::Wait(error.to_string()));
        drop(beside);
        if let Err(error) = dir.close() {
            tracing::warn!(%error, "the temporary directory could not be removed");
        }
        ended.map(Exit)
    }
}

impl Exit {
    /// The code for us to end with: the command's, or 128 and the number of the signal that ended it, as shells say it.
    pub fn code(self) -> i32 {
        self.0.code().unwrap_or_else(|| signal_of(self.0).map_or(1, |signal| 128 + signal))
    }
}

impl RunError {
    /// The code for us to end with: 127 for a program that is not there, 126 for one that does not start, as shells have
    /// it, and 1 otherwise.
    pub const fn exit_code(&self) -> i32 {
        match self {
            Self::NotFound(_) => 127,
            Self::NotStarted { .. } => 126,
            _ => 1,
        }
    }
}

fn start(options: &RunOptions) -> Result<Child, RunError> {
    let mut command = Command::new(&options.program);
    command
        .args(&options.arguments)
        .env_clear()
        .envs(options.environment.iter().map(|(name, value)| (name, value)))
        .kill_on_drop(true);
    let started = match options.core_dumps {
        Some(core_dumps) => core_dumps.lifted(|| command.spawn()),
        None => command.spawn(),
    };
    started.map_err(|error| {
        let program = Path::new(&options.program).display().to_string();
        match error.kind() {
            std::io::ErrorKind::NotFound => RunError::NotFound(program),
            kind => RunError::NotStarted { program, reason: kind.to_string() },
        }
    })
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal_of(_: ExitStatus) -> Option<i32> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
