//! `inventory`.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{daypass, steadily, write};

const WORKFLOW: &str = "on: push
jobs:
  deploy:
    runs-on: ubuntu-24.04
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          aws-access-key-id: ${{ secrets.K_ID }}
          aws-secret-access-key: ${{ secrets.K }}
      - run: npm publish
        env:
          NODE_AUTH_TOKEN: ${{ secrets.NPM }}
";

const GITLAB: &str = "deploy:\n  script:\n    - aws s3 sync . s3://bucket\n";

fn repository() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), ".github/workflows/deploy.yml", WORKFLOW);
    write(place.path(), ".gitlab-ci.yml", GITLAB);
    write(place.path(), "main.tf", "provider \"vault\" {\n  token = var.token\n}\n");
    write(place.path(), "README.md", "AWS_SECRET_ACCESS_KEY=${{ secrets.K }}\n");
    write(place.path(), "chart/values.yaml", "image: x\n");
    place
}

fn json(place: &Path, arguments: &[&str]) -> Value {
    let call = daypass(["inventory", "--json"].into_iter().chain(arguments.iter().copied()));
    call.within(place).exits(0).json()
}

fn kinds(answer: &Value) -> Vec<&str> {
    answer["credentials"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect()
}

fn skipped(answer: &Value) -> Vec<(&str, &str)> {
    let skipped = answer["skipped"].as_array().unwrap().iter();
    skipped.map(|one| (one["file"].as_str().unwrap(), one["why"].as_str().unwrap())).collect()
}

#[test]
fn credentials_are_listed_by_cloud_and_file() {
    let place = repository();
    steadily(|| {
        insta::assert_snapshot!("inventory", daypass(["inventory", "."]).within(place.path()).run().seen());
    });
}

#[test]
fn the_answer_is_what_scripts_rely_on() {
    let place = repository();
    let answer = json(place.path(), &["."]);
    assert_eq!(answer["files"], 3);
    assert_eq!(answer["skipped"], serde_json::json!([]));
    assert_eq!(kinds(&answer), ["aws-access-key", "npm-token", "aws-access-key", "vault-token"]);
    let first = &answer["credentials"][0];
    assert_eq!(
        (first["file"].as_str(), first["line"].as_u64()),
        (Some(".github/workflows/deploy.yml"), Some(8))
    );
    assert_eq!((first["job"].as_str(), first["confidence"].as_str()), (Some("deploy"), Some("certain")));
    assert_eq!(answer["credentials"][2]["confidence"], "inferred");
    // The same whatever the path is called, and for a file alone.
    let ids = |answer: &Value| -> Vec<String> {
        answer["credentials"].as_array().unwrap().iter().map(|one| one["id"].to_string()).collect()
    };
    let elsewhere = json(place.path(), &[place.path().to_str().unwrap()]);
    assert_eq!(ids(&answer), ids(&elsewhere));
    let alone = json(place.path(), &[".github/workflows/deploy.yml"]);
    assert_eq!(ids(&alone), ids(&answer)[..2]);
    // Twice the same files is once.
    assert_eq!(ids(&json(place.path(), &[".", "main.tf", "./"])), ids(&answer));
}

#[test]
fn repositories_side_by_side_have_ids_of_their_own() {
    let place = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        write(place.path(), &format!("{name}/.github/workflows/deploy.yml"), WORKFLOW);
    }
    let answer = json(place.path(), &["a", "b/"]);
    let credentials = answer["credentials"].as_array().unwrap();
    let ids: std::collections::BTreeSet<&str> =
        credentials.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!((credentials.len(), ids.len()), (4, 4));
    assert_eq!(credentials[2]["file"], "b/.github/workflows/deploy.yml");
}

#[test]
fn exports_tell_since_when_and_what_nothing_uses() {
    let place = repository();
    let listing = r#"[{"name":"K","updatedAt":"2023-05-06T08:00:00Z"},{"name":"PYPI_TOKEN","updatedAt":"2022-01-01T00:00:00Z"}]"#;
    write(place.path(), "secrets.json", listing);
    let answer = json(place.path(), &[".", "--secrets", "secrets.json"]);
    assert!(answer["credentials"][0]["source"].as_str().unwrap().ends_with("(last set 2023-05-06)"));
    let last = answer["credentials"].as_array().unwrap().last().unwrap();
    assert_eq!((last["kind"].as_str(), last["file"].as_str()), (Some("pypi-token"), Some("secrets.json")));
    write(place.path(), "other.json", "{}");
    let ran = daypass(["inventory", ".", "--secrets", "other.json"]).within(place.path()).exits(2);
    assert!(ran.stderr.contains("other.json:1:1: no export that is known"), "{ran:?}");
    let ran = daypass(["inventory", ".", "--secrets", "none.json"]).within(place.path()).exits(2);
    assert!(ran.stderr.contains("--secrets: none.json: cannot read it"), "{ran:?}");
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_goes_on() {
    let place = repository();
    let root = place.path();
    write(root, ".github/workflows/binary.yml", [0x6f, 0x6e, 0x00, 0xff, 0xfe]);
    write(root, ".github/workflows/broken.yml", "on: push\njobs:\n  a: [\n");
    write(root, ".github/workflows/other.yml", "hello: world\n");
    write(root, ".github/workflows/empty.yml", "# all of it is commented out\n");
    let bomb: String = (0..12)
        .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", ")))
        .skip(1)
        .collect();
    write(root, ".github/workflows/bomb.yml", format!("a0: &a0 [x]\n{bomb}on: push\njobs: {{}}\n"));
    write(
        root,
        "loop/.gitlab-ci.yml",
        "include: [/b.yml]\n.x: {extends: .y}\n.y: {extends: .x}\nj: {extends: .x, script: [x]}\n",
    );
    write(root, "loop/b.yml", "include: [/.gitlab-ci.yml]\n");
    let answer = json(root, &["loop", "."]);
    let skipped = skipped(&answer);
    let why = |file: &str| {
        let found: Vec<&str> = skipped.iter().filter(|(of, _)| *of == file).map(|(_, why)| *why).collect();
        found.join(" | ")
    };
    assert!(
        why(".github/workflows/binary.yml").contains("yml:1:4: these bytes are not UTF-8"),
        "{skipped:?}"
    );
    assert!(why(".github/workflows/broken.yml").contains("broken.yml:"), "{skipped:?}");
    assert!(why(".github/workflows/bomb.yml").contains("bomb.yml:7:"), "{skipped:?}");
    assert_eq!(why(".github/workflows/empty.yml"), "");
    assert!(
        why("loop/b.yml").contains("b.yml:1:11: `/.gitlab-ci.yml` was not followed: it includes itself"),
        "{skipped:?}"
    );
    assert!(why("loop/.gitlab-ci.yml").contains("it extends itself"), "{skipped:?}");
    assert_eq!(kinds(&answer), ["aws-access-key", "npm-token", "aws-access-key", "vault-token"]);
}

#[test]
fn a_file_of_a_hundred_megabytes_is_not_read() {
    let place = repository();
    let path = write(place.path(), ".github/workflows/large.yml", WORKFLOW);
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(100 * 1024 * 1024).unwrap();
    let answer = json(place.path(), &["."]);
    assert_eq!(
        skipped(&answer),
        [(
            ".github/workflows/large.yml",
            ".github/workflows/large.yml: the file has 104857600 bytes, pipelines of up to 4 MiB are read"
        )]
    );
    assert_eq!(kinds(&answer).len(), 4);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_nothing_outside_is_read() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "outside.yml", WORKFLOW);
    write(outside.path(), "secret.gitlab-ci.yml", "d: {script: ['vault login $T']}\n");
    let place = repository();
    let root = place.path();
    symlink(root, root.join("again")).unwrap();
    symlink("itself.yml", root.join("itself.yml")).unwrap();
    symlink(outside.path().join("outside.yml"), root.join(".github/workflows/outside.yml")).unwrap();
    symlink(root.join("main.tf"), root.join("same.tf")).unwrap();
    write(
        root,
        "x/.gitlab-ci.yml",
        "include: ['../../secret.gitlab-ci.yml', /../outside.yml]\nj: {script: [make]}\n",
    );
    let answer = json(root, &["."]);
    let skipped = skipped(&answer);
    let why =
        |file: &str| skipped.iter().find(|(of, _)| *of == file).map(|(_, why)| *why).unwrap_or_default();
    assert!(why("again").contains("a loop"), "{skipped:?}");
    assert!(why("itself.yml").contains("leads to itself"), "{skipped:?}");
    assert!(why(".github/workflows/outside.yml").contains("leads out of the given path"), "{skipped:?}");
    assert!(why("x/.gitlab-ci.yml").contains("was not followed"), "{skipped:?}");
    assert_eq!(why("same.tf"), "");
    assert_eq!(kinds(&answer), ["aws-access-key", "npm-token", "aws-access-key", "vault-token"]);
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_skipped() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = repository();
    let path = write(place.path(), ".github/workflows/closed.yml", WORKFLOW);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads it all the same.
    if fs::read(&path).is_err() {
        let answer = json(place.path(), &["."]);
        assert!(skipped(&answer)[0].1.contains("cannot read it: Permission denied"), "{answer}");
    }
}

#[test]
fn a_file_that_was_named_is_read_or_said_not_to_be() {
    let place = repository();
    let answer = json(place.path(), &["README.md", "main.tf", "nowhere"]);
    assert_eq!(kinds(&answer), ["vault-token"]);
    let skipped = skipped(&answer);
    assert!(
        skipped.contains(&("README.md", "README.md:1:1: neither path nor content is a pipeline's")),
        "{skipped:?}"
    );
    assert!(skipped[0].0 == "nowhere" && skipped[0].1.starts_with("cannot read it"), "{skipped:?}");
    let ran = daypass(["inventory", "nowhere"]).within(place.path()).exits(2);
    assert!(ran.stderr.contains("nothing to read: nowhere: cannot read it"), "{ran:?}");
}

#[test]
fn progress_is_for_terminals() {
    let place = repository();
    let ran = daypass(["inventory", "."]).within(place.path()).exits(0);
    assert_eq!(ran.stderr, "");
    let Some(seen) = daypass(["inventory", "."]).within(place.path()).on_a_terminal() else { return };
    assert!(seen.contains("reading files [###"), "{seen}");
}
