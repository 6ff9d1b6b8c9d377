//! `[[issuer]]`: whose tokens are accepted.

use std::time::Duration;

use daypass_claims::{Algorithm, Audience, Issuer};
use daypass_issuers::{Platform, catalogue};
use daypass_token::{JwksLimits, KeySet};
use daypass_trust::document::{Fields, Node, Problem, Source, Span};

use super::load::Loader;
use super::{FetchConfig, IssuerConfig, KeySource};

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn read_all(
    loader: &mut Loader<'_>,
    source: &Source,
    fields: &mut Fields<'_>,
) -> Vec<IssuerConfig> {
    let Some(member) = fields.take("issuer") else {
        let problem = Problem::new(source, fields.span(), "no issuer is configured");
        loader.problems.push(problem.help("write [[issuer]] with name, url, platform and audiences"));
        return Vec::new();
    };
    let mut issuers: Vec<IssuerConfig> = Vec::new();
    for node in member.node.as_array().unwrap_or(std::slice::from_ref(&member.node)) {
        if let Some(issuer) = read(loader, source, node) {
            for known in &issuers {
                if known.name == issuer.name || known.issuer == issuer.issuer {
                    let message = format!("issuer `{}` ({}) is configured twice", issuer.name, issuer.issuer);
                    loader.problems.push(Problem::new(source, node.span, message));
                }
            }
            issuers.push(issuer);
        }
    }
    issuers
}

fn read(loader: &mut Loader<'_>, source: &Source, node: &Node) -> Option<IssuerConfig> {
    let mut fields = Fields::of(source, node, "an issuer", &mut loader.problems)?;
    let name = fields.required_string("name", "what roles call the issuer", &mut loader.problems);
    let url = fields.required_string("url", "the `iss` of its tokens", &mut loader.problems);
    let platform = fields.string("platform", &mut loader.problems);
    let audiences = audiences(loader, source, &mut fields);
    let algorithms = fields.strings("algorithms", &mut loader.problems);
    let jwks_file = fields.string("jwks_file", &mut loader.problems);
    let pushed = fields.boolean("pushed_keys", &mut loader.problems).unwrap_or(false);
    let ca_file = fields.string("ca_file", &mut loader.problems);
    let allow_private = fields.boolean("allow_private", &mut loader.problems).unwrap_or(false);
    let ttl = fields.duration(
        "jwks_ttl",
        Duration::from_secs(300)..=Duration::from_secs(3_600),
        &mut loader.problems,
    );
    let stale_for =
        fields.duration("jwks_stale_for", Duration::from_secs(300)..=7 * DAY, &mut loader.problems);
    let lifetime = fields.duration("max_token_lifetime", Duration::from_secs(60)..=DAY, &mut loader.problems);
    let multiple_audiences = fields.boolean("multiple_audiences", &mut loader.problems).unwrap_or(false);
    fields.finish(&mut loader.problems);

    let (url, url_span) = url?;
    let issuer = match Issuer::parse(url) {
        Ok(issuer) => issuer,
        Err(why) => {
            loader.problems.push(Problem::new(source, url_span, why.to_string()));
            return None;
        }
    };
    let platform = match platform {
        Some((id, span)) => Some(known_platform(loader, source, id, span)?),
        None => None,
    };
    if let Some(platform) = platform
        && !issuer.is_loopback()
        && platform.binds(&issuer).is_none()
    {
        let example = platform.issuer.forms.first().map(|form| form.pattern.as_str()).unwrap_or_default();
        let problem = Problem::new(source, url_span, format!("`{url}` is no issuer of {}", platform.id));
        loader.problems.push(problem.help(format!("its issuers look like {example}")));
    }
    let algorithms = self::algorithms(loader, source, algorithms, platform, node.span)?;
    let fetch = FetchConfig {
        ca_pem: match ca_file {
            Some((path, span)) => Some(loader.read(source, span, path)?.text().to_owned()),
            None => None,
        },
        allow_private,
        ttl,
        stale_for,
    };
    let keys = match (jwks_file, pushed) {
        (Some((_, span)), true) => {
            loader.problems.push(Problem::new(
                source,
                span,
                "`jwks_file` and `pushed_keys` exclude each other",
            ));
            return None;
        }
        (Some((path, span)), false) => KeySource::Pinned(pinned(loader, source, &issuer, path, span)?),
        (None, true) => KeySource::Pushed,
        (None, false) => KeySource::Discovery(fetch),
    };
    Some(IssuerConfig {
        name: name?.0.to_owned(),
        issuer,
        platform,
        audiences: audiences?,
        algorithms,
        keys,
        max_token_lifetime: lifetime.unwrap_or(DAY),
        multiple_audiences,
        location: source.at(node.span),
    })
}

fn known_platform(
    loader: &mut Loader<'_>,
    source: &Source,
    id: &str,
    span: Span,
) -> Option<&'static Platform> {
    let platform = catalogue().platform(id);
    if platform.is_none() {
        let problem = Problem::new(source, span, format!("no platform is called `{id}`"));
        loader.problems.push(problem.help("`daypass issuers list` lists them"));
    }
    platform
}

fn audiences(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> Option<Vec<Audience>> {
    let Some(texts) = fields.strings("audiences", &mut loader.problems) else {
        let problem = Problem::new(source, fields.span(), "`audiences` is missing");
        loader
            .problems
            .push(problem.help("what a token may be addressed to; a token for anybody else is refused"));
        return None;
    };
    if texts.is_empty() {
        loader.problems.push(Problem::new(
            source,
            fields.span(),
            "`audiences` is empty: no token could be accepted",
        ));
        return None;
    }
    let mut audiences = Vec::with_capacity(texts.len());
    for (text, span) in texts {
        match Audience::parse(text) {
            Ok(audience) => audiences.push(audience),
            Err(why) => loader.problems.push(Problem::new(source, span, why.to_string())),
        }
    }
    Some(audiences)
}

fn algorithms(
    loader: &mut Loader<'_>,
    source: &Source,
    named: Option<Vec<(&str, Span)>>,
    platform: Option<&Platform>,
    at: Span,
) -> Option<Vec<Algorithm>> {
    let mut algorithms = match named {
        None => platform.map(|platform| platform.issuer.algorithms.clone()).unwrap_or_default(),
        Some(names) => {
            let mut algorithms = Vec::with_capacity(names.len());
            for (name, span) in names {
                match name.parse() {
                    Ok(algorithm) => algorithms.push(algorithm),
                    Err(why) => loader.problems.push(Problem::new(source, span, format!("{why}"))),
                }
            }
            algorithms
        }
    };
    algorithms.dedup();
    if algorithms.is_empty() {
        let problem = Problem::new(source, at, "`algorithms` is missing");
        loader.problems.push(
            problem.help("the catalogue does not say what this issuer signs with; most sign with RS256"),
        );
        return None;
    }
    Some(algorithms)
}

fn pinned(
    loader: &mut Loader<'_>,
    source: &Source,
    issuer: &Issuer,
    path: &str,
    span: Span,
) -> Option<KeySet> {
    let file = loader.read(source, span, path)?;
    match KeySet::from_jwks(issuer.clone(), file.text().as_bytes(), JwksLimits::default()) {
        Ok((keys, warnings)) => {
            for warning in warnings {
                loader.warnings.push(Problem::new(source, span, format!("{}: {warning}", file.name())));
            }
            Some(keys)
        }
        Err(why) => {
            loader.problems.push(Problem::new(source, span, format!("{}: {why}", file.name())));
            None
        }
    }
}
