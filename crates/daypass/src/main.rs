//! The `daypass` binary: arguments, rendering, exit codes.

mod admin;
mod cli;
mod commands;
mod disk;
mod example;
mod failure;
mod http;
mod output;
mod progress;
#[cfg(test)]
mod reference;
mod render;
mod stop;
mod tame;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::failure::Outcome;
use crate::output::Output;

/// An exchange makes some hundreds of small allocations, on threads that hand them to each other. Measured against the system's
/// allocator, which took an eighth of the time of an exchange.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let output = Output::new(cli.global.json, cli.global.color);
    start_logging(&cli.global, cli.command.is_service());
    // The one provider of cryptography; nothing else in the tree brings its own.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return output.failed("the cryptography provider could not be set up");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.failed(&format!("the runtime could not be started: {error}")),
    };
    match runtime.block_on(commands::run(cli.command, &output)) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(failure::FINDINGS),
        Ok(Outcome::Passed(code)) => ExitCode::from(code),
        Err(failure) => output.report(&failure),
    }
}

/// Arguments that are wrong, or ask for help. Whoever asked for JSON gets the error in JSON too.
fn misused(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        // What is wrong ends with an empty line; usage and where to read on follow.
        let said: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let message = said.join(" ");
        let message = message.trim_start_matches("error: ");
        return Output::new(true, output::Color::Auto).report(&failure::Failure::usage(message));
    }
    // A reader that has seen enough of the help and gone is no failure.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(failure::USAGE) } else { ExitCode::SUCCESS }
}

/// Logs go to stderr, so that stdout holds the answer and nothing else. A service says what it does; other commands answer,
/// and log what is wrong.
fn start_logging(global: &cli::Global, service: bool) {
    use tracing_subscriber::EnvFilter;

    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) if service => "warn,daypass=info",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_from_env("DAYPASS_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(output::stderr_is_coloured(global.color))
        .with_target(false);
    match global.log_format {
        cli::LogFormat::Text => builder.init(),
        cli::LogFormat::Json => builder.json().init(),
    }
}
