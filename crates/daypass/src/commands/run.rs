//! `daypass run -- CMD`.

use std::ffi::OsString;
use std::sync::Arc;

use clap::Args;
use daypass_client::run::{Run, RunError, RunOptions};
use daypass_client::shadow::Delivery;
use daypass_server::{SystemClock, SystemRandom};

use super::exchange::{Wish, failure, forbid_core_dumps, warn};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::style;

/// In a job: runs a command with AWS credentials that stay fresh.
///
/// Beside the command an endpoint on loopback hands out credentials to whoever has its random path and token, and renews
/// them ahead of their end with a fresh token of the job: the command may outlive a session. Static keys are taken out of
/// the command's environment. Signals are forwarded, and the command's exit code is ours.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  export DAYPASS_SERVER=https://sts.example.com
  daypass run --role arn:aws:iam::123456789012:role/deploy -- terraform apply

The command sees AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,
which the AWS SDKs and the aws-cli know. Exit codes are the command's own, or 126 and 127 if it
cannot be started, as shells have it; those of daypass if there is no credential to begin with.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    wish: Wish,
    /// The command and its arguments.
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,
}

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result {
    let core_dumps = forbid_core_dumps();
    if output.is_json() {
        return Err(Failure::usage("the output of `run` is the command's; there is no --json"));
    }
    let env = |name: &str| std::env::var(name).ok();
    let federation = arguments.wish.federation(&env)?;
    if !federation.plan.is_renewable() {
        output.remark(|err| {
            writeln!(
                err,
                "{} the token lies in a variable, so the credential can be renewed only until the token ends",
                style::warning("warning:")
            )
        });
    }
    let (program, rest) =
        arguments.command.split_first().ok_or_else(|| Failure::usage("no command was given"))?;
    let options = RunOptions {
        program: program.clone(),
        arguments: rest.to_vec(),
        environment: std::env::vars_os().collect(),
        core_dumps,
    };
    let prepared = Run::prepare(options, Arc::new(federation), Arc::new(SystemClock), &SystemRandom).await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(RunError::Client(error)) => return Err(failure(error)),
        Err(error) => return Err(error.into()),
    };
    for name in prepared.removed() {
        output.remark(|err| {
            writeln!(
                err,
                "{} {name} is kept from the command: SDKs would take it",
                style::warning("warning:")
            )
        });
    }
    warn(&Delivery::ContainerEndpoint, output);
    match prepared.to_completion().await {
        Ok(exit) => Ok(Outcome::Passed(u8::try_from(exit.code()).unwrap_or(u8::MAX))),
        Err(error @ (RunError::NotFound(_) | RunError::NotStarted { .. })) => {
            output.remark(|err| writeln!(err, "{} {error}", style::error("error:")));
            Ok(Outcome::Passed(u8::try_from(error.exit_code()).unwrap_or(u8::MAX)))
        }
        Err(error) => Err(error.into()),
    }
}
