//! Where the database is: the URL, and whom to trust with the password.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::StoreError;

/// Unless the URL says otherwise: how long the peer may be silent before the system asks whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Unless the URL says otherwise: how long what we send may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// A database that can be connected to.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl Target {
    /// Reads a `postgres://` URL with the parameters of libpq.
    ///
    /// `sslmode` is `verify-full` (for which `require` is another name here: a certificate that is not checked
    /// protects nothing) or `disable`. By default, connections within this machine are plain and all others
    /// `verify-full`. `sslrootcert` names a file of CA certificates, to be trusted in place of the system's.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or_else(|| refuse("it must begin with `postgres://` or `postgresql://`"))?;
        check_at_sign(rest)?;
        let (plain, parameters) = split_parameters(url)?;
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            refuse(&error.into_source().map_or_else(String::new, |source| source.to_string()))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(refuse("it names no host"));
        }
        let encrypt = match parameters.sslmode.as_deref() {
            None => !is_local(&config),
            Some("verify-full" | "require") => true,
            Some("disable") => false,
            Some(mode) => return Err(refuse_sslmode(mode)),
        };
        config.ssl_mode(if encrypt { SslMode::Require } else { SslMode::Disable });
        let direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        let tls = MakeRustlsConnect::new(tls_config(encrypt, parameters.sslrootcert.as_deref(), direct)?);
        if config.get_application_name().is_none() {
            config.application_name("daypass");
        }
        if config.get_keepalives_idle() > Duration::from_secs(3_600) {
            config.keepalives_idle(KEEPALIVE);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED);
        }
        Ok(Self { config, tls })
    }
}

/// Hosts and database; never the password.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("hosts", &self.config.get_hosts())
            .field("database", &self.config.get_dbname())
            .field("tls", &(self.config.get_ssl_mode() == SslMode::Require))
            .finish_non_exhaustive()
    }
}

fn refuse(why: &str) -> StoreError {
    StoreError::Configuration(why.to_owned())
}

fn refuse_sslmode(mode: &str) -> StoreError {
    let why = match mode {
        "allow" | "prefer" => "falls back to plain text",
        "verify-ca" => "does not check the host's name",
        _ => "is unknown",
    };
    let mode: String = mode.chars().take(20).collect();
    refuse(&format!("sslmode `{mode}` {why}; use `verify-full`, or `disable` where the network is trusted"))
}

/// A password with a bare `@`, `/` or `?` would be taken apart, and its pieces for host and database, which appear in
/// errors.
fn check_at_sign(rest: &str) -> Result<(), StoreError> {
    let (_, after) = rest.split_once('@').unwrap_or(("", rest));
    let before_end = rest.find(['/', '?']).is_none_or(|end| rest.find('@').is_none_or(|at| at < end));
    if after.contains('@') || !before_end {
        return Err(refuse("user, password and parameters must have `@`, `/`, `?` and `:` percent-encoded"));
    }
    Ok(())
}

#[derive(Default)]
struct Parameters {
    sslmode: Option<String>,
    sslrootcert: Option<String>,
}

/// Takes out the parameters that the driver does not know.
fn split_parameters(url: &str) -> Result<(String, Parameters), StoreError> {
    let Some((base, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), Parameters::default()));
    };
    let mut parameters = Parameters::default();
    let mut others = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| refuse("a parameter has no value"))?;
        let decoded = || percent_decode_str(value).decode_utf8().map(|value| Some(value.into_owned()));
        let not_text = |_| refuse(&format!("parameter `{key}` is not UTF-8"));
        match key {
            "sslmode" => parameters.sslmode = decoded().map_err(not_text)?,
            "sslrootcert" => parameters.sslrootcert = decoded().map_err(not_text)?,
            _ => others.push(pair),
        }
    }
    Ok((format!("{base}?{}", others.join("&")), parameters))
}

fn is_local(config: &Config) -> bool {
    let local_host = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    // An address wins over the host's name.
    if config.get_hostaddrs().is_empty() {
        config.get_hosts().iter().all(local_host)
    } else {
        config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
    }
}

fn tls_config(
    encrypt: bool,
    root_file: Option<&str>,
    direct: bool,
) -> Result<rustls::ClientConfig, StoreError> {
    let mut roots = RootCertStore::empty();
    if encrypt {
        let certificates = match root_file {
            Some(file) => read_certificates(Path::new(file))?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let (usable, _) = roots.add_parsable_certificates(certificates);
        if usable == 0 {
            return Err(refuse("no CA certificates were found; name a file of them with `sslrootcert`"));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Other(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    if direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(config)
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let refused = |error| refuse(&format!("sslrootcert `{}` cannot be read: {error}", file.display()));
    CertificateDer::pem_file_iter(file).map_err(refused)?.collect::<Result<_, _>>().map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        match Target::parse(url) {
            Err(StoreError::Configuration(why)) => why,
            other => panic!("{url}: {other:?}"),
        }
    }

    fn mode(url: &str) -> SslMode {
        Target::parse(url).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn connections_within_the_machine_are_plain_and_others_verified() {
        for local in [
            "postgres://u@localhost/d",
            "postgresql://u:p@127.0.0.1:5433/d",
            "postgres://u@[::1]/d",
            "postgres://u@%2Frun%2Fpostgresql/d",
            "postgres:///d?host=/run/postgresql",
            "postgres://u@db.example/d?hostaddr=127.0.0.1",
            "postgres://u@db.example/d?sslmode=disable",
        ] {
            assert_eq!(mode(local), SslMode::Disable, "{local}");
        }
        let certificates = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/ca.pem");
        for remote in [
            "postgres://u@db.example/d?",
            "postgres://u@localhost,db.example/d?",
            "postgres://u@localhost/d?hostaddr=192.0.2.1&",
            "postgres://u@localhost/d?sslmode=require&",
            "postgres://u@localhost/d?sslmode=verify-full&",
        ] {
            assert_eq!(mode(&format!("{remote}sslrootcert={certificates}")), SslMode::Require, "{remote}");
        }
    }

    #[test]
    fn modes_that_protect_less_than_they_seem_to_are_refused() {
        for mode in ["prefer", "allow", "verify-ca", "yes"] {
            let why = refusal(&format!("postgres://u@db.example/d?sslmode={mode}"));
            assert!(why.contains(mode) && why.contains("verify-full"), "{why}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(refusal("mysql://h/d").contains("postgres://"));
        assert!(refusal("postgres:///d").contains("no host"));
        assert!(refusal("postgres://u@h/d?sslmode").contains("no value"));
        assert!(refusal("postgres://u@h/d?colour=red").contains("`colour`"));
        assert!(refusal("postgres://u@h:many/d").contains("`port`"));
        let missing = refusal("postgres://u@h/d?sslrootcert=/nonexistent.pem");
        assert!(missing.contains("/nonexistent.pem"), "{missing}");
        let empty = refusal(&format!("postgres://u@h/d?sslrootcert={}", "/dev/null"));
        assert!(empty.contains("no CA certificates"), "{empty}");
    }

    #[test]
    fn neither_errors_nor_debug_hold_the_password() {
        for url in [
            "postgres://u:hunter2@h/d?sslmode=prefer",
            "postgres://u:hunter2@h:port/d",
            "postgres://u:hunter2@rest@h/d",
            "postgres://u:a/hunter2@h/d",
            "postgres://u:a?hunter2@h/d",
            "postgres://u:a?x=hunter2@h/d",
            "postgres://u:hunter2@h/d?colour=red",
            "postgres://h/d?password=hunter2&colour=red",
            "postgres:/u:hunter2@h/d",
            "host=h password=hunter2",
        ] {
            assert!(!refusal(url).contains("hunter2"), "{url}");
        }
        let target = Target::parse("postgres://u:hunter2@localhost/d?password=hunter2").unwrap();
        assert!(!format!("{target:?}").contains("hunter2"));
    }

    #[test]
    fn settings_of_the_url_win_over_ours() {
        let url = "postgres://u@localhost/d?keepalives_idle=7&tcp_user_timeout=3&application_name=x";
        let config = Target::parse(url).unwrap().config;
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(7));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(config.get_application_name(), Some("x"));
        let config = Target::parse("postgres://u@localhost/d").unwrap().config;
        assert_eq!(config.get_keepalives_idle(), KEEPALIVE);
        assert_eq!(config.get_application_name(), Some("daypass"));
    }
}
