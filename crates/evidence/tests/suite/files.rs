//! Which files are read.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicU64, Ordering};

use daypass_evidence::{Input, Options, Progress, Skip, SourceKind, gather};

use crate::common::{call, delivery, folder, read, read_as, write};

const NOON: &str = "2026-10-05T12:00:00Z";

#[test]
fn a_path_that_is_not_there_is_reported() {
    let (_folder, path) = folder();
    let evidence = read(&path.join("nowhere"), &Options::default());
    assert_eq!(evidence.reading.skipped[&Skip::Unreadable], 1);
    assert_eq!(evidence.reading.reports[0].path, path.join("nowhere"));
}

#[test]
fn links_below_a_folder_are_reported_and_not_followed() {
    let (_folder, path) = folder();
    write(&path.join("logs/a.json"), delivery(&[call("AKIA1", NOON)]).as_bytes());
    write(&path.join("elsewhere.json"), delivery(&[call("AKIA2", NOON)]).as_bytes());
    symlink(path.join("elsewhere.json"), path.join("logs/b.json")).unwrap();
    symlink(path.join("logs"), path.join("logs/loop")).unwrap();
    let evidence = read(&path.join("logs"), &Options::default());
    assert_eq!(evidence.uses.len(), 1);
    assert_eq!(evidence.reading.skipped[&Skip::Link], 2);
    // A link that is named itself is what was asked for.
    assert_eq!(read(&path.join("logs/b.json"), &Options::default()).uses[0].credential, "AKIA2");
}

#[test]
fn folders_beyond_any_delivery_are_reported() {
    let (_folder, path) = folder();
    let deep = path.join("d/".repeat(40));
    fs::create_dir_all(&deep).unwrap();
    let evidence = read(&path, &Options::default());
    assert_eq!(evidence.reading.skipped[&Skip::TooDeep], 1);
    assert_eq!(evidence.coverage[0].lost, 1, "what it holds is missing");
}

#[test]
fn names_that_are_not_utf_8_are_reported() {
    use std::os::unix::ffi::OsStrExt;
    let (_folder, path) = folder();
    fs::write(path.as_std_path().join(std::ffi::OsStr::from_bytes(b"\xff.json")), "{}").unwrap();
    assert_eq!(read(&path, &Options::default()).reading.skipped[&Skip::Name], 1);
}

#[test]
fn digests_and_insights_are_passed_over() {
    let (_folder, path) = folder();
    write(&path.join("AWSLogs/1/CloudTrail-Digest/x/d.json.gz"), b"no");
    write(&path.join("AWSLogs/1/CloudTrail-Insight/x/i.json.gz"), b"no");
    let evidence = read(&path, &Options::default());
    assert_eq!((evidence.reading.passed_over, evidence.reading.files), (2, 0));
    assert!(evidence.reading.skipped.is_empty());
}

#[test]
fn every_file_is_announced_once_with_its_size() {
    struct Sum(AtomicU64, AtomicU64);
    impl Progress for Sum {
        fn file(&self, bytes: u64) {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.1.fetch_add(bytes, Ordering::Relaxed);
        }
    }
    let (_folder, path) = folder();
    for name in ["a", "b", "c"] {
        write(&path.join(name), b"0123456789");
    }
    let sum = Sum(AtomicU64::new(0), AtomicU64::new(0));
    let inputs = [Input { source: SourceKind::CloudTrail, path: path.clone() }];
    gather(&inputs, &Options::default(), &sum).unwrap();
    assert_eq!((sum.0.into_inner(), sum.1.into_inner()), (3, 30));
}

#[test]
fn every_source_is_read_from_files() {
    let (_folder, path) = folder();
    let file = path.join("log");
    for source in SourceKind::ALL {
        write(&file, b"{\"a\": 1}\n");
        let evidence = read_as(source, &file, &Options::default());
        // One unknown record; a table without the columns it needs has no rows, and says so of each.
        let skips: u64 = evidence.reading.skipped.values().sum();
        assert!(skips <= 1, "{source}: {:?}", evidence.reading);
        let lost = evidence.coverage.iter().map(|row| row.lost).sum::<u64>();
        let is_log = !matches!(source, SourceKind::CredentialReport | SourceKind::KeyLastUsed);
        assert_eq!(lost, u64::from(is_log), "{source}");
    }
}
