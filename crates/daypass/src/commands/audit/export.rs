use std::io::{self, BufWriter, Write};

use camino::Utf8PathBuf;
use clap::Args;
use daypass_exchange::record::{FirstBad, LogLine, read_store};
use serde_json::json;

use super::place;
use crate::admin::DEFAULT_DATA;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::progress::Progress;
use crate::render::style;

/// Writes the whole record as lines of JSON.
///
/// One thing a line: audit keys, then entries with their bodies byte for byte, then checkpoints. `daypass audit verify FILE`
/// checks what was written.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass audit export --data data --output log.jsonl
  daypass audit export --data data | jq -c 'select(.entry) | .entry.body | fromjson'")]
pub(crate) struct Arguments {
    /// The data directory of a service, which may be running; or a postgres:// URL (better in the environment).
    #[arg(long, value_name = "DIR", env = "DAYPASS_DATA", hide_env_values = true, default_value = DEFAULT_DATA)]
    data: String,
    /// Write to a file instead of stdout; it must not be there yet.
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
}

pub(super) async fn run(arguments: Arguments, output: &Output) -> Result {
    let place = place::open(&arguments.data).await?;
    let mut out: Box<dyn Write + Send> = match &arguments.output {
        Some(path) => {
            let file = std::fs::File::create_new(path)
                .map_err(|error| Failure::usage(format!("cannot make `{path}`: {error}")))?;
            Box::new(BufWriter::new(file))
        }
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let mut bad: Vec<FirstBad> = Vec::new();
    let mut unwritten: Vec<String> = Vec::new();
    let mut failed: io::Result<()> = Ok(());
    let mut progress = Progress::new("records written:");
    let mut lines = 0_u64;
    let mut write = |line: LogLine| {
        match line.to_json() {
            Ok(text) if failed.is_ok() => failed = writeln!(out, "{text}"),
            Ok(_) => {}
            Err(error) => unwritten.push(error.to_string()),
        }
        lines = lines.saturating_add(1);
        progress.at(lines);
    };
    read_store(&*place.store, &mut write, &mut |found| bad.push(found)).await?;
    match failed.and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    drop(progress);
    let problems: Vec<String> = bad.into_iter().map(|found| found.problem).chain(unwritten).collect();
    output.remark(|err| {
        problems
            .iter()
            .try_for_each(|problem| writeln!(err, "{} left out: {problem}", style::warning("warning:")))
    });
    if let Some(path) = &arguments.output {
        output.answer(&json!({ "file": path.as_str(), "lines": lines, "left_out": problems }), |out| {
            writeln!(out, "{lines} lines in {path}")
        })?;
    }
    Ok(Outcome::fine_if(problems.is_empty()))
}
