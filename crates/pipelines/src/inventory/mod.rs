//! Which stored credentials a pipeline uses, by sink: where a value ends up, not what the secret is called.
//!
//! A finding is *certain* where the file itself binds a stored value to something that is a credential by the table, and
//! *inferred* where the binding is out of sight: variables that a platform hands to every job, service connections whose
//! scheme no file tells, secrets passed to workflows that are not at hand.

mod ambient;
mod collect;
mod group;
mod listing;
mod literal;
mod registry;
mod shell;
mod source;
mod table;
mod terraform;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use crate::{Note, Pipeline, Place, Platform, ReadError, Role, Tree, recognise};

pub use listing::{ListingError, Listings, NamedSecrets};
pub use table::{Federation, Kind, kind, kinds};

/// A stored credential that a job uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Credential {
    /// The same for the same finding in later runs, whatever lines move.
    pub id: String,
    /// The kind, a key of the table: `aws-access-key`.
    pub kind: &'static str,
    /// What it opens.
    pub cloud: &'static str,
    /// Whose file it is in.
    #[serde(serialize_with = "platform")]
    pub platform: Platform,
    /// The file that binds it.
    pub file: Arc<str>,
    /// The 1-based line.
    pub line: usize,
    /// The job, `None` where every job of the file sees it.
    pub job: Option<String>,
    /// Where its parts end up: variables, inputs, commands.
    pub sink: String,
    /// Where they come from, as far as the file tells. Literals are masked.
    pub source: String,
    /// How sure that is.
    pub confidence: Confidence,
    /// What to use instead, or that nothing is known.
    pub replacement: &'static str,
    /// The rule of the table that found it.
    #[serde(skip)]
    pub why: String,
    /// The names under which the platform stores its parts, as far as the file tells them.
    #[serde(skip)]
    pub stored: Vec<String>,
    /// The IAM user that a key is of, where Terraform makes it.
    #[serde(skip)]
    pub user: Option<String>,
    /// The bytes of each part's value, for an editor.
    #[serde(skip)]
    pub places: Vec<Place>,
}

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whose file it is.
    pub platform: Platform,
    /// Its credentials, in the order of the file.
    pub credentials: Vec<Credential>,
    /// What was not followed or understood, where credentials may lie too.
    pub notes: Vec<Note>,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The file says so.
    Certain,
    /// The file only makes it likely.
    Inferred,
}

/// The credentials of a file of whichever platform, Terraform included. Other files that it names are looked for in the
/// tree.
pub fn inventory(path: &str, bytes: &[u8], tree: &dyn Tree) -> Result<Found, ReadError> {
    let platform = recognise(path, bytes).ok_or_else(|| ReadError::NotAPipeline(path.into()))?;
    inventory_as(platform, path, bytes, tree)
}

/// The credentials of a file as one of a platform.
pub fn inventory_as(
    platform: Platform,
    path: &str,
    bytes: &[u8],
    tree: &dyn Tree,
) -> Result<Found, ReadError> {
    if platform == Platform::Terraform {
        return Ok(Found { platform, credentials: terraform::read(path, bytes)?, notes: Vec::new() });
    }
    let pipeline = crate::read_as(platform, path, bytes, tree)?;
    let (credentials, overflowed) = within_bounds(&pipeline);
    let mut notes = pipeline.notes;
    if overflowed {
        let place = Place::whole(&pipeline.file, bytes.len());
        let what = format!("more than {} credentials are in this file: the rest is left out", group::MOST);
        notes.push(Note { place, what });
    }
    Ok(Found { platform, credentials, notes })
}

/// The credentials of a pipeline that was read.
///
/// Jobs of called workflows are left to those workflows' own files. A file that several others include gives the same
/// findings, by id, with each.
pub fn credentials(pipeline: &Pipeline) -> Vec<Credential> {
    within_bounds(pipeline).0
}

/// The credentials, and whether there are more than are told apart.
fn within_bounds(pipeline: &Pipeline) -> (Vec<Credential>, bool) {
    let mut groups = group::Groups::default();
    for sink in collect::shared(pipeline) {
        groups.add(None, sink);
    }
    for job in pipeline.own_jobs() {
        let name = job.path();
        for sink in collect::of_job(pipeline, job) {
            groups.add(Some(&name), sink);
        }
        for sink in ambient::of_job(pipeline, job, &groups) {
            groups.add(Some(&name), sink);
        }
        for sink in ambient::read_by_scripts(pipeline, job, &groups) {
            groups.add(Some(&name), sink);
        }
    }
    let overflowed = groups.overflowed;
    let found = groups.finish();
    let mut found =
        finished(pipeline.platform, found.into_iter().map(|group| (group, context(pipeline))).collect());
    if pipeline.platform == Platform::GitHubActions && pipeline.role == Role::Callable {
        for token in found.iter_mut().filter(|one| one.kind == "github-token" && !one.stored.is_empty()) {
            token.confidence = Confidence::Inferred;
            token.why.push_str("; the caller may pass its own `GITHUB_TOKEN`");
        }
    }
    (found, overflowed)
}

/// Where a platform's variables may lie that the file does not name: said with the source.
fn context(pipeline: &Pipeline) -> impl Fn(Option<&str>) -> Option<String> + '_ {
    move |job: Option<&str>| {
        let job = match job {
            Some(path) => pipeline.jobs.iter().find(|one| one.path() == path)?,
            None => pipeline.jobs.first()?,
        };
        let names: Vec<&str> = job.contexts.iter().map(crate::Text::as_str).collect();
        let word = match pipeline.platform {
            Platform::CircleCi => "context",
            Platform::AzurePipelines => "variable group",
            _ => return None,
        };
        (!names.is_empty()).then(|| format!("{word} {}", names.join(" or ")))
    }
}

fn finished<F: Fn(Option<&str>) -> Option<String>>(
    platform: Platform,
    groups: Vec<(group::Group, F)>,
) -> Vec<Credential> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut found = Vec::new();
    for (group, context) in groups {
        let Some(kind) = kinds().get(group.kind()) else { continue };
        let Some(first) = group.first().cloned() else { continue };
        let job = group.job().map(str::to_owned);
        let sink = group.sinks();
        let mut source = group.sources();
        let (mut confidence, mut why) = (group.confidence(), group.why());
        if group.is_stored() {
            if let Some(context) = context(group.job()) {
                source = format!("{source} ({context})");
            } else if platform == Platform::AzurePipelines {
                // Settings of the pipeline may store it, or a step before may have made it.
                confidence = Confidence::Inferred;
                why.push_str("; the file does not tell where the variable is set");
            }
        }
        let key =
            format!("{}|{}|{}|{sink}|{source}", kind.id, first.file, job.as_deref().unwrap_or_default());
        let count = seen.entry(key.clone()).or_default();
        *count = count.saturating_add(1);
        let id = if *count == 1 { hash(&key) } else { hash(&format!("{key}|{count}")) };
        found.push(Credential {
            id,
            kind: &kind.id,
            cloud: &kind.cloud,
            platform,
            line: first.line,
            file: first.file,
            job,
            sink,
            source,
            confidence,
            replacement: &kind.replacement,
            why,
            stored: group.names(),
            user: None,
            places: group.places(),
        });
    }
    found
}

/// What a credential is, and where: its kind, file, line, job and sink.
type At = (&'static str, Arc<str>, usize, Option<String>, String);

/// Puts the credentials of many files together: what several files told of the same place stays once, as the one that
/// knows most, and every id is the only one of its kind.
pub fn merged(credentials: Vec<Credential>) -> Vec<Credential> {
    let mut places: HashMap<At, usize> = HashMap::new();
    let mut kept: Vec<Credential> = Vec::new();
    for credential in credentials {
        let file = Arc::clone(&credential.file);
        let place = (credential.kind, file, credential.line, credential.job.clone(), credential.sink.clone());
        match places.entry(place) {
            Entry::Vacant(free) => {
                free.insert(kept.len());
                kept.push(credential);
            }
            Entry::Occupied(taken) => {
                if let Some(before) = kept.get_mut(*taken.get())
                    && credential.confidence < before.confidence
                {
                    *before = credential;
                }
            }
        }
    }
    let mut seen = HashSet::new();
    for credential in &mut kept {
        let mut key = credential.id.clone();
        while !seen.insert(credential.id.clone()) {
            key = format!("{key}|{}", credential.file);
            credential.id = hash(&key);
        }
    }
    kept
}

/// FNV-1a over 64 bits: stable for ever and good enough to tell the findings of a repository apart.
fn hash(text: &str) -> String {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("cred-{state:016x}")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn platform<S: serde::Serializer>(platform: &Platform, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(platform.as_str())
}
