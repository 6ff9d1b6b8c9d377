//! `prove`, `personas`, `diff` and `estate`.

use std::process::Command;

use crate::program::{daypass, write};

/// A trust policy of AWS for GitHub, whose subjects a `StringLike` is held against.
pub(crate) fn policy(subject: &str) -> String {
    let between = if subject.contains('*') { "}, \"StringLike\": {" } else { ", " };
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{
  "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
  "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}},
  "Condition": {{
    "StringEquals": {{"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"{between}
      "token.actions.githubusercontent.com:sub": "{subject}"}}
  }}
}}]}}
"#
    )
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "open.json", policy("repo:acme*"));
    write(place.path(), "main.json", policy("repo:acme/app:ref:refs/heads/main"));
    write(place.path(), "prod.json", policy("repo:acme/app:environment:prod"));
    write(place.path(), "dead.json", policy("repo:acme/app:refs/heads/main"));
    place
}

#[test]
fn a_stranger_is_shown_with_a_token() {
    let place = place();
    let answer = daypass(["prove", "personas", "open.json", "--json"]).within(place.path()).exits(1).json();
    assert_eq!(answer["answer"], "no");
    assert_eq!(answer["personas"]["stranger"]["answer"], "yes");
    let subject = answer["personas"]["stranger"]["witness"]["claims"]["sub"].as_str().unwrap();
    assert!(subject.starts_with("repo:acme") && !subject.starts_with("repo:acme/"), "{subject}");
    let same = daypass(["personas", "open.json", "--json"]).within(place.path()).exits(1).json();
    assert_eq!(same, answer);
}

#[test]
fn who_is_admitted_is_told_in_words() {
    let place = place();
    let answer = daypass(["prove", "who", "main.json", "--json"]).within(place.path()).exits(0).json();
    assert_eq!(answer["answer"], "yes", "{answer:#}");
    let said = answer["who"].to_string();
    assert!(said.contains("acme") && said.contains("main"), "{said}");
    daypass(["prove", "who", "main.json"]).within(place.path()).exits(0);
}

#[test]
fn a_policy_that_admits_nobody_is_dead() {
    let place = place();
    let answer = daypass(["prove", "dead", "dead.json", "--json"]).within(place.path()).exits(1).json();
    assert_eq!(answer["answer"], "yes");
    assert!(!answer["why"].as_array().unwrap().is_empty(), "{answer:#}");
    daypass(["prove", "dead", "main.json"]).within(place.path()).exits(0);
}

#[test]
fn policies_are_held_against_each_other() {
    let place = place();
    let call = |arguments: &[&str]| daypass(arguments.iter().copied()).within(place.path());
    let proof = place.path().join("proof.json");
    let proof = proof.to_str().unwrap();
    call(&["prove", "implies", "main.json", "open.json", "--certificate", proof, "--json"]).exits(0).json();
    assert!(std::fs::read_to_string(proof).unwrap().starts_with("{\"universes\""));
    let back = call(&["prove", "implies", "open.json", "main.json", "--json"]).exits(1).json();
    assert!(back["witness"]["claims"]["sub"].is_string(), "{back:#}");
    call(&["prove", "overlap", "main.json", "open.json", "--json"]).exits(1).json();
    call(&["prove", "overlap", "main.json", "prod.json"]).exits(0);
    let changed = call(&["diff", "main.json", "open.json", "--json"]).exits(1).json();
    assert_eq!(changed["equivalent"], false);
    assert!(!changed["gained"].as_array().unwrap().is_empty() && changed["lost"] == serde_json::json!([]));
    let same = call(&["diff", "main.json", "main.json", "--json"]).exits(0).json();
    assert_eq!(same["equivalent"], true);
}

#[test]
fn invariants_hold_or_are_shown_to_be_broken() {
    let place = place();
    let invariant = "no token with repository_owner != acme";
    let ask = |file: &str| daypass(["prove", "assert", invariant, file, "--json"]).within(place.path());
    assert_eq!(ask("main.json").exits(0).json()["answer"], "yes");
    let broken = ask(".").exits(1).json();
    assert_eq!(broken["roles"].as_array().unwrap().len(), 4);
    assert_ne!(broken["witness"]["claims"]["repository_owner"], "acme");
    let misused = daypass(["prove", "assert", "all is well", "main.json"]).within(place.path()).exits(2);
    assert!(misused.stderr.contains("an invariant begins with"), "{misused:?}");
}

#[test]
fn a_policy_is_tightened_to_its_home_and_the_new_one_is_proved() {
    let place = place();
    let home = ["--home", "repo=acme/app", "--home", "ref=refs/heads/main"];
    let arguments = ["prove", "tighten", "open.json"].into_iter().chain(home);
    let answer = daypass(arguments.clone().chain(["--json"])).within(place.path()).exits(0).json();
    assert_eq!(answer["relation"], "narrower", "{answer:#}");
    let document = daypass(arguments).within(place.path()).exits(0).stdout;
    write(place.path(), "tight.json", document);
    daypass(["prove", "implies", "tight.json", "open.json"]).within(place.path()).exits(0);
    let misused = daypass(["prove", "tighten", "open.json"]).within(place.path()).exits(2);
    assert!(misused.stderr.contains("what is intended?"), "{misused:?}");
}

#[test]
fn a_role_is_held_against_a_repositorys_pipelines() {
    let place = place();
    let workflow = "on:\n  push:\n    branches: [main]\npermissions:\n  id-token: write\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n";
    write(place.path(), "app/.github/workflows/deploy.yml", workflow);
    let fit = |policy: &str| {
        let home = ["--home", "repo=acme/app", "--home", "owner=acme", "--home", "ref=refs/heads/main"];
        let arguments = ["prove", "fit", policy, "--repository", "app", "--json"];
        daypass(arguments.into_iter().chain(home)).within(place.path())
    };
    let refused = fit("prod.json").exits(1).json();
    assert_eq!(refused["jobs"][0]["admission"], "never", "{refused:#}");
    let wide = fit("open.json").exits(1).json();
    // A job may ask for a token with any audience; those with another one are refused.
    assert_eq!(wide["jobs"][0]["admission"], "sometimes", "{wide:#}");
    assert!(!wide["slack"].as_array().unwrap().is_empty());
}

#[test]
fn what_a_revision_of_git_admitted_is_compared_with_what_is_admitted_now() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "infra/trust.json", policy("repo:acme/app:ref:refs/heads/main"));
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=acme", "-c", "user.email=acme@example.com"];
        let ran =
            Command::new("git").args(identity).args(arguments).current_dir(place.path()).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "trust"]);
    daypass(["diff", "--git", "HEAD", "infra"]).within(place.path()).exits(0);
    write(place.path(), "infra/trust.json", policy("repo:acme/*"));
    let changed = daypass(["diff", "--git", "HEAD", "infra", "--json"]).within(place.path()).exits(1).json();
    assert!(!changed["gained"].as_array().unwrap().is_empty(), "{changed:#}");
    let misused = daypass(["diff", "--git", "nowhere", "infra"]).within(place.path()).exits(2);
    assert!(misused.stderr.contains("--git"), "{misused:?}");
}

#[test]
fn files_without_a_policy_or_with_several_say_so() {
    let place = place();
    write(place.path(), "empty.json", "{}");
    let said = |arguments: &[&str]| daypass(arguments.iter().copied()).within(place.path()).exits(2).stderr;
    assert!(said(&["prove", "dead", "."]).contains("several roles"), "{}", said(&["prove", "dead", "."]));
    said(&["prove", "dead", "nowhere.json"]);
    said(&["prove", "dead", "empty.json"]);
    let home = said(&["prove", "personas", "main.json", "--home", "colour=red"]);
    assert!(home.contains("--home: a home has no `colour`"), "{home}");
}

#[test]
fn an_estate_is_made_from_listings() {
    let place = tempfile::tempdir().unwrap();
    let listing = r#"[{"id": 2002, "full_name": "acme/app", "owner": {"login": "acme", "id": 1001}}]"#;
    write(place.path(), "repos.json", listing);
    let import = |more: &[&str]| {
        daypass(["estate", "import", "repos.json"].into_iter().chain(more.iter().copied()))
            .within(place.path())
    };
    import(&["--dry-run", "--json"]).exits(0).json();
    assert!(!place.path().join("daypass.estate.toml").exists());
    let news = import(&["--json"]).exits(0).json();
    assert_eq!(news["news"].as_array().unwrap().len(), 2, "{news:#}");
    assert!(import(&[]).exits(0).stdout.contains("says all of it already"));
    write(place.path(), "other.json", "{}");
    daypass(["estate", "import", "other.json"]).within(place.path()).exits(2);
}
