//! Values that people would write, so that a witness reads like a token of somebody's job and not like `0/0`.

use std::collections::HashSet;

use daypass_issuers::Identifies;

use crate::automaton::{Alphabet, Symbol};
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

/// A text to try, and the symbols that it is made of.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) text: String,
    pub(super) symbols: Vec<Symbol>,
}

/// Texts to try, best first and each once.
struct List<'a> {
    alphabet: &'a Alphabet,
    known: HashSet<String>,
    found: Vec<Candidate>,
}

impl<'a> List<'a> {
    fn new(alphabet: &'a Alphabet) -> Self {
        Self { alphabet, known: HashSet::new(), found: Vec::new() }
    }

    fn add(&mut self, text: String) {
        if !self.known.contains(&text) {
            let symbols = text.chars().map(|c| self.alphabet.symbol(c)).collect();
            self.known.insert(text.clone());
            self.found.push(Candidate { text, symbols });
        }
    }

    /// Texts that are like another one.
    fn add_like(&mut self, stem: &str) {
        for text in [
            format!("{stem}-evil"),
            format!("{stem}-x"),
            format!("evil-{stem}"),
            format!("{stem}x"),
            format!("x{stem}"),
            stem.to_ascii_uppercase(),
            stem.to_ascii_lowercase(),
        ] {
            self.add(text);
        }
    }
}

/// What to try for every part of a space.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    home: Vec<Candidate>,
    pieces: Vec<Candidate>,
    like: Vec<Candidate>,
}

impl Candidates {
    pub(super) fn new(hints: &Hints, alphabet: &Alphabet) -> Self {
        let mut home = List::new(alphabet);
        hints.home.iter().for_each(|text| home.add(text.clone()));
        let mut found = List::new(alphabet);
        hints.words.iter().flat_map(|word| pieces(word)).for_each(|piece| found.add(piece.to_owned()));
        let mut like = List::new(alphabet);
        for stem in home.found.iter().chain(&found.found) {
            like.add_like(&stem.text);
        }
        Self { home: home.found, pieces: found.found, like: like.found }
    }

    /// What to try for a part, best first. A text may come twice.
    pub(super) fn of<'c>(&'c self, own: &'c Own) -> impl Iterator<Item = &'c Candidate> {
        [&own.sample, &self.home, &own.usual, &self.pieces, &own.like, &self.like, &own.values]
            .into_iter()
            .flatten()
    }
}

/// What to try for one part only.
pub(super) struct Own {
    sample: Vec<Candidate>,
    usual: Vec<Candidate>,
    like: Vec<Candidate>,
    values: Vec<Candidate>,
}

impl Own {
    pub(super) fn new(part: &Part, values: &[String], alphabet: &Alphabet) -> Self {
        let of = |fill: &dyn Fn(&mut List<'_>)| {
            let mut list = List::new(alphabet);
            fill(&mut list);
            list.found
        };
        let sample = part.usual().and_then(|value| value.as_str());
        Self {
            sample: of(&|list| sample.into_iter().for_each(|text| list.add(text.to_owned()))),
            usual: of(&|list| usual(part.identifies).iter().for_each(|text| list.add((*text).to_owned()))),
            like: of(&|list| sample.into_iter().for_each(|text| list.add_like(text))),
            values: of(&|list| values.iter().for_each(|text| list.add(text.clone()))),
        }
    }
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
