//! `daypass check`.

mod fix;
pub(super) mod look;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use daypass_claims::Clock;
use daypass_lint::html::{Header, html};
use daypass_lint::render::{TextOptions, github, markdown, sarif, text};
use daypass_lint::{Baseline, Options, Report, Severity};
use daypass_server::SystemClock;

use super::files;
use super::prove::Known;
use crate::failure::{Failure, Outcome, Result, USAGE};
use crate::output::Output;
use crate::render;

/// Checks every trust policy and pipeline below a path: who can get in, and what should not be so.
///
/// Reads trust of AWS, Google Cloud, Azure, Vault and daypass wherever it stands (JSON, TOML, Terraform, plans,
/// CloudFormation, exports of accounts) and the pipelines of seven CI platforms. What is said of a role is decided over all
/// tokens that its issuer can mint, and comes with a token that shows it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass check
  daypass check infra .github/workflows --fail-on medium
  daypass check --html report.html
  daypass check --format sarif > daypass.sarif

  # Only what is new since today
  daypass check --write-baseline daypass.baseline.json
  daypass check --baseline daypass.baseline.json

A finding is ignored by a comment beside it: `daypass:ignore RULE reason`.

Exits 0 where nothing reaches --fail-on, 1 where something does, 2 where a file is not what it should be.")]
pub(crate) struct Arguments {
    /// Files and folders.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<Utf8PathBuf>,
    /// How to answer: text, json, sarif (2.1.0), markdown (a comment on a pull request) or github (workflow commands).
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: Format,
    /// The least severity that fails the command: high, medium, low, info, or never.
    #[arg(long, value_name = "SEVERITY", default_value = "high", hide_possible_values = true)]
    fail_on: Threshold,
    /// The least severity that is told of.
    #[arg(long, value_name = "SEVERITY", default_value = "info", hide_possible_values = true)]
    least: Threshold,
    /// Leave out what this file accepts.
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
    /// Accept all that is found now: write it to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<Utf8PathBuf>,
    /// Write a report for people who would rather look: one HTML file.
    #[arg(long, value_name = "FILE")]
    html: Option<Utf8PathBuf>,
    /// Make the changes that were proved to mend a finding and to keep the role's own jobs in.
    #[arg(long)]
    fix: bool,
    #[command(flatten)]
    known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
    Markdown,
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Threshold {
    High,
    Medium,
    Low,
    Info,
    Never,
}

impl Threshold {
    const fn severity(self) -> Option<Severity> {
        match self {
            Self::High => Some(Severity::High),
            Self::Medium => Some(Severity::Medium),
            Self::Low => Some(Severity::Low),
            Self::Info => Some(Severity::Info),
            Self::Never => None,
        }
    }
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    arguments.paths.iter().try_for_each(|path| files::exists(path))?;
    let baseline = arguments.baseline.as_deref().map(read_baseline).transpose()?;
    let options = options(arguments)?;
    let (_, mut report) = look::look(&arguments.paths, &options)?;
    if arguments.fix {
        let fixed = fix::apply(&report)?;
        output.remark(|err| {
            fixed.iter().try_for_each(|line| writeln!(err, "{} {line}", render::style::good("fixed")))
        });
        if !fixed.is_empty() {
            (_, report) = look::look(&arguments.paths, &options)?;
        }
    }
    if let Some(path) = &arguments.write_baseline {
        let text = Baseline::of(&report).to_json()?;
        write(path, &text)?;
    }
    if let Some(baseline) = &baseline {
        for gone in baseline.apply(&mut report) {
            let word = render::style::warning("warning:");
            let said = format!("{} of {} is accepted and was not found", gone.rule, gone.role);
            output.remark(|err| writeln!(err, "{word} {said}; it can go from the baseline"));
        }
    }
    if let Some(least) = arguments.least.severity() {
        report.retain_at_least(least);
    }
    if let Some(path) = &arguments.html {
        write(path, &page(&report, &arguments.paths))?;
    }
    tell(&report, arguments, output)?;
    let fails = arguments.fail_on.severity().is_some_and(|threshold| report.reaches(threshold));
    Ok(match (fails && arguments.write_baseline.is_none(), report.problems.is_empty()) {
        (true, _) => Outcome::Findings,
        (false, false) => Outcome::Passed(USAGE),
        (false, true) => Outcome::Fine,
    })
}

fn options(arguments: &Arguments) -> Result<Options> {
    let first = arguments.paths.first().map_or(Utf8Path::new("."), |path| path.as_path());
    Ok(Options { prover: arguments.known.options(first)?, home: arguments.known.home()? })
}

pub(super) fn read_baseline(path: &Utf8Path) -> Result<Baseline> {
    let source = files::read(path)?;
    Baseline::parse(&source).map_err(|error| files::wrong(&source, error.to_string()))
}

fn write(path: &Utf8Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Failure::usage(format!("cannot write `{path}`: {error}")))
}

fn page(report: &Report, paths: &[Utf8PathBuf]) -> String {
    let title: Vec<&str> =
        paths.iter().map(|path| if path == "." { "this folder" } else { path.as_str() }).collect();
    let when = SystemClock.now().to_rfc3339();
    html(report, &Header { title: &title.join(", "), when: &when, version: env!("CARGO_PKG_VERSION") })
}

/// The answer itself.
fn tell(report: &Report, arguments: &Arguments, output: &Output) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    match arguments.format {
        _ if output.is_json() => output.answer(report, |_| Ok(())),
        Format::Json => output.raw(&format!("{}\n", report.to_json()?)),
        Format::Sarif => output.raw(&format!("{}\n", sarif(report, version)?)),
        Format::Markdown => output.text(&markdown(report)),
        Format::Github => output.raw(&github(report)),
        Format::Text => output.text(&text(report, TextOptions::default())),
    }
}
