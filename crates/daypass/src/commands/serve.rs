//! `daypass serve`.

use std::net::SocketAddr;
use std::sync::Arc;

use camino::Utf8PathBuf;
use clap::Args;
use daypass_exchange::config::{self, DataConfig, Loaded};
use daypass_server::fetch::HttpFetch;
use daypass_server::{Setup, Sockets, SystemClock, SystemRandom, private_file, start};
use serde_json::json;

use crate::admin::ADDRESS_FILE;
use crate::failure::{Outcome, Result};
use crate::output::Output;
use crate::render;
use crate::stop::Stop;

/// Serves the exchange.
///
/// A job's token comes in, by the AWS Query protocol or by OAuth token exchange, and a credential for minutes goes out, or
/// a refusal with its reason. Stops gracefully on SIGTERM and SIGINT: exchanges in flight finish, and their records are on
/// disk.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass config check daypass.toml && daypass serve --config daypass.toml
  DAYPASS_LOG=debug daypass serve --log-format json

GET /healthz answers 200 once it serves, GET /readyz as long as it can also record.")]
pub(crate) struct Arguments {
    /// The configuration.
    #[arg(
        long,
        value_name = "FILE",
        env = "DAYPASS_CONFIG",
        hide_env_values = true,
        default_value = "daypass.toml"
    )]
    config: Utf8PathBuf,
}

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result {
    let Loaded { mut config, warnings } = super::config::load_to_serve(&arguments.config)?;
    let review = config::review(&config);
    output.remark(|err| render::warnings(err, &[warnings, review].concat(), &[]));
    let stop = Stop::listen()?;
    let sockets = Sockets::bind(config.listen, config.admin.listen).await?;
    config.listen_on(sockets.public()?);
    let data = config.data.clone();
    let setup = Setup {
        config,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        fetch: Arc::new(HttpFetch::new()),
        development: false,
    };
    let running = start(setup, sockets).await?;
    let _address = AdminAddress::write(&data, running.admin())?;
    let answer = json!({
        "listen": running.public(),
        "admin": format!("http://{}", running.admin()),
        "public_url": running.app().exchange.config().public_url,
        "admin_token_file": running.admin_token_file(),
    });
    output.answer(&answer, |out| {
        writeln!(out, "serving {} on {}", running.app().exchange.config().public_url, running.public())?;
        writeln!(out, "administration on http://{}", running.admin())
    })?;
    stop.asked().await;
    tracing::info!("stopping: exchanges in flight finish, nothing new is accepted");
    running.stop().await?;
    Ok(Outcome::Fine)
}

/// The file that tells other commands where the admin listener is; gone when the service is.
#[derive(Debug)]
pub(super) struct AdminAddress(Option<Utf8PathBuf>);

impl AdminAddress {
    pub(super) fn write(data: &DataConfig, admin: SocketAddr) -> Result<Self> {
        let DataConfig::Directory(directory) = data else { return Ok(Self(None)) };
        let path = Utf8PathBuf::from(directory).join(ADDRESS_FILE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        private_file::create(path.as_std_path(), format!("http://{admin}\n").as_bytes())?;
        Ok(Self(Some(path)))
    }
}

impl Drop for AdminAddress {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}
