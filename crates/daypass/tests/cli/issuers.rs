//! `issuers list` and `issuers show`.

use crate::program::{daypass, steadily};

#[test]
fn the_catalogue_is_listed() {
    steadily(|| insta::assert_snapshot!("issuers-list", daypass(["issuers", "list"]).exits(0).stdout));
    let answer = daypass(["issuers", "list", "--json"]).exits(0).json();
    assert_eq!(answer["issuers"][0]["id"], "github-actions");
    assert_eq!(answer["issuers"][0]["shared"], true);
}

#[test]
fn every_platform_is_shown() {
    steadily(|| {
        insta::assert_snapshot!("issuers-show", daypass(["issuers", "show", "circleci"]).exits(0).stdout);
    });
    let listed = daypass(["issuers", "list", "--json"]).exits(0).json();
    for platform in listed["issuers"].as_array().unwrap() {
        let id = platform["id"].as_str().unwrap();
        let shown = daypass(["issuers", "show", id, "--json"]).exits(0).json();
        assert_eq!(shown["name"], platform["name"]);
    }
}

#[test]
fn an_unknown_platform_is_said() {
    let ran = daypass(["issuers", "show", "travis"]).exits(2);
    assert!(ran.stderr.contains("no platform `travis`") && ran.stderr.contains("issuers list"), "{ran:?}");
}
