//! Reads everything: files in parallel, each as a stream.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use daypass_claims::Timestamp;

use crate::event::{Class, Cloud, Event, Instance, Like, Who};
use crate::input::Limits;
use crate::input::files::{Delivered, Met, walk};
use crate::skip::{FileReport, Reading, Skip};
use crate::source::{self, Sink, SourceKind};
use crate::table::{CoverageRow, KeyState, UseRow};
use crate::tally::{Merge, Sum, Tally};

/// A file, or a folder with files, of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is read as.
    pub source: SourceKind,
    /// Where it is.
    pub path: Utf8PathBuf,
}

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Records before this are counted and left out.
    pub from: Option<Timestamp>,
    /// Records from this on are reported: nothing can have happened after now.
    pub until: Option<Timestamp>,
    /// How many files are read at a time; twelve at most, because each may have some dozens of temporary files open.
    pub threads: NonZeroUsize,
    /// About how many bytes of counts are held in memory; what goes beyond that is kept in temporary files.
    pub memory: usize,
    /// Bytes of the largest record: CloudTrail's have 256 KiB at most.
    pub record: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { from: None, until: None, threads: NonZeroUsize::MIN, memory: 64 << 20, record: 1 << 20 }
    }
}

/// Reading could not go on. A bad file is no such thing: it is reported, and the others are read.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// A temporary file could not be made, written or read.
    #[error("cannot keep counts in a temporary file: {0}")]
    Spill(#[source] io::Error),
    /// A thread could not be started, or ended by itself.
    #[error("a reading thread failed")]
    Thread,
}

/// How far reading is, as it goes on.
pub trait Progress: Sync {
    /// A file was read, of so many bytes.
    fn file(&self, bytes: u64);
}

impl Progress for () {
    fn file(&self, _: u64) {}
}

/// All that was read, before it is laid out as a table.
#[derive(Debug)]
pub struct Gathered {
    sum: Sum,
    keys: Vec<KeyState>,
    reading: Reading,
}

/// What reading came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What credentials did, in the order of the columns.
    pub uses: Vec<UseRow>,
    /// What of the logs was there.
    pub coverage: Vec<CoverageRow>,
    /// What the cloud says of stored keys.
    pub keys: Vec<KeyState>,
    /// Stored credentials with records whose time cannot be true, and how many. An empty one stands for all that were too many to
    /// be told apart.
    pub doubtful: Vec<(String, u64)>,
    /// What was read, and what was not.
    pub reading: Reading,
}

/// How much text is read at a time.
const CHUNK: usize = 256 * 1024;
/// The most threads. No disk is faster.
const THREADS: usize = 12;
/// Bytes that a thread holds of what the cloud says of keys: the reports of a hundred accounts.
const KEYS: usize = 32 << 20;

/// Reads all inputs.
///
/// Memory stays at [`Options::memory`], and some for each thread's buffers, whatever the size of the inputs: records are never
/// held, and counts beyond the limit go to temporary files. Nothing outside of the given paths is read.
pub fn gather(inputs: &[Input], options: &Options, progress: &dyn Progress) -> Result<Gathered, GatherError> {
    let threads = options.threads.get().min(THREADS);
    let share = options.memory.checked_div(threads).unwrap_or_default();
    let mut workers = Vec::with_capacity(threads.saturating_add(1));
    // What stands at no file that can be read is counted as well.
    let mut beside = Worker::new(options, 0);
    std::thread::scope(|scope| -> Result<(), GatherError> {
        let (give, jobs) = sync_channel::<Job>(2 * threads);
        // Held by the workers alone, so that sending fails once all of them have ended.
        let jobs = Arc::new(Mutex::new(jobs));
        let mut handles = Vec::with_capacity(threads);
        for _ in 0..threads {
            let thread = std::thread::Builder::new().name("evidence".to_owned());
            let (jobs, worker) = (Arc::clone(&jobs), Worker::new(options, share));
            let run = move || work(&jobs, worker, progress);
            handles.push(thread.spawn_scoped(scope, run).map_err(|_| GatherError::Thread)?);
        }
        drop(jobs);
        for input in inputs {
            let mut failed = None;
            let going = walk(&input.path, &mut |met| match met {
                Met::File(path) => give.send(Job { source: input.source, path }).is_ok(),
                Met::PassedOver => {
                    beside.reading.passed_over = beside.reading.passed_over.saturating_add(1);
                    true
                }
                Met::Skipped(path, skip) => {
                    failed = beside.miss(input.source, path, skip).err();
                    failed.is_none()
                }
            });
            if let Some(error) = failed {
                return Err(GatherError::Spill(error));
            }
            if !going {
                break;
            }
        }
        drop(give);
        for handle in handles {
            workers.push(handle.join().map_err(|_| GatherError::Thread)??);
        }
        Ok(())
    })?;
    workers.push(beside);
    finish(workers, options)
}

/// How many files [`gather`] will read, as far as folders tell now.
pub fn count_files(inputs: &[Input]) -> u64 {
    let mut files = 0_u64;
    for input in inputs {
        walk(&input.path, &mut |met| {
            files = files.saturating_add(u64::from(matches!(met, Met::File(_))));
            true
        });
    }
    files
}

/// Reads one stream, such as standard input. `name` is what the report calls it.
pub fn gather_stream(
    source: SourceKind,
    stream: impl Read,
    name: &Utf8Path,
    options: &Options,
) -> Result<Gathered, GatherError> {
    let mut worker = Worker::new(options, options.memory);
    worker.read(source, name, || Ok(stream)).map_err(GatherError::Spill)?;
    finish(vec![worker], options)
}

fn finish(workers: Vec<Worker>, options: &Options) -> Result<Gathered, GatherError> {
    let mut found = Reading::default();
    let mut keys = Vec::new();
    let mut tallies = Vec::with_capacity(workers.len());
    for worker in workers {
        found.append(worker.reading);
        keys.extend(worker.keys);
        tallies.push(worker.tally);
    }
    keys.sort_by(|a, b| (&a.principal, &a.user, &a.key).cmp(&(&b.principal, &b.user, &b.key)));
    let sum = Tally::finish(tallies, options.memory).map_err(GatherError::Spill)?;
    found.used_before_issue = sum.used_before_issue;
    found.finish();
    Ok(Gathered { sum, keys, reading: found })
}

impl Gathered {
    /// What was read, and what was not.
    pub const fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Everything at once, which is as large as there are rows.
    pub fn into_evidence(self) -> Result<Evidence, GatherError> {
        let mut uses = Vec::new();
        let mut rest = self.each_use(&mut |row| uses.push(row))?;
        rest.uses = uses;
        Ok(rest)
    }

    /// Hands over one row after the other, in their order, and gives all but those.
    pub fn each_use(self, take: &mut dyn FnMut(UseRow)) -> Result<Evidence, GatherError> {
        let Sum { rows, coverage, doubtful, .. } = self.sum;
        each(rows.into_sorted(), |key, cell| {
            if let Some(row) = UseRow::from_cell(key, cell) {
                take(row);
            }
        })?;
        let mut heard = Vec::new();
        each(coverage.into_sorted(), |key, cell| heard.extend(CoverageRow::from_heard(key, cell)))?;
        Ok(Evidence {
            uses: Vec::new(),
            coverage: heard,
            keys: self.keys,
            doubtful: doubtful.into_iter().collect(),
            reading: self.reading,
        })
    }
}

fn each<V>(entries: io::Result<Merge<V>>, mut take: impl FnMut(&str, &V)) -> Result<(), GatherError>
where
    Merge<V>: Iterator<Item = io::Result<(String, V)>>,
{
    for entry in entries.map_err(GatherError::Spill)? {
        let (key, value) = entry.map_err(GatherError::Spill)?;
        take(&key, &value);
    }
    Ok(())
}

/// A file to be read.
struct Job {
    source: SourceKind,
    path: Utf8PathBuf,
}

fn work(
    jobs: &Mutex<Receiver<Job>>,
    mut worker: Worker,
    progress: &dyn Progress,
) -> Result<Worker, GatherError> {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return Ok(worker) };
        let bytes =
            worker.read(job.source, &job.path, || File::open(&job.path)).map_err(GatherError::Spill)?;
        progress.file(bytes);
    }
}

/// One thread's share of the reading.
struct Worker {
    tally: Tally,
    keys: Vec<KeyState>,
    /// Bytes of these.
    held: usize,
    reading: Reading,
    limits: Limits,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Worker {
    fn new(options: &Options, memory: usize) -> Self {
        Self {
            tally: Tally::new(memory),
            keys: Vec::new(),
            held: 0,
            reading: Reading::default(),
            limits: Limits { chunk: CHUNK, record: options.record },
            from: options.from,
            until: options.until,
        }
    }

    /// Reads a file and gives its size. An error is one of temporary files.
    fn read<R: Read>(
        &mut self,
        source: SourceKind,
        path: &Utf8Path,
        open: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<u64> {
        self.reading.files = self.reading.files.saturating_add(1);
        let delivered = Delivered::of(path);
        let limits = self.limits;
        let mut bytes = 0;
        let report = FileReport::new(path.to_owned(), source);
        let mut into = Into { report, delivered: &delivered, unplaced: 0, failed: None, worker: self };
        let name = path.file_name().unwrap_or_default();
        let read = open().and_then(|inner| {
            let counted = Counted { inner, bytes: &mut bytes };
            source::read(source, counted, name, limits, &mut into)
        });
        if read.is_err() {
            into.report.skip(Skip::Unreadable, 0);
        } else if bytes == 0 && path.extension() == Some("gz") {
            // Even nothing takes some bytes when it is compressed: the file was never written to its end.
            into.report.skip(Skip::Truncated, 0);
        }
        let Into { report, unplaced, failed, .. } = into;
        if let Some(error) = failed {
            return Err(error);
        }
        let lost = report.lost().saturating_add(unplaced);
        self.lose(source, &delivered, lost)?;
        self.reading.bytes = self.reading.bytes.saturating_add(bytes);
        self.reading.add(report);
        Ok(bytes)
    }

    /// Counts what cannot be read at all. An error is one of temporary files.
    fn miss(&mut self, source: SourceKind, path: Utf8PathBuf, skip: Skip) -> io::Result<()> {
        let delivered = Delivered::of(&path);
        let mut report = FileReport::new(path, source);
        report.skip(skip, 0);
        self.lose(source, &delivered, report.lost())?;
        self.reading.add(report);
        Ok(())
    }

    fn lose(&mut self, source: SourceKind, delivered: &Delivered, lost: u64) -> io::Result<()> {
        match cloud(source) {
            Some(cloud) if lost > 0 => {
                let place = [cloud.as_str(), &*delivered.account, &*delivered.region];
                self.tally.lose(place, delivered.moment(), lost)
            }
            _ => Ok(()),
        }
    }
}

/// Whose logs a source is; what IAM says of keys is no log.
const fn cloud(source: SourceKind) -> Option<Cloud> {
    match source {
        SourceKind::CloudTrail => Some(Cloud::Aws),
        SourceKind::GcpAudit => Some(Cloud::Gcp),
        SourceKind::AzureSignIn => Some(Cloud::Azure),
        SourceKind::VaultAudit => Some(Cloud::Vault),
        SourceKind::DaypassLog => Some(Cloud::Daypass),
        SourceKind::CredentialReport | SourceKind::KeyLastUsed => None,
    }
}

/// Counts what is read.
struct Counted<'b, R> {
    inner: R,
    bytes: &'b mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(room)?;
        *self.bytes = self.bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

/// Takes in what one file holds.
struct Into<'w> {
    worker: &'w mut Worker,
    report: FileReport,
    delivered: &'w Delivered,
    /// Records at impossible times of which it is not known whose credential is behind them.
    unplaced: u64,
    /// A temporary file failed: nothing more is counted.
    failed: Option<io::Error>,
}

impl Sink for Into<'_> {
    fn again(&mut self, like: &Like<'_>, call: &Instance<'_>) -> bool {
        let at = Timestamp::from(call.at);
        let outside = self.worker.until.is_some_and(|until| at >= until)
            || self.worker.from.is_some_and(|from| at < from)
            || !self.delivered.fits(call.at);
        if outside {
            return false;
        }
        match self.worker.tally.again(like, call) {
            None => false,
            Some(by_nobody) => {
                self.report.records = self.report.records.saturating_add(1);
                let reading = &mut self.worker.reading;
                reading.nobody = reading.nobody.saturating_add(u64::from(by_nobody));
                true
            }
        }
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), Skip> {
        let at = Timestamp::from(event.at);
        if self.worker.until.is_some_and(|until| at >= until) || !self.delivered.fits(event.at) {
            self.doubt(event);
            return Err(Skip::Disordered);
        }
        self.report.records = self.report.records.saturating_add(1);
        let reading = &mut self.worker.reading;
        if self.worker.from.is_some_and(|from| at < from) {
            reading.outside = reading.outside.saturating_add(1);
            return Ok(());
        }
        if matches!(event.who, Who::Nobody) && event.issued.is_none() {
            reading.nobody = reading.nobody.saturating_add(1);
        }
        if self.failed.is_none() {
            self.failed = self.worker.tally.add(event).err();
        }
        Ok(())
    }

    fn skip(&mut self, skip: Skip, offset: u64) {
        self.report.skip(skip, offset);
    }

    fn aside(&mut self) {
        self.report.records = self.report.records.saturating_add(1);
    }

    fn key(&mut self, key: KeyState) {
        self.worker.held = self.worker.held.saturating_add(key.weight());
        if self.worker.held > KEYS {
            self.report.skip(Skip::Surplus, 0);
            return;
        }
        self.report.records = self.report.records.saturating_add(1);
        self.worker.keys.push(key);
    }
}

impl Into<'_> {
    /// A record whose time cannot be true may be one of any time: of its credential where that is known, of any one where it may
    /// have been a stored one.
    fn doubt(&mut self, event: &Event<'_>) {
        let identity = match (&event.who, &event.issued) {
            (Who::Known { identity, .. } | Who::Session { hint: identity, .. }, _) => identity,
            (Who::Nobody, Some(issued)) => issued.origin.identity(),
            (Who::Nobody, None) => return,
        };
        if !identity.credential.is_empty() {
            self.worker.tally.doubt(identity.credential);
        } else if identity.class.is_stored() || matches!(event.who, Who::Session { .. }) {
            let federated = identity.class == Class::Federated;
            self.unplaced = self.unplaced.saturating_add(u64::from(!federated));
        }
    }
}
