//! A running service: put together, watched over, and stopped without losing anything.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daypass_claims::{Clock, Random};
use daypass_exchange::config::{Config, DataConfig, KekConfig, KeySource};
use daypass_exchange::keys::{Fetch, Kek, KekError, KeyRing, RingError};
use daypass_exchange::{Exchange, Parts, REFRESH_EVERY, StartError};
use daypass_store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use crate::admin::{self, AdminToken, AdminTokenError};
use crate::app::App;
use crate::checkpoints;
use crate::listen::{self, Bounds, Listener};
use crate::metrics::Metrics;
use crate::system::every;
use crate::tls::{Certificate, TlsError};
use crate::wire;

/// The mark on a store whose keys are for development.
pub const DEVELOPMENT_MARK: &str = "development";

/// How often what has expired is forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How often the files of the certificate are read anew.
const RENEW_EVERY: Duration = Duration::from_secs(60);

/// What a service is started with.
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// How issuers are fetched from.
    pub fetch: Arc<dyn Fetch>,
    /// Whether this is a development service: only such a one accepts development keys, and only such a one opens a store
    /// that is marked for development.
    pub development: bool,
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        why: io::Error,
    },
    /// The store.
    #[error("cannot open the store: {0}")]
    Store(#[from] StoreError),
    /// The key-encryption key.
    #[error("cannot read the key-encryption key from {place}: {why}")]
    Kek {
        /// Where it should be.
        place: String,
        /// Why not.
        why: String,
    },
    /// Our own keys.
    #[error("cannot read our own keys: {0}")]
    Ring(#[from] RingError),
    /// The exchange.
    #[error(transparent)]
    Start(#[from] StartError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The bootstrap admin token.
    #[error(transparent)]
    AdminToken(#[from] AdminTokenError),
    /// A store that `up` has used.
    #[error("the store holds development keys (it was made by `daypass up`); `serve` does not open it")]
    Development,
    /// A store that is in real use.
    #[error("the store was not made by `daypass up`; a development service does not open it")]
    NotDevelopment,
    /// Development keys among an issuer's pinned keys.
    #[error(
        "issuer `{issuer}` has the development key `{key}`, which anybody can make; `serve` does not accept it"
    )]
    DevelopmentKey {
        /// Which issuer.
        issuer: String,
        /// Which key.
        key: String,
    },
    /// Another account than the one the store was made for.
    #[error("the store belongs to account {stored}, the configuration says {configured}")]
    Account {
        /// The store's.
        stored: String,
        /// The configuration's.
        configured: String,
    },
    /// Support for PostgreSQL was left out of this program.
    #[error("this program was built without PostgreSQL")]
    NoPostgres,
}

/// A running service.
#[derive(Debug)]
pub struct Running {
    app: Arc<App>,
    public: SocketAddr,
    admin: SocketAddr,
    admin_token_file: Option<String>,
    serving: JoinSet<()>,
    tending: JoinSet<()>,
}

impl Running {
    /// Where the service listens.
    pub const fn public(&self) -> SocketAddr {
        self.public
    }

    /// Where the admin listener listens.
    pub const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The file with the bootstrap admin token.
    pub fn admin_token_file(&self) -> Option<&str> {
        self.admin_token_file.as_deref()
    }

    /// The application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Stops: accepts nothing more, lets exchanges in flight finish and their records be written, signs a last checkpoint.
    pub async fn stop(mut self) -> Result<(), StoreError> {
        self.app.stop();
        while self.serving.join_next().await.is_some() {}
        self.tending.shutdown().await;
        self.app.exchange.flush_summary().await;
        if let Err(error) = checkpoints::sign(&self.app).await {
            tracing::warn!(%error, "the last checkpoint could not be signed");
        }
        self.app.exchange.store().close().await
    }
}

/// Sockets that are bound before anything else, so that an address in use costs nothing.
#[derive(Debug)]
pub struct Sockets {
    public: TcpListener,
    admin: TcpListener,
    bounds: Bounds,
}

impl Sockets {
    /// Binds the public and the admin address. Port 0 takes any free one.
    pub async fn bind(public: SocketAddr, admin: SocketAddr) -> Result<Self, ServeError> {
        let bind = async |address: SocketAddr| {
            listen::bind(address).await.map_err(|why| ServeError::Listen { address, why })
        };
        Ok(Self { public: bind(public).await?, admin: bind(admin).await?, bounds: Bounds::default() })
    }

    /// With other bounds than the usual ones on what a stranger can hold open.
    pub fn bounded(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The bound public address.
    pub fn public(&self) -> io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// The bound admin address.
    pub fn admin(&self) -> io::Result<SocketAddr> {
        self.admin.local_addr()
    }
}

/// Opens the store that a configuration names.
pub async fn open_store(config: &Config) -> Result<Arc<dyn Store>, ServeError> {
    match &config.data {
        DataConfig::Directory(path) => {
            let options = daypass_store::SqliteOptions { create: true, ..Default::default() };
            Ok(Arc::new(daypass_store::SqliteStore::open(Path::new(path), &options)?))
        }
        #[cfg(feature = "postgres")]
        DataConfig::Postgres(url) => Ok(Arc::new(
            daypass_store::PostgresStore::connect(url, daypass_store::PostgresOptions::default()).await?,
        )),
        #[cfg(not(feature = "postgres"))]
        DataConfig::Postgres(_) => Err(ServeError::NoPostgres),
    }
}

/// Starts a service on bound sockets.
pub async fn start(setup: Setup, sockets: Sockets) -> Result<Running, ServeError> {
    let Setup { config, clock, random, fetch, development } = setup;
    if !development {
        refuse_development_keys(&config)?;
    }
    let certificate = config.tls.as_ref().map(Certificate::open).transpose()?;
    let tls = certificate.clone().map(Certificate::acceptor).transpose()?;
    let store = open_store(&config).await?;
    check_marks(&*store, &config, development).await?;
    let (kek, token) = secrets(&config, &*random);
    let (kek, token) = (kek?, token?);
    let now = clock.now();
    let ring = KeyRing::open(&*store, kek, config.signing.clone(), &*random, now).await?;
    let metrics = Arc::new(Metrics::default());
    let observe = Arc::clone(&metrics) as Arc<dyn daypass_exchange::Observe>;
    let parts = Parts { config, store, ring, clock, random, observe, development };
    let exchange = Arc::new(Exchange::start(parts).await?);
    let unusable = |address| move |why| ServeError::Listen { address, why };
    let public = sockets.public().map_err(unusable(exchange.config().listen))?;
    let admin = sockets.admin().map_err(unusable(exchange.config().admin.listen))?;
    let app = Arc::new(App::new(exchange, Arc::clone(&metrics), public));
    let bounds = sockets.bounds;
    let admin_token_file = token.as_ref().map(|token| token.path().to_owned());
    let mut serving = JoinSet::new();
    let router = wire::router(Arc::clone(&app));
    let listener = Listener { socket: sockets.public, tls, router, bounds, metrics: Arc::clone(&metrics) };
    serving.spawn(listen::serve(listener, app.stopping()));
    let router = admin::router(Arc::clone(&app), token);
    let listener = Listener { socket: sockets.admin, tls: None, router, bounds, metrics };
    serving.spawn(listen::serve(listener, app.stopping()));
    let mut tending = tend(&app, &fetch);
    if let Some(certificate) = certificate {
        tending.spawn(renew(certificate));
    }
    Ok(Running { app, public, admin, admin_token_file, serving, tending })
}

/// A key whose name says that anybody can make it must never vouch for anybody outside development.
fn refuse_development_keys(config: &Config) -> Result<(), ServeError> {
    for issuer in &config.issuers {
        if let KeySource::Pinned(keys) = &issuer.keys
            && let Some(key) = keys.development_key()
        {
            return Err(ServeError::DevelopmentKey { issuer: issuer.name.clone(), key: key.to_string() });
        }
    }
    Ok(())
}

/// A store is for development or for real, and for one account, for good.
async fn check_marks(store: &dyn Store, config: &Config, development: bool) -> Result<(), ServeError> {
    let fresh = store.heads().await?.is_empty();
    let marked = store.marked(DEVELOPMENT_MARK).await?.is_some();
    match (development, marked) {
        (false, true) => return Err(ServeError::Development),
        (true, false) if !fresh => return Err(ServeError::NotDevelopment),
        (true, false) => {
            store.mark(DEVELOPMENT_MARK, "up".to_owned()).await?;
        }
        (true, true) | (false, false) => {}
    }
    let stored = store.mark("account", config.account_id.clone()).await?;
    if stored != config.account_id {
        return Err(ServeError::Account { stored, configured: config.account_id.clone() });
    }
    Ok(())
}

/// The key-encryption key and the admin token. Where both are made, they wait for the disk at the same time.
fn secrets(
    config: &Config,
    random: &dyn Random,
) -> (Result<Kek, ServeError>, Result<Option<AdminToken>, AdminTokenError>) {
    std::thread::scope(|scope| {
        let token = scope.spawn(|| AdminToken::open(config, random));
        let kek = kek(&config.kek, random);
        (kek, token.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn kek(config: &KekConfig, random: &dyn Random) -> Result<Kek, ServeError> {
    let (place, text) = match config {
        KekConfig::Env(name) => {
            let place = format!("the environment variable `{name}`");
            let text = std::env::var(name)
                .map_err(|_| ServeError::Kek { place: place.clone(), why: "it is not set".to_owned() })?;
            (place, Zeroizing::new(text))
        }
        KekConfig::File { path, create } => {
            let place = format!("`{path}`");
            let failed = |why: String| ServeError::Kek { place: place.clone(), why };
            let text = match std::fs::read_to_string(path) {
                Ok(text) => Zeroizing::new(text),
                Err(error) if error.kind() == io::ErrorKind::NotFound && *create => {
                    let text = Kek::generate(random).map_err(|why: KekError| failed(why.to_string()))?;
                    crate::private_file::create(Path::new(path), text.as_bytes())
                        .map_err(|error| failed(error.to_string()))?;
                    text
                }
                Err(error) => return Err(failed(error.to_string())),
            };
            (place, text)
        }
    };
    Kek::parse(&text).map_err(|why| ServeError::Kek { place, why: why.to_string() })
}

/// What goes on beside requests.
fn tend(app: &Arc<App>, fetch: &Arc<dyn Fetch>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for keys in app.exchange.issuer_keys() {
        let (app, keys, fetch) = (Arc::clone(app), Arc::clone(keys), Arc::clone(fetch));
        tasks.spawn(async move { app.exchange.tend_issuer(&keys, &*fetch).await });
    }
    let refreshing = Arc::clone(app);
    tasks.spawn(async move {
        let mut interval = every(REFRESH_EVERY);
        loop {
            interval.tick().await;
            if let Err(error) = refreshing.exchange.refresh().await {
                tracing::warn!(%error, "keys and revocations could not be read anew");
            }
        }
    });
    let checking = Arc::clone(app);
    tasks.spawn(async move { checkpoints::run(&checking).await });
    let sweeping = Arc::clone(app);
    tasks.spawn(async move {
        let mut interval = every(SWEEP_EVERY);
        loop {
            interval.tick().await;
            if let Err(error) = sweeping.exchange.sweep().await {
                tracing::warn!(%error, "what has expired could not be forgotten");
            }
        }
    });
    tasks
}

/// Serves renewed certificates, for ever.
async fn renew(certificate: Arc<Certificate>) {
    let mut interval = every(RENEW_EVERY);
    loop {
        interval.tick().await;
        let certificate = Arc::clone(&certificate);
        match tokio::task::spawn_blocking(move || certificate.reload()).await {
            Ok(Ok(true)) => tracing::info!("a renewed certificate is served"),
            Ok(Err(error)) => tracing::warn!(%error, "the certificate could not be read anew"),
            Ok(Ok(false)) | Err(_) => {}
        }
    }
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("development", &self.development).finish_non_exhaustive()
    }
}
