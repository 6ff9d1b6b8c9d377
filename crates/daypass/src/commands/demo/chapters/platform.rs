//! The platform: its discovery document, and the token of a job.

use daypass_claims::Issuer;
use daypass_devissuer::MintRequest;
use daypass_token::UnverifiedToken;
use serde_json::Value;

use crate::commands::demo::stage::Stage;
use crate::commands::demo::teller::Teller;
use crate::failure::Result;

/// Where CircleCI says it is, for the organisation acme.
const CIRCLECI: &str = "https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001";

/// The claims that the article's job has.
const CLAIMS: [&str; 9] = [
    "aud",
    "exp",
    "iat",
    "iss",
    "oidc.circleci.com/context-ids",
    "oidc.circleci.com/project-id",
    "oidc.circleci.com/vcs-origin",
    "oidc.circleci.com/vcs-ref",
    "sub",
];

pub(in super::super) async fn tell(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    teller.chapter(
        "1. The CI platform vouches for a job",
        "CircleCI publishes who it is and which keys it signs with, one issuer for each organisation.",
    )?;
    discovery(stage, teller).await?;
    token(stage, teller).await
}

async fn discovery(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    let issuer = Issuer::parse(CIRCLECI)?;
    let document = stage.get(&stage.issuer().discovery_url(&issuer)?).await?;
    teller.show(serde_json::to_string_pretty(&document)?)?;
    let text = |member: &str| document.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let claims = document.get("claims_supported").and_then(Value::as_array).map_or(0, Vec::len);
    teller.step(
        "discovery",
        "the discovery document",
        format!("{CIRCLECI}, keys at {CIRCLECI}/.well-known/jwks-pub.json, 9 claims, RS256"),
        format!(
            "{}, keys at {}, {claims} claims, {}",
            text("issuer"),
            text("jwks_uri"),
            document
                .pointer("/id_token_signing_alg_values_supported/0")
                .and_then(Value::as_str)
                .unwrap_or_default()
        ),
    )
}

async fn token(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    let token = UnverifiedToken::parse(&stage.mint(MintRequest::new("circleci")).await?)?;
    let claims = token.unverified_claims();
    let shown: Vec<String> =
        CLAIMS.iter().filter_map(|name| Some(format!("{name} = {}", claims.get(name)?))).collect();
    teller.show(shown.join("\n"))?;
    teller.step(
        "token",
        "a job's token, decoded: the raw material of trust",
        "9 of the article's 9 claims",
        format!("{} of the article's {} claims", shown.len(), CLAIMS.len()),
    )
}
