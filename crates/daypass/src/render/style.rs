//! Colours by meaning. What a colour says is always said in words too.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Something that holds, passes, is admitted.
pub(crate) fn good(text: impl Display) -> String {
    styled(AnsiColor::Green.on_default(), text)
}

/// Something that does not hold.
pub(crate) fn bad(text: impl Display) -> String {
    styled(AnsiColor::Red.on_default(), text)
}

/// Something that nobody can say.
pub(crate) fn unsure(text: impl Display) -> String {
    styled(AnsiColor::Yellow.on_default(), text)
}

/// A heading or a name.
pub(crate) fn strong(text: impl Display) -> String {
    styled(Style::new().bold(), text)
}

/// What is there for completeness.
pub(crate) fn faint(text: impl Display) -> String {
    styled(Style::new().dimmed(), text)
}

/// The word before an error.
pub(crate) fn error(text: impl Display) -> String {
    styled(AnsiColor::Red.on_default().bold(), text)
}

/// The word before a refusal.
pub(crate) fn refused(text: impl Display) -> String {
    styled(AnsiColor::Red.on_default().bold(), text)
}

/// The word before a warning.
pub(crate) fn warning(text: impl Display) -> String {
    styled(AnsiColor::Yellow.on_default().bold(), text)
}
