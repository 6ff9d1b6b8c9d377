//! `daypass estate`.

use std::fs;
use std::io::ErrorKind;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use daypass_prove::estate::import::{ImportError, import};
use daypass_trust::document::Source;
use serde_json::json;

use super::files;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::style;

/// What is ours: organisations, repositories, ids, protected branches and environments.
///
/// Some questions cannot be answered from a policy's text: whether a name is ours, whether a branch is protected, which form
/// of subject a repository's tokens have. `daypass.estate.toml` answers them, beside the policies or above them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Import(Import),
}

/// Adds what platforms and clouds list about themselves to an estate file.
///
/// What people wrote in the file stays as it is; ids and lists that a listing knows better are brought up to date, and said.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  gh api --paginate orgs/acme/repos | daypass estate import -
  gh api repos/acme/app/environments | daypass estate import -
  gh api 'repos/acme/app/branches?protected=true' | daypass estate import -
  aws iam get-open-id-connect-provider --open-id-connect-provider-arn ARN | daypass estate import -
  daypass estate import gitlab-projects.json circleci-project.json --estate infra/daypass.estate.toml")]
pub(crate) struct Import {
    /// Listings, as their commands printed them; `-` for stdin.
    #[arg(value_name = "FILE", required = true)]
    listings: Vec<Utf8PathBuf>,
    /// The estate file; made if it is not there.
    #[arg(long, value_name = "FILE", default_value = "daypass.estate.toml")]
    estate: Utf8PathBuf,
    /// Show the new text, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(command: &Command, output: &Output) -> Result {
    let Command::Import(arguments) = command;
    let file = &arguments.estate;
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::usage(format!("cannot read `{file}`: {error}"))),
    };
    let estate = Source::new(file.as_str(), text);
    let listings = arguments.listings.iter().map(|path| files::read(path)).collect::<Result<Vec<_>>>()?;
    let imported = import(&estate, &listings).map_err(|error| match error {
        ImportError::Estate(error) => Failure::input(error.problems, vec![estate.clone()]),
        other => Failure::usage(other.to_string()),
    })?;
    if arguments.dry_run {
        output.answer(
            &json!({ "file": file.as_str(), "news": imported.news, "text": imported.text }),
            |out| write!(out, "{}", imported.text),
        )?;
        return Ok(Outcome::Fine);
    }
    if imported.text != estate.text() {
        fs::write(file, &imported.text)
            .map_err(|error| Failure::usage(format!("cannot write `{file}`: {error}")))?;
    }
    output.answer(&json!({ "file": file.as_str(), "news": imported.news }), |out| {
        imported.news.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        let said = if imported.news.is_empty() { "says all of it already" } else { "is up to date" };
        writeln!(out, "{}", style::faint(format!("{file} {said}")))
    })?;
    Ok(Outcome::Fine)
}
