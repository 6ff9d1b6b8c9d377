//! What `config check` says beyond errors: short sessions, shared audiences, and callers of one environment who can reach
//! a role of another.

use std::collections::HashMap;
use std::time::Duration;

use daypass_claims::format_duration;
use daypass_prove::Options;
use daypass_prove::refusals::{Role, shared_callers};
use daypass_trust::document::{Problem, Source, Span};

use super::{Config, CredentialConfig, RoleConfig, Warning};

/// At this length and below, SDKs refresh before every call.
const SHORT: Duration = Duration::from_secs(15 * 60);

/// Audiences that other relying parties are known by, and whose they are.
const OF_OTHERS: [(&str, &str); 4] = [
    ("sts.amazonaws.com", "AWS STS"),
    ("api://AzureADTokenExchange", "Microsoft Entra"),
    ("sigstore", "Sigstore"),
    ("pypi", "PyPI"),
];

/// Remarks on a configuration that loads.
pub fn review(config: &Config) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for role in &config.roles {
        if role.max_session <= SHORT && role.credential == CredentialConfig::AwsSession {
            let message = format!(
                "sessions of `{}` last at most {}: the AWS SDKs then refresh before every call",
                role.name,
                format_duration(role.max_session)
            );
            warnings
                .push(about(role, message).help("SDKs refresh 15 minutes before expiry; give 20m or more"));
        }
        if let Some(why) = &role.refused {
            warnings.push(about(role, format!("`{}` is not served: {why}", role.name)));
        }
    }
    audiences(config, &mut warnings);
    environments(config, &mut warnings);
    warnings
}

fn about(role: &RoleConfig, message: String) -> Problem {
    let mut problem = Problem::new(&role.policy.source, Span::default(), message);
    problem.location = role.location.clone();
    problem
}

/// An audience in use by another relying party, or the one that a platform mints by default, lets a token that was made
/// for somebody else be presented here, and ours there.
fn audiences(config: &Config, warnings: &mut Vec<Warning>) {
    for issuer in &config.issuers {
        for audience in &issuer.audiences {
            let Some((_, whose)) = OF_OTHERS.iter().find(|(known, _)| *known == audience.as_str()) else {
                continue;
            };
            let message = format!(
                "issuer `{}`: audience `{audience}` is that of {whose}: a token made for one can be presented to the other",
                issuer.name
            );
            let mut warning = Problem::new(&Source::new("", ""), Span::default(), message);
            warning.location = issuer.location.clone();
            warnings.push(warning.help(format!("request tokens for {} instead", config.public_url)));
        }
    }
}

/// Pairs of roles of different environments that one token can assume, with the token.
fn environments(config: &Config, warnings: &mut Vec<Warning>) {
    let named: Vec<&RoleConfig> = config.roles.iter().filter(|role| role.environment.is_some()).collect();
    let by_name: HashMap<&str, &RoleConfig> = named.iter().map(|role| (role.name.as_str(), *role)).collect();
    let roles: Vec<Role<'_>> = named
        .iter()
        .map(|role| Role { name: &role.name, environment: role.environment.as_deref(), policy: &role.policy })
        .collect();
    let options = Options { account: Some(config.account_id.clone()), ..Options::default() };
    for shared in shared_callers(&roles, &options) {
        let (Some(one), Some(two)) = (by_name.get(shared.one.as_str()), by_name.get(shared.two.as_str()))
        else {
            continue;
        };
        let both = [one, two]
            .map(|role| format!("`{}` ({})", role.name, role.environment.as_deref().unwrap_or_default()))
            .join(" and ");
        let message = match &shared.witness {
            Some(token) => format!(
                "one token can assume {both}: {}",
                super::claims_of(token, &[&one.policy, &two.policy])
            ),
            None => format!("whether one token can assume {both} cannot be said: {}", shared.why.join("; ")),
        };
        let help = "bind a claim that tells the environments apart to different values";
        warnings.push(about(two, message).help(help));
    }
}
