use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{shown, summary};
use crate::{Finding, Report, Severity};

/// How a report is shown in a terminal.
#[derive(Clone, Copy, Debug)]
pub struct TextOptions {
    /// Whether to use colours.
    pub colour: bool,
    /// How many columns there are.
    pub width: usize,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { colour: false, width: 120 }
    }
}

/// The lines that are shown above and below the place of a finding.
const AROUND: usize = 1;

/// The report for people: each finding with the lines that it is about, and a sentence at the end.
pub fn text(report: &Report, options: TextOptions) -> String {
    let renderer = if options.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(options.width);
    let mut out = String::new();
    for finding in &report.findings {
        let source = report.sources.get(&finding.file).map(daypass_trust::document::Source::text);
        out.push_str(&renderer.render(&[group(finding, source)]));
        out.push_str("\n\n");
    }
    for problem in &report.problems {
        out.push_str(&format!("{}: {}", problem.location, problem.message));
        if let Some(help) = &problem.help {
            out.push_str(&format!(" ({help})"));
        }
        out.push('\n');
    }
    for unresolved in &report.unresolved {
        out.push_str(&format!("{unresolved}\n"));
    }
    if !(report.problems.is_empty() && report.unresolved.is_empty()) {
        out.push('\n');
    }
    out.push_str(&summary(report));
    out.push('\n');
    out
}

fn group<'a>(finding: &'a Finding, source: Option<&'a str>) -> Group<'a> {
    let level = match finding.severity {
        Severity::High => Level::ERROR.with_name("high"),
        Severity::Medium => Level::WARNING.with_name("medium"),
        Severity::Low => Level::NOTE.with_name("low"),
        Severity::Info => Level::INFO.with_name("info"),
    };
    let mut group = level
        .primary_title(finding.message.as_str())
        .id(finding.rule)
        .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new());
    if let Some((window, first_line, span)) = source.and_then(|source| window(source, finding)) {
        let label = finding
            .verdict
            .map_or(finding.role.clone(), |verdict| format!("{}: {}", verdict.as_str(), finding.role));
        let annotation = AnnotationKind::Primary.span(span).label(label);
        let snippet =
            Snippet::source(window).line_start(first_line).path(finding.file.as_ref()).annotation(annotation);
        group = group.element(snippet);
    } else {
        let place = format!("at {}:{}:{}, {}", finding.file, finding.line, finding.column, finding.role);
        group = group.element(Level::NOTE.message(place));
    }
    if let Some(shown) = shown(finding) {
        group = group.element(Level::NOTE.with_name("who").message(shown));
    }
    for why in finding.why.iter().filter(|why| !finding.message.contains(why.as_str())) {
        group = group.element(Level::NOTE.with_name("why").message(why.as_str()));
    }
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    if let Some(fix) = &finding.fix {
        group = group.element(Level::HELP.with_name("fix").message(fix.about.as_str()));
    }
    group
}

/// The lines around a finding, the number of the first, and the place of the finding in them; of a place of several lines the
/// first.
fn window<'s>(source: &'s str, finding: &Finding) -> Option<(&'s str, usize, Range<usize>)> {
    let start = finding.span.start;
    let before = source.get(..start)?;
    let first_line = finding.line.saturating_sub(AROUND).max(1);
    let from = before
        .rmatch_indices('\n')
        .nth(finding.line.saturating_sub(first_line))
        .map_or(0, |(at, _)| at.saturating_add(1));
    let rest = source.get(start..)?;
    let line_end = rest.find('\n').map_or(source.len(), |at| start.saturating_add(at));
    let to = rest.match_indices('\n').nth(AROUND).map_or(source.len(), |(at, _)| start.saturating_add(at));
    let end = finding.span.end.clamp(start, line_end);
    Some((source.get(from..to)?, first_line, start.saturating_sub(from)..end.saturating_sub(from)))
}
