//! Getting the platform's token: from wherever the catalogue says that it is, or from where the user says.
//!
//! [`plan`] looks at the environment and decides; [`TokenPlan::obtain`] does it, as often as a fresh token is needed.

pub(crate) mod azure_devops;
mod ci_token;
mod circleci;
mod error;
mod plan;
mod program;
mod service;

use std::fmt;
use std::path::{Path, PathBuf};

use daypass_claims::Audience;
use daypass_issuers::Platform;
use tokio::io::AsyncReadExt;

use self::program::Program;
use self::service::Service;
use crate::Tools;
use crate::text::reason;

pub use self::ci_token::{CiToken, Origin};
pub use self::error::TokenError;
pub use self::plan::plan;

/// The variable that holds the token where the pipeline chooses the name and the user names none. The examples in the
/// catalogue use it.
pub const DEFAULT_VARIABLE: &str = "DAYPASS_TOKEN";

/// Which token is wanted. The default is that of the platform whose job this is, with its default audience.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequest {
    /// Whom it shall be addressed to.
    pub audience: Option<Audience>,
    /// The platform's id in the catalogue, where it is not to be recognised.
    pub platform: Option<String>,
    /// The variable that holds it.
    pub variable: Option<String>,
    /// The file that holds it; goes before the variable.
    pub file: Option<PathBuf>,
    /// The Azure DevOps service connection that it shall stand for.
    pub service_connection: Option<String>,
}

/// A way to a token, with everything from the environment that it takes.
#[derive(Clone)]
pub struct TokenPlan {
    platform: Option<&'static Platform>,
    audience: Option<Audience>,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    /// It is here already.
    Held(CiToken),
    File(PathBuf),
    Service(Box<Service>),
    Program(Program),
}

/// The most that is read of a token file: more than any token has.
const LARGEST_FILE: u64 = 64 * 1024;

impl TokenPlan {
    /// The platform, if it is known.
    pub const fn platform(&self) -> Option<&'static Platform> {
        self.platform
    }

    /// Whether [`obtain`](Self::obtain) can give a newer token later. A variable holds the same one until the job ends.
    pub const fn is_renewable(&self) -> bool {
        !matches!(self.way, Way::Held(_))
    }

    /// Gets a token: a new one each time, where the platform gives more than one.
    pub async fn obtain(&self, tools: &Tools) -> Result<CiToken, TokenError> {
        let token = match &self.way {
            Way::Held(token) => token.clone().not_over(tools.clock.now())?,
            Way::File(path) => read_file(path).await?.not_over(tools.clock.now())?,
            Way::Service(service) => service.ask(tools).await?,
            Way::Program(program) => program.run(tools.retry.total).await?,
        };
        tracing::debug!(origin = %token.origin(), "have a token");
        let token = token.of_platform(self.platform);
        token.for_audience(self.audience.as_ref(), &plan::remedy(self.platform, self.audience.as_ref()))
    }
}

impl fmt::Debug for TokenPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let platform = self.platform.map(|platform| &platform.id);
        f.debug_struct("TokenPlan")
            .field("platform", &platform)
            .field("audience", &self.audience)
            .field("way", &self.way)
            .finish()
    }
}

async fn read_file(path: &Path) -> Result<CiToken, TokenError> {
    let unreadable =
        |error: std::io::Error| TokenError::Unreadable { path: path.to_owned(), reason: reason(&error) };
    let mut text = String::new();
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    file.take(LARGEST_FILE).read_to_string(&mut text).await.map_err(unreadable)?;
    CiToken::parse(&text, Origin::File(path.to_owned()))
}

#[cfg(test)]
mod tests;
