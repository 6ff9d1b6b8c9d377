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
        let mut session = Session::default();
        for entry in sessions.into_sorted()? {
            let (key, part) = entry?;
            session.turn_to(&key, &part);
            rounds.part(&session, &key, part, &mut next, round == CHAIN)?;
        }
        sessions = next;
    }
    Ok(rounds.early)
}

/// The session that is at hand. How it came about sorts before all else that is known of it, of which there may be any amount.
#[derive(Default)]
struct Session {
    /// A key of it.
    key: String,
    issue: Option<Box<Issue>>,
}

impl Session {
    fn turn_to(&mut self, key: &str, part: &Part) {
        let session = |key| session_key(key).map(|(cloud, session, _)| (cloud, session));
        if session(&self.key) == session(key) {
            return;
        }
        key.clone_into(&mut self.key);
        self.issue = match (session_key(key), part) {
            (Some((_, _, About::Issue)), Part::Issue(issue)) => Some(issue.clone()),
            _ => None,
        };
    }
}

struct Rounds<'r> {
    rows: &'r mut Spill<Cell>,
    key: Key,
    early: u64,
}

impl Rounds<'_> {
    /// One thing that is known of a session.
    fn part(
        &mut self,
        session: &Session,
        key: &str,
        part: Part,
        next: &mut Spill<Part>,
        last: bool,
    ) -> io::Result<()> {
        let issue = session.issue.as_deref();
        if issue.is_some_and(|issue| issue.pending) && !last {
            return next.merge(key, part);
        }
        let Some((cloud, _, about)) = session_key(key) else { return Ok(()) };
        match (about, part) {
            (About::Issue, Part::Issue(issue)) => self.issue(cloud, &issue),
            (About::Use(row), Part::Use(cell)) => self.uses(row, cell, issue),
            // In the last round the child has settled for what was left, in this very round.
            (About::Child(child), Part::Issue(mut handed_on)) if !last => {
                handed_on.pending = false;
                if let Some(issue) = issue {
                    handed_on.who = issue.who.clone();
                }
                next.merge(self.key.issue(cloud, child), Part::Issue(handed_on))
            }
            _ => Ok(()),
        }
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
