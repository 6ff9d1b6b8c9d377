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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the newest decisions of a running service.
    Tail(tail::Arguments),
    /// Checks that nothing on record was altered, removed or reordered.
    Verify(verify::Arguments),
    /// Writes the whole record as lines of JSON.
    Export(export::Arguments),
}

pub(crate) async fn run(command: Command, output: &Output) -> Result {
    match command {
        Command::Tail(arguments) => tail::run(arguments, output).await,
        Command::Verify(arguments) => verify::run(arguments, output).await,
        Command::Export(arguments) => export::run(arguments, output).await,
    }
}
