#![doc = include_str!("../README.md")]

mod ceiling;
mod check;
mod cores;
mod decide;
mod estate;
mod evidence;
mod exchange;
mod load;
mod report;
mod server;
mod spread;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};

use crate::exchange::Amounts;

/// Benchmarks of daypass.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Exchange(Exchange),
    Evidence(Evidence),
    #[command(hide = true)]
    EvidencePart(EvidencePart),
    Check(Check),
    #[command(hide = true)]
    CheckPart(CheckPart),
}

/// Measures whole exchanges over `POST /token`, and the ceiling of the core that serves them.
#[derive(Debug, Args)]
struct Exchange {
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// Go through everything in seconds, with numbers too small to mean anything.
    #[arg(long)]
    smoke: bool,
    /// Measure this program, rather than the workspace's own as `cargo build --release` makes it.
    #[arg(long, value_name = "FILE")]
    daypass: Option<PathBuf>,
    /// Keep the server's data in this directory: on another disk, or in memory, to see what is the disk's doing.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Measures reading CloudTrail, and what no reader can do without.
#[derive(Debug, Args)]
struct Evidence {
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// Compressed megabytes to make up and read.
    #[arg(long, value_name = "N", default_value_t = 200)]
    megabytes: u64,
    /// Go through everything in seconds, with numbers too small to mean anything.
    #[arg(long)]
    smoke: bool,
}

/// One of the two, in a process of its own.
#[derive(Debug, Args)]
struct EvidencePart {
    part: evidence::Part,
    folder: Utf8PathBuf,
}

/// Measures checking trust policies: one policy's matrix of personas, and estates of many roles.
#[derive(Debug, Args)]
struct Check {
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// The folder of policies whose matrices are measured.
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/lint/tests/samples"))]
    corpus: PathBuf,
    /// Go through everything in seconds, with numbers too small to mean anything.
    #[arg(long)]
    smoke: bool,
}

/// One estate, in a process of its own.
#[derive(Debug, Args)]
struct CheckPart {
    roles: usize,
}

fn main() -> Result<()> {
    let mut out = std::io::stdout().lock();
    match Cli::parse().command {
        Command::Exchange(arguments) => exchange(arguments, &mut out),
        Command::Evidence(arguments) => {
            let megabytes = if arguments.smoke { 1 } else { arguments.megabytes };
            let report = evidence::measure(megabytes, arguments.smoke)?;
            if arguments.json {
                writeln!(out, "{}", report.to_json())?;
            } else {
                report.write_table(&mut out)?;
            }
            Ok(())
        }
        Command::EvidencePart(arguments) => evidence::part(arguments.part, &arguments.folder, &mut out),
        Command::Check(arguments) => {
            let report = check::measure(&arguments.corpus, arguments.smoke)?;
            if arguments.json {
                writeln!(out, "{}", report.to_json())?;
            } else {
                report.write_table(&mut out)?;
            }
            Ok(())
        }
        Command::CheckPart(arguments) => check::part(arguments.roles, &mut out),
    }
}

fn exchange(arguments: Exchange, out: &mut impl Write) -> Result<()> {
    let program = match arguments.daypass {
        Some(program) => program,
        None => server::build()?,
    };
    let amounts = if arguments.smoke { Amounts::SMOKE } else { Amounts::FULL };
    let report = exchange::measure(&program, &amounts, arguments.directory.as_deref())?;
    if arguments.json {
        writeln!(out, "{}", report.to_json())?;
    } else {
        report.write_table(out)?;
    }
    Ok(())
}
