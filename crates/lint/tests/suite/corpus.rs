//! The shared corpus: every sample gets its verdict, with what shows it.

use daypass_lint::{Options, Report, Severity, Verdict};
use serde_json::Value;

use crate::support::{Disk, checked, word};

fn options() -> Options {
    let mut options = Options::default();
    options.prover.account = Some("111122223333".to_owned());
    options
}

/// What shows a finding that has a verdict: a token, or what stands in the way of every one.
fn unshown(report: &Report) -> Vec<&str> {
    let of_others = ["wildcard-principal", "static-principal"];
    let lacking = report.findings.iter().filter(|finding| match finding.verdict {
        Some(Verdict::Bad) => finding.witness.is_none() && finding.why.is_empty(),
        Some(Verdict::Dead) => finding.why.is_empty(),
        Some(Verdict::Warn) | None => false,
    });
    lacking.map(|finding| finding.rule).filter(|rule| !of_others.contains(rule)).collect()
}

#[test]
fn every_sample_gets_its_verdict_in_each_of_its_forms() {
    let disk = Disk::samples("samples");
    let expected: Value = serde_json::from_slice(&std::fs::read(disk.0.join("expected.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut files = 0;
    for sample in expected.as_array().unwrap() {
        let (id, wanted) = (sample["id"].as_str().unwrap(), sample["expected"].as_str().unwrap());
        let twins = sample["tf"].as_array().into_iter().flatten();
        for file in [&sample["file"]].into_iter().chain(twins).filter_map(Value::as_str) {
            files += 1;
            let report = checked(&disk, file, &options());
            assert_eq!(report.problems, [], "{file}");
            assert_eq!(report.unresolved, [], "{file}");
            assert!(report.policies > 0, "{file}");
            let rules: Vec<&str> = report.findings.iter().map(|it| it.rule).collect();
            let got = word(&report.findings);
            if got != wanted {
                wrong.push(format!("{id} {file}: {wanted}, found {got} {rules:?}"));
            }
            if wanted == "good" && report.findings.iter().any(|it| it.severity > Severity::Info) {
                wrong.push(format!("{id} {file}: should be silent, found {rules:?}"));
            }
            let unshown = unshown(&report);
            assert!(unshown.is_empty(), "{file}: {unshown:?}");
            if std::env::var_os("SHOW").is_some() {
                for it in &report.findings {
                    println!("{id} {wanted:5} {file} {}:{} {} {:?} {}", it.line, it.column, it.rule, it.verdict, it.message);
                }
            }
        }
    }
    assert!(files > 200, "{files}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
