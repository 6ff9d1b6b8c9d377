//! Reports as people and machines get them.

use daypass_lint::render::{self, TextOptions};
use daypass_lint::{Options, Report, Severity, check};
use daypass_sources::MemoryTree;
use serde_json::Value;

const ROLE: &str = r#"resource "aws_iam_role" "deploy" {
  name = "deploy"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
        StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:northwind*" }
      }
    }]
  })
}
"#;

const WORKFLOW: &str = "on: push\npermissions: {contents: read}\njobs:\n  go:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with: {role-to-assume: 'arn:aws:iam::444455556666:role/deploy'}\n";

fn report() -> Report {
    let tree = MemoryTree::new()
        .with("infra/main.tf", ROLE)
        .with(".github/workflows/a, b.yml", WORKFLOW)
        .with("broken.json", "{\"Statement\": [")
        .with(
            "infra/other.tf",
            "resource \"aws_iam_role\" \"x\" {\n  assume_role_policy = var.trust\n}\nvariable \"trust\" {}\n",
        );
    check(&tree, &[""], &Options::default())
}

#[test]
fn people_see_the_lines_and_the_token() {
    let shown = render::text(&report(), TextOptions::default());
    insta::assert_snapshot!(shown);
    let coloured = render::text(&report(), TextOptions { colour: true, width: 120 });
    assert!(coloured.contains("\u{1b}[") && !shown.contains("\u{1b}["));
}

#[test]
fn scripts_read_what_the_interface_says() {
    let json: Value = serde_json::from_str(&report().to_json().unwrap()).unwrap();
    assert_eq!(json["policies"], 1);
    let finding = json["findings"].as_array().unwrap().iter().find(|it| it["rule"] == "open-prefix").unwrap();
    assert_eq!((finding["severity"].as_str(), finding["verdict"].as_str()), (Some("high"), Some("bad")));
    assert_eq!((finding["file"].as_str(), finding["line"].as_u64()), (Some("infra/main.tf"), Some(11)));
    assert_eq!(finding["role"], "aws_iam_role.deploy");
    assert!(finding["witness"]["claims"]["sub"].as_str().unwrap().starts_with("repo:northwind"));
    assert_eq!(json["unresolved"].as_array().unwrap().len(), 1);
    assert_eq!(json["problems"][0]["file"], "broken.json");
    assert_eq!(json["matrix"][0]["personas"][0]["persona"], "intended");
}

#[test]
fn sarif_is_valid() {
    let log: Value = serde_json::from_str(&render::sarif(&report(), "0.1.0").unwrap()).unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sarif-schema-2.1.0.json");
    // One pattern of the published schema has a bracket too many for a regular expression.
    let schema = std::fs::read_to_string(schema).unwrap().replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}?$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), report().findings.len());
    let uris: Vec<&Value> =
        results.iter().map(|it| &it["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]).collect();
    assert!(uris.contains(&&Value::from(".github/workflows/a,%20b.yml")), "{uris:?}");
}

#[test]
fn a_comment_on_a_pull_request_has_the_findings_and_the_matrix() {
    insta::assert_snapshot!(render::markdown(&report()));
}

#[test]
fn workflow_commands_name_file_and_line() {
    insta::assert_snapshot!(render::github(&report()));
}

#[test]
fn what_matters_less_can_be_left_out() {
    let mut report = report();
    assert!(report.reaches(Severity::High));
    report.retain_at_least(Severity::High);
    assert!(report.findings.iter().all(|it| it.severity == Severity::High));
}
