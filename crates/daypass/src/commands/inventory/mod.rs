//! `daypass inventory`.

mod render;
pub(super) mod scan;
pub(super) mod walk;

use std::fs;
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use daypass_pipelines::inventory::{Credential, Listings};
use serde::Serialize;

use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

/// Bytes of an export. The largest accounts' authorization details are tens of megabytes.
const EXPORT: u64 = 256 * 1024 * 1024;

/// Lists every stored credential that pipelines use.
///
/// Reads GitHub Actions, GitLab, CircleCI, Bitbucket, Azure Pipelines, Buildkite, Jenkins and Terraform files, found by path
/// or content. A credential is told by where its value ends up, not by what the secret is called: PROD_KEY bound to
/// AWS_SECRET_ACCESS_KEY is an AWS key. No value is ever shown; what is written into a file is masked.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass inventory .
  daypass inventory repos/* --json

  # With what the platforms and the account say: since when a secret is stored, whose key it is, what nothing uses
  gh secret list --json name,updatedAt > secrets.json
  aws iam get-credential-report > report.json
  daypass inventory . --secrets secrets.json --secrets report.json

What is told of each:
  certain     the file itself binds a stored value to something that is a credential
  inferred    the binding is out of sight: variables that the platform hands to every job, service
              connections, secrets passed to workflows that are not at hand

Only files below the given paths are read; links are not followed. What could not be read or followed
is listed as skipped, with the reason, and the rest goes on.")]
pub(crate) struct Arguments {
    /// Folders and files.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<Utf8PathBuf>,
    /// An export that tells more of the credentials; repeatable. Names and dates of secrets (`gh secret list --json
    /// name,updatedAt`, GitLab's and CircleCI's variables as their APIs list them), an IAM credential report, or `aws iam
    /// get-account-authorization-details`.
    #[arg(long = "secrets", value_name = "FILE")]
    exports: Vec<Utf8PathBuf>,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    credentials: Vec<Credential>,
    /// Files that were read as a platform's.
    files: usize,
    skipped: Vec<Skipped>,
}

/// What was not read, or not followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Skipped {
    pub(super) file: String,
    pub(super) why: String,
}

impl Skipped {
    pub(super) fn new(file: impl Into<String>, why: impl Into<String>) -> Self {
        Self { file: file.into(), why: why.into() }
    }
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let mut listings = Listings::default();
    for path in &arguments.exports {
        let bytes = export(path).map_err(|why| Failure::usage(format!("--secrets: {path}: {why}")))?;
        listings.add(path.as_str(), &bytes).map_err(|error| Failure::usage(format!("--secrets: {error}")))?;
    }
    let mut skipped = Vec::new();
    let given = walk::walk(arguments.paths.iter().map(Utf8PathBuf::as_path), Utf8Path::new(""), &mut skipped);
    if given.is_empty() {
        let why: Vec<String> =
            skipped.iter().map(|skipped| format!("{}: {}", skipped.file, skipped.why)).collect();
        return Err(Failure::usage(format!("nothing to read: {}", why.join("; "))));
    }
    let answer = scan::scan(&given, &listings, skipped);
    output.answer(&answer, |out| render::write(out, &answer))?;
    Ok(Outcome::Fine)
}

/// Reads an export of a cloud or a platform.
pub(super) fn export(path: &Utf8Path) -> std::result::Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| walk::cannot_read(&error))?;
    let mut bytes = Vec::new();
    let length = file.take(EXPORT.saturating_add(1)).read_to_end(&mut bytes);
    match length {
        Ok(length) if length as u64 > EXPORT => Err(format!("more than {EXPORT} bytes")),
        Ok(_) => Ok(bytes),
        Err(error) => Err(walk::cannot_read(&error)),
    }
}
