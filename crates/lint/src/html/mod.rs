//! A report as one HTML file: who gets into which role first, and below it what was found.
//!
//! The file asks for nothing: no network, no fonts, no script that it does not carry itself, and a content security policy that
//! says so. Everything in it can be read without the script, which only filters. Whatever others wrote goes through `text`.

mod findings;
mod index;
mod matrix;
mod roles;
mod snippet;
mod text;

use askama::Template;
use daypass_prove::Persona;

use crate::{Report, Severity};
use findings::{Article, Notice, RuleSection};
use index::{Found, Index, Standing, State};
use matrix::RoleRow;
use roles::RoleSection;

pub use text::Text;
pub(crate) use text::is_hidden;

/// The style sheet of every page.
pub const STYLE: &str = include_str!("../../templates/report.css");
/// The SHA-256 of [`STYLE`], as a content security policy wants it.
pub const STYLE_HASH: &str = "sha256-TJfz8QnHPZCSnqc9oPOlUvzfN7258XscfV7RnCJB+AE=";

/// More roles or findings than this are laid out as they are read, and not known to a screen reader before.
const LONG: usize = 500;
/// The script, and its SHA-256.
const SCRIPT: &str = include_str!("../../templates/report.js");
const SCRIPT_HASH: &str = "sha256-22MEebmXoY4dQ6ARk/neJns8Tu2u+uUv6PK2QcbZGPg=";

/// How many bytes each part of the page may take. Together they are what a browser opens without a thought; what has no place
/// is said in words.
mod limit {
    pub(super) const TOKENS: usize = 6_000_000;
    pub(super) const MATRIX: usize = 4_500_000;
    pub(super) const ROLES: usize = 3_000_000;
    pub(super) const FINDINGS: usize = 4_000_000;
    pub(super) const NOTICES: usize = 500_000;
}

/// What a report says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// What was checked.
    pub title: &'a str,
    /// When, as it is to be read.
    pub when: &'a str,
    /// The version of the program.
    pub version: &'a str,
}

/// A report as one self-contained HTML file, under 20 MB whatever was checked.
pub fn html(report: &Report, header: &Header<'_>) -> String {
    let index = Index::of(report);
    let mut parts = Parts::of(&index, report, Reach::ALL);
    if parts.leave_out() {
        // Once more, without links to what has no place.
        let reach = parts.reach();
        parts = Parts::of(&index, report, reach);
    }
    let page = Page {
        title: Text(header.title),
        when: Text(header.when),
        version: Text(header.version),
        report,
        states: State::ALL.into_iter().map(|state| (state, index.count(state))).collect(),
        without_tokens: index.roles.len().saturating_sub(parts.open),
        parts,
        rules: rules(&index),
        unresolved: Part::of(report.unresolved.iter().map(Notice::unresolved), limit::NOTICES),
        problems: Part::of(report.problems.iter().map(|it| Notice::problem(it, report)), limit::NOTICES),
    };
    page.to_string()
}

/// How many of each have a place on the page. What lies beyond is not linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reach {
    /// Rows of the matrix.
    rows: usize,
    /// Rows whose cells open.
    open: usize,
    /// Sections of roles.
    roles: usize,
    findings: usize,
}

impl Reach {
    const ALL: Self = Self { rows: usize::MAX, open: usize::MAX, roles: usize::MAX, findings: usize::MAX };
}

/// The parts that lead to each other.
#[derive(Debug)]
struct Parts {
    rows: Part,
    open: usize,
    roles: Part,
    findings: Vec<Group>,
}

impl Parts {
    fn of(index: &Index<'_>, report: &Report, reach: Reach) -> Self {
        let (open, rows) = rows(index, report, reach);
        let roles = index.roles.iter().enumerate();
        let roles =
            Part::of(roles.map(|(number, entry)| RoleSection::of(number, entry, reach)), limit::ROLES);
        let articles = index.findings.iter().enumerate().map(|(number, found)| {
            let article = move || Article::of(number, index, found, reach, report).to_string();
            ((found.standing == Standing::Open).then_some(found.finding.severity), article)
        });
        Self { rows, open, roles, findings: groups(articles) }
    }

    fn reach(&self) -> Reach {
        Reach {
            rows: self.rows.shown,
            open: self.open,
            roles: self.roles.shown,
            findings: self.findings.iter().map(|group| group.part.shown).sum(),
        }
    }

    fn leave_out(&self) -> bool {
        let all = self.rows.total();
        let reach = self.reach();
        let findings: usize = self.findings.iter().map(|group| group.part.total()).sum();
        reach != Reach { rows: all, open: all, roles: all, findings }
    }
}

/// The page around its parts.
#[derive(Debug, Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: Text<'a>,
    when: Text<'a>,
    version: Text<'a>,
    report: &'a Report,
    /// How many roles are in each state.
    states: Vec<(State, usize)>,
    parts: Parts,
    /// How many rows of the matrix do not open.
    without_tokens: usize,
    rules: Part,
    unresolved: Part,
    problems: Part,
}

impl Page<'_> {
    /// Whether a browser should lay it out as it is read, as it must with ten thousand roles.
    fn is_long(&self) -> bool {
        self.parts.rows.total() > LONG || self.report.findings.len() > LONG
    }
}

/// The findings of a severity; those that are accepted or taken back are of none.
#[derive(Debug)]
struct Group {
    severity: Option<Severity>,
    part: Part,
}

impl Group {
    fn title(&self) -> &'static str {
        self.severity.map_or("accepted", Severity::as_str)
    }
}

/// HTML of several items, and how many more had no place.
#[derive(Debug, Default)]
struct Part {
    html: String,
    shown: usize,
    left_out: usize,
}

impl Part {
    /// As many items as have a place, in their order.
    fn of<T: Template>(items: impl Iterator<Item = T>, limit: usize) -> Self {
        let mut part = Self::default();
        for item in items {
            part.add(limit, || item.to_string());
        }
        part
    }

    /// Adds an item if there is a place for it. What comes after one that had none is left out too: what is shown has no gaps.
    fn add(&mut self, limit: usize, item: impl FnOnce() -> String) -> bool {
        if self.left_out == 0 {
            let item = item();
            if self.html.len().saturating_add(item.len()) < limit {
                self.html.push_str(&item);
                self.html.push('\n');
                self.shown = self.shown.saturating_add(1);
                return true;
            }
        }
        self.left_out = self.left_out.saturating_add(1);
        false
    }

    fn total(&self) -> usize {
        self.shown.saturating_add(self.left_out)
    }
}

/// The matrix: rows that open, as many as have a place, and then rows that do not. Also how many open.
fn rows(index: &Index<'_>, report: &Report, reach: Reach) -> (usize, Part) {
    let row = |number, entry, tokens| RoleRow::of(number, entry, report, reach, tokens).to_string();
    let mut part = Part::default();
    for (number, entry) in index.roles.iter().enumerate() {
        if !part.add(limit::TOKENS, || row(number, entry, true)) {
            break;
        }
    }
    let open = part.shown;
    part.left_out = 0;
    let limit = limit::MATRIX.saturating_add(part.html.len());
    for (number, entry) in index.roles.iter().enumerate().skip(open) {
        part.add(limit, || row(number, entry, false));
    }
    (open, part)
}

/// The findings by severity, in the order that they come in, within one limit.
fn groups<F: FnOnce() -> String>(articles: impl Iterator<Item = (Option<Severity>, F)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut left = limit::FINDINGS;
    for (severity, article) in articles {
        if groups.last().is_none_or(|group| group.severity != severity) {
            left = match groups.last() {
                Some(full) if full.part.left_out > 0 => 0,
                Some(group) => left.saturating_sub(group.part.html.len()),
                None => left,
            };
            groups.push(Group { severity, part: Part::default() });
        }
        if let Some(group) = groups.last_mut() {
            group.part.add(left, article);
        }
    }
    groups
}

/// The rules of which something was found, by id.
fn rules(index: &Index<'_>) -> Part {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for Found { finding, .. } in &index.findings {
        let count = counts.entry(finding.rule).or_default();
        *count = count.saturating_add(1);
    }
    let sections =
        counts.into_iter().filter_map(|(id, count)| Some(RuleSection { rule: crate::rule(id)?, count }));
    Part::of(sections, usize::MAX)
}
