//! Logs that somebody changed: `audit verify` says so, whatever was changed.

use serde_json::Value;

use crate::audit::used;
use crate::program::{daypass, write};

/// What is found in a text.
fn verify(text: impl Into<Vec<u8>>) -> Value {
    let ran = daypass(["audit", "verify", "--json", "-"]).input(text).run();
    let found = ran.json();
    assert_eq!(ran.code, Some(i32::from(found["ok"] != true)), "{ran:?}");
    found
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let up = used();
    let text = up.daypass(["audit", "export"]).exits(0).stdout;
    // Places all over the file, more of them than there are members in a line.
    let step = (text.len() / 60).max(1);
    for at in (0..text.len()).step_by(step) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let found = verify(bytes);
        assert_eq!(found["ok"], false, "byte {at}");
        assert!(found["first_bad"]["problem"].is_string());
    }
}

#[test]
fn lines_that_are_gone_moved_or_doubled_are_found() {
    let up = used();
    let text = up.daypass(["audit", "export"]).exits(0).stdout;
    let lines: Vec<&str> = text.lines().collect();
    let entries: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("{\"entry\"")).collect();
    assert!(entries.len() >= 3);
    for at in &entries[..entries.len() - 1] {
        let removed: Vec<&str> =
            lines.iter().enumerate().filter(|(n, _)| n != at).map(|(_, line)| *line).collect();
        assert_eq!(verify(removed.join("\n"))["ok"], false, "without line {at}");
        let seq = |line: &str| {
            let entry: Value = serde_json::from_str(line).unwrap();
            format!("\"seq\":{},", entry["entry"]["seq"])
        };
        let mut moved: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let (one, next) = (seq(lines[*at]), seq(lines[at + 1]));
        moved[*at] = lines[*at].replace(&one, &next);
        moved[at + 1] = lines[at + 1].replace(&next, &one);
        assert_eq!(verify(moved.join("\n"))["ok"], false, "line {at} in the place of the next");
    }
    let mut turned = lines.clone();
    turned.reverse();
    assert_eq!(
        verify(turned.join("\n"))["ok"],
        true,
        "an entry's place is what it says, whatever line it is on"
    );
    let mut doubled = lines.clone();
    doubled.insert(entries[1], lines[entries[1]]);
    assert_eq!(verify(doubled.join("\n"))["ok"], false);
    let (cut, _) = text.split_at(text.len() - 20);
    assert_eq!(verify(cut)["ok"], false, "cut off in a line");
}

#[test]
fn an_altered_body_in_the_database_is_pointed_at() {
    let up = used();
    let data = up.stop();
    let file = data.path().join("data/daypass.sqlite3");
    let database = rusqlite::Connection::open(&file).unwrap();
    let table: String = database
        .query_row(
            "SELECT name FROM sqlite_master WHERE sql LIKE '%body_hash%' AND type = 'table'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let triggers: Vec<String> = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for trigger in triggers {
        database.execute(&format!("DROP TRIGGER {trigger}"), []).unwrap();
    }
    let changed = database
        .execute(
            &format!("UPDATE {table} SET body = CAST(replace(CAST(body AS TEXT), 'acme/app', 'evil/app') AS BLOB) WHERE seq = 1"),
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
    drop(database);
    let place = data.path().join("data");
    let found = daypass(["audit", "verify", "--json", "--data", place.to_str().unwrap()]).exits(1).json();
    assert_eq!(found["first_bad"]["seq"], 1, "{found:#}");
    assert!(found["first_bad"]["problem"].as_str().unwrap().contains("altered"), "{found:#}");
}

#[test]
fn a_damaged_page_is_damage_and_no_panic() {
    let data = used().stop();
    let file = data.path().join("data/daypass.sqlite3");
    rusqlite::Connection::open(&file).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let good = std::fs::read(&file).unwrap();
    let size = usize::from(u16::from_be_bytes([good[16], good[17]]));
    for page in 1..(good.len() / size).min(12) {
        let mut bytes = good.clone();
        bytes[page * size..][..64].fill(0xA5);
        write(data.path(), "data/daypass.sqlite3", bytes);
        let place = data.path().join("data");
        let ran = daypass(["audit", "verify", "--json", "--data", place.to_str().unwrap()]).run();
        assert!(matches!(ran.code, Some(1 | 3)), "page {page}: {ran:?}");
        ran.json();
    }
}
