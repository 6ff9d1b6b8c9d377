//! The command line as a whole; every command's own arguments stand in its own file.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::output::Color;

/// Replaces long-lived CI/CD cloud credentials with workload identity.
///
/// A job proves who it is with the token of its CI platform, a strict trust policy decides on the token's claims, and a
/// credential for minutes comes back. Every decision is on record and can be explained.
#[derive(Debug, Parser)]
#[command(name = "daypass", version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Where to begin:
  daypass demo                  the whole story in a few seconds, every step checked
  daypass up                    an exchange and CI platforms on this machine, to try things on
  daypass help COMMAND          what a command does, with examples

Exit codes:
  0  fine
  1  the answer is no: refused, denied, findings, a log that does not verify
  2  wrong arguments, or a file that does not say what it should
  3  something failed: no connection, no disk, no permission";

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Answer with one JSON document on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to colour: auto (on a terminal, unless NO_COLOR is set), always or never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: Color,
    /// Log more to stderr; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Log errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// How log lines look: text for people, json for programs.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub(crate) log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A JSON object per line.
    Json,
}

/// Every command, in the order of `--help`. What a command is about is said where its arguments are.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(commands::demo::Arguments),
    Up(commands::up::Arguments),
    Serve(commands::serve::Arguments),
    #[command(subcommand)]
    Config(commands::config::Command),
    #[command(subcommand)]
    Token(commands::token::Command),
    Exchange(commands::exchange::Arguments),
    Run(commands::run::Arguments),
    Explain(commands::explain::Arguments),
    Test(commands::test::Arguments),
    Check(commands::check::Arguments),
    #[command(subcommand)]
    Prove(commands::prove::Question),
    Personas(commands::prove::Personas),
    Diff(commands::diff::Arguments),
    #[command(subcommand)]
    Estate(commands::estate::Command),
    Inventory(commands::inventory::Arguments),
    Plan(commands::migration::plan::Arguments),
    Generate(commands::migration::generate::Arguments),
    Rewrite(commands::migration::rewrite::Arguments),
    Rehearse(commands::migration::rehearse::Arguments),
    Evidence(commands::evidence::Arguments),
    Retire(commands::migration::retire::Arguments),
    Status(commands::migration::status::Arguments),
    Review(commands::review::Arguments),
    #[command(subcommand)]
    Audit(commands::audit::Command),
    Revoke(commands::revoke::Arguments),
    #[command(subcommand)]
    Keys(commands::keys::Command),
    #[command(subcommand)]
    Issuers(commands::issuers::Command),
    Completions(commands::completions::Arguments),
    Man(commands::man::Arguments),
}

impl Command {
    /// Whether it goes on until it is stopped.
    pub(crate) const fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Up(_))
    }
}
