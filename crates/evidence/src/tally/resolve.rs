//! Joins the uses of sessions to how the sessions came about, by sorting both by the session's id.
//!
//! A session that came of another one waits for that one's round: round after round, each hands on what it knows.

use std::io;

use super::key::{About, fields, session_key};
use super::session::{Issue, Origin, Part};
use super::{Cell, Key, Share, Spill};
use crate::moment::Moment;

/// How many roles a chain is followed through behind the first. The SQL unrolls as many joins.
pub(crate) const CHAIN: usize = 3;
/// Seconds that clocks of one cloud may disagree.
const LEEWAY: i64 = 300;

/// Adds the rows of all sessions, and says how many uses came before their session.
pub(crate) fn resolve(mut sessions: Spill<Part>, rows: &mut Spill<Cell>, budget: usize) -> io::Result<u64> {
    let mut rounds = Rounds { rows, key: Key::default(), early: 0 };
    for round in 0..=CHAIN {
        let mut next = Spill::new(budget);
        let mut group: Vec<(String, Part)> = Vec::new();
        let last = round == CHAIN;
        for entry in sessions.into_sorted()? {
            let (key, part) = entry?;
            if group.first().is_some_and(|(first, _)| !same_session(first, &key)) {
                rounds.session(std::mem::take(&mut group), &mut next, last)?;
            }
            group.push((key, part));
        }
        rounds.session(group, &mut next, last)?;
        sessions = next;
    }
    Ok(rounds.early)
}

fn same_session(one: &str, other: &str) -> bool {
    let session = |key| session_key(key).map(|(cloud, session, _)| (cloud, session));
    session(one) == session(other)
}

struct Rounds<'r> {
    rows: &'r mut Spill<Cell>,
    key: Key,
    early: u64,
}

impl Rounds<'_> {
    /// All that is known of one session.
    fn session(&mut self, group: Vec<(String, Part)>, next: &mut Spill<Part>, last: bool) -> io::Result<()> {
        let issue = match group.first() {
            Some((key, Part::Issue(issue))) if matches!(session_key(key), Some((_, _, About::Issue))) => {
                Some(issue.clone())
            }
            _ => None,
        };
        if issue.as_ref().is_some_and(|issue| issue.pending) && !last {
            for (key, part) in group {
                next.merge(&key, part)?;
            }
            return Ok(());
        }
        for (key, part) in group {
            let Some((cloud, _, about)) = session_key(&key) else { continue };
            match (about, part) {
                (About::Issue, Part::Issue(issue)) => self.issue(cloud, &issue)?,
                (About::Use(row), Part::Use(cell)) => self.uses(row, cell, issue.as_deref())?,
                // In the last round the child has settled for what was left, in this very round.
                (About::Child(child), Part::Issue(mut handed_on)) if !last => {
                    handed_on.pending = false;
                    if let Some(issue) = &issue {
                        handed_on.who = issue.who.clone();
                    }
                    next.merge(self.key.issue(cloud, child), Part::Issue(handed_on))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn issue(&mut self, cloud: &str, issue: &Issue) -> io::Result<()> {
        let Some(at) = Moment::from_secs(issue.at) else { return Ok(()) };
        let Origin { class, credential, issuer, subject, audience } = &issue.who;
        let row = [
            cloud,
            &issue.account,
            class,
            credential,
            &issue.principal,
            issuer,
            subject,
            audience,
            &issue.agent,
            &issue.system,
        ];
        let share = Share { issued: 1, ..Share::default() };
        let key = self.key.of(row, Some(at));
        self.rows.update(key, || Cell::new(at), |cell| cell.add(at, &issue.address, share))
    }

    fn uses(&mut self, row: &str, cell: Cell, issue: Option<&Issue>) -> io::Result<()> {
        let Some(issue) = issue else { return self.rows.merge(row, cell) };
        if cell.first < issue.at.saturating_sub(LEEWAY) {
            self.early = self.early.saturating_add(cell.uses);
        }
        let Some([cloud, account, _, _, principal, _, _, _, agent, system, _]) = fields::<11>(row) else {
            return Ok(());
        };
        let Origin { class, credential, issuer, subject, audience } = &issue.who;
        let row = [cloud, account, class, credential, principal, issuer, subject, audience, agent, system];
        self.rows.merge(self.key.of(row, Moment::from_secs(cell.first)), cell)
    }
}
