//! `daypass.toml`: what is served, for whom, and under which trust.
//!
//! Every value may come from `${ENV}`; unknown keys are errors; every message points at file, line and column. Files are
//! read through a parameter, so a configuration can be checked without a disk.

mod admin;
mod adopt;
mod credential;
mod issuer;
mod load;
mod pull_requests;
mod review;
mod role;
mod server;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use daypass_claims::{Algorithm, Audience, ClaimSet, Issuer};
use daypass_issuers::Platform;
use daypass_prove::Witness;
use daypass_token::KeySet;
use daypass_trust::Policy;
use daypass_trust::document::Problem;
use daypass_trust::form::Variable;

pub use credential::{ClaimTemplate, CredentialConfig, JwtConfig};
pub use load::{ConfigError, Files, Loaded, load};
pub use review::review;

use crate::admin::Scope;

/// The longest that a session may last, as in AWS.
pub const LONGEST_SESSION: Duration = Duration::from_secs(12 * 3_600);

/// A whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the service listens.
    pub listen: SocketAddr,
    /// What the service is called by the world: scheme, host and port, no path.
    pub public_url: String,
    /// Where state is kept.
    pub data: DataConfig,
    /// Where the key-encryption key comes from.
    pub kek: KekConfig,
    /// The account in role ARNs, 12 digits.
    pub account_id: String,
    /// What a refused caller is told.
    pub explain_to_caller: ExplainToCaller,
    /// Certificate chain and key, PEM files, where the service does TLS itself.
    pub tls: Option<TlsConfig>,
    /// Proxies whose `X-Forwarded-For` is believed, as networks.
    pub trusted_proxies: Vec<Network>,
    /// Regions that SigV4 scopes may name; empty for any.
    pub regions: Vec<String>,
    /// The keys that re-issued tokens are signed with.
    pub signing: SigningConfig,
    /// The record of decisions.
    pub audit: AuditConfig,
    /// The admin listener.
    pub admin: AdminConfig,
    /// Whose tokens are accepted.
    pub issuers: Vec<IssuerConfig>,
    /// What they can be exchanged for.
    pub roles: Vec<RoleConfig>,
}

/// Where state is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum DataConfig {
    /// A directory: SQLite, checkpoints, the bootstrap admin token.
    Directory(String),
    /// A PostgreSQL URL, for replicas.
    Postgres(String),
}

/// Where the key-encryption key comes from: 32 bytes, base64 or hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KekConfig {
    /// A file; made if it is not there and `create` is set.
    File {
        /// Its path.
        path: String,
        /// Whether it may be made.
        create: bool,
    },
    /// An environment variable.
    Env(String),
}

/// What a refused caller is told. The operator always sees everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExplainToCaller {
    /// The id of the decision, nothing else.
    Reference,
    /// Which of the caller's own claims did not fit, and only to a caller that the trust is about.
    #[default]
    OwnClaims,
    /// Everything; for development.
    Full,
}

/// PEM files for TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate chain, leaf first.
    pub cert: String,
    /// The private key.
    pub key: String,
}

/// A network: address and prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The address.
    pub address: std::net::IpAddr,
    /// How many leading bits count.
    pub prefix: u8,
}

/// The keys that re-issued tokens are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningConfig {
    /// The algorithms that have a key; the first is the default.
    pub algorithms: Vec<Algorithm>,
    /// How long a key signs.
    pub rotate_every: Duration,
    /// How long a key is published before it signs.
    pub publish_ahead: Duration,
}

/// The record of decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// A checkpoint is signed after this many records ...
    pub checkpoint_records: u64,
    /// ... or after this long, whichever is first.
    pub checkpoint_every: Duration,
    /// A file outside the data directory that every checkpoint is appended to.
    pub checkpoint_file: Option<String>,
    /// How long bodies of records are kept; hashes are kept for good.
    pub retention: Option<Duration>,
}

/// The admin listener.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The file with the bootstrap token; `None` with PostgreSQL, unless it is named.
    pub token_file: Option<String>,
    /// Who beside the holder of the bootstrap token may do what.
    pub trust: Vec<AdminTrust>,
}

/// Administrators who prove themselves with a CI token.
#[derive(Clone, Debug)]
pub struct AdminTrust {
    /// Whom it admits.
    pub policy: Policy,
    /// What they may do.
    pub scopes: Vec<Scope>,
}

/// An issuer whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// What the configuration calls it.
    pub name: String,
    /// Its `iss`.
    pub issuer: Issuer,
    /// What the catalogue knows about it.
    pub platform: Option<&'static Platform>,
    /// What its tokens may be addressed to.
    pub audiences: Vec<Audience>,
    /// The algorithms it may sign with.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys come from.
    pub keys: KeySource,
    /// The longest lifetime of its tokens.
    pub max_token_lifetime: Duration,
    /// Whether a token may name other audiences beside ours.
    pub multiple_audiences: bool,
    /// Where it is configured.
    pub location: daypass_trust::document::Location,
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// Its discovery document.
    Discovery(FetchConfig),
    /// A file, read once.
    Pinned(KeySet),
    /// An administrator, by `daypass keys push`.
    Pushed,
}

/// How an issuer is fetched from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchConfig {
    /// A PEM bundle of certificate authorities, in place of the system's.
    pub ca_pem: Option<String>,
    /// Whether private addresses may be connected to.
    pub allow_private: bool,
    /// How long keys are fresh where the response does not say.
    pub ttl: Option<Duration>,
    /// How long known keys serve through an outage.
    pub stale_for: Option<Duration>,
}

/// A role: what a token can be exchanged for, and under which trust.
#[derive(Clone, Debug)]
pub struct RoleConfig {
    /// Its name.
    pub name: String,
    /// Its path, from `/` to `/`.
    pub path: String,
    /// The environment it deploys to, where it says.
    pub environment: Option<String>,
    /// The longest session.
    pub max_session: Duration,
    /// How often one token may be used; `None` for the wire's default.
    pub max_uses: Option<u32>,
    /// How long an identical request is a retry.
    pub retry_window: Duration,
    /// What is issued.
    pub credential: CredentialConfig,
    /// Who may assume it.
    pub policy: Policy,
    /// Risks that its trust takes on, by name, for the record.
    pub accepted_risks: Vec<String>,
    /// Why the role is not served: the policy tests beside it fail, or pull requests reach what is production.
    pub refused: Option<String>,
    /// Where it is defined.
    pub location: daypass_trust::document::Location,
}

impl Network {
    /// Whether an address lies in the network; an IPv4 address in IPv6 clothing is an IPv4 address.
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        let bits = |ip: std::net::IpAddr| match ip {
            std::net::IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
            std::net::IpAddr::V6(ip) => u128::from(ip),
        };
        let (address, network) = (address.to_canonical(), self.address.to_canonical());
        let differing = bits(address) ^ bits(network);
        address.is_ipv4() == network.is_ipv4() && differing.leading_zeros() >= u32::from(self.prefix)
    }
}

impl std::fmt::Debug for DataConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "Directory({path:?})"),
            // The URL holds a password.
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl Config {
    /// The ARN of a role.
    pub fn role_arn(&self, role: &RoleConfig) -> String {
        format!("arn:aws:iam::{}:role{}{}", self.account_id, role.path, role.name)
    }

    /// The configured issuer of that URL, byte for byte.
    pub fn issuer(&self, url: &str) -> Option<&IssuerConfig> {
        self.issuers.iter().find(|issuer| issuer.issuer.as_str() == url)
    }
}

/// A remark that does not stand in the way of serving.
pub type Warning = Problem;

/// The claims of a token that shows something: who it is from and about, and whatever these policies ask of it.
fn claims_of(token: &Witness, policies: &[&Policy]) -> String {
    let asked: BTreeSet<&str> = policies
        .iter()
        .flat_map(|policy| &policy.statements)
        .flat_map(|statement| statement.condition.atoms())
        .filter_map(|atom| match &atom.variable {
            Variable::Claim(path) => Some(path.claim.as_str()),
            _ => None,
        })
        .chain(["iss", "aud", "sub"])
        .collect();
    let shown: ClaimSet = asked
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), token.claims.get(name)?.clone())))
        .collect();
    serde_json::to_string(&shown).unwrap_or_default()
}
