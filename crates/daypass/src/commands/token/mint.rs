use anyhow::{Context, anyhow};
use clap::Args;
use daypass_claims::{Audience, KeyId};
use daypass_devissuer::{
    ErrorReply, ForgedAlgorithm, KeyChoice, MintReply, MintRequest, parse_claim, parse_lifetime,
};
use daypass_issuers::{Override, catalogue};

use crate::failure::{Failure, Outcome, Result};
use crate::http;
use crate::output::Output;

/// Mints a development token, shaped like a CI platform's.
///
/// Asks the development platforms that `daypass up` serves. Without claims the token is that of acme/app's job on main;
/// claims that follow from others, such as the subject, follow. The token goes to stdout.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass token mint --platform github-actions
  daypass token mint --platform github-actions --variant pull-request
  daypass token mint --platform github-actions --claim environment=production

  # Expired ten minutes ago
  daypass token mint --platform circleci --variant v2 --lifetime -10m

  # A forgery under the name of the issuer's key
  daypass token mint --platform gitlab-com --key rogue")]
pub(crate) struct Arguments {
    /// Where the development platforms are; `daypass up` prints it.
    #[arg(
        long,
        value_name = "URL",
        env = "DAYPASS_ISSUER_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8090"
    )]
    issuer_url: String,
    /// The platform, by its id in the catalogue (`daypass issuers list`).
    #[arg(long, value_name = "ID")]
    platform: String,
    /// The shape of the token, such as classic, immutable, environment, pull-request, v1, v2
    /// (`daypass issuers show ID`).
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// A claim: K=V as the platform writes it, K! to leave it out, K:=JSON for any value. Repeatable.
    #[arg(long = "claim", value_name = "K=V")]
    claims: Vec<String>,
    /// Whom the token is for; repeatable. sts.amazonaws.com by default.
    #[arg(long, value_name = "AUDIENCE")]
    audience: Vec<String>,
    /// How long from now the token is valid; `-10m` gives one that has expired. The platform's own lifetime by default.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    lifetime: Option<String>,
    /// Which key signs: current, rogue (never published, under the name of the current one), retired (published once).
    #[arg(long, value_name = "KEY", default_value = "current")]
    key: String,
    /// Sign with the key of another issuer: a platform's id or an issuer's URL.
    #[arg(long, value_name = "ISSUER")]
    key_of: Option<String>,
    /// What the header calls the key.
    #[arg(long, value_name = "ID")]
    kid: Option<String>,
    /// A signature that is none: `none` or `HS256`.
    #[arg(long, value_name = "ALGORITHM")]
    alg: Option<String>,
}

pub(super) async fn run(arguments: Arguments, output: &Output) -> Result {
    let url = format!("{}/mint", arguments.issuer_url.trim_end_matches('/'));
    let request = request(arguments)?;
    let token = mint(&url, &request).await?;
    if output.is_json() {
        output.answer(&MintReply { token }, |_| Ok(()))?;
    } else {
        output.raw(&format!("{token}\n"))?;
    }
    Ok(Outcome::Fine)
}

fn request(arguments: Arguments) -> Result<MintRequest> {
    let usage = |flag: &str, why: &dyn std::fmt::Display| Failure::usage(format!("{flag}: {why}"));
    let platform = catalogue().platform(&arguments.platform).ok_or_else(|| {
        Failure::usage(format!(
            "--platform: no platform `{}` is in the catalogue (`daypass issuers list` shows all)",
            arguments.platform
        ))
    })?;
    let mut request = MintRequest::new(arguments.platform);
    request.variant = arguments.variant;
    for claim in &arguments.claims {
        let (name, change): (_, Override) =
            parse_claim(platform, claim).map_err(|why| usage("--claim", &why))?;
        request.claims.insert(name, change);
    }
    if !arguments.audience.is_empty() {
        let audiences = arguments
            .audience
            .iter()
            .map(|text| Audience::parse(text))
            .collect::<std::result::Result<_, _>>();
        request.audience = Some(audiences.map_err(|why| usage("--audience", &why))?);
    }
    if let Some(text) = &arguments.lifetime {
        request.lifetime = Some(parse_lifetime(text).map_err(|why| usage("--lifetime", &why))?);
    }
    request.key = arguments.key.parse::<KeyChoice>().map_err(|why| usage("--key", &why))?;
    request.key_of = arguments.key_of;
    if let Some(text) = &arguments.kid {
        request.kid = Some(KeyId::parse(text).map_err(|why| usage("--kid", &why))?);
    }
    if let Some(text) = &arguments.alg {
        request.alg = Some(text.parse::<ForgedAlgorithm>().map_err(|why| usage("--alg", &why))?);
    }
    Ok(request)
}

async fn mint(url: &str, request: &MintRequest) -> Result<String> {
    let response = http::client()?.post(url).json(request).send().await.with_context(|| {
        format!("the development platforms at {url} cannot be reached; is `daypass up` running?")
    })?;
    let (status, text) = http::text(response).await?;
    if status.is_success() {
        let reply: MintReply = serde_json::from_str(&text).context("the answer is not understood")?;
        return Ok(reply.token);
    }
    match serde_json::from_str::<ErrorReply>(&text) {
        Ok(reply) if status.is_client_error() => Err(Failure::usage(reply.message)),
        Ok(reply) => Err(anyhow!(reply.message).into()),
        Err(_) => Err(anyhow!("{url} answered {status}").into()),
    }
}
