//! `daypass test`.

use std::io::{self, Write};

use camino::Utf8PathBuf;
use clap::Args;
use daypass_trust::CompileOptions;
use daypass_trust::policy_test::{self, Report};

use super::files;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::style;

/// Runs written expectations about trust policies, like unit tests.
///
/// A test file names a policy, in any dialect, and cases: claims, and whether they should be admitted. Paths in it are
/// relative to the file.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A test file, TOML or JSON:
  policy = \"deploy-prod.json\"
  issuer = \"https://token.actions.githubusercontent.com\"
  [[case]]
  name   = \"main deploys\"
  claims = { sub = \"repo:acme/app:ref:refs/heads/main\", aud = \"sts.amazonaws.com\" }
  expect = \"allow\"        # allow, deny or unknown

Examples:
  daypass test roles/*.test.toml
  daypass test deploy-prod.test.json --json

Exits 1 if a case does not go as expected.")]
pub(crate) struct Arguments {
    /// Test files.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<Utf8PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let mut report = Report::default();
    for path in &arguments.files {
        let source = files::read(path)?;
        let tests = policy_test::parse(&source)
            .map_err(|error| Failure::input(error.problems, vec![source.clone()]))?;
        let base = path.parent().map(ToOwned::to_owned).unwrap_or_default();
        let mut read = |policy: &str| {
            files::read_text(&base.join(policy)).map_err(|why| format!("{}: {why}", base.join(policy)))
        };
        report.extend(policy_test::run(&tests, &CompileOptions::default(), &mut read));
    }
    output.answer(&report, |out| write(out, &report))?;
    Ok(Outcome::fine_if(report.failed == 0))
}

fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for case in &report.cases {
        if case.passed() {
            writeln!(out, "{} {}", style::good("ok  "), case.name)?;
        } else {
            let got = case.got.map_or_else(|| "an error".to_owned(), |got| got.to_string());
            writeln!(out, "{} {}: expected {}, got {got}", style::bad("FAIL"), case.name, case.expect)?;
            writeln!(out, "     {}", case.reason)?;
        }
    }
    writeln!(out, "\n{} passed, {} failed", report.passed, report.failed)
}
