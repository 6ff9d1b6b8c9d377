//! What could not be read, said once for each kind and counted for each file.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::SourceKind;

/// Why something of a file is not in the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Skip {
    /// The file cannot be opened or read.
    #[error("the file cannot be read")]
    Unreadable,
    /// A symbolic link below a folder: what it points to is read where it lies.
    #[error("it is a symbolic link, which is not followed")]
    Link,
    /// Folders nest deeper than any delivery does.
    #[error("the folder lies too deep")]
    TooDeep,
    /// A name that is not UTF-8.
    #[error("the name is not UTF-8")]
    Name,
    /// Compressed data ends before it is complete.
    #[error("the compressed data ends too early")]
    Truncated,
    /// Compressed data is damaged; reading goes on with the next part that is whole.
    #[error("the compressed data is damaged")]
    Corrupt,
    /// JSON that breaks its own rules; reading goes on with the next record.
    #[error("the text is not JSON")]
    Malformed,
    /// JSON ends within a list or a record.
    #[error("the text ends within a record or list")]
    Unfinished,
    /// A record larger than the limit.
    #[error("the record is larger than any of its kind")]
    Oversize,
    /// JSON that is not a record of this source.
    #[error("the record is none of this source")]
    Unknown,
    /// A record without a time that can be read.
    #[error("the record has no time that can be read")]
    Untimed,
    /// More keys than any organisation has.
    #[error("there are more keys than are held")]
    Surplus,
    /// A record whose time contradicts where it was delivered, or lies after the end of the window.
    #[error("the record's time cannot be true")]
    Disordered,
}

/// Where something was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// What is wrong.
    pub skip: Skip,
    /// Bytes of (uncompressed) text before it; where the compressed data is damaged, those that came out until then.
    pub offset: u64,
}

/// What of one file was read, and what was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// The file, or the folder that could not be read.
    pub path: Utf8PathBuf,
    /// What it was read as.
    pub source: SourceKind,
    /// Records that were read, with those before the window.
    pub records: u64,
    /// How often what was left out.
    pub skipped: BTreeMap<Skip, u64>,
    /// The first places.
    pub places: Vec<Place>,
}

/// How many places a report names.
const PLACES: usize = 10;

impl FileReport {
    pub(crate) fn new(path: Utf8PathBuf, source: SourceKind) -> Self {
        Self { path, source, records: 0, skipped: BTreeMap::new(), places: Vec::new() }
    }

    pub(crate) fn skip(&mut self, skip: Skip, offset: u64) {
        let count = self.skipped.entry(skip).or_default();
        *count = count.saturating_add(1);
        if self.places.len() < PLACES {
            self.places.push(Place { skip, offset });
        }
    }

    /// How many records, or parts with who knows how many records, are missing.
    pub(crate) fn lost(&self) -> u64 {
        let lost = self.skipped.iter().filter(|(skip, _)| skip.loses());
        lost.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

impl Skip {
    /// Whether something may be missing of which nothing is known. A link is no loss: what it points to may well be read. A
    /// record at the wrong time is known by its credential, or counted beside.
    const fn loses(self) -> bool {
        !matches!(self, Self::Link | Self::Disordered)
    }
}

/// What was read in all. Every file is counted; those with something left out are named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Files read.
    pub files: u64,
    /// Files passed over because they hold no records: digests and insights.
    pub passed_over: u64,
    /// Bytes read, compressed as they were.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
    /// Of these, records outside of the window.
    pub outside: u64,
    /// Of these, calls that no credential was needed for, or that the cloud made itself.
    pub nobody: u64,
    /// Session uses that were recorded earlier than the session's own issue.
    pub used_before_issue: u64,
    /// How often what was left out, in all.
    pub skipped: BTreeMap<Skip, u64>,
    /// The files with something left out, at most [`REPORTS`].
    pub reports: Vec<FileReport>,
    /// Files with something left out beyond those.
    pub unnamed: u64,
}

/// How many files [`Reading::reports`] names: bounded like everything that is held in memory.
pub const REPORTS: usize = 10_000;

impl Reading {
    pub(crate) fn add(&mut self, report: FileReport) {
        self.records = self.records.saturating_add(report.records);
        if report.skipped.is_empty() {
            return;
        }
        for (skip, count) in &report.skipped {
            let sum = self.skipped.entry(*skip).or_default();
            *sum = sum.saturating_add(*count);
        }
        if self.reports.len() < REPORTS {
            self.reports.push(report);
        } else {
            self.unnamed = self.unnamed.saturating_add(1);
        }
    }

    /// With what another thread read.
    pub(crate) fn append(&mut self, mut other: Self) {
        for (sum, more) in [
            (&mut self.files, other.files),
            (&mut self.passed_over, other.passed_over),
            (&mut self.bytes, other.bytes),
            (&mut self.records, other.records),
            (&mut self.outside, other.outside),
            (&mut self.nobody, other.nobody),
            (&mut self.used_before_issue, other.used_before_issue),
            (&mut self.unnamed, other.unnamed),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (skip, count) in other.skipped {
            let sum = self.skipped.entry(skip).or_default();
            *sum = sum.saturating_add(count);
        }
        self.reports.append(&mut other.reports);
    }

    pub(crate) fn finish(&mut self) {
        self.reports.sort_by(|a, b| (&a.path, a.source).cmp(&(&b.path, b.source)));
        let extra = self.reports.len().saturating_sub(REPORTS);
        self.reports.truncate(REPORTS);
        self.unnamed = self.unnamed.saturating_add(u64::try_from(extra).unwrap_or(u64::MAX));
    }
}
