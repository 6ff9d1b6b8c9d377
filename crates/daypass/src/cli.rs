//! The command line as a whole; every command's own arguments stand in its own file.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::output::Color;

/// Replaces long-lived CI/CD cloud credentials with workload identity.
///
/// A job proves who it is with the token of its CI platform, a strict trust policy decides on the token's claims, and a
/// credential for minutes comes back. Every decision is on record and can be explained.
#[derive(Debug, Parser)]
#[command(
    name = "daypass",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Start with `daypass demo`, which tells the whole story in a few seconds, or with `daypass up`.\n\n\
                  Exit codes: 0 fine; 1 findings, or the answer is no; 2 wrong arguments or input files; 3 failed."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Answer in JSON on stdout, one document.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = false)]
    pub(crate) color: Color,
    /// Log more to stderr; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Log errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// How log lines look.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
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

/// Every command; the order is that of `--help`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tells the whole story on this machine, in a few seconds, and checks every step.
    Demo(commands::demo::Arguments),
    /// Serves an exchange for development, with development CI platforms beside it.
    Up(commands::up::Arguments),
    /// Serves the exchange.
    Serve(commands::serve::Arguments),
    /// About configurations.
    #[command(subcommand)]
    Config(commands::config::Command),
    /// Mints development tokens, looks into tokens.
    #[command(subcommand)]
    Token(commands::token::Command),
    /// In a job: exchanges the job's token for a credential.
    Exchange(commands::exchange::Arguments),
    /// In a job: runs a command with credentials that stay fresh.
    Run(commands::run::Arguments),
    /// Says what a trust policy decides about a token, and why.
    Explain(commands::explain::Arguments),
    /// Runs written expectations about trust policies.
    Test(commands::test::Arguments),
    /// Reads and verifies the record of decisions.
    #[command(subcommand)]
    Audit(commands::audit::Command),
    /// Ends credentials before their time.
    Revoke(commands::revoke::Arguments),
    /// Our keys, and those pushed for issuers.
    #[command(subcommand)]
    Keys(commands::keys::Command),
    /// What is known of CI platforms: issuers, claims, subjects.
    #[command(subcommand)]
    Issuers(commands::issuers::Command),
    /// Writes a completion script for a shell.
    Completions(commands::completions::Arguments),
    /// Writes manual pages.
    Man(commands::man::Arguments),
}

impl Command {
    /// Whether it goes on until it is stopped.
    pub(crate) const fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Up(_))
    }
}
