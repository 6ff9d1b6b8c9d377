//! Progress of long work, on stderr, where that is a terminal.

use std::io::{self, IsTerminal, Write};

/// Cells of a bar.
const WIDTH: u64 = 30;
/// How often a line is drawn anew at most, in things done.
const EVERY: u64 = 1_000;

/// A line that says how far the work is.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    total: Option<u64>,
    shown: bool,
    last: u64,
}

impl Progress {
    /// Begins work of unknown length; nothing is shown unless stderr is a terminal.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, total: None, shown: io::stderr().is_terminal(), last: 0 }
    }

    /// Begins work on so many things, which is shown as a bar.
    pub(crate) fn of(what: &'static str, total: u64) -> Self {
        Self { total: Some(total), ..Self::new(what) }
    }

    /// `done` of something is done.
    pub(crate) fn at(&mut self, done: u64) {
        let every = self.total.map_or(EVERY, |total| (total / WIDTH).clamp(1, EVERY));
        if self.shown && done >= self.last.saturating_add(every) {
            self.last = done;
            let _ = write!(io::stderr(), "\r{}", line(self.what, done, self.total));
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

fn line(what: &str, done: u64, total: Option<u64>) -> String {
    let Some(total) = total else { return format!("{what} {done}") };
    let filled = done.saturating_mul(WIDTH).checked_div(total).unwrap_or(WIDTH).min(WIDTH);
    let cells: String = (0..WIDTH).map(|cell| if cell < filled { '#' } else { '.' }).collect();
    format!("{what} [{cells}] {done} of {total}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_up() {
        assert_eq!(line("reading", 7, None), "reading 7");
        assert_eq!(line("reading", 0, Some(60)), format!("reading [{}] 0 of 60", ".".repeat(30)));
        assert_eq!(
            line("reading", 30, Some(60)),
            format!("reading [{}{}] 30 of 60", "#".repeat(15), ".".repeat(15))
        );
        assert_eq!(line("reading", 1, Some(0)), format!("reading [{}] 1 of 0", "#".repeat(30)));
    }
}
