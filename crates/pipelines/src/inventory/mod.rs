//! Which stored credentials a pipeline uses, by sink: where a value ends up, not what the secret is called.
//!
//! A finding is *certain* where the file itself binds a stored value to something that is a credential by the table, and
//! *inferred* where the binding is out of sight: variables that a platform hands to every job, service connections whose
//! scheme no file tells, secrets passed to workflows that are not at hand.

mod ambient;
mod collect;
mod group;
mod literal;
mod shell;
mod source;
mod table;
mod terraform;

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::{Pipeline, Place, Platform, ReadError, Tree, recognise};

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
    pub why: String,
    /// The bytes of each part's value, for an editor.
    #[serde(skip)]
    pub places: Vec<Place>,
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
pub fn inventory(path: &str, bytes: &[u8], tree: &dyn Tree) -> Result<Vec<Credential>, ReadError> {
    match recognise(path, bytes) {
        Some(Platform::Terraform) => terraform::read(path, bytes),
        Some(platform) => Ok(credentials(&crate::read_as(platform, path, bytes, tree)?)),
        None => Err(ReadError::NotAPipeline(path.into())),
    }
}

/// The credentials of a pipeline that was read.
///
/// Jobs of called workflows are left to those workflows' own files. A file that several others include gives the same
/// findings, by id, with each.
pub fn credentials(pipeline: &Pipeline) -> Vec<Credential> {
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
    }
    let found = groups.finish();
    finished(pipeline.platform, found.into_iter().map(|group| (group, context(pipeline))).collect())
}

/// Where a platform's variables may lie that the file does not name: said with the source.
fn context(pipeline: &Pipeline) -> impl Fn(Option<&str>) -> Option<String> + '_ {
    move |job: Option<&str>| {
        let job = pipeline.jobs.iter().find(|one| job == Some(one.path().as_str()))?;
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
        if group.is_stored()
            && let Some(context) = context(group.job())
        {
            source = format!("{source} ({context})");
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
            confidence: group.confidence(),
            replacement: &kind.replacement,
            why: group.why(),
            places: group.places(),
        });
    }
    found
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
