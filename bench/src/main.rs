#![doc = include_str!("../README.md")]

mod ceiling;
mod cores;
mod decide;
mod estate;
mod exchange;
mod load;
mod report;
mod server;
mod spread;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
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

fn main() -> Result<()> {
    let Command::Exchange(arguments) = Cli::parse().command;
    let program = match arguments.daypass {
        Some(program) => program,
        None => server::build()?,
    };
    let amounts = if arguments.smoke { Amounts::SMOKE } else { Amounts::FULL };
    let report = exchange::measure(&program, &amounts, arguments.directory.as_deref())?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", report.to_json())?;
    } else {
        report.write_table(&mut out)?;
    }
    Ok(())
}
