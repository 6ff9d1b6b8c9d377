//! What administrators may do, and who they are.

use std::fmt;

/// Something that an administrator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Read decisions and explain them.
    Explain,
    /// Rotate keys, push an issuer's keys.
    Keys,
    /// Read the audit log.
    Audit,
    /// Revoke credentials.
    Revoke,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Explain, Self::Keys, Self::Audit, Self::Revoke];

    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Explain => "explain",
            Self::Keys => "keys",
            Self::Audit => "audit",
            Self::Revoke => "revoke",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an administrator is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminDenied {
    /// The token does not verify.
    #[error("the token is not accepted")]
    Token,
    /// The token verifies, and is not trusted with this.
    #[error("the token is not trusted with this")]
    Scope,
    /// The issuer's keys are not at hand.
    #[error("the issuer's keys are not at hand")]
    Later,
}
