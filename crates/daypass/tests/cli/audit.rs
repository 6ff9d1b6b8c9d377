//! `audit tail`, `verify` and `export`.

use crate::program::{daypass, steadily, write};
use crate::schema;
use crate::service::Up;

const STAGING: &str = "arn:aws:iam::123456789012:role/deploy-staging";

/// A service that admitted once and refused once.
pub(crate) fn used() -> Up {
    let up = Up::start();
    let token = up.github();
    up.daypass(["exchange", "--role", STAGING, "--token-file", &token]).exits(0);
    up.daypass(["exchange", "--role", "deploy-prod", "--token-file", &token]).exits(1);
    up
}

#[test]
fn the_newest_decisions_are_shown() {
    let up = used();
    steadily(|| insta::assert_snapshot!("audit-tail", up.daypass(["audit", "tail"]).exits(0).stdout));
    let answer = up.daypass(["audit", "tail", "-n", "1", "--json"]).exits(0).json();
    assert_eq!(answer["records"][0]["record"]["act"], "read-audit");
    assert!(up.daypass(["audit", "tail", "-n", "0"]).exits(2).stderr.contains("1..=1000"));
}

#[test]
fn a_log_is_exported_and_verified() {
    let up = used();
    let found = up.daypass(["audit", "verify", "--json"]).exits(0).json();
    assert_eq!((&found["ok"], &found["first_bad"]), (&true.into(), &serde_json::Value::Null));
    let text = up.daypass(["audit", "export"]).exits(0).stdout;
    for line in text.lines() {
        schema::check("audit-export-line", &serde_json::from_str(line).unwrap());
    }
    assert!(daypass(["audit", "verify", "-"]).input(text.as_str()).exits(0).stdout.contains("holds"));
    let file = up.path().join("log.jsonl");
    let file = file.to_str().unwrap();
    let answer = up.daypass(["audit", "export", "--json", "--output", file]).exits(0).json();
    assert_eq!(answer["lines"], text.lines().count());
    assert!(up.daypass(["audit", "export", "--output", file]).exits(2).stderr.contains("cannot make"));
    daypass(["audit", "verify", file]).exits(0);
    daypass(["audit", "verify", file, "--data", up.data()]).exits(2);
}

#[test]
fn keys_and_checkpoints_from_elsewhere_are_what_counts() {
    let up = used();
    let text = up.daypass(["audit", "export"]).exits(0).stdout;
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let own = lines.iter().find_map(|line| line.get("key")).unwrap();
    let key = write(up.path(), "key.json", own.to_string());
    let set = write(up.path(), "keys.json", serde_json::json!({ "keys": [own] }).to_string());
    for key in [&key, &set] {
        up.daypass(["audit", "verify", "--key", key]).exits(0);
    }
    let mut other = own.clone();
    other["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into();
    let wrong = write(up.path(), "other.json", other.to_string());
    assert_eq!(up.daypass(["audit", "verify", "--json", "--key", &wrong]).exits(1).json()["ok"], false);
    let broken = write(up.path(), "broken.json", "{\"kty\": \"OKP\"}");
    assert!(up.daypass(["audit", "verify", "--key", &broken]).exits(2).stderr.contains("broken.json"));
    let heads = write(up.path(), "heads.jsonl", "{\"at\": 1}\n");
    assert!(up.daypass(["audit", "verify", "--heads", &heads]).exits(2).stderr.contains("heads.jsonl"));
}

#[test]
fn a_place_without_a_log_is_said() {
    let place = tempfile::tempdir().unwrap();
    let empty = place.path().to_str().unwrap();
    assert!(daypass(["audit", "verify"]).exits(2).stderr.contains("no data directory"));
    let ran = daypass(["audit", "verify", "--data", empty]).exits(3);
    assert!(ran.stderr.contains("cannot be opened"), "{ran:?}");
    let file = write(place.path(), "empty.jsonl", "");
    let found = daypass(["audit", "verify", "--json", &file]).exits(1).json();
    assert_eq!(found["first_bad"]["problem"], "there is no log in the file");
}
