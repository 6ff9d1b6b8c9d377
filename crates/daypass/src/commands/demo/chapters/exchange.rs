//! The exchange: tokens become credentials, and environments stay apart.

use daypass_claims::{Algorithm, Audience, Issuer};
use daypass_devissuer::MintRequest;
use daypass_token::{Expectations, KeySet, UnverifiedToken, verify};

use super::outcome;
use crate::commands::demo::stage::{Answer, SESSION, Stage, now};
use crate::commands::demo::teller::Teller;
use crate::failure::Result;

/// The context of acme's production on CircleCI.
const PRODUCTION_CONTEXT: &str = "33333333-3333-4333-8333-333333333333";

pub(in super::super) async fn tell(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    teller.chapter(
        "2. A token becomes a credential",
        "The signature is checked with the issuer's keys, the role's trust decides on the claims, the decision is on\n\
         record, and only then a credential leaves.",
    )?;
    let session = assumed(stage, teller).await?;
    teller.step(
        "caller-identity",
        "GetCallerIdentity, signed with the keys that were issued",
        format!("arn:aws:sts::{}:assumed-role/deploy-staging/{SESSION}", stage.config().account_id),
        stage.who_am_i(&session).await?,
    )?;
    apart(stage, teller).await?;
    reissued(stage, teller).await
}

async fn assumed(stage: &Stage, teller: &mut Teller<'_>) -> Result<super::super::stage::Keys> {
    let circleci = stage.mint(MintRequest::new("circleci")).await?;
    let answer = stage.assume("deploy-staging", &circleci, None).await?;
    teller.step(
        "staging-circleci",
        "CircleCI, main with the staging context, by AssumeRoleWithWebIdentity",
        "assumed deploy-staging as demo",
        outcome(&answer, "deploy-staging"),
    )?;
    let github = stage.mint(MintRequest::new("github-actions")).await?;
    let answer = stage.assume("deploy-staging", &github, None).await?;
    teller.step(
        "staging-github",
        "GitHub Actions, main, by AssumeRoleWithWebIdentity",
        "assumed deploy-staging as demo",
        outcome(&answer, "deploy-staging"),
    )?;
    match answer {
        Answer::Session(keys) => {
            teller.show(format!("{} until {}", keys.access_key_id, keys.expires_at))?;
            Ok(keys)
        }
        _ => Err(anyhow::anyhow!("there are no keys to go on with").into()),
    }
}

/// Staging and production of one repository, from one branch: two roles, and no token for both.
async fn apart(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    let production = || MintRequest::new("github-actions").claim("environment", "production");
    let token = stage.mint(production()).await?;
    let answer = stage.exchange_token("deploy-prod", &token, Some(SESSION)).await?;
    teller.step(
        "production-github",
        "GitHub Actions, main in the production environment, by OAuth token exchange (RFC 8693)",
        "assumed deploy-prod as demo",
        outcome(&answer, "deploy-prod"),
    )?;
    let context = daypass_claims::ClaimValue::from(vec![PRODUCTION_CONTEXT]);
    let token = MintRequest::new("circleci").claim("oidc.circleci.com/context-ids", context);
    let answer = stage.assume("deploy-prod", &stage.mint(token).await?, None).await?;
    teller.step(
        "production-circleci",
        "CircleCI, main with the production context",
        "assumed deploy-prod as demo",
        outcome(&answer, "deploy-prod"),
    )?;
    let token = stage.mint(MintRequest::new("github-actions")).await?;
    let answer = stage.assume("deploy-prod", &token, None).await?;
    teller.step(
        "staging-is-not-production",
        "the same repository and branch, outside of the production environment, at production",
        "refused: trust-denied by claims.environment",
        outcome(&answer, "deploy-prod"),
    )?;
    told(teller, &answer)?;
    let answer = stage.assume("deploy-staging", &stage.mint(production()).await?, None).await?;
    teller.step(
        "production-is-not-staging",
        "a production job at staging",
        "refused: trust-denied by claims.environment",
        outcome(&answer, "deploy-staging"),
    )
}

/// A token of our own, for relying parties that trust one issuer with subjects of one form.
async fn reissued(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    let release =
        MintRequest::new("github-actions").claim("ref", "refs/tags/v1.4.0").claim("ref_type", "tag");
    let answer = stage.exchange_token("publish", &stage.mint(release).await?, None).await?;
    let got = match &answer {
        Answer::Token(token) => check_reissued(stage, token).await?,
        other => outcome(other, "publish"),
    };
    teller.step(
        "reissued",
        "a release's token, re-issued as one of ours and verified with our published keys",
        "repository:acme/app:ref:refs/tags/v1.4.0 for https://registry.acme.example",
        got,
    )
}

async fn check_reissued(stage: &Stage, token: &str) -> Result<String> {
    let issuer = Issuer::parse(&stage.config().public_url)?;
    let discovery = stage.get(&daypass_token::discovery::well_known_url(&issuer)).await?;
    let jwks_uri = discovery.get("jwks_uri").and_then(serde_json::Value::as_str).unwrap_or_default();
    let jwks = stage.get(jwks_uri).await?.to_string();
    let (keys, _) = KeySet::from_jwks(issuer.clone(), jwks.as_bytes(), daypass_token::JwksLimits::default())?;
    let token = UnverifiedToken::parse(token)?;
    let audiences = [Audience::parse("https://registry.acme.example")?];
    let selected = keys.select(&token, &[Algorithm::ES256])?;
    let verified = verify(&token, &selected, &Expectations::new(&issuer, &audiences), now())?;
    Ok(format!("{} for {}", verified.subject(), verified.audience()))
}

/// What the caller was told.
pub(super) fn told(teller: &Teller<'_>, answer: &Answer) -> Result<()> {
    match answer {
        Answer::Refused { told, .. } => teller.show(told),
        _ => Ok(()),
    }
}
