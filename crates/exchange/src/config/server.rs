//! The part of the configuration that is about serving: addresses, state, keys, records.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use daypass_claims::{Algorithm, Issuer};
use daypass_trust::document::{Fields, Problem, Source, Span, Value};

use super::load::Loader;
use super::{AuditConfig, DataConfig, ExplainToCaller, KekConfig, Network, SigningConfig, TlsConfig};

/// What this part reads.
pub(super) struct Server {
    pub(super) listen: SocketAddr,
    pub(super) public_url: String,
    pub(super) data: DataConfig,
    pub(super) kek: KekConfig,
    pub(super) explain_to_caller: ExplainToCaller,
    pub(super) tls: Option<TlsConfig>,
    pub(super) trusted_proxies: Vec<Network>,
    pub(super) regions: Vec<String>,
    pub(super) signing: SigningConfig,
    pub(super) audit: AuditConfig,
}

pub(super) fn account_id(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> String {
    let Some((account, span)) = fields.string("account_id", &mut loader.problems) else {
        return "000000000000".to_owned();
    };
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        loader.problems.push(Problem::new(
            source,
            span,
            format!("`account_id` must be 12 digits, this is `{account}`"),
        ));
    }
    account.to_owned()
}

pub(super) fn read(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> Option<Server> {
    let listen = address(loader, source, fields, "listen", 8080);
    let tls = tls(loader, source, fields);
    let public = fields.string("public_url", &mut loader.problems);
    let data = data(loader, source, fields);
    let kek = kek(loader, source, fields, data.as_ref());
    let explain_to_caller = explain(loader, source, fields);
    let trusted_proxies = networks(loader, source, fields);
    let regions = fields.strings("regions", &mut loader.problems).unwrap_or_default();
    let signing = signing(loader, source, fields);
    let audit = audit(loader, source, fields);
    let listen = listen?;
    if tls.is_none() && !listen.0.ip().is_loopback() {
        let problem = Problem::new(
            source,
            listen.1,
            format!("plain HTTP is served on loopback only, this is {}", listen.0),
        );
        loader
            .problems
            .push(problem.help("give `tls = { cert = \"...\", key = \"...\" }`, or put a proxy in front"));
    }
    let public_url = match public {
        Some((url, span)) => public_url(loader, source, url, span)?,
        None if listen.0.ip().is_loopback() => {
            format!("{}://{}", if tls.is_some() { "https" } else { "http" }, listen.0)
        }
        None => {
            let problem = Problem::new(source, listen.1, "`public_url` is missing");
            loader.problems.push(problem.help(
                "it is the service's identity in tokens and presigned requests, and is never taken from a Host header",
            ));
            return None;
        }
    };
    Some(Server {
        listen: listen.0,
        public_url,
        data: data?,
        kek: kek?,
        explain_to_caller,
        tls,
        trusted_proxies,
        regions: regions.into_iter().map(|(region, _)| region.to_owned()).collect(),
        signing,
        audit,
    })
}

/// A socket address; `default_port` on loopback where it is left out.
pub(super) fn address(
    loader: &mut Loader<'_>,
    source: &Source,
    fields: &mut Fields<'_>,
    name: &'static str,
    default_port: u16,
) -> Option<(SocketAddr, Span)> {
    let Some((text, span)) = fields.string(name, &mut loader.problems) else {
        return Some((SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), default_port), fields.span()));
    };
    match text.parse() {
        Ok(address) => Some((address, span)),
        Err(_) => {
            let problem = Problem::new(source, span, format!("`{text}` is not an address and port"));
            loader.problems.push(problem.help("for example 127.0.0.1:8080 or [::1]:8080"));
            None
        }
    }
}

fn public_url(loader: &mut Loader<'_>, source: &Source, url: &str, span: Span) -> Option<String> {
    match Issuer::parse(url) {
        Ok(issuer) if !issuer.host_and_path().contains('/') => Some(url.to_owned()),
        Ok(_) => {
            loader.problems.push(Problem::new(
                source,
                span,
                "`public_url` has a path; give scheme, host and port only",
            ));
            None
        }
        Err(why) => {
            loader.problems.push(Problem::new(
                source,
                span,
                format!("`public_url` cannot be an issuer: {why}"),
            ));
            None
        }
    }
}

fn data(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> Option<DataConfig> {
    match fields.required_string("data", "a directory, or postgres://... for replicas", &mut loader.problems)
    {
        Some((url, _)) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Some(DataConfig::Postgres(url.to_owned()))
        }
        Some(("", span)) => {
            loader.problems.push(Problem::new(source, span, "`data` is empty"));
            None
        }
        Some((path, _)) => Some(DataConfig::Directory(loader.path(path).into_string())),
        None => None,
    }
}

fn kek(
    loader: &mut Loader<'_>,
    source: &Source,
    fields: &mut Fields<'_>,
    data: Option<&DataConfig>,
) -> Option<KekConfig> {
    let Some(member) = fields.take("kek") else {
        return match data? {
            DataConfig::Directory(path) => {
                Some(KekConfig::File { path: format!("{path}/kek"), create: true })
            }
            DataConfig::Postgres(_) => {
                let problem = Problem::new(source, fields.span(), "`kek` is missing");
                loader.problems.push(problem.help(
                    "replicas share one key-encryption key: kek = { file = \"...\" } or { env = \"...\" }, 32 bytes in base64 or hex",
                ));
                None
            }
        };
    };
    let mut kek = Fields::of(source, &member.node, "`kek`", &mut loader.problems)?;
    let file = kek.string("file", &mut loader.problems);
    let env = kek.string("env", &mut loader.problems);
    kek.finish(&mut loader.problems);
    match (file, env) {
        (Some((path, _)), None) => {
            Some(KekConfig::File { path: loader.path(path).into_string(), create: false })
        }
        (None, Some((name, _))) => Some(KekConfig::Env(name.to_owned())),
        _ => {
            let problem =
                Problem::new(source, member.node.span, "`kek` wants exactly one of `file` and `env`");
            loader.problems.push(problem);
            None
        }
    }
}

fn explain(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> ExplainToCaller {
    match fields.string("explain_to_caller", &mut loader.problems) {
        Some(("reference", _)) => ExplainToCaller::Reference,
        Some(("own-claims", _)) | None => ExplainToCaller::OwnClaims,
        Some(("full", _)) => ExplainToCaller::Full,
        Some((other, span)) => {
            let message =
                format!("`explain_to_caller` must be reference, own-claims or full, this is `{other}`");
            loader.problems.push(Problem::new(source, span, message));
            ExplainToCaller::Reference
        }
    }
}

fn tls(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> Option<TlsConfig> {
    let member = fields.take("tls")?;
    let mut tls = Fields::of(source, &member.node, "`tls`", &mut loader.problems)?;
    let cert = tls.required_string("cert", "a PEM file with the certificate chain", &mut loader.problems);
    let key = tls.required_string("key", "a PEM file with the private key", &mut loader.problems);
    tls.finish(&mut loader.problems);
    Some(TlsConfig { cert: loader.path(cert?.0).into_string(), key: loader.path(key?.0).into_string() })
}

fn networks(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> Vec<Network> {
    let texts = fields.strings("trusted_proxies", &mut loader.problems).unwrap_or_default();
    let mut networks = Vec::with_capacity(texts.len());
    for (text, span) in texts {
        match network(text) {
            Some(network) => networks.push(network),
            None => {
                let problem = Problem::new(source, span, format!("`{text}` is not an address or network"));
                loader.problems.push(problem.help("for example 10.0.0.0/8"));
            }
        }
    }
    networks
}

fn network(text: &str) -> Option<Network> {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok())?;
    (prefix <= bits).then_some(Network { address, prefix })
}

const DAY: Duration = Duration::from_secs(86_400);

fn signing(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> SigningConfig {
    let mut config = SigningConfig {
        algorithms: vec![Algorithm::ES256],
        rotate_every: 30 * DAY,
        publish_ahead: Duration::from_secs(3_600),
    };
    let Some(member) = fields.take("signing") else { return config };
    let Some(mut table) = Fields::of(source, &member.node, "`signing`", &mut loader.problems) else {
        return config;
    };
    if let Some(names) = table.strings("algorithms", &mut loader.problems) {
        if names.is_empty() {
            loader.problems.push(Problem::new(source, member.node.span, "`signing.algorithms` is empty"));
        }
        config.algorithms.clear();
        for (name, span) in names {
            match name.parse() {
                Ok(algorithm @ (Algorithm::ES256 | Algorithm::EdDSA | Algorithm::RS256)) => {
                    config.algorithms.push(algorithm);
                }
                _ => {
                    let problem =
                        Problem::new(source, span, format!("tokens cannot be signed with `{name}`"));
                    loader.problems.push(problem.help("ES256 (default), EdDSA, RS256"));
                }
            }
        }
    }
    if let Some(period) =
        table.duration("rotate_every", Duration::from_secs(60)..=3_650 * DAY, &mut loader.problems)
    {
        config.rotate_every = period;
    }
    if let Some(lead) =
        table.duration("publish_ahead", Duration::from_secs(1)..=365 * DAY, &mut loader.problems)
    {
        config.publish_ahead = lead;
    }
    if config.publish_ahead >= config.rotate_every {
        let message = "`publish_ahead` must be shorter than `rotate_every`";
        loader.problems.push(Problem::new(source, member.node.span, message));
    }
    table.finish(&mut loader.problems);
    config
}

fn audit(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> AuditConfig {
    let mut config = AuditConfig {
        checkpoint_records: 1_000,
        checkpoint_every: Duration::from_secs(300),
        checkpoint_file: None,
        retention: None,
    };
    let Some(member) = fields.take("audit") else { return config };
    if matches!(member.node.value, Value::Table(_))
        && let Some(mut table) = Fields::of(source, &member.node, "`audit`", &mut loader.problems)
    {
        if let Some(records) = table.integer("checkpoint_records", 1..=1_000_000, &mut loader.problems) {
            config.checkpoint_records = records;
        }
        if let Some(every) =
            table.duration("checkpoint_every", Duration::from_secs(1)..=DAY, &mut loader.problems)
        {
            config.checkpoint_every = every;
        }
        if let Some((path, _)) = table.string("checkpoint_file", &mut loader.problems) {
            config.checkpoint_file = Some(loader.path(path).into_string());
        }
        config.retention = table.duration("retention", DAY..=36_500 * DAY, &mut loader.problems);
        table.finish(&mut loader.problems);
    } else {
        loader.problems.push(Problem::new(source, member.node.span, "`audit` must be a table"));
    }
    config
}
