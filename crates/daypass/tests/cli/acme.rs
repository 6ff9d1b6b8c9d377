//! `examples/acme`: a half-migrated organisation, which the documentation is about too.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::daypass;

fn acme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/acme")
}

/// The organisation, to be changed.
pub(crate) fn copied() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp").arg("-R").arg(acme().join(".")).arg(place.path()).status();
    assert!(copied.unwrap().success());
    place
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

/// From the inventory to a retirement that is refused and then granted; the script insists on every exit code.
#[test]
fn the_whole_migration_runs() {
    let script = std::process::Command::new("bash")
        .arg(acme().join("migrate.sh"))
        .env("DAYPASS", env!("CARGO_BIN_EXE_daypass"))
        .output()
        .unwrap();
    let said = String::from_utf8(script.stdout).unwrap();
    assert!(script.status.success(), "{said}\n{}", String::from_utf8_lossy(&script.stderr));
    assert!(said.contains("it was used since cut-over: aws-cli on linux from 203.0.113.7"), "{said}");
    assert!(said.contains("1 credential may go, 0 must stay"), "{said}");
}
