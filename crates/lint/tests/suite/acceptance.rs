//! Findings that are taken back: by comments, by a baseline.

use daypass_lint::{Baseline, Options, Report, check};
use daypass_sources::MemoryTree;
use daypass_trust::document::Source;

const POLICY: &str = r#"resource "aws_iam_role" "deploy" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
        StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:northwind/*" }
      }
    }]
  })
}
"#;

fn report(text: &str) -> Report {
    check(&MemoryTree::new().with("main.tf", text), &[""], &Options::default())
}

fn rules(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|it| it.rule).collect()
}

#[test]
fn a_comment_with_a_reason_takes_a_finding_back() {
    assert_eq!(rules(&report(POLICY)), ["organisation-wide"]);
    let above_the_role = format!("# daypass:ignore organisation-wide a sandbox for all of us\n{POLICY}");
    let beside =
        POLICY.replace("northwind/*\" }", "northwind/*\" } # daypass:ignore organisation-wide a sandbox");
    for text in [above_the_role, beside] {
        let report = report(&text);
        assert_eq!(rules(&report), Vec::<&str>::new(), "{text}");
        assert!(report.ignored[0].reason.starts_with("a sandbox"));
        assert_eq!(report.ignored[0].finding.rule, "organisation-wide");
    }
}

#[test]
fn a_comment_that_does_nothing_is_a_finding() {
    for (comment, why) in [
        ("# daypass:ignore organisation-wide", "without a reason"),
        ("# daypass:ignore organization-wide a sandbox", "no rule is called"),
        ("# daypass:ignore any-tag releases", "finds nothing here"),
    ] {
        let report = report(&format!("{comment}\n{POLICY}"));
        assert_eq!(rules(&report), ["useless-ignore", "organisation-wide"], "{comment}");
        assert!(report.findings[0].message.contains(why), "{}", report.findings[0].message);
    }
}

#[test]
fn a_baseline_holds_wherever_the_words_stand_and_not_for_others() {
    let baseline = Baseline::of(&report(POLICY));
    let written = Source::new("baseline.json", baseline.to_json().unwrap());
    let baseline = Baseline::parse(&written).unwrap();

    let mut moved = report(&format!("\n\n# moved\n{POLICY}"));
    assert!(baseline.apply(&mut moved).is_empty());
    assert_eq!((moved.findings.len(), moved.accepted.len()), (0, 1));

    let mut wider = report(&POLICY.replace("northwind/*", "northwind*"));
    let stale = baseline.apply(&mut wider);
    assert_eq!((stale.len(), wider.accepted.len()), (1, 0));
    assert_eq!(rules(&wider), ["open-prefix"]);
}

#[test]
fn what_is_no_baseline_is_refused_with_its_place() {
    let refused = |text: &str| Baseline::parse(&Source::new("b.json", text)).unwrap_err().to_string();
    assert!(refused("{\n\"version\": 1, \"findings\": 3}").starts_with("b.json:2:"));
    assert!(refused("{\"version\": 2, \"findings\": []}").contains("version 2"));
}
