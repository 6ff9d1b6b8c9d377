//! Languages of blocks in braces, such as Groovy and HCL, as text: heads, bodies and statements with their places.

use std::sync::Arc;

use daypass_trust::document::Span;

use crate::{Place, Style, Text};

/// Blocks within blocks.
const DEPTH: usize = 64;
/// Bytes of a file, and blocks in it, that are looked at.
const BYTES: usize = 1024 * 1024;
const BLOCKS: usize = 20_000;

/// The blocks and statements of a text; `comments` are what begins a comment that ends with its line. Braces that do not
/// match are taken as they come.
pub(crate) fn blocks(text: &str, comments: &[&str]) -> Vec<Block> {
    blocks_within(text, Span::new(0, text.len()), comments)
}

/// The same of a part of a text.
pub(crate) fn blocks_within(text: &str, part: Span, comments: &[&str]) -> Vec<Block> {
    let mut cut = part.end.min(text.len()).min(part.start.saturating_add(BYTES));
    while !text.is_char_boundary(cut) {
        cut = cut.saturating_sub(1);
    }
    let text = text.get(..cut).unwrap_or_default();
    let mut found = Vec::new();
    let mut scanner = Scanner { text, at: part.start, count: 0, comments };
    while scanner.at < text.len() && scanner.count < BLOCKS {
        scanner.blocks(&mut found, 0);
    }
    found
}

/// The quoted texts of a span.
pub(crate) fn strings(source: &Source<'_>, span: Span) -> Vec<Text> {
    let text = source.text.get(..span.end).unwrap_or_default();
    let mut scanner = Scanner { text, at: span.start, count: 0, comments: &[] };
    let mut found = Vec::new();
    while scanner.at < span.end {
        let start = scanner.at;
        if scanner.starts("//") && !scanner.starts("///") {
            scanner.skip_past("\n");
        } else if scanner.string() {
            found.push(source.unquoted(Span::new(start, scanner.at)));
        } else {
            scanner.step(1);
        }
    }
    found
}

/// A text with the places in it.
pub(crate) struct Source<'t> {
    file: &'t Arc<str>,
    pub(crate) text: &'t str,
    lines: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(file: &'t Arc<str>, text: &'t str) -> Self {
        let breaks =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at.saturating_add(1));
        Self { file, text, lines: std::iter::once(0).chain(breaks).collect() }
    }

    /// Where a span stands.
    pub(crate) fn place(&self, span: Span) -> Place {
        let line = self.lines.partition_point(|start| *start <= span.start);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column =
            self.text.get(start..span.start).map_or(1, |text| text.chars().count().saturating_add(1));
        Place { file: Arc::clone(self.file), span, line, column }
    }

    /// The text of a span.
    pub(crate) fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The text of a span without its quotes.
    pub(crate) fn unquoted(&self, span: Span) -> Text {
        let written = self.slice(span);
        let (marks, style) = [
            ("'''", Style::Literal),
            ("\"\"\"", Style::Literal),
            ("'", Style::SingleQuoted),
            ("\"", Style::DoubleQuoted),
        ]
        .into_iter()
        .find(|(mark, _)| written.starts_with(mark))
        .unwrap_or(("", Style::Plain));
        let inner = written.strip_prefix(marks).and_then(|rest| rest.strip_suffix(marks)).unwrap_or(written);
        let place = self.place(span);
        Text { value: Arc::from(inner), first_line: place.line, place, style }
    }
}

/// `words(...) { ... }`, or a statement without braces.
#[derive(Debug)]
pub(crate) struct Block {
    /// What stands before the braces, or the statement.
    pub(crate) head: Span,
    /// What is inside; `None` for a statement.
    pub(crate) body: Option<Span>,
    /// That, taken apart.
    pub(crate) inner: Vec<Block>,
}

/// Takes a text apart at braces, semicolons and line ends outside of strings, comments and brackets.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
    count: usize,
    /// What begins a comment that ends with its line.
    comments: &'t [&'t str],
}

impl Scanner<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at.saturating_add(ahead)).copied().unwrap_or_default()
    }

    fn starts(&self, wanted: &str) -> bool {
        self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(wanted.as_bytes()))
    }

    fn step(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    fn skip_past(&mut self, wanted: &str) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let found = rest.windows(wanted.len().max(1)).position(|window| window == wanted.as_bytes());
        self.at =
            found.map_or(self.text.len(), |found| self.at.saturating_add(found).saturating_add(wanted.len()));
    }

    /// Skips a string that begins here; whether one did.
    fn string(&mut self) -> bool {
        for mark in ["'''", "\"\"\""] {
            if self.starts(mark) {
                self.step(3);
                self.skip_past(mark);
                return true;
            }
        }
        let quote = self.byte(0);
        if !matches!(quote, b'\'' | b'"') {
            return false;
        }
        self.step(1);
        while self.at < self.text.len() {
            match self.byte(0) {
                b'\\' => self.step(2),
                b'\n' => return true,
                byte if byte == quote => {
                    self.step(1);
                    return true;
                }
                _ => self.step(1),
            }
        }
        true
    }

    fn blocks(&mut self, found: &mut Vec<Block>, depth: usize) {
        let mut start = self.at;
        let mut brackets = 0_usize;
        while self.at < self.text.len() && self.count < BLOCKS {
            if self.comments.iter().any(|comment| self.starts(comment)) {
                if brackets == 0 {
                    self.statement(start, found);
                }
                self.skip_past("\n");
                start = if brackets == 0 { self.at } else { start };
                continue;
            }
            if self.starts("/*") {
                self.skip_past("*/");
                continue;
            }
            if self.string() {
                continue;
            }
            match self.byte(0) {
                b'(' | b'[' => brackets = brackets.saturating_add(1),
                b')' | b']' => brackets = brackets.saturating_sub(1),
                b'{' if depth < DEPTH => {
                    let head = Span::new(start, self.at);
                    self.step(1);
                    self.count = self.count.saturating_add(1);
                    let from = self.at;
                    let mut inner = Vec::new();
                    self.blocks(&mut inner, depth.saturating_add(1));
                    let body = Span::new(from, self.at.saturating_sub(1).max(from));
                    found.push(Block { head, body: Some(body), inner });
                    start = self.at;
                    brackets = 0;
                    continue;
                }
                b'}' if depth > 0 => {
                    self.statement(start, found);
                    self.step(1);
                    return;
                }
                b'\n' | b';' if brackets == 0 => {
                    self.statement(start, found);
                    self.step(1);
                    start = self.at;
                    continue;
                }
                _ => {}
            }
            self.step(1);
        }
        self.statement(start, found);
    }

    fn statement(&mut self, start: usize, found: &mut Vec<Block>) {
        let written = self.text.get(start..self.at).unwrap_or_default();
        let trimmed = written.trim_start();
        if !trimmed.trim_end().is_empty() {
            self.count = self.count.saturating_add(1);
            let from = start.saturating_add(written.len().saturating_sub(trimmed.len()));
            let to = from.saturating_add(trimmed.trim_end().len());
            found.push(Block { head: Span::new(from, to), body: None, inner: Vec::new() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        fn list(text: &str, blocks: &[Block]) -> String {
            let one = |block: &Block| {
                let head = text.get(block.head.start..block.head.end).unwrap().trim();
                match block.body {
                    Some(_) => format!("{head}{{{}}}", list(text, &block.inner)),
                    None => head.to_owned(),
                }
            };
            blocks.iter().map(one).collect::<Vec<_>>().join("|")
        }
        list(text, &blocks(text, &["#", "//"]))
    }

    #[test]
    fn texts_are_taken_apart_at_braces_outside_of_strings_and_comments() {
        assert_eq!(
            shown("a {\n b = '}' # {\n c(1,\n 2)\n}\nd; e /* { */\n"),
            "a{b = '}'|c(1,\n 2)}|d|e /* { */"
        );
        assert_eq!(shown("x { y { z } }"), "x{y{z}}");
        assert_eq!(shown("k = \"a\\\"{\" // {\n"), "k = \"a\\\"{\"");
        assert_eq!(shown("s = \'\'\'{\n}\'\'\'\n"), "s = \'\'\'{\n}\'\'\'");
    }

    #[test]
    fn braces_that_do_not_match_end_somewhere() {
        for text in ["{", "}", "a {", "a } b", "'", "/*", "{{{{}"] {
            let _ = shown(text);
        }
        let deep = "{".repeat(100_000);
        assert!(blocks(&deep, &[]).len() <= 1);
    }
}
