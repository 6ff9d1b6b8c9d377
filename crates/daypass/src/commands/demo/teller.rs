use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use crate::failure::{Outcome, Result};
use crate::output::Output;
use crate::render::style;

/// One step: what should have come, and what came.
#[derive(Clone, Debug, Serialize)]
struct Step {
    id: &'static str,
    expect: String,
    got: String,
    ok: bool,
}

/// The steps so far.
#[derive(Debug, Serialize)]
struct Story {
    ok: bool,
    steps: Vec<Step>,
}

/// Tells the story: to a reader as it happens, in JSON at the end.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    output: &'a Output,
    story: Story,
}

impl<'a> Teller<'a> {
    pub(super) const fn new(output: &'a Output) -> Self {
        Self { output, story: Story { ok: true, steps: Vec::new() } }
    }

    /// A heading, and what it is about.
    pub(super) fn chapter(&self, title: &str, about: &str) -> Result<()> {
        self.text(|out| writeln!(out, "\n{}\n{}", style::strong(title), style::faint(about)))
    }

    /// Something to look at, indented.
    pub(super) fn show(&self, text: impl Display) -> Result<()> {
        self.text(|out| {
            text.to_string().lines().try_for_each(|line| writeln!(out, "       {}", style::faint(line)))
        })
    }

    /// A step of the story, done.
    pub(super) fn step(
        &mut self,
        id: &'static str,
        title: &str,
        expect: impl Into<String>,
        got: impl Into<String>,
    ) -> Result<()> {
        let (expect, got) = (expect.into(), got.into());
        let ok = expect == got;
        self.text(|out| {
            let mark = if ok { style::good("  ok  ") } else { style::bad(" FAIL ") };
            writeln!(out, "{mark} {title}: {}", style::strong(&got))?;
            if ok { Ok(()) } else { writeln!(out, "       expected: {expect}") }
        })?;
        self.story.ok &= ok;
        self.story.steps.push(Step { id, expect, got, ok });
        Ok(())
    }

    /// The end.
    pub(super) fn finish(self) -> Result {
        let done = self.story.steps.iter().filter(|step| step.ok).count();
        let all = self.story.steps.len();
        self.text(|out| {
            let verdict = format!("{done} of {all} steps did what they should");
            writeln!(out, "\n{}", if self.story.ok { style::good(verdict) } else { style::bad(verdict) })?;
            writeln!(out, "Go on with `daypass up`, which serves the same on 127.0.0.1:8080.")
        })?;
        if self.output.is_json() {
            self.output.answer(&self.story, |_| Ok(()))?;
        }
        Ok(Outcome::fine_if(self.story.ok))
    }

    fn text(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        if self.output.is_json() { Ok(()) } else { self.output.answer(&(), write) }
    }
}
