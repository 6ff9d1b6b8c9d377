//! Handing a credential over, one file per form. Everything that holds a secret is a [`Secret`] or a file of mode 0600.

pub mod credential_process;
pub mod dotenv;
pub mod github_env;
mod private_file;
pub mod shell;
pub mod token_file;
mod variables;
pub mod web_identity;

use std::path::{Path, PathBuf};

pub(crate) use self::private_file::permissions;
pub use self::private_file::write_private;
pub use self::variables::{Variable, Variables};
#[cfg(doc)]
use crate::Secret;
use crate::text::reason;

/// Why a credential was not handed over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// Not a name that shells take for a variable.
    #[error("`{name}` cannot name a variable: letters, digits and _ can, not beginning with a digit")]
    Name {
        /// The name.
        name: String,
    },
    /// A value with a NUL, which no environment holds. It is not shown.
    #[error("the value for `{name}` holds a NUL, which no variable can")]
    Nul {
        /// The variable.
        name: String,
    },
    /// The file system says no.
    #[error("`{}` cannot be written: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A path that no variable can hold as text.
    #[error("`{}` is not Unicode, so that no variable can name it", .path.display())]
    PathNotText {
        /// The path.
        path: PathBuf,
    },
    /// No randomness to choose a delimiter with.
    #[error("{0}")]
    Random(#[from] daypass_claims::RandomError),
}

impl OutputError {
    fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File { path: path.to_owned(), reason: reason(error) }
    }
}
