use std::collections::BTreeSet;

use super::Confidence;
use super::source::Origin;
use super::table::Part;
use crate::Place;

/// One place where a part of a credential is used.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    /// The kind, an index of the table.
    pub(super) kind: usize,
    pub(super) part: Part,
    /// The variable, input or command.
    pub(super) name: String,
    pub(super) origins: Vec<Origin>,
    /// Where the value is bound.
    pub(super) place: Place,
    /// The step within its job; parts of one credential are mostly given together.
    pub(super) step: Option<usize>,
    pub(super) confidence: Confidence,
    pub(super) strength: Strength,
    /// The rule that found it.
    pub(super) why: String,
}

/// How much a rule knows of what it found: of two findings over the same secret, the one that knows more stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// What runs makes it likely.
    Ambient,
    /// A name is like that of a variable in the table.
    Likeness,
    /// A variable of the table.
    Variable,
    /// An input or command of the table.
    Rule,
}

/// The parts of one credential.
#[derive(Clone, Debug)]
pub(super) struct Group {
    job: Option<String>,
    sinks: Vec<Sink>,
}

/// Credentials of one file that are told apart; no real file has a tenth.
pub(super) const MOST: usize = 2_000;

/// Credentials as they come together from their parts.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    /// Whether there were more than [`MOST`].
    pub(super) overflowed: bool,
}

impl Groups {
    /// Adds a part to the credential that it belongs to, or begins another one.
    pub(super) fn add(&mut self, job: Option<&str>, sink: Sink) {
        if self.groups.len() >= MOST {
            self.overflowed = true;
            return;
        }
        let fits = |group: &&mut Group| group.takes(job, &sink);
        match self.groups.iter_mut().find(fits) {
            Some(group) => group.sinks.push(sink),
            None => self.groups.push(Group { job: job.map(str::to_owned), sinks: vec![sink] }),
        }
    }

    /// Whether a job's steps already have a credential of that kind, the job's own or one that every job sees. What an image
    /// is pulled with is not theirs.
    pub(super) fn has(&self, job: &str, wanted: impl Fn(usize) -> bool) -> bool {
        let seen = |group: &&Group| group.job.as_deref().is_none_or(|one| one == job);
        let theirs = |group: &&Group| group.sinks.iter().any(|sink| !sink.name.starts_with("image: "));
        self.groups.iter().filter(seen).filter(theirs).any(|group| wanted(group.kind()))
    }

    /// Whether a credential that a job sees has a part from there.
    pub(super) fn holds(&self, job: &str, origin: &Origin) -> bool {
        let seen = |group: &&Group| group.job.as_deref().is_none_or(|one| one == job);
        self.groups.iter().filter(seen).any(|group| group.holds(origin))
    }

    /// The credentials: what is only an id is none, and of two over the same secrets the better known stays.
    pub(super) fn finish(self) -> Vec<Group> {
        let whole: Vec<Group> = self.groups.into_iter().filter(Group::is_whole).collect();
        let stored: Vec<BTreeSet<&Origin>> = whole.iter().map(Group::stored).collect();
        let all = || whole.iter().zip(&stored);
        let is_best = |(group, stored): &(&Group, &BTreeSet<&Origin>)| {
            let better = |(other, others): (&Group, &BTreeSet<&Origin>)| {
                (other.job == group.job || other.job.is_none())
                    && other.kind() != group.kind()
                    && other.strength() > group.strength()
                    && stored.is_subset(others)
            };
            stored.is_empty() || !all().any(better)
        };
        all().filter(is_best).map(|(group, _)| group.clone()).collect()
    }
}

impl Group {
    fn takes(&self, job: Option<&str>, sink: &Sink) -> bool {
        let visible = self.job.as_deref() == job || self.job.is_none();
        if !visible || self.kind() != sink.kind {
            return false;
        }
        let mut stored = sink.origins.iter().filter(|origin| is_stored(origin));
        if stored.any(|origin| self.holds(origin)) {
            return true;
        }
        let together = self.job.as_deref() == job && self.sinks.iter().any(|one| one.step == sink.step);
        // Twice the same part from different places is two credentials.
        let twice = self
            .sinks
            .iter()
            .any(|one| one.part == sink.part && (one.name != sink.name || one.origins != sink.origins));
        together && !twice
    }

    fn holds(&self, origin: &Origin) -> bool {
        is_stored(origin) && self.sinks.iter().any(|sink| sink.origins.contains(origin))
    }

    fn stored(&self) -> BTreeSet<&Origin> {
        self.sinks.iter().flat_map(|sink| &sink.origins).filter(|origin| is_stored(origin)).collect()
    }

    /// Whether there is a secret in it: an id alone is one only if it is kept as a secret.
    fn is_whole(&self) -> bool {
        let secret_id = |origin: &Origin| match origin {
            Origin::Stored(name) => !name.starts_with("vars."),
            Origin::Literal(text) => super::literal::kind_of(text).is_some(),
            Origin::Indexed(_) | Origin::All | Origin::Connection(_) => true,
            Origin::Passed(_) | Origin::Made | Origin::Nothing => false,
        };
        self.sinks.iter().any(|sink| match sink.part {
            Part::Secret | Part::Connection => true,
            Part::Id => sink.origins.iter().any(secret_id),
            Part::Session => false,
        })
    }

    fn strength(&self) -> Option<Strength> {
        self.sinks.iter().map(|sink| sink.strength).max()
    }

    pub(super) fn kind(&self) -> usize {
        self.sinks.first().map_or(usize::MAX, |sink| sink.kind)
    }

    pub(super) fn job(&self) -> Option<&str> {
        self.job.as_deref()
    }

    pub(super) fn first(&self) -> Option<&Place> {
        self.sinks.first().map(|sink| &sink.place)
    }

    pub(super) fn places(&self) -> Vec<Place> {
        self.sinks.iter().map(|sink| sink.place.clone()).collect()
    }

    /// Whether some of it is stored by name, so that it matters where such names are kept.
    pub(super) fn is_stored(&self) -> bool {
        self.stored().iter().any(|origin| matches!(origin, Origin::Stored(_)))
    }

    pub(super) fn sinks(&self) -> String {
        let mut text = String::new();
        let mut owner = "";
        let mut seen: Vec<&str> = Vec::new();
        for name in self.sinks.iter().map(|sink| sink.name.as_str()) {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            // Inputs of one action are listed after its name.
            let (of, input) = name.split_once(": ").unwrap_or(("", name));
            let repeated = !of.is_empty() && of == owner;
            owner = of;
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(if repeated { input } else { name });
        }
        text
    }

    pub(super) fn sources(&self) -> String {
        let origins = self.sinks.iter().flat_map(|sink| &sink.origins).map(Origin::shown);
        let sources = joined(origins.filter(|source| !source.is_empty()));
        if sources.is_empty() { "not in the file".to_owned() } else { sources }
    }

    /// The names under which its parts are stored.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |origin: &Origin| match origin {
            Origin::Stored(name) => Some(name.strip_prefix("secrets.").unwrap_or(name).to_owned()),
            _ => None,
        };
        self.sinks.iter().flat_map(|sink| &sink.origins).filter_map(name).collect()
    }

    pub(super) fn why(&self) -> String {
        let mut text = joined(self.sinks.iter().map(|sink| sink.why.clone()));
        if self.sinks.iter().any(|sink| sink.part == Part::Session) {
            text.push_str("; a session token is with it, so it may be short-lived");
        }
        text
    }

    pub(super) fn confidence(&self) -> Confidence {
        if self.sinks.iter().any(|sink| sink.part == Part::Session) {
            return Confidence::Inferred;
        }
        self.sinks.iter().map(|sink| sink.confidence).min().unwrap_or(Confidence::Inferred)
    }
}

fn is_stored(origin: &Origin) -> bool {
    match origin {
        Origin::Stored(name) => !name.starts_with("vars."),
        Origin::Indexed(_) | Origin::Connection(_) | Origin::Passed(_) | Origin::All => true,
        Origin::Literal(text) => super::literal::looks_secret(text),
        Origin::Made | Origin::Nothing => false,
    }
}

/// The texts once each, in order.
fn joined(texts: impl Iterator<Item = String>) -> String {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen.join(", ")
}
