//! How commands end.

use daypass_trust::document::{Problem, Source};

/// Exit code of findings and refusals.
pub(crate) const FINDINGS: u8 = 1;
/// Exit code of wrong arguments and wrong input files.
pub(crate) const USAGE: u8 = 2;
/// Exit code of everything that went wrong otherwise.
pub(crate) const FAILED: u8 = 3;

/// How a command ended that did what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing to say against it.
    Fine,
    /// There are findings, or the answer is no.
    Findings,
    /// What `run` ran exited with this code.
    Passed(u8),
}

impl Outcome {
    /// `Fine` if that is so, `Findings` otherwise.
    pub(crate) const fn fine_if(fine: bool) -> Self {
        if fine { Self::Fine } else { Self::Findings }
    }
}

/// Why a command could not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The answer of somebody else was no.
    Refused {
        /// Theirs.
        message: String,
        /// What to do about it, a line each.
        advice: Vec<String>,
    },
    /// Arguments that make no sense together.
    Usage(String),
    /// A file that does not say what it should.
    Input {
        /// Everything that is wrong with it.
        problems: Vec<Problem>,
        /// The texts that the problems point into.
        sources: Vec<Source>,
    },
    /// Anything else.
    Failed(anyhow::Error),
}

impl Failure {
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), advice: Vec::new() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// A file with problems.
    pub(crate) fn input(problems: Vec<Problem>, sources: Vec<Source>) -> Self {
        Self::Input { problems, sources }
    }

    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. } => FINDINGS,
            Self::Usage(_) | Self::Input { .. } => USAGE,
            Self::Failed(_) => FAILED,
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What commands return.
pub(crate) type Result<T = Outcome> = std::result::Result<T, Failure>;
