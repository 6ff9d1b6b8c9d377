//! The files of `samples/own`: their inventory is `expected.txt` beside them, and nothing else. `DAYPASS_UPDATE=1` writes
//! it anew.

use std::fmt::Write;
use std::path::Path;

use daypass_pipelines::inventory::{Confidence, inventory, merged};
use daypass_pipelines::recognise;

use crate::samples::tree;

#[test]
fn whole_files() {
    let mut files = tree("own");
    let expected = files.remove("expected.txt").unwrap_or_default();
    // Files that only others include are no pipelines by themselves.
    let pipelines = files.iter().filter(|(path, bytes)| recognise(path, bytes).is_some());
    let found = pipelines.flat_map(|(path, bytes)| inventory(path, bytes, &files).unwrap().credentials);
    let mut text = String::new();
    let mut before = String::new();
    for one in merged(found.collect()) {
        if *one.file != before {
            before = one.file.to_string();
            writeln!(text, "{before}").unwrap();
        }
        let sure = if one.confidence == Confidence::Certain { "" } else { "?" };
        let job = one.job.as_deref().unwrap_or("*");
        let (line, kind) = (one.line, one.kind);
        writeln!(text, "  {line}: {kind}{sure} [{job}] {} <- {}", one.sink, one.source).unwrap();
    }
    if std::env::var_os("DAYPASS_UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/own/expected.txt");
        std::fs::write(path, &text).unwrap();
    } else {
        assert_eq!(text, String::from_utf8(expected).unwrap());
    }
}
