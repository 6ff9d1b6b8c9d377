//! The inventory of an organisation's pipelines, by the program itself on two cores.

mod organisation;

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;
use serde_json::{Value, json};

use crate::cores::{Cores, load_average, pin_to};
use crate::evidence::peak_mib_of;
use crate::load::now;
use crate::spread::{Spread, rounded};

/// Rounds.
const ROUNDS: usize = 5;

/// All that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    files: usize,
    megabytes: f64,
    credentials: usize,
    seconds: Spread,
    peak_mib: f64,
    /// Of the machine, before the first round.
    load: f64,
}

/// One round.
struct Run {
    seconds: f64,
    peak_mib: f64,
    answer: Value,
}

/// Makes up so many files and has `program` list what they store.
pub(crate) fn measure(program: &Path, files: usize, smoke: bool) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let path = Utf8Path::from_path(folder.path()).context("the temporary folder's name is not UTF-8")?;
    let written = organisation::write(path, files)?;
    let load = load_average()?;
    let mut runs = Vec::new();
    for _ in 0..if smoke { 1 } else { ROUNDS } {
        let run = run(program, path)?;
        let found = run.answer.get("credentials").and_then(Value::as_array).context("no credentials")?.len();
        let read = run.answer.get("files").and_then(Value::as_u64).unwrap_or_default();
        ensure!(read == files as u64, "{read} files of {files} were read");
        ensure!(found == written.credentials, "{found} credentials of {} were found", written.credentials);
        runs.push(run);
    }
    Ok(Report {
        files,
        megabytes: written.bytes as f64 / 1e6,
        credentials: written.credentials,
        seconds: Spread::of(runs.iter().map(|run| run.seconds)),
        peak_mib: runs.iter().map(|run| run.peak_mib).fold(0.0, f64::max),
        load,
    })
}

/// From the start of the process to its end, with its answer.
fn run(program: &Path, folder: &Utf8Path) -> Result<Run> {
    let cores = Cores::find()?;
    // A process runs where the thread that started it may run.
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            pin_to(&[cores.server, cores.load])?;
            let begun = now();
            let mut process = Command::new(program)
                .args(["inventory", folder.as_str(), "--json"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .with_context(|| format!("{} does not start", program.display()))?;
            let mut said = process.stdout.take().context("there is no output to read")?;
            // Once it speaks it holds all of its answer, and does not end before that is read: no pipe holds so much.
            let mut answer = vec![0];
            said.read_exact(&mut answer).context("it says nothing")?;
            let peak_mib = peak_mib_of(process.id())?;
            said.read_to_end(&mut answer)?;
            ensure!(process.wait()?.success(), "the inventory failed");
            let seconds = begun.elapsed().as_secs_f64();
            Ok(Run { seconds, peak_mib, answer: serde_json::from_slice(&answer)? })
        });
        worker.join().unwrap_or_else(|_| anyhow::bail!("the inventory panicked"))
    })
}

impl Report {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "files": self.files,
            "mb": rounded(self.megabytes),
            "credentials": self.credentials,
            "seconds": rounded(self.seconds.median),
            "files_per_s": rounded(self.files as f64 / self.seconds.median),
            "peak_rss_mib": rounded(self.peak_mib),
            "load_average": rounded(self.load),
            "spread": { "seconds": self.seconds.to_json() },
        })
    }

    pub(crate) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { files, megabytes, credentials, seconds, peak_mib, load } = self;
        writeln!(
            out,
            "{files} files, {megabytes:.0} MB, {credentials} credentials, two cores, load {load:.1}"
        )?;
        let Spread { min, median, max } = seconds;
        let met = match (*files == 10_000, *median < 10.0) {
            (false, _) => "",
            (true, true) => "under 10",
            (true, false) => "under 10: MISSED",
        };
        writeln!(out, "{:36}{min:>10.2}{median:>10.2}{max:>10.2}   {met}", "seconds")?;
        writeln!(out, "{:36}{:10}{peak_mib:>10.0}", "resident at most, MiB", "")
    }
}
