//! `daypass retire`.

use std::io::{self, Write};

use camino::Utf8PathBuf;
use clap::Args;
use daypass_evidence::Report;
use daypass_migrate::Plan;
use daypass_migrate::retire::{Observed, Reason, Removal, Retirement, retire};
use serde::Serialize;

use super::super::files;
use super::super::inventory::Skipped;
use super::{Chosen, Migration, read_large, warn};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::{count, style};

/// Says which stored credentials may go, and why the others may not yet.
///
/// A credential stays while anything speaks for it: a job that was not moved, a file that still binds it, too few runs with the
/// role, a use since cut-over, logs that are too short or not all there, and not knowing. What may go comes with the steps, the
/// first of which can be taken back.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass evidence --plan daypass.migration.toml --cloudtrail logs/ --json > evidence.json
  daypass retire --evidence evidence.json
  daypass retire cred-0123456789abcdef --evidence evidence.json

Removing is left to people; a credential that is gone is `state = \"retired\"` in the plan.

Exits 1 while a credential is refused.")]
pub(crate) struct Arguments {
    /// Only these credentials, by their ids in the plan.
    #[arg(value_name = "CREDENTIAL")]
    credentials: Vec<String>,
    #[command(flatten)]
    plan: Chosen,
    #[command(flatten)]
    seen: Seen,
}

/// What was seen of credentials and roles.
#[derive(Debug, Args)]
pub(super) struct Seen {
    /// What logs show: an answer of `daypass evidence --json`; repeatable.
    #[arg(long = "evidence", value_name = "FILE")]
    files: Vec<Utf8PathBuf>,
}

impl Seen {
    pub(super) fn read(&self) -> Result<Observed> {
        let mut reports = Vec::new();
        for file in &self.files {
            let source = read_large(file)?;
            let report: Report =
                serde_json::from_str(source.text()).map_err(|error| files::not_json(&source, &error))?;
            reports.push(report);
        }
        Ok(Observed::new(reports))
    }
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    granted: Vec<Removal>,
    refused: Vec<Refused>,
    skipped: Vec<Skipped>,
}

#[derive(Debug, Serialize)]
struct Refused {
    credential: String,
    why: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let seen = arguments.seen.read()?;
    let Migration { plan, read, .. } = arguments.plan.open()?;
    if let Some(unknown) = arguments.credentials.iter().find(|id| plan.credential(id).is_none()) {
        return Err(Failure::usage(format!("the plan has no credential `{unknown}`")));
    }
    let Retirement { mut granted, mut refused } = retire(&plan, &read.survey, &seen);
    if !arguments.credentials.is_empty() {
        granted.retain(|it| arguments.credentials.contains(&it.credential));
        refused.retain(|it| arguments.credentials.contains(&it.credential));
    }
    warn(&read.skipped, output);
    let refused = refused
        .into_iter()
        .map(|it| Refused { credential: it.credential, why: it.why.iter().map(Reason::to_string).collect() });
    let answer = Answer { granted, refused: refused.collect(), skipped: read.skipped };
    output.answer(&answer, |out| tell(out, &answer, &plan))?;
    Ok(Outcome::fine_if(answer.refused.is_empty()))
}

fn tell(out: &mut dyn Write, answer: &Answer, plan: &Plan) -> io::Result<()> {
    for it in &answer.refused {
        writeln!(out, "{} {}", style::bad("stays"), name(&it.credential, plan))?;
        it.why.iter().try_for_each(|why| writeln!(out, "  {why}"))?;
    }
    for it in &answer.granted {
        writeln!(out, "{} {}", style::good("may go"), name(&it.credential, plan))?;
        for (number, step) in (1_usize..).zip(&it.steps) {
            writeln!(out, "  {number}. {step}")?;
        }
        writeln!(out, "  {}", style::faint(format!("the way back: {}", it.rollback)))?;
    }
    writeln!(out, "{} may go, {} must stay", count(answer.granted.len(), "credential"), answer.refused.len())
}

/// A credential as people know it: what it is and where it is used.
pub(super) fn name(id: &str, plan: &Plan) -> String {
    let Some(known) = plan.credential(id) else { return style::strong(id) };
    let source = if known.source.is_empty() { &known.kind } else { &known.source };
    format!("{} {} ({}:{})", style::strong(id), source, known.file, known.line)
}
