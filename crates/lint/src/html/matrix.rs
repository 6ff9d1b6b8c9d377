//! The matrix: a row for each role, a cell for each kind of caller, and in each cell what shows it.

use askama::Template;
use daypass_claims::{ClaimSet, ClaimValue};
use daypass_prove::{Answer, Exactness, Persona, Verdict, Witness};

use super::Reach;
use super::index::{Entry, State};
use super::snippet::Snippet;
use super::text::{Prose, Text};
use crate::{Finding, Report, Severity};

/// How many findings of one cell are shown with their lines.
const REASONS: usize = 3;

/// A role's row of the matrix.
#[derive(Debug, Template)]
#[template(path = "row.html")]
pub(super) struct RoleRow<'a> {
    pub(super) number: usize,
    pub(super) state: State,
    pub(super) role: Text<'a>,
    /// What it links to.
    pub(super) reach: Reach,
    pub(super) file: Text<'a>,
    pub(super) line: usize,
    pub(super) cells: Vec<Cell<'a>>,
    /// What stands in the place of the cells where there are none.
    pub(super) instead: Option<Instead<'a>>,
}

/// Why a role has no cells.
#[derive(Debug)]
pub(super) struct Instead<'a> {
    pub(super) what: &'static str,
    pub(super) why: &'a [String],
}

/// What is known about one kind of caller of one role.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    pub(super) persona: Persona,
    pub(super) word: &'static str,
    pub(super) class: &'static str,
    /// What the cell opens, if it opens.
    pub(super) panel: Option<Panel<'a>>,
}

/// What a cell opens: the token, and what let it in.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    pub(super) says: &'static str,
    pub(super) token: Option<Token<'a>>,
    pub(super) why: &'a [String],
    pub(super) reasons: Vec<Reason<'a>>,
}

/// A finding that says which condition let a caller in.
#[derive(Debug)]
pub(super) struct Reason<'a> {
    pub(super) number: usize,
    pub(super) finding: &'a Finding,
    pub(super) snippet: Option<Snippet<'a>>,
}

/// A token that shows an answer.
#[derive(Debug, Template)]
#[template(path = "token.html")]
pub(super) struct Token<'a> {
    pub(super) about: &'static str,
    witness: &'a Witness,
    claims: Vec<Claim<'a>>,
}

#[derive(Debug)]
struct Claim<'a> {
    name: &'a str,
    /// Its value; `None` for one that only the intended job's token has.
    value: Option<String>,
    /// What the intended job's token has instead, where that is something else.
    intended: Option<String>,
}

impl<'a> RoleRow<'a> {
    /// A row; without tokens, cells do not open.
    pub(super) fn of(
        number: usize,
        entry: &Entry<'a>,
        report: &'a Report,
        reach: Reach,
        tokens: bool,
    ) -> Self {
        let row = entry.row;
        let intended = row.personas.iter().find(|it| it.persona == Persona::Intended);
        let intended = intended.and_then(|it| it.answer.witness.as_ref());
        let cell = |persona: Persona| {
            let answer = row.personas.iter().find(|it| it.persona == persona).map(|it| &it.answer);
            Cell::of(persona, answer, entry, report, intended, tokens)
        };
        let instead = row.personas.is_empty().then(|| Instead::of(row.dead.as_ref()));
        let cells = if instead.is_some() { Vec::new() } else { Persona::ALL.into_iter().map(cell).collect() };
        Self {
            number,
            state: entry.state,
            role: Text(&row.role),
            reach,
            file: Text(&row.location.file),
            line: row.location.line,
            cells,
            instead,
        }
    }
}

impl<'a> Instead<'a> {
    fn of(dead: Option<&'a Answer>) -> Self {
        match dead {
            Some(Answer { answer: Verdict::Yes, why, .. }) => {
                Self { what: "admits nobody: no token that its issuers mint meets its conditions", why }
            }
            Some(Answer { why, .. }) => Self { what: "nothing is known about its callers", why },
            None => Self { what: "is not about tokens of a CI platform", why: &[] },
        }
    }
}

impl<'a> Cell<'a> {
    fn of(
        persona: Persona,
        answer: Option<&'a Answer>,
        entry: &Entry<'a>,
        report: &'a Report,
        intended: Option<&'a Witness>,
        tokens: bool,
    ) -> Self {
        let Some(answer) = answer else {
            return Self { persona, word: "not asked", class: "q", panel: None };
        };
        let (word, class) = match answer.answer {
            Verdict::Yes => ("admitted", tone(persona, entry)),
            Verdict::No if answer.why.is_empty() => ("refused", "n"),
            Verdict::No => ("not told", "q"),
            Verdict::Unknown => ("unknown", "u"),
        };
        let is_plain = answer.witness.is_none() && answer.why.is_empty();
        let panel = (tokens && !is_plain).then(|| Panel {
            says: says(answer),
            token: answer.witness.as_ref().map(|witness| Token::of(persona.about(), witness, intended)),
            why: &answer.why,
            reasons: entry.about(persona).take(REASONS).map(|found| Reason::of(found, report)).collect(),
        });
        Self { persona, word, class, panel }
    }
}

impl<'a> Reason<'a> {
    fn of((number, finding): (usize, &'a Finding), report: &'a Report) -> Self {
        let source = report.sources.get(&finding.file);
        Self { number, finding, snippet: source.and_then(|source| Snippet::of(source, finding.span)) }
    }
}

impl<'a> Token<'a> {
    /// A token, and where it is unlike that of the intended job.
    pub(super) fn of(about: &'static str, witness: &'a Witness, intended: Option<&'a Witness>) -> Self {
        let intended = intended.map_or(&witness.claims, |it| &it.claims);
        let mut claims: Vec<Claim<'a>> = (witness.claims.iter())
            .map(|(name, value)| Claim {
                name: name.as_str(),
                value: Some(value.to_string()),
                intended: unlike(intended, name.as_str(), value),
            })
            .collect();
        let lacking = intended.iter().filter(|(name, _)| !witness.claims.contains(name.as_str()));
        claims.extend(lacking.map(|(name, value)| Claim {
            name: name.as_str(),
            value: None,
            intended: Some(value.to_string()),
        }));
        claims.sort_by_key(|claim| claim.name);
        Self { about, witness, claims }
    }

    fn issuer(&self) -> Text<'a> {
        Text(self.witness.issuer.as_str())
    }
}

/// What a set of claims has for a name, if it is not this value.
fn unlike(claims: &ClaimSet, name: &str, value: &ClaimValue) -> Option<String> {
    match claims.get(name) {
        Some(same) if same == value => None,
        Some(other) => Some(other.to_string()),
        None => Some("absent".to_owned()),
    }
}

/// How an admitted caller is shown: by what was found about it.
fn tone(persona: Persona, entry: &Entry<'_>) -> &'static str {
    if persona == Persona::Intended {
        return "y";
    }
    let outsider = matches!(persona, Persona::Stranger | Persona::Lookalike) && entry.state == State::Bad;
    match entry.severity(persona) {
        Some(Severity::High) => "y hi",
        _ if outsider => "y hi",
        Some(Severity::Medium) => "y md",
        Some(Severity::Low | Severity::Info) => "y lo",
        None => "y un",
    }
}

const fn says(answer: &Answer) -> &'static str {
    match (answer.answer, answer.exactness) {
        (Verdict::Yes, Exactness::Exact) => "is admitted, proved by this token",
        (Verdict::Yes, Exactness::AtMost) => "may be admitted",
        (Verdict::Yes, Exactness::AtLeast) => "is admitted, and perhaps others too",
        (Verdict::No, _) => "cannot be told from other callers",
        (Verdict::Unknown, _) => "may be admitted or not: the files do not say",
    }
}
