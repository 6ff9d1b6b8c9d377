//! An exchange whose issuers are played on this machine.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use daypass_claims::{Clock, Issuer};
use daypass_devissuer::{DevIssuer, IssuerMode, KeyFile, KeyStore, Options};
use daypass_exchange::Exchange;
use daypass_exchange::config::{Config, DataConfig, FetchConfig, KeySource};
use daypass_server::fetch::HttpFetch;
use daypass_server::{Running, Setup, Sockets, SystemRandom, start};
use daypass_token::{JwksLimits, KeySet};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::failure::{Failure, Result};

/// How long development keys may be kept by whoever fetched them.
const MAX_AGE: Duration = Duration::from_secs(300);

/// A running exchange with its development CI platforms.
pub(crate) struct Rehearsal {
    running: Running,
    issuer: DevIssuer,
    stop_issuer: oneshot::Sender<()>,
    serving: JoinHandle<std::result::Result<(), daypass_devissuer::ServeError>>,
    /// Stops with the rehearsal.
    _following: JoinSet<()>,
}

impl Rehearsal {
    /// Puts the configuration's issuers in the hands of a development issuer, and serves both.
    pub(crate) async fn start(
        mut config: Config,
        sockets: Sockets,
        issuer_listen: SocketAddr,
        mode: IssuerMode,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let listener = TcpListener::bind(issuer_listen)
            .await
            .with_context(|| format!("cannot listen on {issuer_listen}"))?;
        let changed = Arc::new(Notify::new());
        let keys = WatchedKeys { file: key_file(&config)?, changed: Arc::clone(&changed) };
        let options = Options {
            mode,
            max_age: MAX_AGE,
            keys: Box::new(keys),
            clock: Arc::clone(&clock),
            random: Arc::new(SystemRandom),
        };
        let issuer = DevIssuer::new(listener.local_addr()?, options)?;
        config.listen_on(sockets.public()?);
        let (config, played) = tokio::task::spawn_blocking({
            let issuer = issuer.clone();
            move || {
                let played = play(&mut config, &issuer)?;
                Ok::<_, Failure>((config, played))
            }
        })
        .await??;
        let (stop_issuer, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(issuer.clone().serve(listener, async move {
            let _ = stopped.await;
        }));
        let setup = Setup {
            config,
            clock,
            random: Arc::new(SystemRandom),
            fetch: Arc::new(HttpFetch::new()),
            development: true,
        };
        let running = start(setup, sockets).await?;
        let mut following = JoinSet::new();
        if mode == IssuerMode::True {
            let exchange = Arc::clone(&running.app().exchange);
            push(&exchange, &issuer, &played)?;
            following.spawn(follow(exchange, issuer.clone(), played, changed));
        }
        Ok(Self { running, issuer, stop_issuer, serving, _following: following })
    }

    pub(crate) fn config(&self) -> &Config {
        self.running.app().exchange.config()
    }

    pub(crate) const fn issuer(&self) -> &DevIssuer {
        &self.issuer
    }

    pub(crate) const fn admin(&self) -> SocketAddr {
        self.running.admin()
    }

    pub(crate) fn admin_token_file(&self) -> Option<&str> {
        self.running.admin_token_file()
    }

    pub(crate) fn exchange(&self) -> &Arc<Exchange> {
        &self.running.app().exchange
    }

    /// Stops both, the exchange gracefully.
    pub(crate) async fn stop(self) -> Result<()> {
        self.running.stop().await?;
        let _ = self.stop_issuer.send(());
        Ok(self.serving.await??)
    }
}

/// Development keys lie with the data that they vouch for.
fn key_file(config: &Config) -> Result<KeyFile> {
    let DataConfig::Directory(directory) = &config.data else {
        return Err(anyhow!("development keys do not go into PostgreSQL").into());
    };
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make `{directory}`"))?;
    Ok(KeyFile::new(Path::new(directory).join("development-issuer.json")))
}

/// Puts every configured issuer that the development issuer can play in its hands, whatever the configuration says of its
/// keys: under its true URL with keys that are handed over here, under a loopback URL with real discovery.
fn play(config: &mut Config, development: &DevIssuer) -> Result<Vec<Issuer>> {
    let homes: Vec<Issuer> = config.issuers.iter().map(|issuer| issuer.issuer.clone()).collect();
    let mut played = Vec::new();
    for home in homes {
        let document = match development.discovery_for(&home) {
            Ok(document) => document,
            Err(error) => {
                tracing::warn!(issuer = %home, %error, "this issuer is not played; its own keys are used");
                continue;
            }
        };
        // Made now, so that the first token does not wait for it.
        development.jwks_for(&home)?;
        let keys = match development.mode() {
            IssuerMode::True => KeySource::Pushed,
            IssuerMode::Loopback => KeySource::Discovery(FetchConfig::default()),
        };
        config.replace_issuer(&home, document.issuer(), &keys);
        played.push(document.issuer().clone());
    }
    Ok(played)
}

/// Hands the exchange the keys that the played issuers publish now.
fn push(exchange: &Exchange, development: &DevIssuer, played: &[Issuer]) -> Result<()> {
    for issuer in played {
        let Some(keys) = exchange.keys_of(issuer.as_str()) else { continue };
        let published = serde_json::to_vec(&development.jwks_for(issuer)?)?;
        let (set, _) = KeySet::from_jwks(issuer.clone(), &published, JwksLimits::default())?;
        keys.push(set)?;
    }
    Ok(())
}

/// Goes on handing them over as they change.
async fn follow(exchange: Arc<Exchange>, development: DevIssuer, played: Vec<Issuer>, changed: Arc<Notify>) {
    loop {
        changed.notified().await;
        if let Err(failure) = push(&exchange, &development, &played) {
            tracing::warn!(?failure, "changed development keys could not be taken up");
        }
    }
}

/// The key file, and a bell that rings when it has changed.
#[derive(Debug)]
struct WatchedKeys {
    file: KeyFile,
    changed: Arc<Notify>,
}

impl KeyStore for WatchedKeys {
    fn load(&self) -> io::Result<Option<zeroize::Zeroizing<Vec<u8>>>> {
        self.file.load()
    }

    fn save(&self, document: &[u8]) -> io::Result<()> {
        self.file.save(document)?;
        self.changed.notify_one();
        Ok(())
    }
}
