//! The answer for people: by cloud, then by file.

use std::collections::BTreeMap;
use std::io::{self, Write};

use daypass_pipelines::inventory::{Confidence, Credential};

use super::Answer;
use crate::render::{Table, count, style};

/// Skipped files that are listed; the rest is counted.
const SKIPPED: usize = 20;

pub(super) fn write(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    let mut clouds: BTreeMap<&str, Vec<&Credential>> = BTreeMap::new();
    for credential in &answer.credentials {
        clouds.entry(credential.cloud).or_default().push(credential);
    }
    for (cloud, credentials) in &clouds {
        writeln!(out, "{}", style::strong(format!("{cloud}: {}", count(credentials.len(), "credential"))))?;
        group(out, credentials)?;
        writeln!(out)?;
    }
    let inferred = answer.credentials.iter().filter(|one| one.confidence == Confidence::Inferred).count();
    writeln!(
        out,
        "{} in {}, {inferred} of them inferred",
        count(answer.credentials.len(), "credential"),
        count(answer.files, "file")
    )?;
    skipped(out, answer)
}

fn group(out: &mut dyn Write, credentials: &[&Credential]) -> io::Result<()> {
    let mut sorted: Vec<&Credential> = credentials.to_vec();
    sorted.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let mut table = Table::new(["file", "line", "kind", "job", "sure", "used as", "comes from"]);
    let mut before = "";
    for one in &sorted {
        let file = if *one.file == *before { String::new() } else { one.file.to_string() };
        before = &one.file;
        let sure = match one.confidence {
            Confidence::Certain => "certain".to_owned(),
            Confidence::Inferred => style::unsure("inferred"),
        };
        let job = one.job.clone().unwrap_or_else(|| "every job".to_owned());
        let line = one.line.to_string();
        table.row([file, line, one.kind.to_owned(), job, sure, one.sink.clone(), one.source.clone()]);
    }
    table.write(out)?;
    let replacements: BTreeMap<&str, &str> = sorted.iter().map(|one| (one.kind, one.replacement)).collect();
    for (kind, replacement) in replacements {
        writeln!(out, "{}", style::faint(format!("instead of {kind}: {replacement}")))?;
    }
    Ok(())
}

fn skipped(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    if answer.skipped.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style::warning(format!("skipped {}:", answer.skipped.len())))?;
    for one in answer.skipped.iter().take(SKIPPED) {
        // Most reasons begin with the place, which has the file in it.
        if one.why.starts_with(&one.file) {
            writeln!(out, "  {}", one.why)?;
        } else {
            writeln!(out, "  {}: {}", one.file, one.why)?;
        }
    }
    match answer.skipped.len().checked_sub(SKIPPED) {
        Some(more) if more > 0 => writeln!(out, "  and {more} more, all of them with --json"),
        _ => Ok(()),
    }
}
