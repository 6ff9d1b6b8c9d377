//! What all events add up to, in bounded memory.

mod cell;
mod key;
mod recent;
mod resolve;
pub(crate) mod session;
mod spill;

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

pub(crate) use cell::{Cell, Share};
pub(crate) use key::{Key, fields};
use recent::{Counted, Recent};
use session::{Issue, Part};
pub(crate) use spill::{Merge, Mergeable, Spill};

use crate::agent::Agents;
use crate::event::{Event, Identity, Instance, Issued, Like, Origin, Who};
use crate::moment::Moment;

/// How many credentials with records at impossible times are told apart.
const DOUBTFUL: usize = 10_000;
/// Bytes of the longest id of a credential.
const LONGEST: usize = 1_024;

/// Everything that one thread has counted.
#[derive(Debug)]
pub(crate) struct Tally {
    rows: Spill<Cell>,
    /// What is known of sessions by their id, until all is read.
    sessions: Spill<Part>,
    coverage: Spill<Heard>,
    /// Stored credentials with records whose time cannot be true, and how many. Those beyond [`DOUBTFUL`] share an empty one.
    doubtful: BTreeMap<String, u64>,
    agents: Agents,
    key: Key,
    /// Calls that are like these are counted there first.
    recent: Recent,
}

/// What was heard of one region on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) events: u64,
    pub(crate) data: u64,
    pub(crate) hours: u32,
    pub(crate) lost: u64,
}

impl Heard {
    fn add(&mut self, at: Moment, data: bool) {
        self.events = self.events.saturating_add(1);
        self.data = self.data.saturating_add(u64::from(data));
        self.hours |= at.hour_bit();
    }
}

impl Mergeable for Heard {
    fn merge(&mut self, other: Self) {
        self.events = self.events.saturating_add(other.events);
        self.data = self.data.saturating_add(other.data);
        self.hours |= other.hours;
        self.lost = self.lost.saturating_add(other.lost);
    }

    fn weight(&self) -> usize {
        0
    }
}

/// What came of all threads' counts.
#[derive(Debug)]
pub(crate) struct Sum {
    pub(crate) rows: Spill<Cell>,
    pub(crate) coverage: Spill<Heard>,
    pub(crate) doubtful: BTreeMap<String, u64>,
    pub(crate) used_before_issue: u64,
}

impl Tally {
    /// Holds at most about `budget` bytes.
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            rows: Spill::new(budget / 8 * 3),
            sessions: Spill::new(budget / 2),
            coverage: Spill::new(budget / 8),
            doubtful: BTreeMap::new(),
            agents: Agents::default(),
            key: Key::default(),
            recent: Recent::default(),
        }
    }

    /// Counts a call that is like one that is remembered, and says whether it was nobody's.
    pub(crate) fn again(&mut self, like: &Like<'_>, call: &Instance<'_>) -> Option<bool> {
        self.recent.count(like, call)
    }

    /// Counts an event. An error is one of the temporary files.
    pub(crate) fn add(&mut self, event: &Event<'_>) -> io::Result<()> {
        let heard = self.key.of([event.cloud.as_str(), event.account, event.region], Some(event.at));
        let place = event.like.map(|_| heard.to_owned());
        self.coverage.update(heard, Heard::default, |heard| heard.add(event.at, event.data))?;
        let (agent, system) = self.agents.of(event.user_agent);
        let scene = Scene { event, agent, system };
        let used = Share { uses: 1, refused: u64::from(event.refused), issued: 0 };
        match &event.who {
            Who::Nobody => {}
            Who::Known { account, identity } => self.row(scene, account, identity, used)?,
            Who::Session { account, id, hint } => self.session_use(scene, account, id, hint, used)?,
        }
        if let Some(issued) = &event.issued {
            return self.issue(scene, issued);
        }
        if let (Some(like), Some(place)) = (&event.like, place) {
            let counted = match event.who {
                Who::Nobody => Counted::Nobody,
                Who::Known { .. } => Counted::Row(self.key.text().to_owned()),
                Who::Session { .. } => Counted::Session(self.key.text().to_owned()),
            };
            if let Some(gone) = self.recent.remember(like, event.at, place, counted) {
                gone.settle(&mut self.rows, &mut self.sessions, &mut self.coverage)?;
            }
        }
        Ok(())
    }

    /// Counts what of a file was lost, where its path says what it holds.
    pub(crate) fn lose(&mut self, place: [&str; 3], day: Option<Moment>, lost: u64) -> io::Result<()> {
        let key = self.key.of(place, day);
        self.coverage.update(key, Heard::default, |heard| heard.lost = heard.lost.saturating_add(lost))
    }

    /// Counts a record of a credential whose time cannot be true.
    pub(crate) fn doubt(&mut self, credential: &str) {
        doubt(&mut self.doubtful, credential, 1);
    }

    fn row(&mut self, scene: Scene<'_>, account: &str, who: &Identity<'_>, share: Share) -> io::Result<()> {
        let event = scene.event;
        let key = self.key.of(scene.row(account, who), Some(event.at));
        self.rows.update(key, || Cell::new(event.at), |cell| cell.add(event.at, event.address, share))
    }

    fn session_use(
        &mut self,
        scene: Scene<'_>,
        account: &str,
        id: &str,
        hint: &Identity<'_>,
        share: Share,
    ) -> io::Result<()> {
        let event = scene.event;
        let key = self.key.session_use(event.cloud.as_str(), id, scene.row(account, hint), event.at);
        let new = || Part::Use(Cell::new(event.at));
        self.sessions.update(key, new, |part| {
            if let Part::Use(cell) = part {
                cell.add(event.at, event.address, share);
            }
        })
    }

    fn issue(&mut self, scene: Scene<'_>, issued: &Issued<'_>) -> io::Result<()> {
        let event = scene.event;
        let cloud = event.cloud.as_str();
        match &issued.origin {
            // A refusal is the caller's where there is a caller.
            Origin::Known(identity) if event.refused => match event.who {
                Who::Nobody => {
                    let refused = Share { refused: 1, ..Share::default() };
                    self.row(scene, issued.account, identity, refused)
                }
                _ => Ok(()),
            },
            Origin::Session { .. } if event.refused => Ok(()),
            Origin::Known(identity) if issued.session.is_empty() => {
                let share = Share { issued: 1, ..Share::default() };
                self.row(scene, issued.account, identity, share)
            }
            Origin::Session { .. } if issued.session.is_empty() => Ok(()),
            Origin::Known(identity) => {
                let issue = Issue::new(scene, issued, identity, true);
                self.sessions.merge(self.key.issue(cloud, issued.session), Part::Issue(Box::new(issue)))
            }
            Origin::Session { id, hint } => {
                let issue = Box::new(Issue::new(scene, issued, hint, false));
                self.sessions.merge(self.key.issue(cloud, issued.session), Part::Issue(issue.clone()))?;
                self.sessions.merge(self.key.child(cloud, id, issued.session), Part::Issue(issue))
            }
        }
    }

    /// Puts the counts of all threads together.
    pub(crate) fn finish(tallies: Vec<Self>, budget: usize) -> io::Result<Sum> {
        let mut all = Self::new(budget);
        for mut tally in tallies {
            for gone in tally.recent.drain() {
                gone.settle(&mut tally.rows, &mut tally.sessions, &mut tally.coverage)?;
            }
            all.rows.append(tally.rows)?;
            all.sessions.append(tally.sessions)?;
            all.coverage.append(tally.coverage)?;
            for (credential, count) in tally.doubtful {
                doubt(&mut all.doubtful, &credential, count);
            }
        }
        let Self { mut rows, sessions, coverage, doubtful, .. } = all;
        let used_before_issue = resolve::resolve(sessions, &mut rows, budget / 2)?;
        Ok(Sum { rows, coverage, doubtful, used_before_issue })
    }
}

fn doubt(doubtful: &mut BTreeMap<String, u64>, credential: &str, count: u64) {
    let known = doubtful.contains_key(credential);
    let apart = known || doubtful.len() < DOUBTFUL && credential.len() <= LONGEST;
    let sum = doubtful.entry(if apart { credential } else { "" }.to_owned()).or_default();
    *sum = sum.saturating_add(count);
}

/// An event with what its user agent says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'e> {
    pub(crate) event: &'e Event<'e>,
    pub(crate) agent: &'static str,
    pub(crate) system: &'static str,
}

impl Scene<'_> {
    /// The texts of a row's key, in the order of its columns; the day follows.
    fn row<'t>(&'t self, account: &'t str, who: &'t Identity<'t>) -> [&'t str; 10] {
        [
            self.event.cloud.as_str(),
            account,
            who.class.as_str(),
            who.credential,
            who.principal,
            who.issuer,
            who.subject,
            who.audience,
            self.agent,
            self.system,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_that_are_too_many_or_too_long_to_be_told_apart_share_a_doubt() {
        let mut tally = Tally::new(0);
        for index in 0..DOUBTFUL + 5 {
            tally.doubt(&index.to_string());
        }
        tally.doubt("7");
        tally.doubt(&"x".repeat(LONGEST + 1));
        assert_eq!((tally.doubtful.len(), tally.doubtful["7"], tally.doubtful[""]), (DOUBTFUL + 1, 2, 6));
    }
}
