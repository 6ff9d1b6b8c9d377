//! `daypass audit tail`, `verify` and `export`.

mod explained;
mod export;
mod place;
mod tail;
mod verify;

use clap::Subcommand;

use crate::failure::Result;
use crate::output::Output;

pub(super) use explained::write_explained;
pub(super) use verify::check_file;

/// Reads and verifies the record of decisions.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Tail(tail::Arguments),
    Verify(verify::Arguments),
    Export(export::Arguments),
}

pub(crate) async fn run(command: Command, output: &Output) -> Result {
    match command {
        Command::Tail(arguments) => tail::run(arguments, output).await,
        Command::Verify(arguments) => verify::run(arguments, output).await,
        Command::Export(arguments) => export::run(arguments, output).await,
    }
}
