//! The jobs of a repository, as its pipeline files have them.

use camino::Utf8Path;
use daypass_claims::ClaimName;
use daypass_issuers::{Mintable, Slot, catalogue};
use daypass_pipelines::{Platform, RepositoryFacts, Tree, mintable, read_as, recognise};
use daypass_prove::Home;
use daypass_sources::{EntryKind, FileTree};

use crate::disk::DiskTree;
use crate::failure::{Failure, Result};

/// The largest pipeline file that is read, in bytes.
const LARGEST: usize = 4 * 1_024 * 1_024;
/// How deep folders are followed.
const DEEPEST: usize = 32;

/// Which tokens the jobs of the repository at `root` can mint, as far as its home is known.
pub(super) fn below(root: &Utf8Path, home: Option<&Home>) -> Result<Vec<Mintable>> {
    let tree = Repository { files: DiskTree::below(root) };
    let mut paths = Vec::new();
    tree.walk("", 0, &mut paths);
    paths.sort();
    let mut jobs = Vec::new();
    for path in paths {
        let Some(bytes) = tree.read(&path) else { continue };
        let Some(platform) = recognise(&path, &bytes) else { continue };
        let pipeline = read_as(platform, &path, &bytes, &tree)
            .map_err(|error| Failure::usage(format!("{}: {error}", root.join(&path))))?;
        jobs.extend(mintable(&pipeline, &facts(platform, home)));
    }
    if jobs.is_empty() {
        return Err(Failure::usage(format!("no pipeline in `{root}` has a job that can mint a token")));
    }
    Ok(jobs)
}

/// What the home says, in the claims of the platform.
fn facts(platform: Platform, home: Option<&Home>) -> RepositoryFacts {
    let mut facts = RepositoryFacts::default();
    let known = platform.catalogue_id().and_then(|id| catalogue().platform(id));
    let (Some(home), Some(platform)) = (home, known) else { return facts };
    let tenants = &platform.tenants;
    for (slots, value) in [
        (&tenants.organisation, &home.owner_id),
        (&tenants.organisation_names, &home.owner),
        (&tenants.repository, &home.repository_id),
        (&tenants.repository_names, &home.repository),
    ] {
        let whole = |slot: &&Slot| slot.filter.is_none();
        for (slot, value) in slots.iter().filter(whole).zip(value.iter().cycle()) {
            facts.claims.insert(ClaimName::from(slot.name.as_str()), value.clone());
        }
    }
    let branch = home.git_ref.as_deref().and_then(|git_ref| git_ref.strip_prefix("refs/heads/"));
    facts.default_branch = branch.map(str::to_owned);
    facts
}

struct Repository {
    files: DiskTree,
}

impl Repository {
    fn walk(&self, folder: &str, depth: usize, paths: &mut Vec<String>) {
        let Ok(entries) = self.files.list(folder) else { return };
        for entry in entries {
            let path =
                if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
            match entry.kind {
                EntryKind::File => paths.push(path),
                EntryKind::Folder
                    if matches!(entry.name.as_str(), ".git" | "node_modules" | "target" | "vendor") => {}
                EntryKind::Folder if depth < DEEPEST => self.walk(&path, depth.saturating_add(1), paths),
                EntryKind::Folder => {}
            }
        }
    }
}

impl Tree for Repository {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        // What lies above the repository is nobody's to read.
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            return None;
        }
        self.files.read(path, LARGEST).ok()
    }
}
