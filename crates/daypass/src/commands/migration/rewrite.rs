//! `daypass rewrite`.

use std::fs;
use std::io::{self, Write};

use camino::Utf8PathBuf;
use clap::Args;
use daypass_migrate::plan::{State, mark};
use daypass_migrate::rewrite::{Manual, Rewritten, rewrite};
use serde::Serialize;

use super::super::inventory::Skipped;
use super::super::inventory::walk::Given;
use super::{Chosen, Migration, warn, write};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::{count, style};

/// Rewrites pipelines so that their jobs use the roles of a plan.
///
/// Shows a diff; --write applies it, and notes in the plan what is cut over. Every byte outside of the edits stays as it is, and
/// a second time nothing changes. What cannot be done safely is not done: it is listed with the steps.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass rewrite                       # what would change
  daypass rewrite --wave 1 --write      # non-production first
  daypass rewrite | git apply           # the same as a patch")]
pub(crate) struct Arguments {
    /// Folders and files to rewrite in place of those that the plan names.
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    #[command(flatten)]
    plan: Chosen,
    /// Only credentials whose turn is in this wave.
    #[arg(long, value_name = "N")]
    wave: Option<u64>,
    /// Change the files.
    #[arg(long)]
    write: bool,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    /// Whether files were changed.
    written: bool,
    files: Vec<File>,
    skipped: Vec<Skipped>,
}

#[derive(Debug, Serialize)]
struct File {
    file: String,
    changed: bool,
    diff: String,
    /// Credentials that the file no longer uses.
    done: Vec<String>,
    manual: Vec<Step>,
}

/// What people have to do.
#[derive(Debug, Serialize)]
struct Step {
    credential: String,
    line: usize,
    column: usize,
    /// Whether the file was changed all the same: this then completes it.
    changed: bool,
    steps: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let Migration { source, plan, read } = arguments.plan.open_over(&arguments.paths)?;
    let mut names: Vec<&str> = read.survey.credentials().iter().map(|one| &*one.file).collect();
    names.sort_unstable();
    names.dedup();
    let mut answer = Answer { written: arguments.write, files: Vec::new(), skipped: read.skipped.clone() };
    let mut moved = Vec::new();
    for name in names {
        let Some(given) = read.given.iter().find(|given| given.names().any(|it| it == name)) else {
            continue;
        };
        let content = given.content(name).map_err(|error| unreadable(given, name, &error))?;
        let mut rewritten = rewrite(&plan, name, &content.bytes, given, arguments.wave)
            .map_err(|error| Failure::usage(error.to_string()))?;
        rewritten.file = given.shown(name);
        if !rewritten.is_changed() && rewritten.manual.is_empty() {
            continue;
        }
        if let Some(path) = given.path(name).filter(|_| arguments.write && rewritten.is_changed()) {
            fs::write(path, &rewritten.after)
                .map_err(|error| Failure::usage(format!("cannot write `{}`: {error}", rewritten.file)))?;
        }
        let open = |id: &String| rewritten.manual.iter().any(|step| step.credential == *id);
        moved.extend(rewritten.done.iter().filter(|id| !open(id)).cloned());
        answer.files.push(File::of(rewritten));
    }
    if arguments.write && !moved.is_empty() {
        write(arguments.plan.path(), &mark(&source, &moved, State::CutOver))?;
    }
    warn(&answer.skipped, output);
    if output.is_json() || output.is_looked_at() {
        output.answer(&answer, |out| tell(out, &answer))?;
    } else {
        // A patch is the bytes that it is for.
        output.raw(&answer.files.iter().map(|file| file.diff.as_str()).collect::<String>())?;
    }
    if !output.is_json() {
        output.remark(|err| sum_up(err, &answer, moved.len()));
    }
    Ok(Outcome::Fine)
}

fn unreadable(given: &Given, name: &str, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read `{}`: {error}", given.shown(name)))
}

impl File {
    fn of(rewritten: Rewritten) -> Self {
        let (changed, diff) = (rewritten.is_changed(), rewritten.diff());
        let Rewritten { file, done, manual, .. } = rewritten;
        Self { file, changed, diff, done, manual: manual.into_iter().map(Step::of).collect() }
    }
}

impl Step {
    fn of(manual: Manual) -> Self {
        let Manual { credential, location, changed, steps } = manual;
        Self { credential, line: location.line, column: location.column, changed, steps }
    }
}

/// The diffs and nothing else, so that the answer is a patch.
fn tell(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    for line in answer.files.iter().flat_map(|file| file.diff.split_inclusive('\n')) {
        let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
        let shown = match text.get(..1) {
            _ if text.starts_with("+++") || text.starts_with("---") => style::strong(text),
            Some("+") => style::good(text),
            Some("-") => style::bad(text),
            Some("@") => style::faint(text),
            _ => text.to_owned(),
        };
        write!(out, "{shown}{end}")?;
    }
    Ok(())
}

fn sum_up(err: &mut dyn Write, answer: &Answer, moved: usize) -> io::Result<()> {
    for file in &answer.files {
        for step in &file.manual {
            let word = if step.changed { style::unsure("to complete") } else { style::unsure("by hand") };
            for text in &step.steps {
                writeln!(err, "{word} {}:{}:{}: {text}", file.file, step.line, step.column)?;
            }
        }
    }
    let changed = answer.files.iter().filter(|file| file.changed).count();
    let said = match (changed, answer.written) {
        (0, _) => "nothing to rewrite".to_owned(),
        (changed, true) => format!(
            "{} rewritten, {} cut over in the plan",
            count(changed, "file"),
            count(moved, "credential")
        ),
        (changed, false) => format!("{} to rewrite: --write does it", count(changed, "file")),
    };
    writeln!(err, "{}", style::faint(said))
}
