//! The article's own trust policy for CircleCI on AWS, and what works in its place.

use daypass_claims::ClaimSet;
use daypass_devissuer::MintRequest;
use daypass_token::UnverifiedToken;
use daypass_trust::document::Source;
use daypass_trust::{CompileOptions, Context, Dialect, Evaluation, compile, evaluate};

use super::stage::Stage;
use super::teller::Teller;
use crate::failure::{Failure, Result};

/// As the article has it, with acme's organisation and repository in the place of its placeholders.
const ARTICLE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001"
      },
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": {
        "StringEquals": {
          "oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001:aud": "0a1b2c3d-0000-4000-8000-000000000001",
          "oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001:oidc.circleci.com/vcs-ref": "refs/heads/main"
        },
        "StringLike": {
          "oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001:oidc.circleci.com/vcs-origin": "github.com/acme/app"
        }
      }
    }
  ]
}"#;

/// AWS fills `project-id`, and it fills `sub`, which names origin and ref in CircleCI's second token.
const BY_SUBJECT: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001"
      },
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": {
        "StringEquals": {
          "oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001:aud": "0a1b2c3d-0000-4000-8000-000000000001",
          "oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001:oidc.circleci.com/project-id": "11111111-1111-4111-8111-111111111111"
        },
        "StringLike": {
          "oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001:sub": "org/0a1b2c3d-0000-4000-8000-000000000001/project/11111111-1111-4111-8111-111111111111/user/*/vcs-origin/github.com/acme/app/vcs-ref/refs/heads/main"
        }
      }
    }
  ]
}"#;

pub(super) async fn tell(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    teller.chapter(
        "4. The article's own trust policy, on AWS",
        "AWS hands a policy only those claims that it lists as condition keys for the issuer. Everything else is absent\n\
         there, whatever the token says.",
    )?;
    let organisation = daypass_claims::Audience::parse("0a1b2c3d-0000-4000-8000-000000000001")?;
    let token = |variant: &str| {
        let request = MintRequest::new("circleci").variant(variant).audience(organisation.clone());
        stage.mint(request)
    };
    let (first, second) = (claims(&token("v1").await?)?, claims(&token("v2").await?)?);

    let evaluation = decide("article.json", ARTICLE, &second)?;
    let impossible: Vec<&str> = evaluation
        .nearest_miss
        .iter()
        .filter(|miss| miss.impossible.is_some())
        .map(|miss| if miss.condition.contains("vcs-ref") { "vcs-ref" } else { "vcs-origin" })
        .collect();
    teller.step(
        "article-policy",
        "the article's policy and the very job that it is meant for",
        "deny: no token can ever satisfy vcs-ref, vcs-origin",
        format!("{}: no token can ever satisfy {}", evaluation.outcome, impossible.join(", ")),
    )?;
    for miss in &evaluation.nearest_miss {
        teller.show(format!("{}: {}", miss.condition, miss.impossible.as_deref().unwrap_or(&miss.wanted)))?;
    }

    teller.show("what works: project-id, which AWS fills, and the subject of CIRCLE_OIDC_TOKEN_V2, which names origin and ref")?;
    let evaluation = decide("by-subject.json", BY_SUBJECT, &second)?;
    teller.step(
        "article-policy-by-subject",
        "the same wish, written on project-id and the V2 subject",
        "allow",
        evaluation.outcome.to_string(),
    )?;
    let evaluation = decide("by-subject.json", BY_SUBJECT, &first)?;
    teller.step(
        "article-policy-other-token",
        "and the first token of that job, whose subject names neither",
        "deny",
        evaluation.outcome.to_string(),
    )
}

fn claims(token: &str) -> Result<ClaimSet> {
    Ok(UnverifiedToken::parse(token)?.unverified_claims().clone())
}

fn decide(name: &str, policy: &str, claims: &ClaimSet) -> Result<Evaluation> {
    let source = Source::new(name, policy);
    let compiled = compile(Dialect::Aws, &source, &CompileOptions::default())
        .map_err(|error| Failure::input(error.problems, vec![source.clone()]))?;
    Ok(evaluate(&compiled.policy, claims, &Context::new()))
}
