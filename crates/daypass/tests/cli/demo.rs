//! `demo`.

use crate::program::{daypass, steadily};

#[test]
fn the_story_holds_and_leaves_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let ran = daypass(["demo", "--json"]).env("TMPDIR", place.path()).exits(0);
    let answer = ran.json();
    let steps = answer["steps"].as_array().unwrap();
    assert_eq!(answer["ok"], true);
    assert_eq!(steps.len(), 26);
    assert!(steps.iter().all(|step| step["ok"] == true && step["expect"] == step["got"]), "{answer:#}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    let told: String = steps
        .iter()
        .map(|step| format!("{}: {}\n", step["id"].as_str().unwrap(), step["got"].as_str().unwrap()))
        .collect();
    steadily(|| insta::assert_snapshot!("demo", told));
}

#[test]
fn a_reader_is_told_the_same() {
    let ran = daypass(["demo"]).exits(0);
    assert!(ran.stdout.contains("26 of 26 steps did what they should"), "{ran:?}");
    assert!(!ran.stdout.contains("FAIL") && ran.stderr.is_empty(), "{ran:?}");
}
