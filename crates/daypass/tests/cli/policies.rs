//! `test`: written expectations about policies.

use std::path::Path;

use crate::program::{daypass, steadily, write};

const NATIVE: &str = r#"[[trust]]
issuer = "github-actions"
audience = "sts.amazonaws.com"
claims.repository_id = "2002"
claims.repository_owner_id = "1001"
"#;

const TOML: &str = r#"policy = "../native.toml"
[[case]]
name = "acme/app deploys"
claims = { iss = "https://token.actions.githubusercontent.com", aud = "sts.amazonaws.com", repository_id = "2002", repository_owner_id = "1001" }
expect = "allow"
[[case]]
name = "nobody else does"
claims = { iss = "https://token.actions.githubusercontent.com", aud = "sts.amazonaws.com", repository_id = "9", repository_owner_id = "1001" }
expect = "deny"
"#;

const JSON: &str = r#"{"policy": null, "cases": [
  {"name": "brings its own", "expect": "allow", "issuer": "https://gitlab.com",
   "document": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
     "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/gitlab.com"},
     "Condition": {"StringEquals": {"gitlab.com:sub": "x", "sts:RoleSessionName": "ci"}}}]},
   "claims": {"sub": "x", "aud": "a"}, "context": {"sts:RoleSessionName": "ci"}},
  {"name": "names a file that is not there", "expect": "deny", "policy": "nowhere.json", "claims": {"sub": "x"}}
]}"#;

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "native.toml", NATIVE);
    write(place.path(), "tests/good.test.toml", TOML);
    write(place.path(), "tests/wrong.test.toml", TOML.replace("\"deny\"", "\"allow\""));
    write(place.path(), "json/one.test.json", JSON);
    place
}

fn test(place: &Path, files: &[&str]) -> crate::program::Call {
    daypass(["test"].into_iter().chain(files.iter().copied())).within(place)
}

#[test]
fn cases_that_hold_are_counted() {
    let place = place();
    let answer = test(place.path(), &["tests/good.test.toml", "--json"]).exits(0).json();
    assert_eq!(
        (&answer["passed"], &answer["failed"]),
        (&2.into(), &0.into()),
        "paths are relative to the file"
    );
    assert_eq!(answer["cases"][1]["got"], "deny");
}

#[test]
fn cases_that_do_not_hold_say_why() {
    let place = place();
    let files = ["tests/good.test.toml", "tests/wrong.test.toml", "json/one.test.json"];
    steadily(|| insta::assert_snapshot!("test", test(place.path(), &files).exits(1).seen()));
    let answer = test(place.path(), &[&files[..], &["--json"]].concat()).exits(1).json();
    assert_eq!((&answer["passed"], &answer["failed"]), (&4.into(), &2.into()), "{answer:#}");
    assert_eq!(answer["cases"][5]["got"], serde_json::Value::Null);
}

#[test]
fn a_test_file_is_needed() {
    assert!(daypass(["test"]).exits(2).stderr.contains("<FILE>"));
}
