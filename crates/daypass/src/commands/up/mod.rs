//! `daypass up`: an exchange for development, with development CI platforms beside it.

mod rehearsal;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use daypass_claims::Clock;
use daypass_devissuer::IssuerMode;
use daypass_exchange::config::{self, Config, DataConfig, ExplainToCaller, Files, Loaded};
use daypass_server::{Disk, Sockets, SystemClock};
use serde_json::json;

use super::serve::AdminAddress;
use crate::admin::DEFAULT_DATA;
use crate::example;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::{self, style};
use crate::stop::Stop;

pub(super) use rehearsal::Rehearsal;

/// Serves an exchange for development, with development CI platforms beside it.
///
/// Without `--config` it serves the example organisation acme: roles `deploy-staging` and `deploy-prod`, for jobs on GitHub
/// Actions and CircleCI. The platforms mint tokens for whoever asks on this machine, so everything here listens on loopback
/// only, and the data directory is marked so that `daypass serve` never opens it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass up
  # Your own roles and trust, with CI platforms that are played
  daypass up --config daypass.toml --data /tmp/rehearsal

Then, beside it:
  daypass token mint --platform github-actions > token
  aws sts assume-role-with-web-identity --endpoint-url http://127.0.0.1:8080 \\
    --role-arn arn:aws:iam::123456789012:role/deploy-staging \\
    --role-session-name try --web-identity-token file://token
  daypass audit tail")]
pub(crate) struct Arguments {
    /// Where the exchange listens; the configuration's address, or 127.0.0.1:8080.
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<SocketAddr>,
    /// Where the development CI platforms listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub(super) issuer_listen: SocketAddr,
    /// Where the admin listener listens; any free port by default.
    #[arg(long, value_name = "ADDR")]
    pub(super) admin_listen: Option<SocketAddr>,
    /// Where state is kept; the configuration's directory, or .daypass.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<Utf8PathBuf>,
    /// A configuration to rehearse in place of the example.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<Utf8PathBuf>,
    /// Use issuers on loopback with real discovery, in place of the platforms' true issuer URLs.
    #[arg(long)]
    pub(super) loopback_issuers: bool,
}

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result {
    let config = configuration(&arguments, output)?;
    let mode = if arguments.loopback_issuers { IssuerMode::Loopback } else { IssuerMode::True };
    let stop = Stop::listen()?;
    let sockets = Sockets::bind(config.listen, config.admin.listen).await?;
    let rehearsal =
        Rehearsal::start(config, sockets, arguments.issuer_listen, mode, Arc::new(SystemClock)).await?;
    let _address = AdminAddress::write(&rehearsal.config().data, rehearsal.admin())?;
    let data = match &rehearsal.config().data {
        DataConfig::Directory(directory) => absolute(directory),
        DataConfig::Postgres(_) => String::new(),
    };
    let answer = json!({
        "sts": rehearsal.config().public_url,
        "issuer": rehearsal.issuer().url(),
        "data": data,
        "account_id": rehearsal.config().account_id,
        "admin_token_file": rehearsal.admin_token_file().map(absolute),
        "admin": format!("http://{}", rehearsal.admin()),
    });
    output.answer(&answer, |out| {
        writeln!(out, "{:9} {}", style::strong("exchange"), rehearsal.config().public_url)?;
        writeln!(out, "{:9} {}", style::strong("platforms"), rehearsal.issuer().url())?;
        writeln!(out, "{:9} http://{}", style::strong("admin"), rehearsal.admin())?;
        writeln!(out, "{:9} {data}", style::strong("data"))?;
        for role in &rehearsal.config().roles {
            writeln!(out, "{:9} {}", style::strong("role"), rehearsal.config().role_arn(role))?;
        }
        Ok(())
    })?;
    stop.asked().await;
    rehearsal.stop().await?;
    Ok(Outcome::Fine)
}

/// The configuration to rehearse, held to what development may be: this machine, and state of its own.
fn configuration(arguments: &Arguments, output: &Output) -> Result<Config> {
    let (path, files): (&Utf8Path, &dyn Files) = match &arguments.config {
        Some(path) => (path, &Disk),
        None => (Utf8Path::new(example::NAME), &example::Embedded),
    };
    let env = |name: &str| std::env::var(name).ok();
    let Loaded { mut config, warnings } = config::load(path, files, &env, SystemClock.now())
        .map_err(|error| Failure::input(error.problems, error.sources))?;
    output.remark(|err| render::warnings(err, &warnings, &[]));
    for address in [arguments.listen.unwrap_or(config.listen), arguments.issuer_listen] {
        require_loopback(address)?;
    }
    config.tls = None;
    config.public_url = format!("http://{}", config.listen);
    if let Some(address) = arguments.listen {
        config.listen_on(address);
    }
    config.admin.listen =
        arguments.admin_listen.unwrap_or_else(|| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0));
    require_loopback(config.admin.listen)?;
    match (&arguments.data, &config.data) {
        (Some(directory), _) => config.keep_in(directory.as_str()),
        (None, DataConfig::Postgres(_)) => {
            return Err(Failure::usage(format!(
                "development keys do not go into PostgreSQL; name a directory, for example --data {DEFAULT_DATA}"
            )));
        }
        (None, DataConfig::Directory(_)) => {}
    }
    config.explain_to_caller = ExplainToCaller::Full;
    Ok(config)
}

fn require_loopback(address: SocketAddr) -> Result<()> {
    if address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "`up` mints tokens for whoever asks, so it listens on loopback only, and {address} is not"
    )))
}

fn absolute(path: impl AsRef<str>) -> String {
    let path = path.as_ref();
    camino::absolute_utf8(path).map_or_else(|_| path.to_owned(), Utf8PathBuf::into_string)
}
