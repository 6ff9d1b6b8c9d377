//! `plan`, `generate`, `rewrite`, `rehearse`, `retire` and `status`: from stored secrets to workload identity.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ran, daypass, steadily, write};

pub(crate) const WORKFLOW: &str = "on:
  push:
    branches: [main]
permissions:
  contents: read
jobs:
  deploy:
    runs-on: ubuntu-24.04
    environment: production
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          aws-access-key-id: ${{ secrets.K_ID }}   # since 2021
          aws-secret-access-key: ${{ secrets.K }}
          aws-region: eu-west-1
      - run: aws s3 sync . s3://shop
";

pub(crate) const ESTATE: &str = "[[organisation]]
platform = \"github-actions\"
name = \"acme\"
id = \"1001\"
[[repository]]
platform = \"github-actions\"
name = \"acme/shop\"
id = \"2002\"
subjects = [\"immutable\"]
";

/// A repository in its organisation's folder, with a plan that says where roles live.
pub(crate) fn organisation() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "shop/.github/workflows/deploy.yml", WORKFLOW);
    write(place.path(), "daypass.estate.toml", ESTATE);
    daypass(["plan", "."]).within(place.path()).exits(0);
    let plan = fs::read_to_string(place.path().join("daypass.migration.toml")).unwrap();
    let plan =
        plan.replacen("[[repository]]", "[target.aws]\naccount = \"111122223333\"\n\n[[repository]]", 1);
    write(place.path(), "daypass.migration.toml", plan);
    place
}

fn call(place: &Path, code: i32, arguments: &[&str]) -> Ran {
    daypass(arguments.iter().copied()).within(place).exits(code)
}

fn json(place: &Path, code: i32, arguments: &[&str]) -> Value {
    let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    call(place, code, &all).json()
}

fn read(place: &Path, name: &str) -> String {
    fs::read_to_string(place.join(name)).unwrap()
}

#[test]
fn a_plan_keeps_what_people_wrote_and_the_ids_of_the_inventory() {
    let place = organisation();
    let before = read(place.path(), "daypass.migration.toml");
    let again = json(place.path(), 0, &["plan", "."]);
    assert_eq!((&again["changed"], &again["credentials"]), (&false.into(), &1.into()), "{again:#}");
    assert_eq!(read(place.path(), "daypass.migration.toml"), before);
    assert!(
        before.contains("repository_id = \"2002\"") && before.contains("subjects = \"immutable\""),
        "{before}"
    );
    let listed = json(place.path(), 0, &["inventory", "."]);
    let id = listed["credentials"][0]["id"].as_str().unwrap();
    assert!(before.contains(&format!("id = \"{id}\"")), "{id}: {before}");
    assert_eq!(again["roles"][0]["name"], "aws-s3-write-shop-production");
    steadily(|| insta::assert_snapshot!("plan", call(place.path(), 0, &["plan", "."]).seen()));
}

#[test]
fn a_plan_may_lie_elsewhere_and_is_found_from_anywhere() {
    let place = organisation();
    let there = place.path().join("plans/moved.toml");
    let there = there.to_str().unwrap();
    json(place.path(), 0, &["plan", "shop", "--out", there]);
    let text = fs::read_to_string(there).unwrap();
    assert!(text.contains("paths = [\"../shop\"]"), "{text}");
    assert!(text.contains("file = \".github/workflows/deploy.yml\""), "{text}");
    // From another folder, the same files are read.
    let answer = json(&place.path().join("shop"), 0, &["rewrite", "--plan", there]);
    assert_eq!(answer["files"].as_array().unwrap().len(), 1, "{answer:#}");
    // Names are those that a patch may have.
    let patch = call(place.path(), 0, &["rewrite", "--plan", "plans/moved.toml", "--json"]).json();
    assert_eq!(patch["files"][0]["file"], "shop/.github/workflows/deploy.yml", "{patch:#}");
    let shown = call(place.path(), 0, &["plan", "shop", "--out", there, "--dry-run"]);
    assert_eq!(shown.stdout, text);
}

#[test]
fn a_plan_that_is_none_is_located() {
    let place = organisation();
    write(place.path(), "bad.toml", "version = 1\npaths = [\".\"]\n[[role]]\nname = \"a\"\n");
    for command in ["rewrite", "rehearse"] {
        let ran = call(place.path(), 2, &[command, "--plan", "bad.toml"]);
        assert!(ran.stderr.contains("bad.toml:3:1"), "{ran:?}");
    }
    let ran = call(place.path(), 2, &["plan", ".", "--out", "bad.toml"]);
    assert!(ran.stderr.contains("bad.toml:3:1"), "{ran:?}");
    let ran = call(place.path(), 2, &["rehearse", "--plan", "nowhere.toml"]);
    assert!(ran.stderr.contains("nowhere.toml"), "{ran:?}");
    let ran = call(place.path(), 2, &["plan", "nowhere"]);
    assert!(ran.stderr.contains("cannot read `nowhere`"), "{ran:?}");
}

#[test]
fn roles_are_generated_with_trust_that_fits() {
    let place = organisation();
    let generate =
        |target: &str, code| json(place.path(), code, &["generate", "--target", target, "--out", "roles"]);
    let answer = generate("aws", 0);
    assert_eq!(answer["files"], serde_json::json!(["roles/aws-s3-write-shop-production.tf"]));
    assert_eq!(answer["roles"][0]["trusts"][0]["is_tight"], true, "{answer:#}");
    let text = read(place.path(), "roles/aws-s3-write-shop-production.tf");
    assert!(text.contains("repository_id") && text.contains("2002"), "{text}");
    // Another cloud has no role in this plan, and the exchange takes the token that the job has.
    assert_eq!(generate("gcp", 0)["roles"], serde_json::json!([]));
    let exchange = generate("daypass", 0);
    assert_eq!(exchange["files"], serde_json::json!(["roles/aws-s3-write-shop-production.toml"]));
    let text = read(place.path(), "roles/aws-s3-write-shop-production.toml");
    assert!(text.contains("audience = \"sts.amazonaws.com\""), "{text}");
    let rehearsed = json(place.path(), 0, &["rehearse", "--target", "daypass"]);
    assert_eq!(rehearsed["roles"][0]["admitted"].as_array().unwrap().len(), 1, "{rehearsed:#}");
    assert_eq!(json(place.path(), 0, &["rehearse", "--target", "gcp"])["roles"], serde_json::json!([]));
    let ran = call(place.path(), 2, &["generate", "--target", "ibm", "--out", "roles"]);
    assert!(ran.stderr.contains("nothing is generated for `ibm`"), "{ran:?}");
}

#[test]
fn nothing_is_written_outside_of_the_folder() {
    let place = organisation();
    let plan = read(place.path(), "daypass.migration.toml");
    let renamed = plan.replace("aws-s3-write-shop-production", "../../escaped");
    write(place.path(), "renamed.toml", renamed);
    let generate = |plan: &str, code| {
        call(place.path(), code, &["generate", "--plan", plan, "--target", "aws", "--out", "a/roles"])
    };
    let ran = generate("renamed.toml", 2);
    assert!(ran.stderr.contains("no role can be called `../../escaped`"), "{ran:?}");
    assert!(!place.path().join("escaped.tf").exists());
    // Nor through links that somebody left where roles go: of the file's name, or on the way to it.
    let target = write(place.path(), "precious", "mine");
    fs::create_dir_all(place.path().join("a/roles")).unwrap();
    let link = place.path().join("a/roles/aws-s3-write-shop-production.tf");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let ran = generate("daypass.migration.toml", 2);
    assert!(ran.stderr.contains("a symbolic link leads there"), "{ran:?}");
    assert_eq!(read(place.path(), "precious"), "mine");
}

/// A file of pipelines that nobody can read any more may still bind the key.
#[test]
fn what_cannot_be_read_is_not_taken_for_gone() {
    let place = organisation();
    let place = place.path();
    evidence(place, "unused");
    json(place, 0, &["rewrite", "--write"]);
    json(place, 0, &["retire", "--evidence", "unused.json"]);
    let file = "shop/.github/workflows/deploy.yml";
    let moved = read(place, file);
    let refused = || {
        let answer = json(place, 1, &["retire", "--evidence", "unused.json"]);
        answer["refused"][0]["why"][0].as_str().unwrap().to_owned()
    };
    // No YAML; a link out of the folder; another folder that is not there.
    write(place, file, "jobs: [");
    assert!(refused().contains("could not be read"), "{}", refused());
    json(place, 0, &["plan", "."]);
    assert!(!read(place, "daypass.migration.toml").contains("present = false"));
    fs::remove_file(place.join(file)).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", place.join(file)).unwrap();
    assert!(refused().contains("could not be read"), "{}", refused());
    fs::remove_file(place.join(file)).unwrap();
    write(place, file, moved);
    let plan = read(place, "daypass.migration.toml");
    write(place, "daypass.migration.toml", plan.replace("paths = [\".\"]", "paths = [\".\", \"gone\"]"));
    assert!(refused().contains("could not be read"), "{}", refused());
}

/// The edits go to the file that was read, whatever its path looks like.
#[test]
fn a_rewrite_stays_below_the_path_that_was_given() {
    let place = organisation();
    json(place.path(), 0, &["plan", "shop", "--out", "own.toml"]);
    let plan = read(place.path(), "own.toml");
    write(place.path(), "own.toml", format!("{plan}\n[target.aws]\naccount = \"111122223333\"\n"));
    json(place.path(), 0, &["rewrite", ".//shop", "--plan", "own.toml", "--write"]);
    assert!(read(place.path(), "shop/.github/workflows/deploy.yml").contains("role-to-assume"));
}

#[test]
fn pipelines_are_rewritten_once() {
    let place = organisation();
    steadily(|| insta::assert_snapshot!("rewrite", call(place.path(), 0, &["rewrite"]).seen()));
    assert_eq!(
        read(place.path(), "shop/.github/workflows/deploy.yml"),
        WORKFLOW,
        "nothing was asked for yet"
    );
    let answer = json(place.path(), 0, &["rewrite", "--write"]);
    assert_eq!(answer["files"][0]["changed"], true, "{answer:#}");
    let text = read(place.path(), "shop/.github/workflows/deploy.yml");
    assert!(
        text.contains("role-to-assume: arn:aws:iam::111122223333:role/aws-s3-write-shop-production"),
        "{text}"
    );
    assert!(read(place.path(), "daypass.migration.toml").contains("state = \"cut-over\""));
    let again = json(place.path(), 0, &["rewrite", "--write"]);
    assert_eq!(again["files"], serde_json::json!([]), "{again:#}");
    assert_eq!(read(place.path(), "shop/.github/workflows/deploy.yml"), text);
}

#[test]
fn a_rewrite_is_a_patch() {
    let place = organisation();
    let patch = call(place.path(), 0, &["rewrite"]).stdout;
    call(place.path(), 0, &["rewrite", "--write"]);
    let after = read(place.path(), "shop/.github/workflows/deploy.yml");
    write(place.path(), "shop/.github/workflows/deploy.yml", WORKFLOW);
    let path = write(place.path(), "rewrite.patch", patch);
    let applied = std::process::Command::new("git").args(["apply", &path]).current_dir(place.path()).output();
    let applied = applied.unwrap();
    assert!(applied.status.success(), "{applied:?}");
    assert_eq!(read(place.path(), "shop/.github/workflows/deploy.yml"), after);
}

/// Where lines end otherwise they go on doing so, and a name is no more than a name.
#[test]
fn a_patch_is_the_bytes_that_it_is_for() {
    let place = organisation();
    let file = "shop/.github/workflows/de ploy.yml";
    let text = WORKFLOW.replace('\n', "\r\n");
    fs::remove_file(place.path().join("shop/.github/workflows/deploy.yml")).unwrap();
    write(place.path(), file, &text);
    daypass(["plan", "."]).within(place.path()).exits(0);
    let patch = call(place.path(), 0, &["rewrite"]).stdout;
    assert!(patch.contains("+          role-to-assume: arn:aws:iam::111122223333:role/"), "{patch}");
    let path = write(place.path(), "rewrite.patch", patch);
    let applied = std::process::Command::new("git").args(["apply", &path]).current_dir(place.path()).output();
    let applied = applied.unwrap();
    assert!(applied.status.success(), "{applied:?}");
    let after = read(place.path(), file);
    assert!(
        after.lines().count() == after.matches("\r\n").count() && after.contains("role-to-assume"),
        "{after:?}"
    );
}

#[test]
fn jobs_are_rehearsed_against_what_would_be_and_what_is() {
    let place = organisation();
    let answer = json(place.path(), 0, &["rehearse"]);
    let role = &answer["roles"][0];
    assert_eq!(answer["clean"], true, "{answer:#}");
    assert_eq!(role["admitted"].as_array().unwrap().len(), 1, "{answer:#}");
    // What is there lets the whole repository in, and asks for an environment that no job has.
    let trust = crate::prove::policy("repo:acme@1001/shop@2002:environment:prod");
    let folder = place.path().join("infra");
    write(&folder, "aws-s3-write-shop-production.json", trust);
    let answer = json(place.path(), 1, &["rehearse", "--against", "infra"]);
    let missing = &answer["roles"][0]["missing"][0];
    assert_eq!(missing["job"], "deploy", "{answer:#}");
    assert!(!missing["why"].as_array().unwrap().is_empty(), "{answer:#}");
    let none = json(place.path(), 2, &["rehearse", "--against", "shop"]);
    assert!(none["error"]["message"].as_str().unwrap().contains("no trust policy"), "{none}");
}

#[test]
fn recorded_tokens_are_replayed() {
    let place = organisation();
    // What the job is given, by the proof.
    let made = json(place.path(), 0, &["generate", "--target", "aws", "--out", "roles"]);
    let claims = made["roles"][0]["trusts"][0]["admits"][0]["claims"].to_string();
    let token = |environment: &str| claims.replace("production", environment);
    let folder = place.path().join("tokens");
    write(&folder, "production.json", token("production"));
    write(&folder, "staging.json", token("staging"));
    let answer = json(place.path(), 0, &["rehearse", "--tokens", "tokens"]);
    let admitted = answer["roles"][0]["admitted"].as_array().unwrap();
    assert!(admitted.iter().any(|it| it["file"] == "tokens/production.json"), "{answer:#}");
    assert!(!answer.to_string().contains("staging.json"), "{answer:#}");
    write(&folder, "none.json", "{\"sub\": \"x\"}");
    let ran = call(place.path(), 2, &["rehearse", "--tokens", "tokens"]);
    assert!(ran.stderr.contains("the token names no issuer"), "{ran:?}");
}

/// What `evidence` would say of the key, whoever was asked.
pub(crate) fn evidence(place: &Path, verdict: &str) -> String {
    let plan = read(place, "daypass.migration.toml");
    let id = plan.lines().find_map(|line| line.strip_prefix("id = ")).unwrap().trim_matches('"').to_owned();
    let report = serde_json::json!({
        "since": "2026-10-18T00:00:00Z", "until": "2026-11-20T00:00:00Z",
        "credentials": [{
            "credential": id, "asked": true, "cloud": "aws", "account": "111122223333", "principal": "", "keys": [],
            "verdict": verdict, "since": "2026-10-18T00:00:00Z", "window_days": 33, "first": null, "last": null,
            "coverage": null, "why": ["a cron job at 02:15, by aws-cli"], "consumers": [],
        }],
        "sessions": [],
        "runs": [{
            "cloud": "aws", "account": "111122223333", "class": "federated",
            "principal": "arn:aws:iam::111122223333:role/aws-s3-write-shop-production", "issuer": "i", "subject": "s",
            "audience": "a", "issued": 9, "issued_since": 9, "uses": 9, "refused": 0, "days": 3,
            "first": "2026-10-19T00:00:00Z", "last": "2026-10-20T00:00:00Z", "expectation": "expected",
        }],
        "skipped": [], "read": {"files": 1, "passed_over": 0, "bytes": 1, "records": 1, "used_before_issue": 0},
    });
    write(place, &format!("{verdict}.json"), report.to_string());
    id
}

#[test]
fn a_key_goes_when_nothing_speaks_for_it() {
    let place = organisation();
    let place = place.path();
    let id = evidence(place, "used");
    let why = |answer: &Value| answer["refused"][0]["why"].to_string();
    let early = json(place, 1, &["retire"]);
    assert!(why(&early).contains("still binds it") && why(&early).contains("no evidence"), "{early:#}");
    json(place, 0, &["rewrite", "--write"]);
    let used = json(place, 1, &["retire", "--evidence", "used.json"]);
    assert_eq!(why(&used), "[\"it was used since cut-over: a cron job at 02:15, by aws-cli\"]", "{used:#}");
    evidence(place, "unused");
    let free = json(place, 0, &["retire", &id, "--evidence", "unused.json"]);
    assert_eq!(free["granted"][0]["credential"], *id, "{free:#}");
    // Whatever one of several reports saw counts.
    json(place, 1, &["retire", "--evidence", "used.json", "--evidence", "unused.json"]);
    let ran = call(place, 2, &["retire", "cred-none"]);
    assert!(ran.stderr.contains("the plan has no credential `cred-none`"), "{ran:?}");
    write(place, "bad.json", "{\"credentials\": [}");
    let ran = call(place, 2, &["retire", "--evidence", "bad.json"]);
    assert!(ran.stderr.contains("column 18") && ran.stderr.contains("bad.json:1"), "{ran:?}");
    steadily(|| {
        let said = ["used.json", "unused.json"]
            .map(|file| daypass(["retire", "--evidence", file]).within(place).run().seen());
        insta::assert_snapshot!("retire", said.concat());
    });
}

#[test]
fn the_burn_down_is_shown_and_drawn() {
    let place = organisation();
    let place = place.path();
    evidence(place, "unused");
    assert_eq!(json(place, 0, &["status"])["total"]["planned"], 1);
    json(place, 0, &["rewrite", "--write"]);
    let ran = call(place, 0, &["status", "--evidence", "unused.json", "--html", "status.html"]);
    steadily(|| insta::assert_snapshot!("status", ran.seen()));
    let page = read(place, "status.html");
    assert!(
        page.contains("Content-Security-Policy") && page.contains("<svg") && page.contains("it may go"),
        "{page}"
    );
    assert!(
        !page.contains("src=") && !page.contains("@import") && !page.contains("<script"),
        "it asks for something"
    );
}
