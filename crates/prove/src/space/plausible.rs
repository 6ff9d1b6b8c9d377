//! Values that people would write, so that a witness reads like a token of somebody's job and not like `0/0`.

use daypass_issuers::Identifies;

use crate::universe::Part;

/// What is known about the question at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// Values of the role's own home, the first thing to try.
    pub(crate) home: Vec<String>,
    /// Words of the policies.
    pub(crate) words: Vec<String>,
}

/// Values that people know, by what they name; tried where a part's language admits them.
const fn usual(identifies: Identifies) -> &'static [&'static str] {
    match identifies {
        Identifies::Organisation | Identifies::Enterprise => {
            &["acme", "acme-evil", "evil-acme", "evil", "6660001", "66666666-0000-4000-8000-000000000001"]
        }
        Identifies::Repository | Identifies::Project => {
            &["app", "app-x", "other", "6660002", "66666666-0000-4000-8000-000000000002"]
        }
        Identifies::Ref => &[
            "refs/heads/main",
            "refs/heads/feature/login",
            "refs/heads/main-x",
            "refs/pull/7/merge",
            "refs/tags/v1.2.3",
            "main",
            "feature/login",
            "main-x",
            "v1.2.3",
        ],
        Identifies::Environment => &["production", "prod", "staging", "preview"],
        Identifies::Trigger => &["push", "pull_request", "workflow_dispatch", "pull_request_target"],
        Identifies::Workflow => &["deploy", "deploy.yml", "ci", "ci.yml"],
        Identifies::Audience => &["sts.amazonaws.com", "https://example.com"],
        Identifies::Actor => &["alex", "mallory", "6660003"],
        _ => &["x", "other", "666"],
    }
}

/// What to try for a part, best first.
pub(super) fn candidates(part: &Part, hints: &Hints) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        if !found.iter().any(|known| known == text) {
            found.push(text.to_owned());
        }
    };
    let sample = part.usual().and_then(|value| value.as_str());
    sample.into_iter().for_each(&mut add);
    hints.home.iter().map(String::as_str).for_each(&mut add);
    for text in usual(part.identifies) {
        add(text);
    }
    let pieces: Vec<&str> = hints.words.iter().flat_map(|word| pieces(word)).collect();
    for piece in &pieces {
        add(piece);
    }
    for stem in sample.into_iter().chain(hints.home.iter().map(String::as_str)).chain(pieces.iter().copied())
    {
        for text in [
            format!("{stem}-evil"),
            format!("{stem}-x"),
            format!("evil-{stem}"),
            format!("{stem}x"),
            format!("x{stem}"),
        ] {
            add(&text);
        }
        add(&stem.to_ascii_uppercase());
        add(&stem.to_ascii_lowercase());
    }
    found
}

/// A word and what separators make of it.
fn pieces(word: &str) -> Vec<&str> {
    let mut pieces = vec![word];
    pieces.extend(word.split(':'));
    pieces.extend(word.split(['/', ':', '@', '{', '}']));
    // The parts of a subject that hold slashes of their own: `ref:refs/heads/main`.
    pieces.retain(|piece| !piece.is_empty() && piece.len() <= 128);
    pieces
}
