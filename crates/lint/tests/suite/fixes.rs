//! Fixes: what they write, that all else stays as it was, and that they are offered only where they are proved.

use daypass_lint::{Fix, Options, Report, check};
use daypass_prove::{Estate, Home};
use daypass_sources::MemoryTree;
use daypass_trust::document::Source;

fn options() -> Options {
    let estate = "[[organisation]]\nplatform = \"github-actions\"\nname = \"northwind\"\nid = \"7700\"\n\
                  [[repository]]\nplatform = \"github-actions\"\nname = \"northwind/api\"\nid = \"8800\"\n";
    let mut options = Options::default();
    options.prover.estate = Estate::parse(&Source::new("daypass.estate.toml", estate)).unwrap();
    options
}

fn json(subject: &str) -> String {
    format!(
        r#"{{
  "Version": "2012-10-17",
  "Statement": [ {{ "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": {{"Federated": "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com"}},
    "Condition": {{"StringEquals": {{"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
                  "StringLike":   {{"token.actions.githubusercontent.com:sub":   {subject} }} }} }} ]
}}
"#
    )
}

fn report(file: &str, text: &str, options: &Options) -> Report {
    check(&MemoryTree::new().with(file, text), &[file], options)
}

fn fixed(file: &str, text: &str, options: &Options) -> String {
    let report = report(file, text, options);
    Fix::apply_all(text, report.findings.iter().filter_map(|it| it.fix.as_ref()))
}

#[test]
fn a_classic_subject_is_joined_by_the_immutable_one() {
    let both = r#"["repo:northwind/api:environment:live", "repo:northwind@7700/api@8800:environment:live"]"#;
    let text = json(r#""repo:northwind/api:environment:live""#);
    let new = fixed("trust.json", &text, &options());
    assert_eq!(new, json(both), "and nothing else changed");
    let after = report("trust.json", &new, &options());
    assert_eq!(after.findings.iter().map(|it| it.rule).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn in_a_list_of_terraform_it_is_one_more_value() {
    let text = r#"data "aws_iam_policy_document" "d" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:northwind/api:environment:live"] # the one
    }
  }
}
resource "aws_iam_role" "d" { assume_role_policy = data.aws_iam_policy_document.d.json }
"#;
    let wanted = text.replace(
        r#"["repo:northwind/api:environment:live"]"#,
        r#"["repo:northwind/api:environment:live", "repo:northwind@7700/api@8800:environment:live"]"#,
    );
    assert_eq!(fixed("main.tf", text, &options()), wanted);
}

#[test]
fn a_pattern_becomes_the_subject_of_the_declared_job_and_is_proved_narrower() {
    let mut options = options();
    let home = ["owner=northwind", "owner_id=7700", "repo=northwind/api", "repo_id=8800", "environment=live"];
    options.home = Some(Home::from_pairs(home).unwrap());
    for pattern in ["repo:northwind*", "repo:northwind/*", "repo:northwind/api:*"] {
        let new = fixed("trust.json", &json(&format!("\"{pattern}\"")), &options);
        let report = report("trust.json", &new, &options);
        assert!(new.contains("environment:live\""), "{pattern}: {new}");
        assert!(report.findings.iter().all(|it| it.verdict.is_none()), "{pattern}: {:?}", report.findings);
    }
}

#[test]
fn without_a_declared_job_nothing_is_guessed() {
    let text = json(r#""repo:northwind/*""#);
    assert_eq!(fixed("trust.json", &text, &options()), text);
}
