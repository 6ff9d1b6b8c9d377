use std::fmt;

use daypass_claims::Timestamp;

/// Which credentials a revocation kills.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Selector {
    /// Every session of a role (its name).
    Role(String),
    /// Every credential issued to one CI run: issuer and run id.
    Run {
        /// The issuer's URL.
        issuer: String,
        /// The run's id, as the platform's claim says it.
        run: String,
    },
    /// Every credential issued to one repository: issuer and repository id (or name where the issuer has no id).
    Repository {
        /// The issuer's URL.
        issuer: String,
        /// The repository.
        repository: String,
    },
    /// One credential: its id, or the access key id.
    Credential(String),
}

impl Selector {
    /// `role`, `run`, `repository` or `credential`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Run { .. } => "run",
            Self::Repository { .. } => "repository",
            Self::Credential(_) => "credential",
        }
    }

    /// The issuer that the value is relative to; empty for roles and credentials.
    pub fn issuer(&self) -> &str {
        match self {
            Self::Run { issuer, .. } | Self::Repository { issuer, .. } => issuer,
            Self::Role(_) | Self::Credential(_) => "",
        }
    }

    /// The value selected by.
    pub fn value(&self) -> &str {
        match self {
            Self::Role(value)
            | Self::Credential(value)
            | Self::Run { run: value, .. }
            | Self::Repository { repository: value, .. } => value,
        }
    }

    /// The selector of those parts; `None` for an unknown kind.
    pub fn from_parts(kind: &str, issuer: &str, value: &str) -> Option<Self> {
        Some(match kind {
            "role" => Self::Role(value.to_owned()),
            "run" => Self::Run { issuer: issuer.to_owned(), run: value.to_owned() },
            "repository" => Self::Repository { issuer: issuer.to_owned(), repository: value.to_owned() },
            "credential" => Self::Credential(value.to_owned()),
            _ => return None,
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.issuer() {
            "" => write!(f, "{} {}", self.kind(), self.value()),
            issuer => write!(f, "{} {} of {issuer}", self.kind(), self.value()),
        }
    }
}

/// Credentials that match `selector` and were issued before `not_before` are dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What is revoked.
    pub selector: Selector,
    /// Credentials issued before this time are refused.
    pub not_before: Timestamp,
    /// When the revocation may be forgotten: no credential issued before `not_before` can still be alive.
    pub forget_at: Timestamp,
}
