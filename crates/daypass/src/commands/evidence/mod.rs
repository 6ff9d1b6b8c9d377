//! `daypass evidence`.

mod plan;
mod question;
mod render;
mod sql;

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

use camino::Utf8PathBuf;
use clap::Args;
use daypass_claims::{Clock, Timestamp};
use daypass_evidence::{Input, Ledger, Options, Report, SourceKind, count_files, gather};
use daypass_server::SystemClock;

use crate::commands::files;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::progress;

/// Tells from audit logs who still uses which stored credential, and which sessions nobody planned.
///
/// Logs are read as streams, plain or compressed, however large they are. A verdict has three values: a credential was used
/// since cut-over; or no use was seen, with what of the logs there is; or it cannot be told, and why.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  # Is the old key dead? Who uses it?
  daypass evidence --cloudtrail logs/ --key AKIAIOSFODNN7EXAMPLE --cut-over 2026-10-18

  # With what IAM itself says of keys, which covers what a trail of management events does not
  aws iam get-credential-report --query Content --output text | base64 -d > report.csv
  daypass evidence --cloudtrail logs/ --credential-report report.csv --cut-over 2026-10-18

  # Sessions that nobody planned
  daypass evidence --cloudtrail logs/ --expect 'arn:aws:iam::*:role/shop-deploy' 'repo:acme/shop:environment:*'

  # Everything that a migration's plan asks for
  daypass evidence --plan daypass.migration.toml --cloudtrail logs/ --cut-over 2026-10-18 --json > evidence.json

  # Where the trail is past one machine: a query for the engine that has it
  daypass evidence --cloudtrail 's3://trail/AWSLogs/*/CloudTrail/*/*/*/*/*.json.gz' --sql duckdb

What could not be read is listed as skipped, with the reason, and counts against the coverage.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    logs: Logs,
    #[command(flatten)]
    plan: plan::Chosen,
    #[command(flatten)]
    asked: question::Asked,
    #[command(flatten)]
    sql: sql::OnEngine,
}

/// Files and folders, by what they are read as.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logs (files or folders)")]
struct Logs {
    /// CloudTrail, as it is delivered to S3 or as `lookup-events` prints it.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    cloudtrail: Vec<Utf8PathBuf>,
    /// Audit logs of Google Cloud.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    gcp: Vec<Utf8PathBuf>,
    /// Sign-in logs of Microsoft Entra.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    azure: Vec<Utf8PathBuf>,
    /// Audit devices of Vault and OpenBao.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    vault: Vec<Utf8PathBuf>,
    /// Records of daypass: `daypass audit export`.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    records: Vec<Utf8PathBuf>,
    /// IAM credential reports, in CSV.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    credential_report: Vec<Utf8PathBuf>,
    /// `aws iam get-access-key-last-used` and `list-access-keys`.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    last_used: Vec<Utf8PathBuf>,
    /// How many files are read at a time; all cores unless given.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Logs {
    fn inputs(&self) -> Vec<Input> {
        let by_source: [(SourceKind, &[Utf8PathBuf]); 7] = [
            (SourceKind::CloudTrail, &self.cloudtrail),
            (SourceKind::GcpAudit, &self.gcp),
            (SourceKind::AzureSignIn, &self.azure),
            (SourceKind::VaultAudit, &self.vault),
            (SourceKind::DaypassLog, &self.records),
            (SourceKind::CredentialReport, &self.credential_report),
            (SourceKind::KeyLastUsed, &self.last_used),
        ];
        let input = |source| move |path: &Utf8PathBuf| Input { source, path: path.clone() };
        by_source.into_iter().flat_map(|(source, paths)| paths.iter().map(input(source))).collect()
    }

    fn exist(&self) -> Result<()> {
        self.inputs().iter().try_for_each(|Input { path, .. }| files::exists(path))
    }
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    if let Some(engine) = arguments.sql.engine {
        let [files] = arguments.logs.cloudtrail.as_slice() else {
            return Err(Failure::usage("with --sql, give one --cloudtrail: where the files are"));
        };
        return sql::run(engine, &arguments.sql, files, &arguments.asked, output);
    }
    let inputs = arguments.logs.inputs();
    if inputs.is_empty() {
        return Err(Failure::usage(
            "nothing to read: give --cloudtrail, --gcp, --azure, --vault or --records",
        ));
    }
    arguments.logs.exist()?;
    let now = SystemClock.now();
    let question = arguments.asked.question(now, arguments.plan.read(output)?)?;
    // What lies after the window's end may be true, what lies after now cannot be.
    let until = now.max(question.until);
    let report = read(&inputs, arguments.logs.threads, until, &question)?;
    output.answer(&report, |out| render::write(out, &report))?;
    Ok(Outcome::Fine)
}

fn read(
    inputs: &[Input],
    threads: Option<NonZeroUsize>,
    until: Timestamp,
    question: &daypass_evidence::Question,
) -> Result<Report> {
    let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let options =
        Options { until: Some(until), threads: threads.unwrap_or_else(cores), ..Options::default() };
    let bar = Bar(Mutex::new((0, progress::Progress::of("reading logs", count_files(inputs)))));
    let gathered = gather(inputs, &options, &bar)?;
    drop(bar);
    let mut ledger = Ledger::new(question.clone());
    let rest = gathered.each_use(&mut |row| ledger.add(&row))?;
    let findings = ledger.finish(&rest);
    Ok(Report::new(question, findings, &rest.reading))
}

/// The files that were read, as a bar.
struct Bar(Mutex<(u64, progress::Progress)>);

impl daypass_evidence::Progress for Bar {
    fn file(&self, _: u64) {
        let mut bar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bar.0 = bar.0.saturating_add(1);
        let done = bar.0;
        bar.1.at(done);
    }
}
