//! `examples/acme`: a half-migrated organisation, which the documentation is about too.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::daypass;

fn acme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/acme")
}

#[test]
fn every_planted_credential_is_found_and_nothing_else() {
    let expected = std::fs::read_to_string(acme().join("expected/inventory.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let found = daypass(["inventory", "repos", "--json"]).within(&acme()).exits(0).json();
    assert_eq!(found, expected);
}

#[test]
fn the_committed_plan_is_up_to_date() {
    let account = "iam/account-authorization-details.json";
    let call = daypass(["plan", "repos", "--account-details", account, "--dry-run"]).within(&acme());
    let shown = call.exits(0).stdout;
    let committed = std::fs::read_to_string(acme().join("daypass.migration.toml")).unwrap();
    assert_eq!(shown, committed);
}
