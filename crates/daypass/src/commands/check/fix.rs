//! Making the changes that findings bring with them.

use std::collections::BTreeMap;
use std::fs;

use daypass_lint::{Finding, Fix, Report};

use crate::failure::{Failure, Result};

/// Changes the files; says what was done, a line for each finding.
pub(super) fn apply(report: &Report) -> Result<Vec<String>> {
    let mut by_file: BTreeMap<&str, Vec<(&Finding, &Fix)>> = BTreeMap::new();
    for finding in &report.findings {
        if let Some(fix) = &finding.fix {
            by_file.entry(&finding.file).or_default().push((finding, fix));
        }
    }
    let mut done = Vec::new();
    for (file, fixes) in by_file {
        let Some(source) = report.sources.get(file) else { continue };
        let text = Fix::apply_all(source.text(), fixes.iter().map(|(_, fix)| *fix));
        fs::write(file, text).map_err(|error| Failure::usage(format!("cannot write `{file}`: {error}")))?;
        done.extend(
            fixes
                .iter()
                .map(|(finding, fix)| format!("{file}:{}: {}: {}", finding.line, finding.role, fix.about)),
        );
    }
    Ok(done)
}
