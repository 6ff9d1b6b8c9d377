//! `review`.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Call, daypass, write};
use crate::prove::policy;

/// A session of a job with a role, as `daypass evidence --json` tells of it.
fn session(role: &str, subject: &str) -> Value {
    json!({
        "cloud": "aws", "account": "111122223333", "class": "federated",
        "principal": format!("arn:aws:iam::111122223333:role/{role}"),
        "issuer": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
        "subject": subject, "audience": "sts.amazonaws.com", "issued": 9, "issued_since": 9, "uses": 9,
        "refused": 0, "days": 9, "first": "2026-10-11T09:00:00Z", "last": "2026-10-20T09:00:00Z",
        "expectation": "not-asked",
    })
}

fn evidence(sessions: &[Value]) -> String {
    json!({
        "since": "2026-10-11T00:00:00Z", "until": "2026-10-21T00:00:00Z", "credentials": [], "sessions": sessions,
        "runs": [], "skipped": [],
        "logs": [{
            "cloud": "aws", "account": "111122223333", "days": 10, "days_heard": 10, "hours_heard": 240,
            "regions": ["eu-west-1"], "data": true, "lost": 0, "missing": [], "silent": [],
        }],
        "read": {"files": 10, "passed_over": 0, "bytes": 1, "records": 1, "used_before_issue": 0},
    })
    .to_string()
}

/// A role that is as wide as its use, one that is wider, and one that nobody uses.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "infra/main.json", policy("repo:acme/app:ref:refs/heads/main"));
    write(place.path(), "infra/wide.json", policy("repo:acme/app:*"));
    write(place.path(), "infra/idle.json", policy("repo:acme/old:ref:refs/heads/main"));
    let seen = [
        session("main", "repo:acme/app:ref:refs/heads/main"),
        session("wide", "repo:acme/app:ref:refs/heads/main"),
        session("wide", "repo:acme/app:environment:staging"),
    ];
    write(place.path(), "evidence.json", evidence(&seen));
    place
}

fn review(place: &Path, arguments: &[&str]) -> Call {
    daypass(["review", "infra"].into_iter().chain(arguments.iter().copied())).within(place)
}

fn check<'a>(answer: &'a Value, id: &str) -> &'a Value {
    answer["checks"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap()
}

#[test]
fn checks_pass_fail_or_cannot_be_told() {
    let place = place();
    let answer = review(place.path(), &["--json"]).exits(1).json();
    assert_eq!(check(&answer, "ref-conditions")["pass"], false, "{answer:#}");
    assert_eq!(check(&answer, "exact-audience")["pass"], true, "{answer:#}");
    for id in ["workload-identity", "no-sprawl", "assumptions-logged", "no-dormant-keys"] {
        assert_eq!(check(&answer, id)["pass"], Value::Null, "{id}: {answer:#}");
    }
    let score = &answer["score"];
    let sum = ["passed", "failed", "unknown"].map(|it| score[it].as_u64().unwrap()).iter().sum::<u64>();
    assert_eq!(sum, answer["checks"].as_array().unwrap().len() as u64);
}

#[test]
fn trust_beyond_use_is_named_with_what_would_do() {
    let place = place();
    let answer = review(place.path(), &["--evidence", "evidence.json", "--json"]).exits(1).json();
    let sprawl = answer["sprawl"].as_array().unwrap();
    let of = |role: &str| sprawl.iter().find(|it| it["role"] == role);
    assert_eq!(of("idle").unwrap()["excess"], "unused", "{answer:#}");
    assert!(of("main").is_none(), "{answer:#}");
    let wide = of("wide").unwrap();
    assert_eq!((&wide["excess"], wide["observed"].as_array().unwrap().len()), (&"wider-than-used".into(), 2));
    let document = wide["narrower"]["document"].as_str().unwrap();
    assert!(document.contains("environment:staging") && !document.contains("app:*"), "{document}");
    assert_eq!(wide["narrower"]["proved"].as_array().unwrap().len(), 2);
    // What would do is what it says it is.
    write(place.path(), "narrower.json", document);
    daypass(["prove", "implies", "narrower.json", "infra/wide.json"]).within(place.path()).exits(0);
    assert_eq!(check(&answer, "assumptions-logged")["pass"], true, "{answer:#}");
}

/// A policy of AWS with a statement for each list of subjects.
fn statements(of: &[&[&str]]) -> String {
    let issuer = "token.actions.githubusercontent.com";
    let one = |(at, subjects): (usize, &&[&str])| {
        json!({
            "Sid": format!("S{at}"), "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": format!("arn:aws:iam::111122223333:oidc-provider/{issuer}")},
            "Condition": {
                "StringEquals": {format!("{issuer}:aud"): "sts.amazonaws.com"},
                "StringLike": {format!("{issuer}:sub"): subjects, format!("{issuer}:job_workflow_ref"): format!("acme/ci/.github/workflows/s{at}.yml@*")},
            },
        })
    };
    let all: Vec<Value> = of.iter().enumerate().map(one).collect();
    serde_json::to_string_pretty(&json!({"Version": "2012-10-17", "Statement": all})).unwrap()
}

#[test]
fn statements_and_values_that_nobody_needed_are_named() {
    let place = tempfile::tempdir().unwrap();
    let (main, tags, old) =
        ("repo:acme/app:ref:refs/heads/main", "repo:acme/app:ref:refs/tags/*", "repo:acme/old:*");
    let document = statements(&[&[old], &[main, tags], &["repo:acme/tool:environment:prod"]]);
    let line = |text: &str| document.lines().position(|line| line.contains(text)).unwrap() as u64 + 1;
    write(place.path(), "infra/deploy.json", &document);
    let seen = [session("deploy", main), session("deploy", "repo:acme/tool:environment:prod")];
    let ask = |evidence: &str| {
        write(place.path(), "evidence.json", evidence);
        let answer = review(place.path(), &["--evidence", "evidence.json", "--json"]).exits(1).json();
        answer["sprawl"][0].clone()
    };
    let sprawl = ask(&evidence(&seen));
    let idle: Vec<(&str, u64)> = sprawl["idle"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["what"].as_str().unwrap(), it["line"].as_u64().unwrap()))
        .collect();
    let value = format!("`{tags}` of StringLike token.actions.githubusercontent.com:sub");
    assert_eq!(idle, [("S0", line("\"Statement\"") + 1), (&*value, line(tags))], "{sprawl:#}");
    assert!(
        sprawl["why"].as_str().unwrap().contains("2 parts of it were of no use in 10 days"),
        "{sprawl:#}"
    );

    // Who came unplanned came by way of something.
    let mut unplanned = session("deploy", "repo:acme/app:ref:refs/tags/v1");
    unplanned["expectation"] = "unknown-subject".into();
    let idle = |seen: &[Value], change: &dyn Fn(&mut Value)| {
        let mut evidence: Value = serde_json::from_str(&evidence(seen)).unwrap();
        change(&mut evidence);
        ask(&evidence.to_string())["idle"].as_array().map_or(0, Vec::len)
    };
    let all = [seen.as_slice(), &[unplanned.clone()]].concat();
    assert_eq!(idle(&all, &|_| {}), 1);
    // Logs with gaps, and sessions of nobody knows whom, leave it open, and then there is nothing to write the rest from.
    assert_eq!(idle(&seen, &|evidence| evidence["logs"][0]["missing"] = json!(["2026-10-12"])), 0);
    unplanned["subject"] = "".into();
    assert_eq!(idle(&[seen.as_slice(), &[unplanned]].concat(), &|_| {}), 0);
}

#[test]
fn what_would_do_is_written_from_a_statement_that_is_used() {
    let place = tempfile::tempdir().unwrap();
    let main = "repo:acme/app:ref:refs/heads/main";
    write(
        place.path(),
        "infra/deploy.json",
        statements(&[&["repo:acme/app:*"], &["repo:acme/app:ref:refs/heads/*"]]),
    );
    write(place.path(), "evidence.json", evidence(&[session("deploy", main)]));
    let answer = review(place.path(), &["--evidence", "evidence.json", "--json"]).exits(1).json();
    // Both let it in, and nothing says by which it came.
    assert_eq!(answer["sprawl"].as_array().unwrap().len(), 0, "{answer:#}");
    assert!(check(&answer, "no-sprawl")["pass"].is_null(), "{answer:#}");

    write(
        place.path(),
        "infra/deploy.json",
        statements(&[&["repo:acme/old:*"], &["repo:acme/app:ref:refs/heads/*"]]),
    );
    let answer = review(place.path(), &["--evidence", "evidence.json", "--json"]).exits(1).json();
    let document = answer["sprawl"][0]["narrower"]["document"].as_str().unwrap();
    assert!(
        document.contains(main) && document.contains("s1.yml") && !document.contains("s0.yml"),
        "{document}"
    );
    write(place.path(), "narrower.json", document);
    daypass(["prove", "implies", "narrower.json", "infra/deploy.json"]).within(place.path()).exits(0);
}

#[test]
fn a_subject_that_the_policy_does_not_admit_makes_no_proof() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "infra/main.json", policy("repo:acme/app:ref:refs/heads/main"));
    write(place.path(), "evidence.json", evidence(&[session("main", "repo:acme/other:ref:refs/heads/main")]));
    let answer = review(place.path(), &["--evidence", "evidence.json", "--json"]).run().json();
    let sprawl = check(&answer, "no-sprawl");
    assert!(
        sprawl["pass"].is_null()
            && sprawl["places"][0]["what"].as_str().unwrap().contains("admits no token of that subject"),
        "{sprawl:#}"
    );
}

#[test]
fn what_a_baseline_accepts_does_not_fail() {
    let place = place();
    let with = |more: &[&str]| {
        let evidence = ["--evidence", "evidence.json"];
        review(place.path(), &evidence.iter().chain(more).copied().collect::<Vec<_>>())
    };
    with(&["--write-baseline", "baseline.json"]).exits(0);
    let answer = with(&["--baseline", "baseline.json", "--json"]).exits(0).json();
    assert_eq!((&answer["sprawl"], &answer["score"]["failed"]), (&json!([]), &0.into()), "{answer:#}");
    write(place.path(), "infra/new.json", policy("repo:acme/*"));
    with(&["--baseline", "baseline.json"]).exits(1);
    with(&["--baseline", "baseline.json", "--fail-under", "10"]).exits(0);
    with(&["--fail-under", "100"]).exits(1);
}

#[test]
fn every_format_is_written() {
    let place = place();
    let call = |format: &str| {
        review(place.path(), &["--evidence", "evidence.json", "--format", format]).exits(1).stdout
    };
    assert!(call("text").contains("fail     ref-conditions"), "{}", call("text"));
    assert!(call("markdown").contains("| **fail** | `ref-conditions` |"), "{}", call("markdown"));
    let sarif: Value = serde_json::from_str(&call("sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(serde_json::from_str::<Value>(&call("json")).is_ok());
    let page = call("html");
    assert!(page.contains("Content-Security-Policy") && page.contains("ref-conditions"));
    assert!(!page.contains("src=\"http") && !page.contains("<script"), "it asks for something");
}

#[test]
fn what_is_no_evidence_is_refused() {
    let place = place();
    write(place.path(), "other.json", "{}");
    let ran = review(place.path(), &["--evidence", "other.json"]).exits(2);
    assert!(ran.stderr.contains("missing field"), "{ran:?}");
    let ran = daypass(["review", "nowhere"]).within(place.path()).exits(2);
    assert!(ran.stderr.contains("cannot read `nowhere`"), "{ran:?}");
}
