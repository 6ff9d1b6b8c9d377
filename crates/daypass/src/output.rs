//! Where answers and complaints go: the answer to stdout, as text or as JSON; everything else to stderr.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;

use crate::failure::{FAILED, Failure};
use crate::render;
use crate::tame::Tame;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Where a command writes.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    color: Color,
}

impl Output {
    pub(crate) const fn new(json: bool, color: Color) -> Self {
        Self { json, color }
    }

    /// Whether the answer is JSON.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether somebody looks at the answer, rather than another program.
    pub(crate) fn is_looked_at(&self) -> bool {
        matches!(self.color, Color::Always) || io::stdout().is_terminal()
    }

    /// Writes the answer: `value` as one line of JSON, or what `text` writes.
    pub(crate) fn answer(
        &self,
        value: &impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> crate::failure::Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.color.into());
        if self.json {
            let line = serde_json::to_string(value)?;
            return settle(writeln!(out, "{line}").and_then(|()| out.flush()));
        }
        let mut out = Tame::new(out);
        settle(text(&mut out).and_then(|()| out.flush()))
    }

    /// Writes text for people, whatever the format.
    pub(crate) fn text(&self, text: &str) -> crate::failure::Result<()> {
        let mut out = Tame::new(AutoStream::new(io::stdout().lock(), self.color.into()));
        settle(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    /// Writes raw text to stdout whatever the format: a token, a script.
    pub(crate) fn raw(&self, text: &str) -> crate::failure::Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.color.into());
        settle(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    /// Writes a remark to stderr.
    pub(crate) fn remark(&self, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let mut err = Tame::new(AutoStream::new(io::stderr().lock(), self.color.into()));
        // Nobody is left to be told where stderr cannot be written.
        let _ = text(&mut err).and_then(|()| err.flush());
    }

    /// Says why the command failed, and gives the exit code.
    pub(crate) fn report(&self, failure: &Failure) -> ExitCode {
        if self.json {
            let mut out = AutoStream::new(io::stdout().lock(), self.color.into());
            let _ = writeln!(out, "{}", as_json(failure));
        }
        self.remark(|err| match failure {
            Failure::Refused { message, advice } => {
                writeln!(err, "{} {message}", render::style::refused("refused:"))?;
                advice.iter().try_for_each(|line| writeln!(err, "  {line}"))
            }
            Failure::Usage(message) => writeln!(err, "{} {message}", render::style::error("error:")),
            Failure::Input { problems, sources } => render::problems(err, problems, sources),
            Failure::Failed(error) => writeln!(err, "{} {}", render::style::error("error:"), in_full(error)),
        });
        ExitCode::from(failure.exit_code())
    }

    /// Says what went wrong before any command ran.
    pub(crate) fn failed(&self, message: &str) -> ExitCode {
        self.remark(|err| writeln!(err, "{} {message}", render::style::error("error:")));
        ExitCode::from(FAILED)
    }
}

/// Whether log lines are coloured.
pub(crate) fn stderr_is_coloured(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stderr().is_terminal() && AutoStream::choice(&io::stderr()) != ColorChoice::Never,
    }
}

/// A reader that has seen enough and gone is no failure.
fn settle(written: io::Result<()>) -> crate::failure::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// An error with its causes. Many errors say their cause themselves; those causes are not said again.
fn in_full(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for message in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = message;
        } else if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
    }
    text
}

fn as_json(failure: &Failure) -> serde_json::Value {
    match failure {
        Failure::Refused { message, advice } => {
            json!({ "error": { "kind": "refused", "message": message, "advice": advice } })
        }
        Failure::Usage(message) => json!({ "error": { "kind": "usage", "message": message } }),
        Failure::Input { problems, .. } => {
            let problems: Vec<serde_json::Value> = problems.iter().map(render::problem_json).collect();
            json!({ "error": { "kind": "input", "problems": problems } })
        }
        Failure::Failed(error) => json!({ "error": { "kind": "failed", "message": in_full(error) } }),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn causes_are_said_once() {
        let error = anyhow!("connection refused").context("`sts` cannot be reached");
        assert_eq!(in_full(&error), "`sts` cannot be reached: connection refused");
        let error = anyhow!("connection refused").context("no credential: connection refused");
        assert_eq!(in_full(&error), "no credential: connection refused");
    }
}
