use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_prove::{Answer, PersonaAnswer};
use daypass_sources::Unresolved;
use daypass_trust::document::{Location, Problem, Source};
use serde::{Serialize, Serializer};

use crate::{Finding, Ignored, Severity};

/// What a check came to. As JSON it is what scripts read.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// What was found, by file and place.
    pub findings: Vec<Finding>,
    /// How many trust policies were looked at.
    pub policies: usize,
    /// How many pipeline files were looked at.
    pub pipelines: usize,
    /// What looks like trust and is not known from the files.
    #[serde(serialize_with = "unresolved")]
    pub unresolved: Vec<Unresolved>,
    /// Files, or parts of them, that could not be read.
    #[serde(serialize_with = "problems")]
    pub problems: Vec<Problem>,
    /// Who gets into which role.
    pub matrix: Vec<Row>,
    /// What comments of the files take back.
    pub ignored: Vec<Ignored>,
    /// What a baseline accepts.
    pub accepted: Vec<Finding>,
    /// The texts of the files with findings, for whoever shows them.
    #[serde(skip)]
    pub sources: BTreeMap<Arc<str>, Source>,
}

/// A role and who gets into it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The role, as its file calls it.
    pub role: String,
    /// The language of its trust.
    pub dialect: &'static str,
    /// Where it is declared.
    #[serde(flatten)]
    pub location: Location,
    /// Whether it admits nobody; `None` where it is not about tokens.
    pub dead: Option<Answer>,
    /// Each kind of caller; empty for a role that admits nobody.
    pub personas: Vec<PersonaAnswer>,
}

impl Report {
    /// Whether something was found that matters at least so much.
    pub fn reaches(&self, threshold: Severity) -> bool {
        self.findings.iter().any(|finding| finding.severity >= threshold)
    }

    /// Leaves out what matters less.
    pub fn retain_at_least(&mut self, threshold: Severity) {
        self.findings.retain(|finding| finding.severity >= threshold);
    }

    /// The report as JSON, with line ends and indentation.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

#[derive(Serialize)]
struct Place<'a> {
    #[serde(flatten)]
    location: &'a Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    construct: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

fn unresolved<S: Serializer>(items: &[Unresolved], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(items.iter().map(|it| Place {
        location: &it.location,
        construct: Some(&it.construct),
        why: Some(&it.why),
        message: None,
        help: None,
    }))
}

fn problems<S: Serializer>(items: &[Problem], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(items.iter().map(|it| Place {
        location: &it.location,
        construct: None,
        why: None,
        message: Some(&it.message),
        help: it.help.as_deref(),
    }))
}
