//! `daypass token mint` and `daypass token inspect`.

mod inspect;
mod mint;

use clap::Subcommand;

use crate::failure::Result;
use crate::output::Output;

/// Mints development tokens, looks into tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Mint(mint::Arguments),
    Inspect(inspect::Arguments),
}

pub(crate) async fn run(command: Command, output: &Output) -> Result {
    match command {
        Command::Mint(arguments) => mint::run(arguments, output).await,
        Command::Inspect(arguments) => inspect::run(&arguments, output),
    }
}
