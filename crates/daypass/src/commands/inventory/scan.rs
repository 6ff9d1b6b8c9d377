//! Reading many files at once.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use daypass_pipelines::inventory::{Credential, Listings, NamedSecrets, inventory_as, merged};
use daypass_pipelines::{Note, Platform, ReadError, expected, recognise};

use super::walk::{Given, cannot_read};
use super::{Answer, Skipped};
use crate::progress::Progress;

/// The credentials in all files, in the order of the paths. Every core reads.
pub(super) fn scan(given: &[Given], listings: &Listings, skipped: Vec<Skipped>) -> Answer {
    let work: Vec<(&Given, &str)> =
        given.iter().flat_map(|given| given.names().map(move |name| (given, name))).collect();
    let next = AtomicUsize::new(0);
    let progress = Mutex::new(Progress::of("reading files", work.len() as u64));
    let read = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((given, name)) = work.get(index) else { return done };
            done.push((index, file(given, name, listings)));
            progress.lock().unwrap_or_else(PoisonError::into_inner).at((index as u64).saturating_add(1));
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(work.len().max(1));
    let mut results: Vec<(usize, Outcome)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(read)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    results.sort_by_key(|(index, _)| *index);

    let mut answer = Answer { credentials: Vec::new(), files: 0, skipped };
    let mut named = NamedSecrets::default();
    for (_, outcome) in results {
        match outcome {
            Outcome::Other => {}
            Outcome::Skipped(skipped) => answer.skipped.push(skipped),
            Outcome::Read(credentials, notes, secrets) => {
                named.add(secrets);
                answer.files = answer.files.saturating_add(1);
                answer.credentials.extend(credentials);
                answer.skipped.extend(notes);
            }
        }
    }
    answer.credentials = merged(answer.credentials);
    listings.join(&mut answer.credentials, &named);
    // What several files include is noted with each of them.
    let mut seen = HashSet::new();
    answer.skipped.retain(|skipped| seen.insert(skipped.clone()));
    answer
}

/// What came of a file.
enum Outcome {
    /// It is none of a platform's.
    Other,
    Skipped(Skipped),
    Read(Vec<Credential>, Vec<Skipped>, NamedSecrets),
}

fn file(given: &Given, name: &str, listings: &Listings) -> Outcome {
    let shown = given.shown(name);
    let skip = |why: String| Outcome::Skipped(Skipped::new(shown.clone(), why));
    let content = match given.content(name) {
        Ok(content) => content,
        Err(error) => return skip(cannot_read(&error)),
    };
    let bytes = content.bytes.as_slice();
    // A file that stands where a platform looks is held to be the platform's, so that it is not passed over in silence.
    let Some(platform) = recognise(name, bytes).or_else(|| expected(name)) else {
        return match std::str::from_utf8(bytes) {
            Err(_) if name.strip_suffix(".json").is_none() && content.length == bytes.len() as u64 => {
                skip(format!("{shown}:1:1: these bytes are not UTF-8"))
            }
            _ if given.named => skip(format!("{shown}:1:1: neither path nor content is a pipeline's")),
            _ => Outcome::Other,
        };
    };
    if content.length > bytes.len() as u64 {
        return skip(format!(
            "{shown}: the file has {} bytes, pipelines of up to 4 MiB are read",
            content.length
        ));
    }
    match inventory_as(platform, name, bytes, given) {
        Ok(found) => {
            let notes = found.notes.iter().map(|note| noted(given, note)).collect();
            let credentials = found.credentials.into_iter().map(|one| placed(given, one)).collect();
            let named = if listings.is_empty() { NamedSecrets::default() } else { listings.named_in(bytes) };
            Outcome::Read(credentials, notes, named)
        }
        Err(ReadError::NotAMapping(_)) if platform != Platform::Terraform && is_blank(bytes) => {
            Outcome::Read(Vec::new(), Vec::new(), NamedSecrets::default())
        }
        // Errors begin with the file's name as the readers know it.
        Err(error) => {
            let error = error.to_string();
            skip(error.strip_prefix(name).map_or_else(|| error.clone(), |rest| format!("{shown}{rest}")))
        }
    }
}

/// A file of comments and nothing else.
pub(in crate::commands) fn is_blank(bytes: &[u8]) -> bool {
    let blank = |line: &[u8]| {
        let line = line.trim_ascii();
        line.is_empty() || line.starts_with(b"#") || line == b"---"
    };
    bytes.split(|byte| *byte == b'\n').all(blank)
}

fn placed(given: &Given, mut credential: Credential) -> Credential {
    credential.file = Arc::from(given.shown(&credential.file));
    credential
}

pub(in crate::commands) fn noted(given: &Given, note: &Note) -> Skipped {
    let file = given.shown(&note.place.file);
    let why = format!("{file}:{}:{}: {}", note.place.line, note.place.column, note.what);
    Skipped::new(file, why)
}
