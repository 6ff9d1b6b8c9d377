//! `daypass plan`.

use std::fs;
use std::io::{self, Write};

use camino::Utf8PathBuf;
use clap::Args;
use daypass_migrate::plan::{Drawn, FILE_NAME, State, draw};
use daypass_migrate::{Plan, Survey};
use serde::Serialize;

use super::super::inventory::Skipped;
use super::super::prove::estate;
use super::{Details, Read, folder_of, from, read_large, seen_from, warn, write};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::{Table, count, style};

/// Plans which role replaces which stored credential, and when.
///
/// Groups credentials by what they can do (from the account's policies where they are given, else from what the jobs run) and
/// gives each group one role for each environment; non-production comes first. The plan is a file for people: what is written
/// in it stays, what is new is added, and a credential that the files no longer have is marked.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass plan .
  daypass plan repos/* --out migration/daypass.migration.toml

  # By what the keys can really do, and with names and ids of repositories
  aws iam get-account-authorization-details > account.json
  daypass plan . --account-details account.json --estate daypass.estate.toml

Then say in the file whose each credential is (`principal`, `key`) and where roles live (`target`), and plan
again: finished work is kept. `daypass generate` says what is missing.")]
pub(crate) struct Arguments {
    /// Folders and files with pipelines.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<Utf8PathBuf>,
    /// The plan; made if it is not there.
    #[arg(long, value_name = "FILE", default_value = FILE_NAME)]
    out: Utf8PathBuf,
    #[command(flatten)]
    details: Details,
    /// What is ours: names and ids of repositories. Found beside the files or above them unless given.
    #[arg(long, value_name = "FILE")]
    estate: Option<Utf8PathBuf>,
    /// Show the new text, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    file: &'a str,
    /// Whether the file says something new.
    changed: bool,
    credentials: usize,
    /// Those that no role replaces.
    kept: usize,
    groups: usize,
    roles: Vec<PlannedRole<'a>>,
    notes: &'a [String],
    skipped: &'a [Skipped],
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct PlannedRole<'a> {
    name: &'a str,
    cloud: &'static str,
    group: &'a str,
    environment: Option<&'a str>,
    wave: u64,
    admin: bool,
    jobs: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let home = folder_of(&arguments.out);
    let is_new =
        fs::symlink_metadata(&arguments.out).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    let existing = if is_new { None } else { Some(read_large(&arguments.out)?) };
    if !home.as_str().is_empty() {
        fs::create_dir_all(home).map_err(|error| Failure::usage(format!("cannot make `{home}`: {error}")))?;
    }
    let paths = arguments.paths.iter().map(|path| {
        seen_from(home, path).map_err(|error| Failure::usage(format!("cannot read `{path}`: {error}")))
    });
    let paths = paths.collect::<Result<Vec<String>>>()?;
    let known = estate(arguments.estate.as_deref(), arguments.paths.first().unwrap_or(&arguments.out))?;
    let before = existing.as_ref().map(Plan::parse).transpose();
    let before =
        before.map_err(|error| Failure::input(error.problems, existing.iter().cloned().collect()))?;
    // A plan is brought up to date as a whole, or what lies elsewhere would seem to have vanished.
    let mut all = before.map(|plan| plan.paths).unwrap_or_default();
    all.extend(paths.into_iter().filter(|path| !all.contains(path)).collect::<Vec<_>>());
    let read = Read::all(Survey::new().knowing(known).over(all.clone()), &from(home, &all), home)?;
    let account = arguments.details.read()?;
    let drawn = draw(&read.survey, existing.as_ref(), account.as_ref())
        .map_err(|error| Failure::input(error.problems, existing.iter().cloned().collect()))?;
    let changed = existing.as_ref().is_none_or(|source| source.text() != drawn.text);
    if changed && !arguments.dry_run {
        write(&arguments.out, &drawn.text)?;
    }
    warn(&read.skipped, output);
    let answer = Answer {
        file: arguments.out.as_str(),
        changed,
        credentials: drawn.plan.credentials.len(),
        kept: drawn.plan.credentials.iter().filter(|it| it.state == State::Kept).count(),
        groups: drawn.plan.groups.len(),
        roles: roles(&drawn),
        notes: &drawn.notes,
        skipped: &read.skipped,
        text: arguments.dry_run.then_some(drawn.text.as_str()),
    };
    output.answer(&answer, |out| tell(out, &answer))?;
    Ok(Outcome::Fine)
}

fn roles(drawn: &Drawn) -> Vec<PlannedRole<'_>> {
    let role = |role: &'_ daypass_migrate::plan::Role| role.name.clone();
    let mut planned = Vec::new();
    for one in &drawn.plan.roles {
        let mut jobs: Vec<String> =
            drawn.plan.jobs_of(&role(one)).map(|(file, job)| place(file, job)).collect();
        jobs.sort();
        jobs.dedup();
        planned.push(PlannedRole {
            name: &one.name,
            cloud: one.cloud.as_str(),
            group: &one.group,
            environment: one.environment.as_deref(),
            wave: one.wave,
            admin: drawn.plan.group(&one.group).is_some_and(|group| group.admin),
            jobs,
        });
    }
    planned
}

fn place(file: &str, job: &str) -> String {
    if job.is_empty() { file.to_owned() } else { format!("{file}: {job}") }
}

fn tell(out: &mut dyn Write, answer: &Answer<'_>) -> io::Result<()> {
    if let Some(text) = answer.text {
        return write!(out, "{text}");
    }
    let mut table = Table::new(["wave", "role", "environment", "in place of"]);
    for role in &answer.roles {
        let name = if role.admin {
            format!("{} {}", role.name, style::bad("(admin)"))
        } else {
            role.name.to_owned()
        };
        let environment = role.environment.unwrap_or("none named").to_owned();
        for (index, job) in role.jobs.iter().enumerate() {
            let first = |text: String| if index == 0 { text } else { String::new() };
            table.row([
                first(role.wave.to_string()),
                first(name.clone()),
                first(environment.clone()),
                job.clone(),
            ]);
        }
    }
    table.write(out)?;
    writeln!(
        out,
        "\n{} in {}, {}; of {} nothing can take the place",
        count(answer.credentials, "credential"),
        count(answer.groups, "group"),
        count(answer.roles.len(), "role"),
        answer.kept
    )?;
    answer.notes.iter().try_for_each(|note| writeln!(out, "{} {note}", style::warning("note:")))?;
    let said = if answer.changed { "is up to date" } else { "says all of it already" };
    writeln!(out, "{}", style::faint(format!("{} {said}", answer.file)))
}
