use anyhow::anyhow;
use clap::Args;
use serde_json::Value;

use super::explained::line;
use crate::admin::Service;
use crate::failure::{Outcome, Result};
use crate::output::Output;

/// Shows the newest decisions of a running service.
///
/// Admissions, refusals with their reasons, and what administrators did. Looking is an act too, and on record.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass audit tail -n 50
  daypass audit tail --follow --json | jq 'select(.record.outcome == \"refused\")'

`daypass explain --decision ID` shows one decision with everything that led to it.")]
pub(crate) struct Arguments {
    /// How many.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    lines: u32,
    /// Go on with what comes, until interrupted. With --json one record a line.
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    service: Service,
}

pub(super) async fn run(arguments: Arguments, output: &Output) -> Result {
    let admin = arguments.service.admin()?;
    let path = format!("/api/v1/audit?limit={}", arguments.lines);
    if !arguments.follow {
        let answer: Value = admin.get(&path).await?;
        output.answer(&answer, |out| {
            records(&answer).iter().try_for_each(|record| writeln!(out, "{}", line(record)))
        })?;
        return Ok(Outcome::Fine);
    }
    let path = format!("{path}&follow=true");
    let show = |record: &Value| output.answer(record, |out| writeln!(out, "{}", line(record)));
    tokio::select! {
        ended = admin.follow(&path, show) => {
            ended?;
            Err(anyhow!("the service has stopped").into())
        }
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            Ok(Outcome::Fine)
        }
    }
}

fn records(answer: &Value) -> &[Value] {
    answer.get("records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
