//! Files that commands are given.

use std::io::Read;

use camino::Utf8Path;
use daypass_claims::JsonError;
use daypass_exchange::config::Files;
use daypass_server::Disk;
use daypass_trust::document::{Problem, Source, Span};

use crate::failure::{Failure, Result};

/// The largest text that is read from stdin.
const LARGEST: u64 = 1_024 * 1_024;

/// Reads a text; `-` is stdin.
pub(super) fn read(path: &Utf8Path) -> Result<Source> {
    if path == "-" {
        let mut text = String::new();
        let read = std::io::stdin().take(LARGEST.saturating_add(1)).read_to_string(&mut text);
        return match read {
            Ok(length) if length as u64 <= LARGEST => Ok(Source::new("<stdin>", text)),
            Ok(_) => Err(unreadable("<stdin>", &format!("more than {LARGEST} bytes"))),
            Err(error) => Err(unreadable("<stdin>", &error.to_string())),
        };
    }
    Disk.read(path)
        .map(|text| Source::new(path.as_str(), text))
        .map_err(|why| unreadable(path.as_str(), &why))
}

/// Reads a file that another file names.
pub(super) fn read_text(path: &Utf8Path) -> std::result::Result<Source, String> {
    Disk.read(path).map(|text| Source::new(path.as_str(), text))
}

/// Whether a file or folder that was named is there.
pub(super) fn exists(path: &Utf8Path) -> Result<()> {
    match path.metadata() {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::usage(format!("cannot read `{path}`: {error}"))),
    }
}

/// A text that should have been claims.
pub(super) fn not_claims(source: &Source, error: &JsonError) -> Failure {
    let mut problem = Problem::new(source, Span::default(), error.to_string());
    problem.message.clone_from(&error.message);
    problem.location.line = error.line.max(1);
    problem.location.column = error.column.max(1);
    let problem =
        problem.help("claims are one JSON object, such as {\"iss\": \"https://...\", \"sub\": \"...\"}");
    Failure::input(vec![problem], vec![source.clone()])
}

/// A text that should have been JSON.
pub(super) fn not_json(source: &Source, error: &serde_json::Error) -> Failure {
    let mut problem = Problem::new(source, Span::default(), error.to_string());
    problem.location.line = error.line().max(1);
    problem.location.column = error.column().max(1);
    Failure::input(vec![problem], vec![source.clone()])
}

/// A file that says something wrong, without a place in it.
pub(super) fn wrong(source: &Source, message: impl Into<String>) -> Failure {
    Failure::input(vec![Problem::new(source, Span::default(), message)], vec![source.clone()])
}

pub(super) fn unreadable(name: &str, why: &str) -> Failure {
    let source = Source::new(name, "");
    Failure::input(vec![Problem::new(&source, Span::default(), format!("cannot read it: {why}"))], Vec::new())
}
