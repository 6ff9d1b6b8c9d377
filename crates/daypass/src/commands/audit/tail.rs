use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::explained::line;
use crate::admin::{Admin, Service};
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
    let answer = newest(&admin, arguments.lines).await?;
    if !arguments.follow {
        output.answer(&answer, |out| {
            records(&answer).iter().try_for_each(|record| writeln!(out, "{}", line(record)))
        })?;
        return Ok(Outcome::Fine);
    }
    let mut shown: Vec<(String, u64)> = Vec::new();
    let mut answer = answer;
    loop {
        let fresh: Vec<Value> =
            records(&answer).into_iter().filter(|record| !shown.contains(&place(record))).collect();
        for record in &fresh {
            output.answer(record, |out| writeln!(out, "{}", line(record)))?;
        }
        shown = records(&answer).iter().map(place).collect();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                return Ok(Outcome::Fine);
            }
        }
        // Wide enough not to lose anything between two looks, at a rate that somebody could read.
        answer = newest(&admin, 1_000).await?;
    }
}

async fn newest(admin: &Admin, limit: u32) -> Result<Value> {
    admin.get(&format!("/api/v1/audit?limit={limit}")).await
}

fn records(answer: &Value) -> Vec<Value> {
    answer.get("records").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn place(record: &Value) -> (String, u64) {
    let chain = record.get("chain").and_then(Value::as_str).unwrap_or_default();
    (chain.to_owned(), record.get("seq").and_then(Value::as_u64).unwrap_or_default())
}
