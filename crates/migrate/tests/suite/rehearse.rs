use daypass_claims::ClaimSet;
use daypass_migrate::generate::{Existing, Format, Recorded, Rehearsed, generate, rehearse};
use daypass_migrate::{Cloud, Plan, Survey};
use daypass_trust::document::Source;
use daypass_trust::{CompileOptions, Dialect, compile};

use crate::estate::{GITHUB, GITHUB_FILE, filled, survey_of};

const ROLE: &str = "aws-s3-write-shop-production";

fn shop() -> (Survey, Plan) {
    let survey = survey_of(&[(GITHUB_FILE, GITHUB)]);
    let plan = filled(&survey);
    (survey, plan)
}

fn of(all: Vec<Rehearsed>) -> Rehearsed {
    all.into_iter().find(|it| it.role == ROLE).unwrap()
}

/// Trust that asks for this subject.
fn trust(subject: &str) -> Existing {
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
          "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}},
          "Condition": {{"StringEquals": {{"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
            "StringLike": {{"token.actions.githubusercontent.com:sub": "{subject}"}}}}}}]}}"#
    );
    let source = Source::new("trust.json", text.as_str());
    let policy = compile(Dialect::Aws, &source, &CompileOptions::default()).unwrap().policy;
    Existing { names: vec![ROLE.to_owned()], policy }
}

/// What the job is given, by the proof, or would be in another environment.
fn token(environment: &str) -> Recorded {
    let (survey, plan) = shop();
    let made = generate(&plan, &survey, None, Cloud::Aws, Format::Document);
    let role = made.roles.iter().find(|role| role.role == ROLE).unwrap();
    let witness = &role.trusts[0].admits[0];
    let text = serde_json::to_string(&witness.claims).unwrap().replace("production", environment);
    Recorded {
        name: format!("{environment}.json"),
        issuer: witness.issuer.clone(),
        claims: ClaimSet::from_json(text.as_bytes()).unwrap(),
    }
}

#[test]
fn what_would_be_generated_lets_every_job_in_and_nobody_else() {
    let (survey, plan) = shop();
    let found = of(rehearse(&plan, &survey, None, None, &[token("production"), token("staging")]));
    assert!(found.is_clean(), "{found:#?}");
    let files: Vec<&str> = found.admitted.iter().map(|it| &*it.file).collect();
    assert_eq!(files, [GITHUB_FILE, "production.json"]);
}

#[test]
fn a_job_that_is_refused_is_told_why() {
    let (survey, plan) = shop();
    let existing = [trust("repo:acme@1001/shop@2002:environment:prod")];
    let found = of(rehearse(&plan, &survey, None, Some(&existing), &[token("production")]));
    assert_eq!(found.missing.len(), 2, "{found:#?}");
    assert!(found.missing.iter().all(|it| it.job == "production" && !it.why.is_empty()), "{found:#?}");
    assert!(!found.is_clean());
}

#[test]
fn whoever_else_gets_in_is_named() {
    let (survey, plan) = shop();
    let existing = [trust("repo:acme@1001/shop@2002:*")];
    let found = of(rehearse(&plan, &survey, None, Some(&existing), &[token("staging")]));
    assert!(found.missing.is_empty(), "{found:#?}");
    assert!(found.slack.iter().any(|it| it.unwanted && it.subject.ends_with(":pull_request")), "{found:#?}");
    assert!(found.slack.iter().any(|it| it.who.contains("staging.json")), "{found:#?}");
}

#[test]
fn a_role_without_trust_is_said() {
    let (survey, plan) = shop();
    let found = of(rehearse(&plan, &survey, None, Some(&[]), &[]));
    assert_eq!(found.refused, [format!("there is no trust of a role `{ROLE}`")]);
    assert!(!found.is_clean());
}
