//! Registry, documentation and files agree; what is written is read.

use std::fs;

use daypass_evidence::{Options, SourceKind};
use proptest::prelude::*;

use crate::common::{call, delivery, folder, gzip, read, write};

#[test]
fn every_source_has_its_file_and_its_line_in_the_readme() {
    let readme = include_str!("../../README.md");
    for source in SourceKind::ALL {
        assert!(readme.contains(&format!("| `{source}` |")), "{source}");
    }
    let mut files: Vec<String> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/source"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| name != "mod" && name != "tests")
        .collect();
    files.sort();
    assert_eq!(
        files,
        ["azure", "cloudtrail", "credential_report", "daypass", "gcp", "key_last_used", "vault"],
        "one file for each of {:?}",
        SourceKind::ALL
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However records are laid out, and cut into members, the same rows come of them.
    #[test]
    fn what_is_written_is_read(
        keys in prop::collection::vec((0_u8..6, 0_u32..86_400), 1..40),
        lines: bool,
        cuts in prop::collection::vec(0.0..1.0_f64, 0..4),
    ) {
        let records: Vec<String> = keys
            .iter()
            .map(|(key, second)| {
                let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
                call(&format!("AKIA{key}"), &format!("2026-10-05T{hour:02}:{minute:02}:{second:02}Z"))
            })
            .collect();
        let text = if lines { records.join("\n") } else { delivery(&records) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (cut * text.len() as f64) as usize).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let members: Vec<u8> = cuts.windows(2).flat_map(|cut| gzip(&text.as_bytes()[cut[0]..cut[1]])).collect();
        let (_folder, path) = folder();
        write(&path.join("a"), &members);
        let evidence = read(&path, &Options::default());
        prop_assert!(evidence.reading.skipped.is_empty(), "{:?}", evidence.reading);
        let count: u64 = evidence.uses.iter().map(|row| row.uses).sum();
        prop_assert_eq!(count, u64::try_from(keys.len()).unwrap());
        for row in &evidence.uses {
            let of_key = || keys.iter().filter(|(key, _)| row.credential == format!("AKIA{key}")).map(|(_, second)| *second);
            prop_assert_eq!(row.uses, u64::try_from(of_key().count()).unwrap());
            prop_assert_eq!(row.first.as_secs() % 86_400, i64::from(of_key().min().unwrap()));
            prop_assert_eq!(row.last.as_secs() % 86_400, i64::from(of_key().max().unwrap()));
            prop_assert_eq!(row.hours, of_key().fold(0, |bits, second| bits | 1 << (second / 3_600)));
        }
    }
}
