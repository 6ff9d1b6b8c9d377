//! `daypass diff`.

use std::collections::BTreeMap;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use daypass_prove::{Diff, Options, diff, who};
use daypass_sources::{FileTree, Found, FoundPolicy, MemoryTree, find};
use daypass_trust::Policy;
use serde::Serialize;

use super::prove::{Known, write_witness};
use crate::disk::DiskTree;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::style;

/// Shows who gets in, and who no longer does, when trust changes.
///
/// Compares what two files or folders admit, role by role, or what a folder admits with what it admitted in a revision of
/// git. Differences are callers with a token each, not lines of text.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass diff old.json new.json
  daypass diff --git origin/main infra

Exits 1 when somebody gets in who did not before.")]
pub(crate) struct Arguments {
    /// What was, and what is; with --git only what is.
    #[arg(value_name = "PATH", num_args = 1..=2, required = true)]
    paths: Vec<Utf8PathBuf>,
    /// Compare with this revision.
    #[arg(long, value_name = "REV")]
    git: Option<String>,
    #[command(flatten)]
    known: Known,
}

/// The answer.
#[derive(Debug, Default, Serialize)]
struct Answer {
    gained: Vec<Change>,
    lost: Vec<Change>,
    equivalent: bool,
    why: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Change {
    role: String,
    #[serde(flatten)]
    change: daypass_prove::Change,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let (old, new, path) = match (&arguments.git, arguments.paths.as_slice()) {
        (Some(revision), [path]) => (at_revision(revision, path)?, roles(path)?, path),
        (None, [old, new]) => (roles(old)?, roles(new)?, new),
        (Some(_), _) => return Err(Failure::usage("with --git there is one PATH: what is now")),
        (None, _) => return Err(Failure::usage("give two paths, what was and what is, or --git REV")),
    };
    let answer = compare(&old, &new, &arguments.known.options(path)?)?;
    output.answer(&answer, |out| write(out, &answer))?;
    Ok(Outcome::fine_if(answer.gained.is_empty() && answer.why.is_empty()))
}

/// Policies by role.
type Roles = BTreeMap<String, FoundPolicy>;

fn roles(path: &Utf8Path) -> Result<Roles> {
    named(find(&[path.as_str()], &DiskTree::here()), path)
}

fn named(found: Found, path: &Utf8Path) -> Result<Roles> {
    let Found { policies, problems, .. } = found;
    if policies.is_empty() && !problems.is_empty() {
        return Err(Failure::input(problems, Vec::new()));
    }
    if policies.is_empty() {
        return Err(Failure::usage(format!("there is no trust policy in `{path}`")));
    }
    Ok(policies.into_iter().map(|policy| (policy.role.clone(), policy)).collect())
}

/// The policies below a path as a revision has them; none where it does not have the path.
fn at_revision(revision: &str, path: &Utf8Path) -> Result<Roles> {
    if revision.starts_with('-') {
        return Err(Failure::usage(format!("--git: `{revision}` is not a revision")));
    }
    let listed = git(&["ls-tree", "-r", "-z", "--name-only", revision, "--", path.as_str()])?;
    let mut tree = MemoryTree::new();
    let mut some = false;
    for name in String::from_utf8_lossy(&listed).split('\0').filter(|name| !name.is_empty()) {
        // As seen from here, like the names that `ls-tree` gives.
        tree = tree.with(name, git(&["show", &format!("{revision}:./{name}")])?);
        some = true;
    }
    if !some || tree.list("").is_err() {
        return Ok(Roles::new());
    }
    let found = find(&[path.as_str()], &tree);
    if found.policies.is_empty() { Ok(Roles::new()) } else { named(found, path) }
}

fn git(arguments: &[&str]) -> Result<Vec<u8>> {
    let ran = Command::new("git").args(arguments).output();
    let ran = ran.map_err(|error| Failure::usage(format!("--git: git does not run: {error}")))?;
    if ran.status.success() {
        return Ok(ran.stdout);
    }
    let why = String::from_utf8_lossy(&ran.stderr);
    Err(Failure::usage(format!("--git: {}", why.trim())))
}

fn compare(old: &Roles, new: &Roles, options: &Options) -> Result<Answer> {
    let mut answer = Answer { equivalent: true, ..Answer::default() };
    // Two files with one role each are about that role, whatever it is called in them.
    let pairs = match (one(old), one(new)) {
        (Some(before), Some(after)) => vec![(after.role.clone(), Some(before), Some(after))],
        _ => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            names.into_iter().map(|name| (name.clone(), old.get(name), new.get(name))).collect()
        }
    };
    for (role, before, after) in pairs {
        let (before, after) = (before.map(compiled).transpose()?, after.map(compiled).transpose()?);
        let found = match (&before, &after) {
            (Some(before), Some(after)) => diff(before, after, options),
            (None, Some(after)) => everybody(after, options, |gained| (gained, Vec::new())),
            (Some(before), None) => everybody(before, options, |lost| (Vec::new(), lost)),
            (None, None) => continue,
        };
        answer.equivalent &= found.equivalent;
        answer.why.extend(found.why);
        let of_role = |change| Change { role: role.clone(), change };
        answer.gained.extend(found.gained.into_iter().map(of_role));
        answer.lost.extend(found.lost.into_iter().map(of_role));
    }
    Ok(answer)
}

fn one(roles: &Roles) -> Option<&FoundPolicy> {
    roles.values().next().filter(|_| roles.len() == 1)
}

fn compiled(found: &FoundPolicy) -> Result<Policy> {
    match found.compile() {
        Ok(compiled) => Ok(compiled.policy),
        Err(error) => Err(Failure::input(error.problems, vec![found.source.clone()])),
    }
}

/// All whom a role admits that came or went as a whole.
fn everybody(
    policy: &Policy,
    options: &Options,
    sides: impl FnOnce(Vec<daypass_prove::Change>) -> (Vec<daypass_prove::Change>, Vec<daypass_prove::Change>),
) -> Diff {
    let all = who(policy, options);
    let changes = all
        .who
        .into_iter()
        .map(|callers| daypass_prove::Change { description: callers.description, witness: callers.witness });
    let changes: Vec<_> = changes.collect();
    let equivalent = changes.is_empty() && all.answer.why.is_empty();
    let (gained, lost) = sides(changes);
    Diff { gained, lost, equivalent, left_out: all.left_out, why: all.answer.why }
}

fn write(out: &mut dyn std::io::Write, answer: &Answer) -> std::io::Result<()> {
    if answer.equivalent {
        return writeln!(out, "{}: the same callers get in", style::good("equivalent"));
    }
    for (changes, word) in [(&answer.gained, style::bad("gained")), (&answer.lost, style::good("lost"))] {
        for Change { role, change } in changes {
            writeln!(out, "{word} {}: {}", style::strong(role), change.description)?;
            if let Some(witness) = &change.witness {
                write_witness(out, witness)?;
                writeln!(out)?;
            }
        }
    }
    answer.why.iter().try_for_each(|why| writeln!(out, "{}: {why}", style::unsure("unknown")))
}
