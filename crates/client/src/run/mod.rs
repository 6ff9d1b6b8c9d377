//! `daypass run -- CMD`: a command with the container-credentials endpoint beside it, so that it may outlive a session.

mod environment;
mod signals;

use std::ffi::OsString;
use std::fmt;
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
use crate::text::reason;

/// What to run. `Debug` shows the program only: arguments and environment can hold secrets.
#[derive(Clone)]
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
    endpoint: ContainerEndpoint,
    refresher: Arc<Refresher>,
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
        Ok(Self { options, endpoint, refresher })
    }

    /// The variables that the command will not see, because SDKs would take what is in them instead.
    pub fn removed(&self) -> Vec<&'static str> {
        environment::removed(&self.options.environment)
    }

    /// Starts the command and waits for its end, forwarding signals to it.
    pub async fn to_completion(self) -> Result<Exit, RunError> {
        let Self { options, endpoint, refresher } = self;
        // From here on no signal ends us, so that the directory goes whatever happens, and none is lost to the command.
        let signals = Signals::take_over().map_err(|error| RunError::Signals(error.to_string()))?;
        let dir = private_dir().map_err(|error| RunError::Directory(error.to_string()))?;
        let token_file = dir.path().join("token");
        write_private(&token_file, endpoint.token().expose().as_bytes())?;
        let environment = environment::of_child(options.environment, &endpoint.url(), &token_file);
        let child = start(&RunOptions { environment, ..options })?;

        let mut beside = JoinSet::new();
        beside.spawn(Arc::clone(&refresher).keep_fresh());
        beside.spawn(endpoint.serve(refresher));
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

impl fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions").field("program", &self.program).finish_non_exhaustive()
    }
}

/// A directory of mode 0700 that is removed when it is dropped.
fn private_dir() -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("daypass-");
    if let Some(owner_only) = permissions(0o700) {
        builder.permissions(owner_only);
    }
    builder.tempdir()
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
            _ => RunError::NotStarted { program, reason: reason(&error) },
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
