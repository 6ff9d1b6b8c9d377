//! The researched facts that the catalogue was written from. Read from `$DAYPASS_REFERENCE`, or `../shared/reference`
//! beside the checkout; tests that need them are skipped with a note where they are absent.

use std::path::{Path, PathBuf};

use daypass_claims::ClaimSet;

pub(crate) fn root() -> Option<PathBuf> {
    let root = std::env::var_os("DAYPASS_REFERENCE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference"),
        PathBuf::from,
    );
    if root.join("issuers.toml").is_file() {
        return Some(root);
    }
    println!("skipped: no reference data at {}", root.display());
    None
}

/// Which platform a sample token is of: `index.json`, whose other members are notes.
pub(crate) fn samples() -> Vec<(String, String, ClaimSet)> {
    let Some(folder) = root().map(|root| root.join("tokens")) else { return Vec::new() };
    let index = read(&folder.join("index.json"));
    let listed = index.iter().filter_map(|(file, about)| {
        let platform = about.as_object()?.get("issuer_id")?.as_str()?.to_owned();
        Some((file.as_str().to_owned(), platform, read(&folder.join(file.as_str()))))
    });
    let samples: Vec<_> = listed.collect();
    assert!(samples.len() >= 55, "{} samples", samples.len());
    samples
}

fn read(path: &Path) -> ClaimSet {
    ClaimSet::from_json(&std::fs::read(path).unwrap()).unwrap()
}
