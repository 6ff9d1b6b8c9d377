//! One file per command: its arguments, what it does, how its answer looks.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod estate;
pub(crate) mod evidence;
pub(crate) mod exchange;
pub(crate) mod explain;
mod files;
pub(crate) mod inventory;
pub(crate) mod issuers;
pub(crate) mod keys;
pub(crate) mod man;
pub(crate) mod migration;
pub(crate) mod prove;
pub(crate) mod review;
pub(crate) mod revoke;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod test;
pub(crate) mod token;
pub(crate) mod up;

use crate::cli::Command;
use crate::failure::Result;
use crate::output::Output;

/// Runs a command.
pub(crate) async fn run(command: Command, output: &Output) -> Result {
    match command {
        Command::Demo(arguments) => demo::run(arguments, output).await,
        Command::Up(arguments) => up::run(arguments, output).await,
        Command::Serve(arguments) => serve::run(arguments, output).await,
        Command::Config(command) => config::run(command, output),
        Command::Token(command) => token::run(command, output).await,
        Command::Exchange(arguments) => exchange::run(arguments, output).await,
        Command::Run(arguments) => run::run(arguments, output).await,
        Command::Explain(arguments) => explain::run(arguments, output).await,
        Command::Test(arguments) => test::run(&arguments, output),
        Command::Check(arguments) => check::run(&arguments, output),
        Command::Prove(question) => prove::run(&question, output),
        Command::Personas(arguments) => prove::run_personas(&arguments, output),
        Command::Diff(arguments) => diff::run(&arguments, output),
        Command::Estate(command) => estate::run(&command, output),
        Command::Inventory(arguments) => inventory::run(&arguments, output),
        Command::Plan(arguments) => migration::plan::run(&arguments, output),
        Command::Generate(arguments) => migration::generate::run(&arguments, output),
        Command::Rewrite(arguments) => migration::rewrite::run(&arguments, output),
        Command::Rehearse(arguments) => migration::rehearse::run(&arguments, output),
        Command::Evidence(arguments) => evidence::run(&arguments, output),
        Command::Retire(arguments) => migration::retire::run(&arguments, output),
        Command::Status(arguments) => migration::status::run(&arguments, output),
        Command::Review(arguments) => review::run(&arguments, output),
        Command::Audit(command) => audit::run(command, output).await,
        Command::Revoke(arguments) => revoke::run(arguments, output).await,
        Command::Keys(command) => keys::run(command, output).await,
        Command::Issuers(command) => issuers::run(&command, output),
        Command::Completions(arguments) => completions::run(&arguments, output),
        Command::Man(arguments) => man::run(&arguments, output),
    }
}
