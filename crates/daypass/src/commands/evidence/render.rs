//! The answer for people: credentials that were asked for, then the others, then sessions.

use std::io::{self, Write};

use daypass_evidence::{Credential, Expectation, Report, SessionFinding, Use};

use crate::render::{Table, count, style};

/// Lines of a list; the rest is counted.
const LISTED: usize = 20;

pub(super) fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let (asked, others): (Vec<_>, Vec<_>) = report.credentials.iter().partition(|it| it.asked);
    for one in &asked {
        credential(out, one)?;
    }
    // Where nothing was asked for, everything was.
    if asked.is_empty() {
        others.iter().try_for_each(|one| credential(out, one))?;
    } else {
        summary(out, &others)?;
    }
    sessions(out, report)?;
    let read = report.read;
    writeln!(
        out,
        "{} in {}, from {} to {}",
        count(usize::try_from(read.records).unwrap_or(usize::MAX), "record"),
        count(usize::try_from(read.files).unwrap_or(usize::MAX), "file"),
        report.since,
        report.until
    )?;
    skipped(out, report)
}

fn credential(out: &mut dyn Write, one: &Credential) -> io::Result<()> {
    let whose = if one.principal.is_empty() { String::new() } else { format!("  of {}", one.principal) };
    writeln!(out, "{} {}{}", verdict(one.verdict), style::strong(&one.credential), style::faint(whose))?;
    one.why.iter().try_for_each(|why| writeln!(out, "  {why}"))?;
    for before in one.consumers.iter().filter(|it| it.last < one.since) {
        writeln!(out, "  {}", style::faint(format!("before: {}", before.in_words())))?;
    }
    writeln!(out)
}

fn summary(out: &mut dyn Write, others: &[&Credential]) -> io::Result<()> {
    if others.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", style::strong("others in these logs"))?;
    let mut table = Table::new(["verdict", "credential", "last use", "of"]);
    for one in others.iter().take(LISTED) {
        let last = one.last.map_or_else(String::new, |last| last.to_string());
        table.row([verdict(one.verdict), one.credential.clone(), last, one.principal.clone()]);
    }
    table.write(out)?;
    more(out, others.len())?;
    writeln!(out)
}

fn verdict(verdict: Use) -> String {
    match verdict {
        Use::Used => style::bad("used"),
        Use::Unused => style::good("unused"),
        Use::Unknown => style::unsure("unknown"),
    }
}

fn sessions(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let not_asked = report.sessions.iter().all(|it| it.expectation == Expectation::NotAsked);
    let head = if not_asked { "sessions" } else { "sessions that nobody planned" };
    for (head, sessions) in [(head, &report.sessions), ("planned sessions", &report.runs)] {
        if sessions.is_empty() {
            continue;
        }
        writeln!(out, "{}", style::strong(head))?;
        let mut table = Table::new(["issued", "since", "refused", "last", "acts as", "for", "why"]);
        for one in sessions.iter().take(LISTED) {
            table.row(row(one));
        }
        table.write(out)?;
        more(out, sessions.len())?;
        writeln!(out)?;
    }
    Ok(())
}

fn row(one: &SessionFinding) -> [String; 7] {
    let whom = if one.subject.is_empty() { one.class.to_string() } else { one.subject.clone() };
    [
        one.issued.to_string(),
        one.issued_since.to_string(),
        one.refused.to_string(),
        one.last.to_string(),
        one.principal.clone(),
        whom,
        one.expectation.in_words().to_owned(),
    ]
}

fn skipped(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.skipped.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style::warning(format!("skipped, in {}:", count(report.skipped.len(), "file"))))?;
    for one in report.skipped.iter().take(LISTED) {
        writeln!(out, "  {}: {}", one.file, one.why)?;
    }
    more(out, report.skipped.len())
}

fn more(out: &mut dyn Write, length: usize) -> io::Result<()> {
    match length.checked_sub(LISTED) {
        Some(more) if more > 0 => writeln!(out, "  and {more} more, all of them with --json"),
        _ => Ok(()),
    }
}
