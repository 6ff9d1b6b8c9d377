//! Files on disk for tests, and checks of them.

use std::fs;
use std::path::PathBuf;

use daypass_lint::{Finding, Options, Report, Verdict, check};
use daypass_sources::{Entry, EntryKind, FileTree, ReadError};

/// A folder of the disk.
pub(crate) struct Disk(pub(crate) PathBuf);

impl Disk {
    /// The samples of a folder beside the tests.
    pub(crate) fn samples(folder: &str) -> Self {
        Self(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder))
    }
}

impl FileTree for Disk {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, ReadError> {
        let bytes = fs::read(self.0.join(path)).map_err(|_| ReadError::Missing)?;
        if bytes.len() > limit { Err(ReadError::TooLarge { limit }) } else { Ok(bytes) }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let entries = fs::read_dir(self.0.join(folder)).map_err(|_| ReadError::Missing)?;
        Ok(entries
            .map(|entry| {
                let entry = entry.unwrap();
                let kind =
                    if entry.file_type().unwrap().is_dir() { EntryKind::Folder } else { EntryKind::File };
                Entry { name: entry.file_name().into_string().unwrap(), kind }
            })
            .collect())
    }
}

/// The word of the corpus for what was found in a file, or for one role of it.
pub(crate) fn word<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> &'static str {
    let worst = findings.into_iter().filter_map(|finding| finding.verdict).max();
    worst.map_or("good", Verdict::as_str)
}

/// Checks one file.
pub(crate) fn checked(disk: &Disk, file: &str, options: &Options) -> Report {
    check(disk, &[file], options)
}

/// Works through cases side by side: proofs take their time without optimisation.
pub(crate) fn on_all_cores<C: Sync>(cases: &[C], work: impl Fn(&C) -> Vec<String> + Sync) -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let work = &work;
    std::thread::scope(|scope| {
        let part = |core| cases.iter().skip(core).step_by(cores).flat_map(work).collect::<Vec<String>>();
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(move || part(core))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}
