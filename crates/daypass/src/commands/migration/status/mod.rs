//! `daypass status`.

mod page;

use std::io::{self, Write};

use camino::Utf8PathBuf;
use clap::Args;
use daypass_claims::Clock;
use daypass_migrate::retire::retire;
use daypass_migrate::status::{Count, Status, status};
use daypass_server::SystemClock;
use serde::Serialize;

use super::super::inventory::Skipped;
use super::retire::{Seen, name};
use super::{Chosen, Migration, warn, write};
use crate::failure::{Outcome, Result};
use crate::output::Output;
use crate::render::{Table, count, style};

/// Cells of a bar.
const WIDTH: usize = 30;

/// Shows how far a migration has come, and what is next.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass status
  daypass status --evidence evidence.json --html status.html")]
pub(crate) struct Arguments {
    #[command(flatten)]
    plan: Chosen,
    #[command(flatten)]
    seen: Seen,
    /// Write a page with a chart: one HTML file.
    #[arg(long, value_name = "FILE")]
    html: Option<Utf8PathBuf>,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    status: Status,
    skipped: Vec<Skipped>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let seen = arguments.seen.read()?;
    let Migration { plan, read, .. } = arguments.plan.open()?;
    let status = status(&plan, &read.survey, &seen);
    if let Some(path) = &arguments.html {
        let judged = retire(&plan, &read.survey, &seen);
        write(path, &page::html(&plan, &status, &judged, &SystemClock.now().to_rfc3339()))?;
    }
    warn(&read.skipped, output);
    let answer = Answer { status, skipped: read.skipped };
    output.answer(&answer, |out| {
        tell(out, &answer.status)?;
        for next in &answer.status.next {
            writeln!(out, "next: {}: {}", name(&next.credential, &plan), next.what)?;
        }
        Ok(())
    })?;
    Ok(Outcome::Fine)
}

fn tell(out: &mut dyn Write, status: &Status) -> io::Result<()> {
    let mut table = Table::new(["", "", "planned", "cut over", "may go", "retired", "kept"]);
    let waves = status.waves.iter().map(|(wave, count)| (format!("wave {wave}"), count));
    let clouds = status.clouds.iter().map(|(cloud, count)| (cloud.clone(), count));
    for (head, it) in waves.chain(clouds).chain([("all".to_owned(), &status.total)]) {
        let numbers = [it.planned, it.cut_over, it.ready, it.retired, it.kept];
        let mut row = vec![head, bar(it)];
        row.extend(
            numbers.iter().map(|number| if *number == 0 { style::faint("0") } else { number.to_string() }),
        );
        table.row(row);
    }
    table.write(out)?;
    writeln!(out, "\n{} still to go", count(status.total.left(), "stored credential"))
}

/// What is gone, what is switched over, what is as it was. What stays for good is no part of it.
fn bar(it: &Count) -> String {
    let all = it.left().saturating_add(it.retired).max(1);
    let cells = |number: usize| number.saturating_mul(WIDTH).div_ceil(all);
    let gone = cells(it.retired).min(WIDTH);
    let moved = cells(it.cut_over).min(WIDTH.saturating_sub(gone));
    let open = if it.planned == 0 { 0 } else { WIDTH.saturating_sub(gone).saturating_sub(moved) };
    format!(
        "{}{}{}",
        style::good("#".repeat(gone)),
        style::unsure("+".repeat(moved)),
        style::faint(".".repeat(open))
    )
}
