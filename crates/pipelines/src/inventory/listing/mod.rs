//! What platforms and accounts say beside the files: which secrets they store and since when, how old keys are.
//!
//! Names and dates only. Where an export holds values, as GitLab's does, they are dropped while it is read.

mod export;
mod join;

use std::collections::{BTreeMap, HashSet};

use daypass_claims::Timestamp;
use daypass_trust::document::Location;

use crate::Platform;

/// Exports that were read.
#[derive(Debug, Default)]
pub struct Listings {
    secrets: Vec<Secret>,
    keys: Vec<Key>,
    /// The policies of each IAM user, its groups' included.
    policies: BTreeMap<String, Vec<String>>,
}

/// Why an export is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// It is none of the exports that are known.
    #[error(
        "{0}: no export that is known: `gh secret list --json name,updatedAt`, the variables of a GitLab project or group, \
         the environment variables of a CircleCI context or project, an IAM credential report, or \
         `aws iam get-account-authorization-details`"
    )]
    Unknown(Location),
    /// It is not JSON.
    #[error("{at}: not JSON: {what}")]
    Json {
        /// Where the parser gave up.
        at: Location,
        /// What it stumbled over; nothing of the text.
        what: String,
    },
    /// An entry that should have a name has none.
    #[error("{at}: entry {index} of the listing has no `{member}`")]
    Nameless {
        /// The listing.
        at: Location,
        /// Which entry, from 0.
        index: usize,
        /// The member that names it.
        member: &'static str,
    },
    /// A credential report without a column.
    #[error("{at}: a credential report has a column `{column}`")]
    Column {
        /// Its first line.
        at: Location,
        /// The column.
        column: &'static str,
    },
    /// A line of a credential report that is none.
    #[error("{0}: this line has not as many fields as the first one")]
    Line(Location),
    /// The content of a credential report that is not base64 of text.
    #[error("{0}: `Content` of a credential report is base64 of a text")]
    Content(Location),
}

/// Which of the listed secrets files name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedSecrets(HashSet<usize>);

impl NamedSecrets {
    /// Adds those that another file names.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// A secret that a platform stores, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Secret {
    platform: Platform,
    name: String,
    /// When it was last set, as far as the export says.
    set: Option<Timestamp>,
    at: Location,
}

/// An active access key of an IAM user.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    user: String,
    made: Option<Timestamp>,
    used: Option<Timestamp>,
}

impl Listings {
    /// Reads one more export, whichever it is.
    pub fn add(&mut self, file: &str, bytes: &[u8]) -> Result<(), ListingError> {
        export::read(self, file, bytes)
    }

    /// Takes note of the secrets that a file names, wherever in it.
    pub fn named_in(&self, text: &[u8]) -> NamedSecrets {
        let text = String::from_utf8_lossy(text).to_ascii_uppercase();
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words: HashSet<&str> = text.split(|c: char| !part(c)).filter(|word| !word.is_empty()).collect();
        let named = |(index, secret): (usize, &Secret)| {
            words.contains(secret.name.to_ascii_uppercase().as_str()).then_some(index)
        };
        NamedSecrets(self.secrets.iter().enumerate().filter_map(named).collect())
    }

    /// Whether nothing was read, or nothing was in it.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.keys.is_empty() && self.policies.is_empty()
    }
}

#[cfg(test)]
mod tests;
