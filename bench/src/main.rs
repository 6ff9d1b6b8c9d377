#![doc = include_str!("../README.md")]

mod ceiling;
mod check;
mod cores;
mod decide;
mod estate;
mod evidence;
mod exchange;
mod inventory;
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
    Inventory(Inventory),
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
    /// Compressed bytes to make up and read, at least.
    #[arg(long, value_name = "N", default_value_t = 200_000_000)]
    bytes: u64,
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

/// Measures the inventory of an organisation's pipelines.
#[derive(Debug, Args)]
struct Inventory {
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// Files to make up and read.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    files: usize,
    /// Go through everything in seconds, with numbers too small to mean anything.
    #[arg(long)]
    smoke: bool,
    /// Measure this program, rather than the workspace's own as `cargo build --release` makes it.
    #[arg(long, value_name = "FILE")]
    daypass: Option<PathBuf>,
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
            let bytes = if arguments.smoke { 1_000_000 } else { arguments.bytes };
            let report = evidence::measure(bytes, arguments.smoke)?;
            if arguments.json {
                writeln!(out, "{}", report.to_json())?;
            } else {
                report.write_table(&mut out)?;
            }
            Ok(())
        }
        Command::EvidencePart(arguments) => evidence::part(arguments.part, &arguments.folder, &mut out),
        Command::Inventory(arguments) => inventory(arguments, &mut out),
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

fn inventory(arguments: Inventory, out: &mut impl Write) -> Result<()> {
    let program = match arguments.daypass {
        Some(program) => program,
        None => server::build()?,
    };
    let files = if arguments.smoke { 1_000 } else { arguments.files };
    let report = inventory::measure(&program, files, arguments.smoke)?;
    if arguments.json {
        writeln!(out, "{}", report.to_json())?;
    } else {
        report.write_table(out)?;
    }
    Ok(())
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
