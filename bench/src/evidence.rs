//! The evidence reader against what no reader can do without: decompressing the files and finding the tokens of their JSON.
//!
//! Both run in processes of their own, one after the other in turns and on the same core, so that the memory of one is not counted
//! for the other.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;
use daypass_evidence::synthesise::{Month, write_month};
use daypass_evidence::{Input, Options, SourceKind, gather};
use flate2::bufread::MultiGzDecoder;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::cores::{Cores, load_average, pin};
use crate::spread::{Spread, rounded};

/// Rounds of both; fewer where one takes minutes.
const ROUNDS: usize = 5;
const FEW_ROUNDS: usize = 3;
/// Compressed bytes from which on it does.
const MANY: u64 = 500_000_000;

/// One of the two, as its process is asked to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Decompression and tokens alone.
    Floor,
    /// The reader.
    Reader,
}

/// What one process did.
#[derive(Clone, Copy, Debug)]
struct Run {
    cpu_s: f64,
    peak_mib: f64,
    records: u64,
    /// Of JSON, by the floor, which holds all of it.
    json_mb: f64,
}

/// All that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    compressed_mb: f64,
    json_mb: f64,
    records: u64,
    floor: Spread,
    reader: Spread,
    peak_mib: f64,
    /// Of the machine, before the first round.
    load: f64,
}

/// Makes up CloudTrail of at least so many compressed bytes, and reads it.
pub(crate) fn measure(bytes: u64, smoke: bool) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let path = Utf8Path::from_path(folder.path()).context("the temporary folder's name is not UTF-8")?;
    let written = write_month(path, &Month { bytes, ..Month::default() })?;
    let compressed_mb = written.bytes as f64 / 1e6;
    let load = load_average()?;
    let mut runs = [Vec::new(), Vec::new()];
    let rounds = match (smoke, written.bytes < MANY) {
        (true, _) => 1,
        (false, true) => ROUNDS,
        (false, false) => FEW_ROUNDS,
    };
    for _ in 0..rounds {
        for (part, runs) in [Part::Floor, Part::Reader].into_iter().zip(&mut runs) {
            runs.push(run(part, path)?);
        }
    }
    let [floor, reader] = runs;
    ensure!(
        floor.iter().chain(&reader).all(|run| run.records == written.records || run.records == 0),
        "records were lost on the way"
    );
    let speed = |runs: &[Run]| Spread::of(runs.iter().map(|run| compressed_mb / run.cpu_s));
    Ok(Report {
        compressed_mb,
        json_mb: floor.iter().map(|run| run.json_mb).fold(0.0, f64::max),
        records: written.records,
        floor: speed(&floor),
        reader: speed(&reader),
        load,
        peak_mib: reader.iter().map(|run| run.peak_mib).fold(0.0, f64::max),
    })
}

fn run(part: Part, path: &Utf8Path) -> Result<Run> {
    let name = if part == Part::Floor { "floor" } else { "reader" };
    let program = std::env::current_exe()?;
    let output = Command::new(program).args(["evidence-part", name, path.as_str()]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout)?;
    let number =
        |name: &str| said.get(name).and_then(Value::as_f64).with_context(|| format!("{name} is missing"));
    Ok(Run {
        cpu_s: number("cpu_s")?,
        peak_mib: number("peak_mib")?,
        records: said.get("records").and_then(Value::as_u64).unwrap_or_default(),
        json_mb: number("json_mb")?,
    })
}

/// Does one of the two in this process, and says what it took as a line of JSON.
pub(crate) fn part(part: Part, path: &Utf8Path, out: &mut impl Write) -> Result<()> {
    pin(Cores::find()?.server)?;
    let before = process_cpu()?;
    let (records, json_mb) = match part {
        Part::Floor => (0, floor(path)? as f64 / 1e6),
        Part::Reader => {
            let input = Input { source: SourceKind::CloudTrail, path: path.to_owned() };
            let gathered = gather(&[input], &Options::default(), &())?;
            let mut rows = 0_u64;
            let rest = gathered.each_use(&mut |_| rows += 1)?;
            ensure!(rows > 0 && rest.reading.skipped.is_empty(), "{:?}", rest.reading.skipped);
            (rest.reading.records, 0.0)
        }
    };
    let cpu_s = process_cpu()? - before;
    let line = json!({ "cpu_s": cpu_s, "peak_mib": peak_mib()?, "records": records, "json_mb": json_mb });
    writeln!(out, "{line}")?;
    Ok(())
}

/// What has to be done whatever is made of it: each file decompressed, and its tokens found. It may hold a whole file, which the
/// reader may not. Says how many bytes of JSON there were.
fn floor(path: &Utf8Path) -> Result<usize> {
    let (mut text, mut bytes) = (Vec::new(), 0);
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path().to_owned());
                continue;
            }
            text.clear();
            MultiGzDecoder::new(BufReader::with_capacity(128 * 1024, File::open(entry.path())?))
                .read_to_end(&mut text)?;
            std::hint::black_box(serde_json::from_slice::<IgnoredAny>(&text)?);
            bytes += text.len();
        }
    }
    Ok(bytes)
}

/// Of all threads, those that have ended with them.
fn process_cpu() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    // The name may have spaces and ends with the last bracket; user and system time are the 12th and 13th behind it.
    let behind = text.rsplit_once(") ").context("no name in /proc/self/stat")?.1;
    let ticks: u64 = behind.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The most that this process ever had resident.
pub(crate) fn peak_mib() -> Result<f64> {
    peak_mib_of(std::process::id())
}

/// The most that a process ever had resident, as long as it runs.
pub(crate) fn peak_mib_of(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    let kib: u32 = kib.context("the kernel does not say how much was resident")?;
    Ok(f64::from(kib) / 1_024.0)
}

impl Report {
    /// Of the medians.
    fn ratio(&self) -> f64 {
        self.reader.median / self.floor.median
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "compressed_mb": rounded(self.compressed_mb),
            "json_mb": rounded(self.json_mb),
            "records": self.records,
            "floor_mb_per_s": rounded(self.floor.median),
            "reader_mb_per_s": rounded(self.reader.median),
            "ratio": rounded(self.ratio()),
            "peak_rss_mib": rounded(self.peak_mib),
            "load_average": rounded(self.load),
            "spread": { "floor_mb_per_s": self.floor.to_json(), "reader_mb_per_s": self.reader.to_json() },
        })
    }

    pub(crate) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{} records, {:.0} MB compressed, {:.0} MB of JSON, one core, load {:.1}",
            self.records, self.compressed_mb, self.json_mb, self.load
        )?;
        for (name, Spread { min, median, max }) in
            [("decompression and tokens, MB/s", self.floor), ("the reader, MB/s", self.reader)]
        {
            writeln!(out, "{name:36}{min:>10.1}{median:>10.1}{max:>10.1}")?;
        }
        let met = |met: bool, wanted: &str| if met { wanted.to_owned() } else { format!("{wanted}: MISSED") };
        writeln!(out, "{:36}{:>20.2}   {}", "ratio", self.ratio(), met(self.ratio() >= 0.8, "0.8 or more"))?;
        writeln!(
            out,
            "{:36}{:>20.1}   {}",
            "peak resident, MiB",
            self.peak_mib,
            met(self.peak_mib < 200.0, "under 200")
        )
    }
}
