//! Which findings are about which role, and what a role comes to.

use std::collections::BTreeMap;

use daypass_prove::{Persona, Verdict as Answered};

use crate::{Finding, Report, Row, Severity, Verdict};

/// A report's roles and findings, each in the order of the page, which their numbers count.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) roles: Vec<Entry<'a>>,
    pub(super) findings: Vec<Found<'a>>,
}

/// A finding, and the number of its role, if that is in the matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) finding: &'a Finding,
    pub(super) standing: Standing<'a>,
    pub(super) role: Option<usize>,
}

/// What has become of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing<'a> {
    /// Nothing yet.
    Open,
    /// A comment takes it back, and says why.
    Ignored(&'a str),
    /// A baseline accepts it.
    Accepted,
}

/// A role with its findings.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) row: &'a Row,
    pub(super) state: State,
    /// The number on the page, and the finding. What is accepted or taken back is among them: it changes nothing about who
    /// gets in.
    pub(super) findings: Vec<(usize, &'a Finding)>,
}

/// What a role comes to; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Somebody outside the tenant gets in.
    Bad,
    /// Nobody gets in.
    Dead,
    /// More of the tenant get in than should.
    Warn,
    /// Whether somebody gets in is not known.
    Undecided,
    /// None of these.
    Good,
    /// It is not about tokens.
    Other,
}

impl State {
    /// Every state, the worst first.
    pub(super) const ALL: [Self; 6] =
        [Self::Bad, Self::Dead, Self::Warn, Self::Undecided, Self::Good, Self::Other];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Dead => "dead",
            Self::Warn => "warn",
            Self::Undecided => "undecided",
            Self::Good => "good",
            Self::Other => "no tokens",
        }
    }

    /// The name in the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Other => "other",
            _ => self.as_str(),
        }
    }

    /// What it means, for the summary.
    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Bad => "admit somebody outside the tenant, or guard nothing",
            Self::Dead => "admit no token that their issuers mint",
            Self::Warn => "admit more of the tenant than a role should",
            Self::Undecided => "cannot be decided from the files",
            Self::Good => "admit whom they are for",
            Self::Other => "trust no tokens of a CI platform",
        }
    }

    fn of(row: &Row, findings: &[(usize, &Finding)]) -> Self {
        let asked = row.dead.as_ref().map(|dead| dead.answer);
        match findings.iter().filter_map(|(_, finding)| finding.verdict).max() {
            Some(Verdict::Bad) => Self::Bad,
            Some(Verdict::Dead) => Self::Dead,
            Some(Verdict::Warn) => Self::Warn,
            None if asked == Some(Answered::Yes) => Self::Dead,
            None if asked == Some(Answered::Unknown) => Self::Undecided,
            None if row.personas.iter().any(|it| it.answer.answer == Answered::Unknown) => Self::Undecided,
            None if asked.is_none() => Self::Other,
            None => Self::Good,
        }
    }
}

impl<'a> Index<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let rows = by_name(&report.matrix);
        let mut findings: Vec<Found<'a>> = standings(report)
            .map(|(finding, standing)| Found {
                finding,
                standing,
                role: row_of(&report.matrix, &rows, finding),
            })
            .collect();
        findings.sort_by_key(|it| (it.standing != Standing::Open, std::cmp::Reverse(it.finding.severity)));
        let mut about: Vec<Vec<(usize, &Finding)>> = vec![Vec::new(); report.matrix.len()];
        for (number, found) in findings.iter().enumerate() {
            if let Some(about) = found.role.and_then(|row| about.get_mut(row)) {
                about.push((number, found.finding));
            }
        }
        let mut roles: Vec<(usize, Entry<'a>)> = (report.matrix.iter().zip(about))
            .map(|(row, findings)| Entry { row, state: State::of(row, &findings), findings })
            .enumerate()
            .collect();
        roles.sort_by_key(|(_, entry)| entry.state);
        let numbers: BTreeMap<usize, usize> =
            roles.iter().enumerate().map(|(number, (row, _))| (*row, number)).collect();
        for found in &mut findings {
            found.role = found.role.and_then(|row| numbers.get(&row).copied());
        }
        Self { roles: roles.into_iter().map(|(_, entry)| entry).collect(), findings }
    }

    /// How many roles are in a state.
    pub(super) fn count(&self, state: State) -> usize {
        self.roles.iter().filter(|entry| entry.state == state).count()
    }

    /// The role of a finding, with its number.
    pub(super) fn role_of(&self, found: &Found<'a>) -> Option<(usize, &Entry<'a>)> {
        found.role.and_then(|number| Some((number, self.roles.get(number)?)))
    }
}

impl<'a> Entry<'a> {
    /// What was found about a kind of caller.
    pub(super) fn about(&self, persona: Persona) -> impl Iterator<Item = (usize, &'a Finding)> {
        self.findings.iter().copied().filter(move |(_, finding)| finding.persona == Some(persona))
    }

    /// How much it matters that a kind of caller gets in: `None` where nothing was found about it.
    pub(super) fn severity(&self, persona: Persona) -> Option<Severity> {
        self.about(persona).map(|(_, finding)| finding.severity).max()
    }
}

/// Every finding, and what has become of it.
fn standings(report: &Report) -> impl Iterator<Item = (&Finding, Standing<'_>)> {
    let open = report.findings.iter().map(|finding| (finding, Standing::Open));
    let ignored = report.ignored.iter().map(|it| (&it.finding, Standing::Ignored(&it.reason)));
    let accepted = report.accepted.iter().map(|finding| (finding, Standing::Accepted));
    open.chain(ignored).chain(accepted)
}

/// The rows of each role, by its name.
fn by_name(matrix: &[Row]) -> BTreeMap<&str, Vec<usize>> {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, row) in matrix.iter().enumerate() {
        rows.entry(&row.role).or_default().push(index);
    }
    rows
}

/// The row that a finding is about: of that name, in that file, and the last one that begins before it. A role without a
/// namesake may have its policy in another file.
fn row_of(matrix: &[Row], rows: &BTreeMap<&str, Vec<usize>>, finding: &Finding) -> Option<usize> {
    let named = rows.get(finding.role.as_str())?;
    let here = |index: &&usize| matrix.get(**index).is_some_and(|row| row.location.file == finding.file);
    let before = |index: &&usize| {
        let place = |row: &Row| (row.location.line, row.location.column) <= (finding.line, finding.column);
        matrix.get(**index).is_some_and(place)
    };
    let last = named.iter().filter(here).rfind(before).or_else(|| named.iter().find(here));
    match named.as_slice() {
        [only] => Some(*only),
        _ => last.copied(),
    }
}
