//! Tests of a policy: written expectations, run like unit tests, on any dialect.
//!
//! ```toml
//! policy  = "deploy-prod.json"          # relative to this file; or document = '''...'''
//! dialect = "aws"                       # optional when the content tells
//! issuer  = "https://token.actions.githubusercontent.com"
//! audiences = ["sts.amazonaws.com"]     # what the provider registration accepts; optional
//!
//! [[case]]
//! name   = "main deploys"
//! claims = { sub = "repo:acme/app:ref:refs/heads/main", aud = "sts.amazonaws.com" }
//! expect = "allow"                      # allow | deny | unknown
//! ```
//!
//! JSON files with the same keys are read too, and `case` may be called `cases`. A case may override `policy`,
//! `document`, `dialect`, `issuer` and `audiences`, and give `context` (`{ "sts:RoleSessionName" = "x" }`).

mod file;

use serde::Serialize;

pub use file::{Case, PolicyRef, TestFile, parse};

use crate::dialect::{CompileOptions, compile, detect};
use crate::document::Source;
use crate::evaluate::{Outcome, evaluate};
use crate::form::Policy;

/// What became of a test file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// How many cases gave what they expect.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// Each case.
    pub cases: Vec<CaseResult>,
}

/// What became of one case.
#[derive(Clone, Debug, Serialize)]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// What it expects.
    pub expect: Outcome,
    /// What the policy says; `null` where the policy could not be read.
    pub got: Option<Outcome>,
    /// Why, in one line.
    pub reason: String,
}

impl CaseResult {
    /// Whether the policy says what is expected.
    pub fn passed(&self) -> bool {
        self.got == Some(self.expect)
    }
}

impl Report {
    /// Joins the reports of several files.
    pub fn extend(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.cases.extend(other.cases);
    }
}

/// Runs every case. `read` gives the text of a policy file by its path as written in the test file.
pub fn run(
    tests: &TestFile,
    options: &CompileOptions,
    read: &mut dyn FnMut(&str) -> Result<Source, String>,
) -> Report {
    let mut report = Report::default();
    for case in &tests.cases {
        let result = run_case(case, options, read);
        if result.passed() {
            report.passed = report.passed.saturating_add(1);
        } else {
            report.failed = report.failed.saturating_add(1);
        }
        report.cases.push(result);
    }
    report
}

fn run_case(
    case: &Case,
    options: &CompileOptions,
    read: &mut dyn FnMut(&str) -> Result<Source, String>,
) -> CaseResult {
    let result = |got, reason| CaseResult { name: case.name.clone(), expect: case.expect, got, reason };
    let policy = match load(case, options, read) {
        Ok(policy) => policy,
        Err(why) => return result(None, why),
    };
    let evaluation = evaluate(&policy, &case.claims, &case.context);
    let mut reason = evaluation.reasons.join("; ");
    if evaluation.outcome != case.expect && !evaluation.nearest_miss.is_empty() {
        let misses: Vec<String> = evaluation.nearest_miss.iter().map(ToString::to_string).collect();
        reason = format!("{reason}; nearest miss: {}", misses.join("; "));
    }
    result(Some(evaluation.outcome), reason)
}

fn load(
    case: &Case,
    options: &CompileOptions,
    read: &mut dyn FnMut(&str) -> Result<Source, String>,
) -> Result<Policy, String> {
    let source = match &case.policy {
        PolicyRef::File(path) => read(path)?,
        PolicyRef::Document(source) => source.clone(),
    };
    let dialect = match case.dialect {
        Some(dialect) => dialect,
        None => detect(&source).map_err(|problem| problem.to_string())?,
    };
    let options = CompileOptions {
        audiences: case.audiences.clone().or_else(|| options.audiences.clone()),
        issuer: case.context.issuer.clone().or_else(|| options.issuer.clone()),
        ..options.clone()
    };
    let compiled = compile(dialect, &source, &options).map_err(|error| error.to_string())?;
    Ok(compiled.policy)
}

#[cfg(test)]
mod tests;
