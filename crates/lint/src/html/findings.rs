//! Findings with the lines they are about, the rules that they come from, and what could not be read or resolved.

use askama::Template;
use daypass_prove::Persona;
use daypass_sources::Unresolved;
use daypass_trust::document::{Location, Problem};

use super::Reach;
use super::index::{Found, Index, Standing};
use super::matrix::Token;
use super::snippet::{Diff, Snippet};
use super::text::{Prose, Text};
use crate::{Confidence, Finding, Report, Rule};

/// A finding.
#[derive(Debug, Template)]
#[template(path = "finding.html")]
pub(super) struct Article<'a> {
    number: usize,
    finding: &'a Finding,
    standing: Standing<'a>,
    file: Text<'a>,
    /// What the finding calls its role.
    name: Text<'a>,
    /// The number of its role, if that is on the page.
    role: Option<usize>,
    /// The cell that its caller's token is in, if it is there.
    cell: Option<(usize, Persona)>,
    /// Its token, where no cell has it.
    token: Option<Token<'a>>,
    snippet: Option<Snippet<'a>>,
    fix: Option<Diff<'a>>,
}

/// A rule of which something was found.
#[derive(Debug, Template)]
#[template(path = "rule.html")]
pub(super) struct RuleSection {
    pub(super) rule: &'static Rule,
    pub(super) count: usize,
}

/// Something that the reader did not make out.
#[derive(Debug, Template)]
#[template(path = "notice.html")]
pub(super) struct Notice<'a> {
    file: Text<'a>,
    place: &'a Location,
    /// What is meant, as it is written.
    construct: Option<Text<'a>>,
    says: Prose<'a>,
    help: Option<Prose<'a>>,
    snippet: Option<Snippet<'a>>,
}

impl<'a> Article<'a> {
    /// A finding of a number.
    pub(super) fn of(
        number: usize,
        index: &Index<'a>,
        found: &Found<'a>,
        reach: Reach,
        report: &'a Report,
    ) -> Self {
        let finding = found.finding;
        let source = report.sources.get(&finding.file);
        let cell = index.role_of(found).filter(|(role, _)| *role < reach.open).and_then(|(role, entry)| {
            let persona = finding.persona?;
            let answer = entry.row.personas.iter().find(|it| it.persona == persona)?;
            let same = answer.answer.witness.is_some() && answer.answer.witness == finding.witness;
            same.then_some((role, persona))
        });
        let about = finding.persona.map_or("a caller that is admitted", Persona::about);
        let token = finding.witness.as_ref().filter(|_| cell.is_none());
        Self {
            number,
            finding,
            standing: found.standing,
            file: Text(&finding.file),
            name: Text(&finding.role),
            role: found.role.filter(|role| *role < reach.roles),
            cell,
            token: token.map(|witness| Token::of(about, witness, None)),
            snippet: source.and_then(|source| Snippet::of(source, finding.span)),
            fix: source.zip(finding.fix.as_ref()).map(|(source, fix)| Diff::of(source, fix)),
        }
    }

    /// How sure it is, where it is not proved.
    fn doubt(&self) -> Option<&'static str> {
        (self.finding.confidence != Confidence::High).then(|| self.finding.confidence.as_str())
    }

    fn is_by_rule(&self) -> bool {
        crate::rule(self.finding.rule).is_some()
    }
}

impl<'a> Notice<'a> {
    /// What looks like trust and is not known from the files.
    pub(super) fn unresolved(unresolved: &'a Unresolved) -> Self {
        Self {
            file: Text(&unresolved.location.file),
            place: &unresolved.location,
            construct: Some(Text(&unresolved.construct)),
            says: Prose(&unresolved.why),
            help: None,
            snippet: None,
        }
    }

    /// What could not be read.
    pub(super) fn problem(problem: &'a Problem, report: &'a Report) -> Self {
        let source = report.sources.get(&problem.location.file);
        let snippet = source.and_then(|source| Snippet::of(source, problem.span));
        Self {
            file: Text(&problem.location.file),
            place: &problem.location,
            construct: None,
            says: Prose(&problem.message),
            help: problem.help.as_deref().map(Prose),
            // A place without a span, such as a YAML reader's, is not the beginning of the file.
            snippet: snippet.filter(|_| problem.span.start > 0 || problem.location.line == 1),
        }
    }
}
