//! The shared pipelines: each gives the findings that its index expects, and the good ones none.

use daypass_lint::{Options, Report, Severity, check};
use daypass_sources::MemoryTree;

use crate::support::Disk;

fn report(file: &str) -> Report {
    check(&Disk::samples("samples/pipelines"), &[file], &Options::default())
}

/// The rules that found something, the least important left out, each once.
fn rules(file: &str) -> Vec<&'static str> {
    let report = report(file);
    assert_eq!(report.pipelines, 1, "{file}: {:?}", report.problems);
    let mut rules: Vec<&str> =
        report.findings.iter().filter(|it| it.severity > Severity::Info).map(|it| it.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn workflow(name: &str) -> Vec<&'static str> {
    rules(&format!(".github/workflows/{name}.yml"))
}

#[test]
fn github_workflows_give_what_their_index_expects() {
    for (name, wanted) in [
        ("p01-static-keys", vec!["static-credential"]),
        ("p02-env-keys", vec!["static-credential"]),
        ("p04-oidc-pr-target", vec!["untrusted-code-with-token"]),
        ("p05-oidc-toplevel-idtoken", vec!["guarded-by-if", "token-for-every-job", "unpinned-action"]),
        ("p07-missing-idtoken", vec!["missing-id-token"]),
        ("p09-good", vec![]),
        ("p10-hardcoded", vec!["hardcoded-credential"]),
        ("p11-secrets-inherit", vec!["secrets-inherit", "static-credential"]),
    ] {
        assert_eq!(workflow(name), wanted, "{name}");
    }
}

#[test]
fn other_platforms_give_what_their_index_expects() {
    for (file, wanted) in [
        ("gitlab-static.gitlab-ci.yml", vec!["removed-variable", "static-credential"]),
        ("circleci-static.yml", vec!["static-credential"]),
        ("circleci-oidc.yml", vec![]),
        ("bitbucket-pipelines.yml", vec!["static-credential"]),
        ("azure-pipelines.yml", vec!["exposed-service-principal", "static-credential"]),
    ] {
        assert_eq!(rules(file), wanted, "{file}");
    }
}

#[test]
fn credentials_are_found_one_by_one_and_literals_are_not_shown() {
    let report = report(".github/workflows/p11-secrets-inherit.yml");
    let found = report.findings.iter().filter(|it| it.rule == "static-credential").count();
    assert!(found >= 5, "{found}");
    let json = self::report(".github/workflows/p10-hardcoded.yml").to_json().unwrap();
    assert!(
        !json.contains("AKIAX7QJ4TDN2WMV5KPA") && !json.contains("q3Zt0Yw8LrV5mXcB1nHd7KfGs2PjUe9TaQ4oRi6M")
    );
}

#[test]
fn a_pipeline_that_is_no_yaml_is_a_problem_with_its_place_said_once() {
    let path = ".github/workflows/deploy.yml";
    for (text, wanted) in [
        ("on: push\njobs:\n  a:\n    steps: [\n", "while parsing a node, did not find expected node content"),
        ("on: push\njobs: &jobs\n  again: *jobs\n", "an alias to the value that it is part of"),
    ] {
        let report = check(&MemoryTree::new().with(path, text), &[path], &Options::default());
        let [problem] = report.problems.as_slice() else { panic!("{:?}", report.problems) };
        assert!(problem.message.ends_with(wanted) && !problem.message.contains(path), "{problem}");
        assert!(problem.location.line > 1, "{problem}");
    }
}
