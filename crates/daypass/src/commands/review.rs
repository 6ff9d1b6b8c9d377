//! `daypass review`.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use daypass_claims::Clock;
use daypass_evidence::Report as Evidence;
use daypass_lint::html::Header;
use daypass_lint::review::{Review, markdown, page, sarif, text};
use daypass_lint::{Accepted, Baseline, Options};
use daypass_server::SystemClock;

use super::check::{look, read_baseline};
use super::files;
use super::migration::read_large;
use super::prove::Known;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

/// Holds pipelines, trust and logs against a standard, and shows what of the trust goes beyond its use.
///
/// Every check of the standard passes, fails, or cannot be told, and says why. With the evidence of audit logs, roles that nobody
/// assumes are named, and for conditions that admit more than was seen a narrower one is written, and proved to admit all that was.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass review
  daypass evidence --cloudtrail logs/ --json > evidence.json
  daypass review infra .github/workflows --evidence evidence.json
  daypass review . --evidence evidence.json --format html > review.html

  # As a gate, for what is new since today
  daypass review --evidence evidence.json --write-baseline review.baseline.json
  daypass review --evidence evidence.json --baseline review.baseline.json

Exits 1 where a check fails; with --fail-under, where the score is lower than that.")]
pub(crate) struct Arguments {
    /// Files and folders.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<Utf8PathBuf>,
    /// What logs show: an answer of `daypass evidence --json`.
    #[arg(long, value_name = "FILE")]
    evidence: Option<Utf8PathBuf>,
    /// How to answer: text, json, markdown, sarif (2.1.0) or html, one file that asks for nothing.
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: Format,
    /// Leave out what this file accepts.
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
    /// Accept all that is found now: write it to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<Utf8PathBuf>,
    /// Fail on a score below this, in percent, and not on single checks.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
    fail_under: Option<u8>,
    #[command(flatten)]
    known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
    Sarif,
    Html,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    arguments.paths.iter().try_for_each(|path| files::exists(path))?;
    let evidence = arguments.evidence.as_deref().map(read_evidence).transpose()?;
    let baseline = arguments.baseline.as_deref().map(read_baseline).transpose()?;
    let first = arguments.paths.first().map_or(Utf8Path::new("."), |path| path.as_path());
    let options = Options { prover: arguments.known.options(first)?, home: arguments.known.home()? };
    let (work, mut report) = look::look(&arguments.paths, &options)?;
    if let Some(baseline) = &baseline {
        baseline.apply(&mut report);
    }
    let mut review = Review::new(&work, &report, evidence.as_ref(), &options);
    if let Some(baseline) = &baseline {
        review.accept(|fingerprint| baseline.knows(fingerprint));
    }
    if let Some(path) = &arguments.write_baseline {
        let mut accepted = Baseline::of(&report);
        for it in &review.sprawl {
            accepted.accept(Accepted {
                rule: it.excess.as_str().to_owned(),
                file: it.file.to_string(),
                role: it.role.clone(),
                message: it.why.clone(),
                fingerprint: it.fingerprint.clone(),
            });
        }
        fs::write(path, accepted.to_json()?)
            .map_err(|error| Failure::usage(format!("cannot write `{path}`: {error}")))?;
    }
    tell(&review, arguments, output)?;
    let fine = match arguments.fail_under {
        Some(least) => review.score.percent >= usize::from(least),
        None => review.score.failed == 0,
    };
    Ok(Outcome::fine_if(fine || arguments.write_baseline.is_some()))
}

fn read_evidence(path: &Utf8Path) -> Result<Evidence> {
    let source = read_large(path)?;
    serde_json::from_str(source.text()).map_err(|error| files::not_json(&source, &error))
}

fn tell(review: &Review, arguments: &Arguments, output: &Output) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    match arguments.format {
        _ if output.is_json() => output.answer(review, |_| Ok(())),
        Format::Json => output.raw(&format!("{}\n", serde_json::to_string_pretty(review)?)),
        Format::Text => output.text(&text(review)),
        Format::Markdown => output.text(&markdown(review)),
        Format::Sarif => output.raw(&format!("{}\n", sarif(review, version)?)),
        Format::Html => {
            let titles: Vec<&str> = arguments
                .paths
                .iter()
                .map(|path| if path == "." { "this folder" } else { path.as_str() })
                .collect();
            let when = SystemClock.now().to_rfc3339();
            let header = Header { title: &titles.join(", "), when: &when, version };
            output.raw(&page(review, &header))
        }
    }
}
