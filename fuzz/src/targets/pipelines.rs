//! Pipeline files of every platform, and the stored credentials in them.

use std::collections::{BTreeMap, HashSet};

use daypass_pipelines::inventory::{Found, inventory_as, merged};
use daypass_pipelines::{Platform, RepositoryFacts, mintable, read_as, recognise};

use crate::check::{kept_secret, readable};

/// A file that the input includes or calls, whatever it is.
const OTHERS: [&str; 4] =
    [".github/actions/a/action.yml", ".github/workflows/called.yml", "ci/base.yml", "templates/steps.yml"];
/// What literals are looked for in: a scripted one of each kind would be found by its looks.
const SECRET: &str = "q3Zt0Yw8LrV5mXcB1nHd7KfGs2PjUe9TaQ4oRi6M";

pub fn run(data: &[u8]) {
    let file = path(data);
    // Files that include themselves, and each other, under every name that is usual.
    let tree: BTreeMap<String, Vec<u8>> =
        OTHERS.iter().map(|name| ((*name).to_owned(), data.to_vec())).collect();
    let lines = data.iter().filter(|byte| **byte == b'\n' || **byte == b'\r').count() + 1;
    for platform in Platform::ALL {
        match inventory_as(platform, file, data, &tree) {
            Ok(found) => credentials(&found, lines),
            Err(error) => readable(&error.to_string()),
        }
        if let Ok(pipeline) = read_as(platform, file, data, &tree) {
            let facts = RepositoryFacts::default().on_branch("main");
            let _ = mintable(&pipeline, &facts);
        }
    }
    if let Ok(text) = std::str::from_utf8(data)
        && text.contains(SECRET)
    {
        kept_secret(SECRET, text, |input| {
            let platform = recognise(file, input.as_bytes()).unwrap_or(Platform::GitLab);
            inventory_as(platform, file, input.as_bytes(), &tree).map_or_else(
                |error| error.to_string(),
                |found| {
                    let said = found.credentials.iter().map(|one| format!("{} {} ", one.source, one.why));
                    said.collect::<Vec<_>>().concat()
                },
            )
        });
    }
}

/// The path decides how references to other files are read.
fn path(data: &[u8]) -> &'static str {
    match data.first() {
        Some(b'p' | b'n') => "Jenkinsfile",
        Some(b'r' | b't') => "main.tf",
        Some(b'o') => ".github/workflows/w.yml",
        _ => "pipeline.yml",
    }
}

fn credentials(found: &Found, lines: usize) {
    for one in &found.credentials {
        assert!((1..=lines).contains(&one.line), "line {} of {lines}: {one:?}", one.line);
        assert!(!one.sink.is_empty() && !one.source.is_empty() && !one.why.is_empty(), "{one:?}");
    }
    let all = merged(found.credentials.iter().chain(&found.credentials).cloned().collect());
    assert!(all.len() <= found.credentials.len(), "the same places twice");
    let ids: HashSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "an id twice");
    for note in &found.notes {
        assert!((1..=lines).contains(&note.place.line), "{note:?}");
        readable(&note.what);
    }
}
