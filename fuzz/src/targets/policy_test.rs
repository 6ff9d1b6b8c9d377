//! Files of policy tests.

use daypass_trust::document::Source;
use daypass_trust::policy_test::{parse, run as run_tests};
use daypass_trust::{CompileError, CompileOptions};

use crate::check::{located, readable};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Source::new("cases.test.toml", text);
    match parse(&source) {
        Ok(tests) => {
            let mut no_files = |_: &str| Err("no such file".to_owned());
            let report = run_tests(&tests, &CompileOptions::default(), &mut no_files);
            assert_eq!(report.cases.len(), tests.cases.len());
            assert_eq!(report.passed + report.failed, report.cases.len());
            let without_reason = |case: &&daypass_trust::policy_test::CaseResult| case.reason.is_empty();
            assert!(report.cases.iter().find(without_reason).is_none(), "a result without a reason");
        }
        Err(CompileError { problems }) => {
            located(&problems, &[&source]);
            for problem in &problems {
                readable(&problem.to_string());
            }
        }
    }
}
