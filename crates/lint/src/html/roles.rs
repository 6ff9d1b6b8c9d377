//! The section of each role: what it comes to in words, and what that rests on.

use askama::Template;
use daypass_prove::{Persona, Verdict};
use daypass_trust::document::Location;

use super::Reach;
use super::index::{Entry, State};
use super::text::{Prose, Text};
use crate::Finding;

/// A role's section.
#[derive(Debug, Template)]
#[template(path = "role.html")]
pub(super) struct RoleSection<'a> {
    number: usize,
    state: State,
    /// What it links to.
    reach: Reach,
    role: Text<'a>,
    dialect: &'a str,
    file: Text<'a>,
    place: &'a Location,
    /// Kinds of callers by what is known about them: the word, and who.
    callers: Vec<(&'static str, Vec<Persona>)>,
    /// What an answer rests on, or what stands in its way.
    why: Vec<&'a str>,
    findings: &'a [(usize, &'a Finding)],
}

impl<'a> RoleSection<'a> {
    pub(super) fn of(number: usize, entry: &'a Entry<'a>, reach: Reach) -> Self {
        let row = entry.row;
        let who = |verdict: Verdict, told: bool| -> Vec<Persona> {
            let asked = row.personas.iter().filter(|it| {
                it.answer.answer == verdict && (verdict != Verdict::No || it.answer.why.is_empty() == told)
            });
            asked.map(|it| it.persona).collect()
        };
        let callers = vec![
            ("Admits", who(Verdict::Yes, true)),
            ("Refuses", who(Verdict::No, true)),
            ("Unknown", who(Verdict::Unknown, true)),
            ("Not told apart", who(Verdict::No, false)),
        ];
        let answers = row.dead.iter().chain(row.personas.iter().map(|it| &it.answer));
        let mut why: Vec<&str> = Vec::new();
        for reason in answers.flat_map(|answer| &answer.why) {
            if !why.contains(&reason.as_str()) {
                why.push(reason);
            }
        }
        Self {
            number,
            state: entry.state,
            reach,
            role: Text(&row.role),
            dialect: row.dialect,
            file: Text(&row.location.file),
            place: &row.location,
            callers: callers.into_iter().filter(|(_, who)| !who.is_empty()).collect(),
            why,
            findings: &entry.findings,
        }
    }

    /// What it comes to where there are no callers to list.
    fn instead(&self) -> &'static str {
        match self.state {
            State::Other => "Trusts no tokens of a CI platform.",
            _ => "Admits nobody: no token that its issuers mint meets its conditions.",
        }
    }
}
