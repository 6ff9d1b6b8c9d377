use serde::{Deserialize, Serialize};

use super::spill::Mergeable;
use super::{Cell, Scene};
use crate::event::{Identity, Issued};

/// What is known of a session under one of its keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Part {
    /// How it came about.
    Issue(Box<Issue>),
    Use(Cell),
}

/// A session's beginning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Issue {
    /// Whether `who` is known; if not, it hangs on the session that this one came of, and `who` is what is left otherwise.
    /// Known ones come first.
    pub(crate) pending: bool,
    pub(crate) at: i64,
    pub(crate) who: Origin,
    /// The row's other texts.
    pub(crate) account: String,
    pub(crate) principal: String,
    pub(crate) agent: String,
    pub(crate) system: String,
    pub(crate) address: String,
}

/// What a session passes on to those that come of it: class, credential, issuer, subject and audience.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) class: String,
    pub(crate) credential: String,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audience: String,
}

impl Issue {
    pub(crate) fn new(scene: Scene<'_>, issued: &Issued<'_>, who: &Identity<'_>, known: bool) -> Self {
        Self {
            pending: !known,
            at: scene.event.at.secs(),
            who: Origin {
                class: who.class.as_str().to_owned(),
                credential: who.credential.to_owned(),
                issuer: who.issuer.to_owned(),
                subject: who.subject.to_owned(),
                audience: who.audience.to_owned(),
            },
            account: issued.account.to_owned(),
            principal: issued.principal.to_owned(),
            agent: scene.agent.to_owned(),
            system: scene.system.to_owned(),
            address: scene.event.address.to_owned(),
        }
    }
}

impl Mergeable for Part {
    /// Records are delivered twice now and then, so a session may begin twice: what is known counts, then what came first.
    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Issue(one), Self::Issue(other)) if other < *one => *one = other,
            (Self::Use(one), Self::Use(other)) => one.merge(other),
            _ => {}
        }
    }

    fn weight(&self) -> usize {
        match self {
            Self::Use(cell) => cell.weight(),
            Self::Issue(issue) => {
                let Origin { class, credential, issuer, subject, audience } = &issue.who;
                let texts = [class, credential, issuer, subject, audience].into_iter().chain([
                    &issue.account,
                    &issue.principal,
                    &issue.agent,
                    &issue.system,
                    &issue.address,
                ]);
                // Every text is an allocation of its own.
                texts.fold(size_of::<Issue>(), |sum, text| {
                    sum.saturating_add(text.capacity()).saturating_add(16)
                })
            }
        }
    }
}
