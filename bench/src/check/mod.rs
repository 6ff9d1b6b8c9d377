//! Checking trust policies: one policy's matrix of personas, and whole estates of roles.
//!
//! Estates of different sizes are checked in processes of their own, so that the memory of one is not counted for the other.

mod adversarial;
mod estate;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use camino::Utf8PathBuf;
use daypass_lint::{Checked, Options, gather};
use daypass_prove::{Estate, Options as Known, Persona, Verdict, personas};
use daypass_sources::{FileTree, MemoryTree, find};
use daypass_trust::document::Source;
use daypass_trust::form::Policy;
use serde_json::{Value, json};

use crate::evidence::peak_mib;
use crate::spread::{Spread, rounded};

/// How many roles the estates have; costs are compared between the first and the last.
const ROLES: [usize; 3] = [100, 1_000, 10_000];
/// The same where the numbers need not mean anything.
const FEW_ROLES: [usize; 2] = [10, 40];
/// Rounds over the policies.
const ROUNDS: usize = 5;

/// What checking one estate took.
#[derive(Clone, Copy, Debug)]
struct Run {
    roles: usize,
    seconds: f64,
    peak_mib: f64,
    findings: u64,
}

/// All that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    policies: usize,
    /// Milliseconds for one policy's matrix: over the policies, the median of their rounds.
    matrix: Spread,
    /// The same for policies that are made to be hard.
    adversarial: Spread,
    /// How many of the hard ones were left undecided for some persona.
    undecided: usize,
    estates: Vec<Run>,
}

/// Measures the policies of a folder, those that are made to be hard, and estates of roles.
pub(crate) fn measure(corpus: &Path, smoke: bool) -> Result<Report> {
    let tree = read(corpus)?;
    let known = Known { estate: estate_of(&tree)?, ..Known::default() };
    let policies: Vec<Policy> =
        find(&[""], &tree).policies.iter().filter_map(|found| Some(found.compile().ok()?.policy)).collect();
    ensure!(!policies.is_empty(), "there are no policies in {}", corpus.display());
    let rounds = if smoke { 1 } else { ROUNDS };
    let hard = adversarial::policies()?;
    let matrix = Spread::of(policies.iter().map(|policy| matrix(policy, &known, rounds)));
    let adversarial = Spread::of(hard.iter().map(|policy| self::matrix(policy, &Known::default(), rounds)));
    let is_undecided = |policy: &&Policy| {
        let answers = personas(policy, None, &Known::default());
        answers.iter().any(|it| it.persona == Persona::Stranger && it.answer.answer == Verdict::Unknown)
    };
    let roles = if smoke { &FEW_ROLES[..] } else { &ROLES };
    Ok(Report {
        policies: policies.len(),
        matrix,
        adversarial,
        undecided: hard.iter().filter(is_undecided).count(),
        estates: roles.iter().map(|roles| run(*roles)).collect::<Result<_>>()?,
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is about time")]
fn now() -> Instant {
    Instant::now()
}

/// The median of some rounds, each with nothing left of the one before, in milliseconds.
fn matrix(policy: &Policy, known: &Known, rounds: usize) -> f64 {
    let round = || {
        let known = Known { cache: daypass_prove::Cache::default(), ..known.clone() };
        let begun = now();
        std::hint::black_box(personas(policy, None, &known));
        begun.elapsed().as_secs_f64() * 1_000.0
    };
    Spread::of((0..rounds).map(|_| round())).median
}

/// Checks an estate in a process of its own.
fn run(roles: usize) -> Result<Run> {
    let program = std::env::current_exe()?;
    let output = Command::new(program).args(["check-part", &roles.to_string()]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout)?;
    let number =
        |name: &str| said.get(name).and_then(Value::as_f64).with_context(|| format!("{name} is missing"));
    Ok(Run {
        roles,
        seconds: number("seconds")?,
        peak_mib: number("peak_mib")?,
        findings: said.get("findings").and_then(Value::as_u64).unwrap_or_default(),
    })
}

/// Checks an estate of so many roles on two cores, as `daypass check` does, and says what it took as a line of JSON.
pub(crate) fn part(roles: usize, out: &mut impl Write) -> Result<()> {
    let tree = estate::tree(roles);
    let options = Options::default();
    let begun = now();
    let work = gather(&tree, &[""]);
    ensure!(work.policies() == roles, "{} roles of {roles} are there", work.policies());
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut mine: Vec<(usize, Checked)> = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= work.policies() {
                return mine;
            }
            mine.push((index, work.policy(index, &options)));
        }
    };
    let mut checked = thread::scope(|scope| -> Result<Vec<(usize, Checked)>> {
        let other = scope.spawn(worker);
        let mut checked = worker();
        checked.extend(other.join().map_err(|_| anyhow!("checking panicked"))?);
        Ok(checked)
    })?;
    checked.sort_by_key(|(index, _)| *index);
    let report = work.finish(checked.into_iter().map(|(_, checked)| checked).collect());
    let seconds = begun.elapsed().as_secs_f64();
    let line = json!({ "seconds": seconds, "peak_mib": peak_mib()?, "findings": report.findings.len() });
    writeln!(out, "{line}")?;
    Ok(())
}

/// The files of a folder, in memory.
fn read(folder: &Path) -> Result<MemoryTree> {
    let mut tree = MemoryTree::new();
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let entries = std::fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))?;
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
                continue;
            }
            let Ok(name) = Utf8PathBuf::from_path_buf(entry.path().strip_prefix(folder)?.to_owned()) else {
                continue;
            };
            tree = tree.with(name.as_str(), std::fs::read(entry.path())?);
        }
    }
    Ok(tree)
}

/// What the folder says of its estate.
fn estate_of(tree: &MemoryTree) -> Result<Estate> {
    const NAME: &str = "daypass.estate.toml";
    let Ok(bytes) = tree.read(NAME, usize::MAX) else { return Ok(Estate::default()) };
    Ok(Estate::parse(&Source::new(NAME, String::from_utf8(bytes)?))?)
}

impl Report {
    /// How costs grow with the number of roles: 1 is in proportion.
    fn exponent(&self) -> f64 {
        let (Some(first), Some(last)) = (self.estates.first(), self.estates.last()) else { return 0.0 };
        (last.seconds / first.seconds).ln() / (last.roles as f64 / first.roles as f64).ln()
    }

    pub(crate) fn to_json(&self) -> Value {
        let of = |run: &Run| {
            json!({
                "roles": run.roles,
                "seconds": rounded(run.seconds),
                "ms_per_role": rounded(run.seconds * 1_000.0 / run.roles as f64),
                "peak_rss_mib": rounded(run.peak_mib),
                "findings": run.findings,
            })
        };
        json!({
            "policies": self.policies,
            "matrix_ms_median": rounded(self.matrix.median),
            "matrix_ms_worst": rounded(self.matrix.max),
            "adversarial_ms_worst": rounded(self.adversarial.max),
            "adversarial_undecided": self.undecided,
            "estates": self.estates.iter().map(of).collect::<Vec<Value>>(),
            "exponent": rounded(self.exponent()),
        })
    }

    pub(crate) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let met = |met: bool, wanted: &str| if met { wanted.to_owned() } else { format!("{wanted}: MISSED") };
        let mut line = |name: &str, value: f64, met: String| writeln!(out, "{name:44}{value:>10.2}   {met}");
        let Spread { median, max, .. } = self.matrix;
        line(
            &format!("matrix of one of {} policies, ms", self.policies),
            median,
            met(median < 20.0, "under 20"),
        )?;
        line("  the longest", max, met(max < 200.0, "under 200"))?;
        let hard = self.adversarial.max;
        line("  the longest that is made to be hard", hard, met(hard < 200.0, "under 200"))?;
        for Run { roles, seconds, peak_mib, findings } in self.estates.iter().copied() {
            let last = roles == 10_000;
            let within = |is: bool, wanted: &str| if last { met(is, wanted) } else { String::new() };
            let said = format!("{roles} roles on two cores, s ({findings} findings)");
            line(&said, seconds, within(seconds < 30.0, "under 30"))?;
            line("  peak resident, MiB", peak_mib, within(peak_mib < 500.0, "under 500"))?;
        }
        line("cost grows with the roles to the power of", self.exponent(), met(self.exponent() < 1.1, "1"))
    }
}
