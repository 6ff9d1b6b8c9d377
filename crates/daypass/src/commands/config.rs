//! `daypass config check`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use daypass_claims::Clock;
use daypass_exchange::config::{self, KeySource, Loaded};
use daypass_server::{Disk, SystemClock};
use daypass_trust::document::{Problem, Source, Span};
use serde_json::json;

use super::files;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::{self, style};

/// Checks configurations.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(Check),
}

/// Checks a configuration, and warns of what is allowed and unwise.
///
/// Errors are what `serve` would not start with. Warnings: sessions so short that SDKs refresh before every call,
/// audiences that other services are known by, callers of one environment who can assume a role of another.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass config check
  daypass config check examples/acme/daypass.toml --json

Exits 1 if there are warnings, 2 if there are errors.")]
pub(crate) struct Check {
    /// The configuration.
    #[arg(value_name = "FILE", default_value = "daypass.toml")]
    file: Utf8PathBuf,
    /// The configuration, named as `serve` has it.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    config: Option<Utf8PathBuf>,
}

pub(crate) fn run(command: Command, output: &Output) -> Result {
    match command {
        Command::Check(arguments) => check(arguments, output),
    }
}

fn check(arguments: Check, output: &Output) -> Result {
    let path = arguments.config.unwrap_or(arguments.file);
    let Loaded { config, mut warnings } = load_to_serve(&path)?;
    warnings.extend(config::review(&config));
    let sources = sources_of(&warnings);
    let answer = json!({
        "ok": warnings.is_empty(),
        "issuers": config.issuers.len(),
        "roles": config.roles.len(),
        "warnings": warnings.iter().map(render::problem_json).collect::<Vec<_>>(),
    });
    output.answer(&answer, |out| {
        render::warnings(out, &warnings, &sources)?;
        let verdict = match warnings.len() {
            0 => style::good("good"),
            many => style::unsure(render::count(many, "warning")),
        };
        let issuers = render::count(config.issuers.len(), "issuer");
        writeln!(out, "{path}: {issuers}, {}: {verdict}", render::count(config.roles.len(), "role"))
    })?;
    Ok(Outcome::fine_if(warnings.is_empty()))
}

/// Loads a configuration for what `serve` does with it, which is not to believe development keys.
pub(super) fn load_to_serve(path: &camino::Utf8Path) -> Result<Loaded> {
    let loaded = load(path)?;
    let mut problems = Vec::new();
    for issuer in &loaded.config.issuers {
        if let KeySource::Pinned(keys) = &issuer.keys
            && let Some(key) = keys.development_key()
        {
            let message =
                format!("`jwks_file` of issuer `{}` holds the development key `{key}`", issuer.name);
            let mut problem = Problem::new(&Source::new("", ""), Span::default(), message)
                .help("whoever runs `daypass up` can make such keys; pin those that the platform publishes");
            problem.location = issuer.location.clone();
            problems.push(problem);
        }
    }
    if problems.is_empty() {
        return Ok(loaded);
    }
    let sources = sources_of(&problems);
    Err(Failure::input(problems, sources))
}

/// Loads a configuration from disk and environment.
pub(super) fn load(path: &camino::Utf8Path) -> Result<Loaded> {
    let env = |name: &str| std::env::var(name).ok();
    config::load(path, &Disk, &env, SystemClock.now())
        .map_err(|error| Failure::input(error.problems, error.sources))
}

/// The files that problems point into, as far as they can be read again.
fn sources_of(problems: &[Problem]) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for problem in problems {
        let name = &*problem.location.file;
        if !sources.iter().any(|source| source.name() == name) {
            sources.extend(files::read(name.into()));
        }
    }
    sources
}
