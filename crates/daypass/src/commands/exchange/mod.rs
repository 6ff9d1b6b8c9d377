//! `daypass exchange`: in a job, the job's token for a credential.

mod deliver;
mod wish;

use clap::Args;
use daypass_client::CoreDumps;
use daypass_client::shadow::{Delivery, shadows};

use self::deliver::Format;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::style;

pub(super) use wish::{Wish, failure};

/// In a job: exchanges the job's token for a credential.
///
/// Finds out which CI platform the job runs on, gets its token, exchanges it, and hands the credential over in the form that
/// tools want. Tries again only what can succeed. Warns when a leftover static key would be used in place of the credential.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  export DAYPASS_SERVER=https://sts.example.com
  eval \"$(daypass exchange --role arn:aws:iam::123456789012:role/deploy)\"

  # For the later steps of a GitHub Actions job
  daypass exchange --role deploy --format github-env

  # For AWS SDKs that exchange the token themselves
  daypass exchange --role arn:... --format web-identity --output token

  # In an AWS profile
  credential_process = daypass exchange --role arn:... --format credential-process")]
pub(crate) struct Arguments {
    #[command(flatten)]
    wish: Wish,
    /// How to hand the credential over.
    #[arg(long, value_name = "FORMAT", default_value = "shell")]
    format: Format,
    /// The file for dotenv, web-identity and token-file; made with mode 0600.
    #[arg(short, long, value_name = "FILE")]
    output: Option<camino::Utf8PathBuf>,
    /// The variable that shell, dotenv and github-env put a token into.
    #[arg(long, value_name = "NAME", default_value = "DAYPASS_ACCESS_TOKEN")]
    variable: String,
}

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result {
    forbid_core_dumps();
    let env = |name: &str| std::env::var(name).ok();
    arguments.format.check(arguments.output.as_deref(), output.is_json())?;
    warn(&arguments.format.delivery(), output);
    let federation = arguments.wish.federation(&env)?;
    if arguments.format == Format::WebIdentity {
        deliver::web_identity(&federation, arguments.output.as_deref(), output).await?;
        return Ok(Outcome::Fine);
    }
    let credential = federation.credential().await.map_err(failure)?;
    deliver::credential(&credential, &arguments, output)?;
    Ok(Outcome::Fine)
}

/// Best effort: where it is not allowed, a remark in the log is all that can be done.
pub(super) fn forbid_core_dumps() -> Option<CoreDumps> {
    CoreDumps::forbid().map_err(|error| tracing::debug!(%error, "core files stay possible")).ok()
}

/// Warns of what SDKs would take instead, without a word.
pub(super) fn warn(delivery: &Delivery, output: &Output) {
    let env = |name: &str| std::env::var(name).ok();
    let files = |path: &std::path::Path| std::fs::read_to_string(path).ok();
    for shadow in shadows(delivery, &env, &files) {
        output.remark(|err| writeln!(err, "{} {shadow}", style::warning("warning:")));
    }
}

/// A path that was not given.
fn required(output: Option<&camino::Utf8Path>, format: Format) -> Result<&std::path::Path> {
    output
        .map(camino::Utf8Path::as_std_path)
        .ok_or_else(|| Failure::usage(format!("--format {format} writes a file; name it with --output FILE")))
}
