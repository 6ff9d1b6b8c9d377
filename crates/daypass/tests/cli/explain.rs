//! `explain`: what a policy decides.

use std::path::Path;

use crate::program::{Call, daypass, steadily, write};

const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
      "StringEquals": {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"
      }
    }
  }]
}"#;
const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn claims(subject: &str) -> String {
    format!(r#"{{"iss": "{GITHUB}", "aud": "sts.amazonaws.com", "sub": "{subject}"}}"#)
}

fn explain(place: &Path, more: &[&str]) -> Call {
    write(place, "trust.json", POLICY);
    write(place, "main.json", claims("repo:acme/app:ref:refs/heads/main"));
    write(place, "dev.json", claims("repo:acme/app:ref:refs/heads/dev"));
    daypass(["explain"].into_iter().chain(more.iter().copied())).within(place)
}

#[test]
fn each_answer_has_its_exit_code_and_its_reasons() {
    let place = tempfile::tempdir().unwrap();
    // What the session shall be called is not said.
    let unknown =
        POLICY.replace("\"StringEquals\": {", "\"StringEquals\": {\"sts:RoleSessionName\": \"ci\",");
    write(place.path(), "unknown.json", unknown);
    let mut seen = String::new();
    for (policy, claims, outcome) in [
        ("trust.json", "main.json", "allow"),
        ("trust.json", "dev.json", "deny"),
        ("unknown.json", "main.json", "unknown"),
    ] {
        let arguments = ["--policy", policy, "--claims", claims];
        let code = i32::from(outcome != "allow");
        let answer = explain(place.path(), &[&arguments[..], &["--json"]].concat()).exits(code).json();
        assert_eq!(answer["outcome"], outcome, "{answer:#}");
        assert_eq!(answer["nearest_miss"].as_array().unwrap().is_empty(), outcome == "allow", "{answer:#}");
        seen.push_str(&explain(place.path(), &arguments).exits(code).seen());
    }
    steadily(|| insta::assert_snapshot!("explain", seen));
}

#[test]
fn claims_come_from_files_tokens_and_stdin() {
    let place = tempfile::tempdir().unwrap();
    let allowed = |more: &[&str], input: &str| {
        explain(place.path(), &[&["--policy", "trust.json"], more].concat()).input(input).exits(0);
    };
    allowed(&["--claims", "-"], &claims("repo:acme/app:ref:refs/heads/main"));
    let without = r#"{"aud": "sts.amazonaws.com", "sub": "repo:acme/app:ref:refs/heads/main"}"#;
    allowed(&["--claims", "-", "--issuer", GITHUB], without);
    allowed(&["--claims", "main.json", "--dialect", "aws", "--account", "123456789012"], "");
    allowed(&["--claims", "main.json", "--context", "sts:RoleSessionName=ci"], "");
}

#[test]
fn a_role_of_a_configuration_is_explained() {
    let place = tempfile::tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/acme/daypass.toml");
    let file = file.to_str().unwrap();
    let ran =
        explain(place.path(), &["--config", file, "--role", "deploy-prod", "--claims", "main.json"]).exits(1);
    assert!(ran.stdout.contains("nearest miss"), "{ran:?}");
    let ran =
        explain(place.path(), &["--config", file, "--role", "deploy", "--claims", "main.json"]).exits(2);
    assert!(ran.stderr.contains("has no role `deploy`"), "{ran:?}");
}

#[test]
fn what_cannot_be_asked_is_said() {
    let place = tempfile::tempdir().unwrap();
    let bad: [&[&str]; 8] = [
        &[],
        &["--policy", "trust.json"],
        &["--policy", "trust.json", "--claims", "main.json", "--token-file", "main.json"],
        &["--policy", "trust.json", "--claims", "main.json", "--dialect", "cedar"],
        &["--policy", "trust.json", "--claims", "main.json", "--issuer", "github"],
        &["--policy", "trust.json", "--claims", "main.json", "--context", "sts:RoleSessionName"],
        &["--config", "daypass.toml", "--claims", "main.json"],
        &["--role", "deploy", "--claims", "main.json"],
    ];
    let said: String = bad.iter().map(|more| explain(place.path(), more).exits(2).seen()).collect();
    steadily(|| insta::assert_snapshot!("explain-misused", said));
}
