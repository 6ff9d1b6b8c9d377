//! The shared corpus: every sample gets its verdict, with what shows it.

use daypass_lint::{Options, Report, Severity, Verdict};
use daypass_prove::Estate;
use daypass_trust::document::Source;
use serde_json::Value;

use crate::support::{Disk, checked, on_all_cores, word};

fn options(disk: &Disk) -> Options {
    let text = std::fs::read_to_string(disk.0.join("daypass.estate.toml")).unwrap();
    let mut options = Options::default();
    options.prover.account = Some("111122223333".to_owned());
    options.prover.estate = Estate::parse(&Source::new("daypass.estate.toml", text)).unwrap();
    options
}

/// Findings with a verdict and nothing that shows it: a token, or what stands in the way of every one.
fn unshown(report: &Report) -> Vec<&str> {
    let lacking = report.findings.iter().filter(|finding| match finding.verdict {
        Some(Verdict::Bad) => finding.witness.is_none() && finding.why.is_empty(),
        Some(Verdict::Dead) => finding.why.is_empty(),
        Some(Verdict::Warn) | None => false,
    });
    lacking.map(|finding| finding.rule).collect()
}

/// What is wrong with the findings about one file.
fn wrong(disk: &Disk, options: &Options, file: &str, wanted: &str) -> Vec<String> {
    let report = checked(disk, file, options);
    assert_eq!(report.problems, [], "{file}");
    assert_eq!(report.unresolved, [], "{file}");
    assert!(report.policies > 0, "{file}");
    let mut wrong = Vec::new();
    let rules: Vec<&str> = report.findings.iter().map(|it| it.rule).collect();
    let got = word(&report.findings);
    if got != wanted {
        wrong.push(format!("{file}: {wanted}, found {got} {rules:?}"));
    }
    if wanted == "good" && report.findings.iter().any(|it| it.severity > Severity::Info) {
        wrong.push(format!("{file}: should be silent, found {rules:?}"));
    }
    wrong.extend(unshown(&report).into_iter().map(|rule| format!("{file}: nothing shows {rule}")));
    wrong
}

#[test]
fn every_sample_gets_its_verdict_in_each_of_its_forms() {
    let disk = Disk::samples("samples");
    let options = options(&disk);
    let expected = std::fs::read(disk.0.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut cases = Vec::new();
    for sample in expected.as_array().unwrap() {
        let (id, wanted) = (sample["id"].as_str().unwrap(), sample["expected"].as_str().unwrap());
        let twins = sample["tf"].as_array().into_iter().flatten();
        let files = [&sample["file"]].into_iter().chain(twins).filter_map(Value::as_str);
        if only.is_empty() || only.split(',').any(|it| it == id) {
            cases.extend(files.map(|file| (file.to_owned(), wanted.to_owned())));
        }
    }
    let found = on_all_cores(&cases, |(file, wanted)| wrong(&disk, &options, file, wanted));
    assert!(found.is_empty(), "{found:#?}");
    assert!(cases.len() > 200 || !only.is_empty(), "{}", cases.len());
}
