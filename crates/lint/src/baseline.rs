use std::collections::BTreeSet;

use daypass_trust::document::Source;
use serde::{Deserialize, Serialize};

use crate::Report;

/// The findings that are known and accepted for now: a later check tells only what is new.
///
/// An entry holds for a finding of the same rule, file and role about the same words, wherever those stand in the file. A
/// change of the words is a new finding: a wider pattern is not accepted because a narrower one was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The format: 1.
    version: u32,
    /// What is accepted, in the order of the files.
    findings: Vec<Accepted>,
}

/// A finding that is accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The rule.
    pub rule: String,
    /// The file.
    pub file: String,
    /// The role or job.
    pub role: String,
    /// What was found, for readers.
    pub message: String,
    /// What tells it from others.
    pub fingerprint: String,
}

/// A file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not JSON, or has other members.
    #[error("{file}:{}:{}: {error}", error.line(), error.column())]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// It is of another version of the format.
    #[error("{file}:1:1: the baseline is of version {version}, and 1 is known (write it anew)")]
    Version {
        /// The file.
        file: String,
        /// Its version.
        version: u32,
    },
}

impl Baseline {
    /// The format's version.
    const VERSION: u32 = 1;

    /// Accepts all that a report holds.
    pub fn of(report: &Report) -> Self {
        let accepted = report.findings.iter().map(|it| Accepted {
            rule: it.rule.to_owned(),
            file: it.file.to_string(),
            role: it.role.clone(),
            message: it.message.clone(),
            fingerprint: it.fingerprint.clone(),
        });
        Self { version: Self::VERSION, findings: accepted.collect() }
    }

    /// Accepts something that is no finding, such as what a review says.
    pub fn accept(&mut self, accepted: Accepted) {
        self.findings.push(accepted);
    }

    /// Whether something is accepted, by its fingerprint.
    pub fn knows(&self, fingerprint: &str) -> bool {
        self.findings.iter().any(|it| it.fingerprint == fingerprint)
    }

    /// Reads a file.
    pub fn parse(source: &Source) -> Result<Self, BaselineError> {
        let file = || source.name().to_owned();
        let baseline: Self = serde_json::from_str(source.text())
            .map_err(|error| BaselineError::Syntax { file: file(), error })?;
        if baseline.version != Self::VERSION {
            return Err(BaselineError::Version { file: file(), version: baseline.version });
        }
        Ok(baseline)
    }

    /// The file's text.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Moves what is accepted out of the way. What is accepted and was not found is returned: it can go.
    pub fn apply(&self, report: &mut Report) -> Vec<&Accepted> {
        let known: BTreeSet<&str> = self.findings.iter().map(|it| it.fingerprint.as_str()).collect();
        let is_known = |finding: &crate::Finding| known.contains(finding.fingerprint.as_str());
        let (accepted, new) = std::mem::take(&mut report.findings).into_iter().partition(is_known);
        report.findings = new;
        report.accepted = accepted;
        let found: BTreeSet<&str> = report.accepted.iter().map(|it| it.fingerprint.as_str()).collect();
        self.findings.iter().filter(|it| !found.contains(it.fingerprint.as_str())).collect()
    }
}
