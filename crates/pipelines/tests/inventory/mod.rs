//! One construct each, and whole files: what the inventory says of them.

mod files;
mod github;
mod platforms;

use std::collections::BTreeMap;

use daypass_pipelines::NoTree;
use daypass_pipelines::inventory::{Confidence, inventory};

fn found(path: &str, text: &str) -> Vec<String> {
    let line = |one: daypass_pipelines::inventory::Credential| {
        let sure = if one.confidence == Confidence::Certain { "" } else { "?" };
        format!("{}{sure} {} <- {}", one.kind, one.sink, one.source)
    };
    let found = inventory(path, text.as_bytes(), &NoTree).unwrap_or_else(|error| panic!("{error}\n{text}"));
    found.credentials.into_iter().map(line).collect()
}

fn check(path: &str, frame: impl Fn(&str) -> String, cases: &[(&str, &[&str])]) {
    for (text, wanted) in cases {
        assert_eq!(found(path, &frame(text)), *wanted, "{text}");
    }
}

fn workflow(job: &str) -> String {
    format!("on: push\njobs:\n  j:\n    runs-on: ubuntu-24.04\n{}\n", indented(job, 4))
}

fn steps(step: &str) -> String {
    workflow(&format!("steps:\n{}", indented(&format!("- {}", step.replace('\n', "\n  ")), 2)))
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}

#[test]
fn local_actions_pass_what_they_are_given() {
    let files = BTreeMap::from([
        (
            ".github/workflows/w.yml".to_owned(),
            b"on: push\njobs:\n  j:\n    steps:\n      - uses: ./.github/actions/a\n        with: {key: '${{ secrets.K }}'}\n".to_vec(),
        ),
        (
            ".github/actions/a/action.yml".to_owned(),
            b"name: a\ninputs: {key: {}}\nruns:\n  using: composite\n  steps:\n    - run: npm publish\n      env: {NPM_TOKEN: '${{ inputs.key }}'}\n".to_vec(),
        ),
    ]);
    let of = |path: &str| inventory(path, &files[path], &files).unwrap().credentials;
    let used = of(".github/workflows/w.yml");
    assert_eq!((used.len(), used[0].kind, used[0].line), (1, "npm-token", 6));
    assert_eq!(of(".github/actions/a/action.yml"), []);
}

#[test]
fn output_is_as_scripts_may_rely_on_and_ids_stay() {
    let text = steps("run: make\nenv: {NPM_TOKEN: '${{ secrets.N }}'}");
    let found = inventory(".github/workflows/w.yml", text.as_bytes(), &NoTree).unwrap().credentials;
    let moved = inventory(".github/workflows/w.yml", format!("# moved\n\n{text}").as_bytes(), &NoTree)
        .unwrap()
        .credentials;
    assert_eq!(found[0].id, moved[0].id);
    assert_ne!(found[0].line, moved[0].line);
    let json = serde_json::to_value(&found[0]).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    for key in [
        "id",
        "kind",
        "cloud",
        "platform",
        "file",
        "line",
        "job",
        "sink",
        "source",
        "confidence",
        "replacement",
    ] {
        assert!(keys.contains(&key), "{key}");
    }
    assert_eq!(
        (json["platform"].as_str(), json["confidence"].as_str()),
        (Some("github-actions"), Some("certain"))
    );
}

#[test]
fn no_secret_is_in_any_output() {
    let secret = "q3Zt0Yw8LrV5mXcB1nHd7KfGs2PjUe9TaQ4oRi6M";
    let text = steps(&format!(
        "run: aws configure set aws_secret_access_key {secret}\nenv: {{AWS_SECRET_ACCESS_KEY: {secret}}}"
    ));
    let found = inventory(".github/workflows/w.yml", text.as_bytes(), &NoTree).unwrap().credentials;
    assert!(!found.is_empty());
    let pipeline = daypass_pipelines::read(".github/workflows/w.yml", text.as_bytes(), &NoTree).unwrap();
    let output = format!("{found:?} {} {pipeline:?}", serde_json::to_string(&found).unwrap());
    assert!(!output.contains(secret));
}

#[test]
fn a_file_of_nothing_but_credentials_comes_to_an_end() {
    let many: String = (0..20_000).map(|n| format!("  TF_TOKEN_{n}: ${{{{ secrets.T{n} }}}}\n")).collect();
    let text = format!("on: push\njobs: {{}}\nenv:\n{many}");
    let found = inventory(".github/workflows/w.yml", text.as_bytes(), &NoTree).unwrap();
    assert_eq!(found.credentials.len(), 2_000);
    assert!(found.notes[0].what.starts_with("more than 2000 credentials"), "{:?}", found.notes);
    // Variables that name each other many times over, and lines without an end.
    let names = |of: char| format!("${of} ").repeat(1_000);
    let text = format!(
        "variables: {{A: '{}', B: '{}', C: '{}', D: '{}', E: $F}}\nd:\n  script:\n    - docker login -p {}\n    - {}\n",
        names('B'),
        names('C'),
        names('D'),
        names('E'),
        names('A'),
        "az login --service-principal ${{ docker login AWS_SECRET_ACCESS_KEY=x ".repeat(3_000)
    );
    assert!(!inventory(".gitlab-ci.yml", text.as_bytes(), &NoTree).unwrap().credentials.is_empty());
}
