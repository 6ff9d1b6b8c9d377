//! `token mint`.

use serde_json::Value;

use crate::program::{daypass, steadily};
use crate::service::Up;

/// Claims and header of what these arguments mint.
fn minted(up: &Up, arguments: &[&str]) -> Value {
    let file = up.token(arguments);
    up.daypass(["token", "inspect", &file, "--json"]).exits(0).json()
}

#[test]
fn options_do_what_they_say() {
    let up = Up::start();
    let github =
        |more: &[&str]| minted(&up, &[&["--platform", "github-actions"], more].concat())["claims"].clone();
    assert_eq!(github(&[])["sub"], "repo:acme/app:ref:refs/heads/main");
    assert_eq!(github(&[])["aud"], "sts.amazonaws.com");
    assert_eq!(
        github(&["--claim", "ref=refs/heads/dev"])["sub"],
        "repo:acme/app:ref:refs/heads/dev",
        "it follows"
    );
    assert_eq!(github(&["--claim", "environment=production"])["sub"], "repo:acme/app:environment:production");
    assert_eq!(github(&["--claim", "actor!"]).get("actor"), None);
    assert_eq!(github(&["--claim", "actor:=[1]"])["actor"], serde_json::json!([1]));
    assert_eq!(github(&["--audience", "https://a.example"])["aud"], "https://a.example");
    let expired = github(&["--lifetime", "-10m"]);
    assert_eq!(expired["exp"].as_i64().unwrap() - expired["iat"].as_i64().unwrap(), 300);
    let pull = github(&["--variant", "pull-request"]);
    assert_eq!(pull["sub"], "repo:acme/app:pull_request");
    let header = minted(&up, &["--platform", "github-actions", "--kid", "mine"])["header"].clone();
    assert_eq!(header["kid"], "mine");
    let json = up.daypass(["token", "mint", "--platform", "circleci", "--json"]).exits(0);
    assert!(json.json()["token"].is_string());
}

#[test]
fn every_platform_and_variant_can_be_minted() {
    let up = Up::start();
    let listed = daypass(["issuers", "list", "--json"]).exits(0).json();
    for platform in listed["issuers"].as_array().unwrap() {
        let id = platform["id"].as_str().unwrap();
        let shown = daypass(["issuers", "show", id, "--json"]).exits(0).json();
        for variant in shown["variants"].as_array().unwrap() {
            let variant = variant["name"].as_str().unwrap();
            let call = up.daypass(["token", "mint", "--platform", id, "--variant", variant]).exits(0);
            assert_eq!(call.stdout.matches('.').count(), 2, "{id} {variant}: {call:?}");
        }
    }
}

#[test]
fn what_cannot_be_minted_is_said() {
    let up = Up::start();
    let bad: [&[&str]; 10] = [
        &["--platform", "travis"],
        &["--platform", "github-actions", "--variant", "v9"],
        &["--platform", "github-actions", "--claim", "ref"],
        &["--platform", "github-actions", "--claim", "ref:=["],
        &["--platform", "github-actions", "--audience", ""],
        &["--platform", "github-actions", "--lifetime", "soon"],
        &["--platform", "github-actions", "--key", "stolen"],
        &["--platform", "github-actions", "--key-of", "nobody"],
        &["--platform", "github-actions", "--kid", ""],
        &["--platform", "github-actions", "--alg", "RS256"],
    ];
    let said: String = bad
        .iter()
        .map(|more| up.daypass(["token", "mint"].into_iter().chain(more.iter().copied())).exits(2).seen())
        .collect();
    steadily(|| insta::assert_snapshot!("mint-refused", said));
}
