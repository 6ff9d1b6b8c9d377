//! Progress of long work, on stderr, where that is a terminal.

use std::io::{self, IsTerminal, Write};

/// A line that says how far the work is.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    shown: bool,
    last: u64,
}

impl Progress {
    /// Begins; nothing is shown unless stderr is a terminal.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, shown: io::stderr().is_terminal(), last: 0 }
    }

    /// `done` of something is done.
    pub(crate) fn at(&mut self, done: u64) {
        if self.shown && done >= self.last.saturating_add(1_000) {
            self.last = done;
            let _ = write!(io::stderr(), "\r{} {done}", self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last > 0 {
            let _ = write!(io::stderr(), "\r\u{1b}[2K");
        }
    }
}
