//! Reviews for people.

use super::{Check, Excess, Review, Sprawl};
use crate::html::is_hidden;

/// How many places of a check are listed; a review is read from the top.
const MOST: usize = 20;

/// The review for a terminal.
pub fn text(review: &Review) -> String {
    let mut out = String::new();
    for check in &review.checks {
        out.push_str(&format!("{:8} {:22} {}: {}\n", check.outcome(), check.id, check.standard, check.why));
        for place in check.places.iter().take(MOST) {
            out.push_str(&format!("{:31} {}\n", "", place.in_words()));
        }
        out.push_str(&more(check.places.len(), &format!("{:31} ", "")));
    }
    for sprawl in &review.sprawl {
        out.push_str(&format!("\n{}:{}: `{}`: {}\n", sprawl.file, sprawl.line, sprawl.role, sprawl.why));
        for subject in sprawl.observed.iter().take(MOST) {
            out.push_str(&format!("  seen: {subject}\n"));
        }
        out.push_str(&more(sprawl.observed.len(), "  "));
        sprawl.idle.iter().for_each(|it| out.push_str(&format!("  no use: {}\n", it.in_words())));
        if let Some(narrower) = &sprawl.narrower {
            if let Some(witness) = &narrower.without {
                out.push_str(&format!("  and it admits {}\n", witness.subject()));
            }
            out.push_str("  this would do:\n");
            narrower.document.lines().for_each(|line| out.push_str(&format!("    {line}\n")));
            narrower.proved.iter().for_each(|line| out.push_str(&format!("  proved: {line}\n")));
        }
    }
    out.push_str(&format!("\n{}\n", review.score.in_words()));
    out
}

/// The review as a page of Markdown.
pub fn markdown(review: &Review) -> String {
    let mut out = format!("### daypass review: {}\n\n", review.score.in_words());
    out.push_str("| | check | what it asks for | why |\n|---|---|---|---|\n");
    for check in &review.checks {
        out.push_str(&row(check));
    }
    if !review.sprawl.is_empty() {
        out.push_str("\n#### Beyond use\n");
    }
    for sprawl in &review.sprawl {
        out.push_str(&beyond(sprawl));
    }
    out
}

fn row(check: &Check) -> String {
    let places = check.places.iter().take(MOST).map(|place| format!("<br>{}", escaped(&place.in_words())));
    let rest = more(check.places.len(), "<br>");
    let why = format!("{}{}{}", escaped(&check.why), places.collect::<String>(), rest.trim_end());
    format!("| **{}** | `{}` | {} | {why} |\n", check.outcome(), check.id, escaped(check.standard))
}

fn beyond(sprawl: &Sprawl) -> String {
    let place = format!("{}:{}", sprawl.file, sprawl.line);
    let mut out =
        format!("\n**{}** ({}): {}\n", escaped(&sprawl.role), escaped(&place), escaped(&sprawl.why));
    for subject in sprawl.observed.iter().take(MOST) {
        out.push_str(&format!("- seen: {}\n", escaped(subject)));
    }
    for it in &sprawl.idle {
        out.push_str(&format!("- no use: {}\n", escaped(&it.in_words())));
    }
    if let Some(narrower) = &sprawl.narrower {
        // No line of a document that was written here begins with a fence.
        out.push_str(&format!(
            "\n```\n{}\n```\n\nProved: {}.\n",
            narrower.document.trim_end(),
            narrower.proved.join("; ")
        ));
    }
    out
}

fn more(length: usize, before: &str) -> String {
    match length.checked_sub(MOST) {
        Some(more) if more > 0 => format!("{before}and {more} more\n"),
        _ => String::new(),
    }
}

/// Text that others wrote, in a cell.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '[' | '`' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("@\u{200b}"),
            c if is_hidden(c) => out.push_str(&format!("U+{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

impl super::Place {
    /// `file:line: what is there`, or what was seen in logs.
    pub(super) fn in_words(&self) -> String {
        if self.file.is_empty() {
            self.what.clone()
        } else {
            format!("{}:{}: {}", self.file, self.line, self.what)
        }
    }
}

impl super::Idle {
    /// `file:line: what it is`.
    fn in_words(&self) -> String {
        format!("{}:{}: {}", self.file, self.line, self.what)
    }
}

impl Excess {
    /// As in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::WiderThanUsed => "wider-than-used",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_makes_no_cells_tags_or_mentions() {
        assert_eq!(escaped("a|b\n<img> @acme `x`"), "a\\|b &lt;img> @\u{200b}acme \\`x\\`");
        assert_eq!(escaped("a\u{202e}b\u{1b}[2J"), "aU+202EbU+001B\\[2J");
    }
}
