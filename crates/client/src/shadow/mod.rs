//! Leftovers of the time before federation that SDKs would take instead of the federated credential, without a word.
//!
//! An SDK asks one place after the other and takes the first credential that it finds. A job that still has the old
//! secret in an earlier place goes on using it, and nobody notices until the secret is removed.

mod aws;
mod azure;
mod chain;
mod google;
mod profile;

use std::fmt;
use std::path::{Path, PathBuf};

pub use self::chain::{Delivery, Link};
use crate::Env;

/// A reader of files; `None` where there is no such file or it cannot be read.
pub type Files<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// Something that an SDK takes before the federated credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// What it is.
    pub leftover: Leftover,
    /// Where it is.
    pub place: Place,
    /// Who takes it, and before what.
    pub wins: String,
    /// How to get rid of it.
    pub remedy: String,
}

/// Kinds of leftovers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leftover {
    /// An AWS access key that does not end by itself.
    AwsAccessKey,
    /// A session that something else put there; it ends, but it is not ours.
    AwsSession,
    /// A profile that gets its credential in some other way than by keys.
    AwsProfile,
    /// Another source of AWS credentials that the environment points at.
    AwsSource,
    /// The private key of a Google service account.
    GoogleServiceAccountKey,
    /// The secret or certificate of a Microsoft Entra application.
    AzureClientSecret,
}

/// Where a leftover is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a variable.
    Variable(&'static str),
    /// In a file that a variable points at.
    NamedFile {
        /// The variable.
        variable: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// In a profile of AWS's configuration.
    Profile {
        /// The file.
        path: PathBuf,
        /// The line of the setting, from 1.
        line: usize,
        /// The profile.
        profile: String,
        /// The setting.
        setting: &'static str,
    },
}

/// What stands in the way of a credential that is delivered in this way, the first to be taken first.
pub fn shadows(delivery: &Delivery, env: Env<'_>, files: Files<'_>) -> Vec<Shadow> {
    match delivery.link() {
        Some(link) => aws::shadows(delivery, link, env, files),
        None => google::shadows(env, files).into_iter().chain(azure::shadows(env)).collect(),
    }
}

impl Leftover {
    /// The kind as a word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AwsAccessKey => "aws-access-key",
            Self::AwsSession => "aws-session",
            Self::AwsProfile => "aws-profile",
            Self::AwsSource => "aws-source",
            Self::GoogleServiceAccountKey => "google-service-account-key",
            Self::AzureClientSecret => "azure-client-secret",
        }
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AwsAccessKey => "a long-lived AWS access key",
            Self::AwsSession => "an AWS session from elsewhere",
            Self::AwsProfile => "a profile with a credential of its own",
            Self::AwsSource => "another source of AWS credentials",
            Self::GoogleServiceAccountKey => "the key of a Google service account",
            Self::AzureClientSecret => "the secret of a Microsoft Entra application",
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "`{name}`"),
            Self::NamedFile { variable, path } => write!(f, "`{}` (by `{variable}`)", path.display()),
            Self::Profile { path, line, profile, setting } => {
                write!(f, "{}:{line} (`{setting}` of the profile `{profile}`)", path.display())
            }
        }
    }
}

impl fmt::Display for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { leftover, place, wins, remedy } = self;
        write!(f, "{place} holds {leftover}, which {wins}; {remedy}")
    }
}

#[cfg(test)]
mod tests;
