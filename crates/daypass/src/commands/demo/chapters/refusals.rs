//! The refusals: everything that must not get a credential, each with its own reason.

use daypass_claims::{Audience, ClaimValue};
use daypass_devissuer::{ForgedAlgorithm, KeyChoice, MintRequest};

use super::exchange::told;
use super::outcome;
use crate::commands::demo::stage::{Answer, Stage, now};
use crate::commands::demo::teller::Teller;
use crate::failure::Result;

/// A token that must be refused.
struct Case {
    id: &'static str,
    title: &'static str,
    role: &'static str,
    token: MintRequest,
    reason: &'static str,
}

pub(in super::super) async fn tell(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    teller.chapter(
        "3. What must be refused is refused, each for its own reason",
        "Reasons are as they stand on record, for the operator; what a caller is told is configurable, and shown dimmed.",
    )?;
    for case in cases()? {
        let token = stage.mint(case.token).await?;
        let answer = stage.assume(case.role, &token, None).await?;
        teller.step(case.id, case.title, format!("refused: {}", case.reason), outcome(&answer, case.role))?;
        told(teller, &answer)?;
    }
    replayed(stage, teller).await?;
    let token = stage.mint(job()).await?;
    let answer = stage.assume("deploy-staging", &token, Some(7_200)).await?;
    teller.step(
        "session-too-long",
        "a session longer than the role allows",
        "refused: session-too-long",
        outcome(&answer, "deploy-staging"),
    )?;
    told(teller, &answer)
}

/// The job that may assume staging.
fn job() -> MintRequest {
    MintRequest::new("github-actions")
}

fn production() -> MintRequest {
    job().claim("environment", "production")
}

fn cases() -> Result<Vec<Case>> {
    let in_an_hour = ClaimValue::from(now().as_secs() + 3_600);
    let case = |id, title, role, token, reason| Case { id, title, role, token, reason };
    let unsigned = MintRequest { alg: Some(ForgedAlgorithm::None), ..job() };
    let of_another = MintRequest { key_of: Some("gitlab-com".to_owned()), ..job() };
    Ok(vec![
        case(
            "feature-branch",
            "a feature branch at production",
            "deploy-prod",
            production().claim("ref", "refs/heads/feature/new-login"),
            "trust-denied by claims.ref",
        ),
        case(
            "sibling-repository",
            "another repository of the same organisation",
            "deploy-staging",
            job().claim("repository", "acme/website").claim("repository_id", "2003"),
            "trust-denied by claims.repository_id",
        ),
        case(
            "other-organisation",
            "another organisation, on the issuer that all of GitHub shares",
            "deploy-staging",
            job()
                .claim("repository", "mallory/app")
                .claim("repository_id", "9002")
                .claim("repository_owner", "mallory")
                .claim("repository_owner_id", "9001"),
            "trust-denied by claims.repository_id, claims.repository_owner_id",
        ),
        case(
            "other-audience",
            "a token that was made for somebody else",
            "deploy-staging",
            job().audience(Audience::parse("https://vault.acme.example")?),
            "audience-mismatch",
        ),
        case("expired", "an expired token", "deploy-staging", job().lifetime(-600), "token-expired"),
        case(
            "not-yet-valid",
            "a token that is not valid yet",
            "deploy-staging",
            job().claim("nbf", in_an_hour),
            "token-not-yet-valid",
        ),
        case(
            "forged",
            "a forgery under the name of the issuer's key",
            "deploy-staging",
            job().key(KeyChoice::Rogue),
            "signature-invalid",
        ),
        case("unsigned", "a token with the algorithm `none`", "deploy-staging", unsigned, "algorithm-none"),
        case(
            "key-of-another-issuer",
            "a token signed by another issuer's key",
            "deploy-staging",
            of_another,
            "key-id-unknown",
        ),
    ])
}

/// A token that was taken from a log, after its job has used it.
async fn replayed(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    let token = stage.mint(job()).await?;
    let first = stage.exchange_token("deploy-staging", &token, Some("job")).await?;
    let again = stage.exchange_token("deploy-staging", &token, Some("thief")).await?;
    let used = matches!(first, Answer::Session(_));
    teller.step(
        "replayed",
        "a token that its job has used already",
        "refused: token-used",
        if used { outcome(&again, "deploy-staging") } else { "not even used once".to_owned() },
    )?;
    told(teller, &again)
}
