//! What the targets of audit logs share.

use daypass_evidence::{Evidence, Options, SourceKind, gather_stream};

/// The rows are in order and add up, read back as they were written, and do not depend on what fits into memory.
pub(super) fn read(source: SourceKind, data: &[u8]) {
    let found = gathered(source, data, Options::default().memory);
    assert_eq!(found, gathered(source, data, 0), "what is spilled is the same");
    assert!(found.uses.is_sorted_by_key(|row| {
        let texts = [&row.credential, &row.principal, &row.issuer, &row.subject, &row.audience, &row.agent];
        (
            row.cloud,
            row.account.clone(),
            row.class,
            texts.map(String::clone),
            row.system.clone(),
            row.day.clone(),
        )
    }));
    for row in &found.uses {
        assert!(row.first <= row.last && row.uses + row.issued + row.refused > 0, "{row:?}");
        assert!(row.hours != 0 && row.minutes != 0 && row.addresses <= 64, "{row:?}");
        assert_eq!(row.address.is_empty(), row.addresses == 0, "{row:?}");
        let text = serde_json::to_string(row).expect("a row can be written");
        assert_eq!(serde_json::from_str::<daypass_evidence::UseRow>(&text).expect("a row can be read"), *row);
    }
    let reading = &found.reading;
    let heard: u64 = found.coverage.iter().map(|row| row.events).sum();
    assert!(heard <= reading.records, "{heard} of {}", reading.records);
    let told: u64 = reading.reports.iter().flat_map(|report| report.skipped.values()).sum();
    assert_eq!(told, reading.skipped.values().sum::<u64>(), "every skip is in a report");
}

fn gathered(source: SourceKind, data: &[u8], memory: usize) -> Evidence {
    let options = Options { memory, record: 4_096, ..Options::default() };
    let gathered = gather_stream(source, data, "log".into(), &options);
    gathered.and_then(daypass_evidence::Gathered::into_evidence).expect("temporary files can be written")
}
