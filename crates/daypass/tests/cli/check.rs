//! `check`.

use crate::program::{daypass, write};
use crate::prove::policy;

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "infra/open.json", policy("repo:acme*"));
    write(place.path(), "infra/main.json", policy("repo:acme/app:ref:refs/heads/main"));
    place
}

#[test]
fn an_open_role_is_found_with_a_token_that_gets_in() {
    let place = place();
    let report = daypass(["check", "--json"]).within(place.path()).exits(1).json();
    assert_eq!(report["policies"], 2, "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    let bad = findings.iter().find(|finding| finding["verdict"] == "bad").unwrap();
    assert_eq!((&bad["file"], &bad["severity"]), (&"infra/open.json".into(), &"high".into()), "{bad:#}");
    assert!(bad["witness"]["claims"]["sub"].as_str().unwrap().starts_with("repo:acme"));
    let of_main =
        |finding: &&serde_json::Value| finding["file"] == "infra/main.json" && finding["verdict"] == "bad";
    assert_eq!(findings.iter().filter(of_main).count(), 0);
}

#[test]
fn every_format_is_written() {
    let place = place();
    let call = |format: &str| {
        daypass(["check", "infra", "--format", format, "--fail-on", "never"])
            .within(place.path())
            .exits(0)
            .stdout
    };
    assert!(call("text").contains("infra/open.json"), "{}", call("text"));
    assert!(call("sarif").contains("\"2.1.0\""));
    assert!(call("markdown").contains("infra/open.json"));
    assert!(call("github").contains("::error file=infra/open.json,line="), "{}", call("github"));
    assert!(serde_json::from_str::<serde_json::Value>(&call("json")).is_ok());
}

#[test]
fn what_a_baseline_accepts_is_not_told_again() {
    let place = place();
    let call = |arguments: &[&str]| daypass(arguments.iter().copied()).within(place.path());
    call(&["check", "--write-baseline", "baseline.json"]).exits(0);
    let report = call(&["check", "--baseline", "baseline.json", "--json"]).exits(0).json();
    assert_eq!(report["findings"], serde_json::json!([]));
    write(place.path(), "infra/new.json", policy("repo:ac*"));
    let report = call(&["check", "--baseline", "baseline.json", "--json"]).exits(1).json();
    let files = report["findings"].as_array().unwrap().iter().map(|it| it["file"].as_str().unwrap());
    assert!(files.into_iter().all(|file| file == "infra/new.json"), "{report:#}");
}

#[test]
fn a_report_is_one_file_that_asks_for_nothing() {
    let place = place();
    daypass(["check", "--html", "report.html", "--fail-on", "never"]).within(place.path()).exits(0);
    let page = std::fs::read_to_string(place.path().join("report.html")).unwrap();
    assert!(page.contains("Content-Security-Policy") && page.contains("stranger"));
    assert!(!page.contains("src=\"http") && !page.contains("@import"), "it asks for something");
}

#[test]
fn absolute_paths_are_named_as_they_were_given() {
    let place = place();
    let path = place.path().join("infra");
    let path = path.to_str().unwrap();
    let report = daypass(["check", path, "--json"]).exits(1).json();
    let file = report["findings"][0]["file"].as_str().unwrap();
    assert!(file.starts_with(path), "{file}");
}

#[test]
fn a_broken_file_is_told_of_and_the_rest_goes_on() {
    let place = place();
    write(place.path(), "infra/broken.json", r#"{"Version": "2012-10-17", "Statement": [}"#);
    let report =
        daypass(["check", "infra/broken.json", "infra", "--json"]).within(place.path()).exits(1).json();
    assert_eq!(report["policies"], 2, "{report:#}");
    assert_eq!(report["problems"][0]["file"], "infra/broken.json", "{report:#}");
    daypass(["check", "infra/broken.json"]).within(place.path()).exits(2);
    let missing = daypass(["check", "nowhere"]).within(place.path()).exits(2);
    assert!(missing.stderr.contains("cannot read `nowhere`"), "{missing:?}");
}
