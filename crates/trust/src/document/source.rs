use std::fmt;
use std::sync::{Arc, OnceLock};

/// A range of bytes in a source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The range from `start` up to, not including, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// A text with the name it was read under. `Debug` shows the name only: configurations hold passwords.
#[derive(Clone)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
    /// Where lines begin; asked for by whoever wants a place, which may be thousands of roles in one file.
    lines: Arc<OnceLock<Box<[usize]>>>,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.text) == (&other.name, &other.text)
    }
}

impl Eq for Source {}

/// A place that a person can go to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Location {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.name, self.text.len())
    }
}

impl Source {
    /// A text and its name (a path, or what the user typed for it).
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into(), lines: Arc::default() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset.
    pub fn locate(&self, offset: usize) -> Location {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let line = self.lines().partition_point(|start| *start <= end);
        let start = line.checked_sub(1).and_then(|line| self.lines().get(line)).copied().unwrap_or_default();
        Location {
            file: Arc::clone(&self.name),
            line,
            column: self.text.get(start..end).unwrap_or_default().chars().count().saturating_add(1),
        }
    }

    /// Where each line begins; the first begins with the text.
    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let ends = self.text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
            std::iter::once(0).chain(ends).collect()
        })
    }

    /// Where a span starts.
    pub fn at(&self, span: Span) -> Location {
        self.locate(span.start)
    }

    /// The place of a part of a string: bytes `part` of `text`, which is the value of what stands at `span`. All of it where
    /// escapes stand in between and the bytes cannot be told apart.
    pub fn inside(&self, span: Span, text: &str, part: Span) -> Span {
        match self.slice(span).find(text) {
            Some(at) => {
                let from = span.start.saturating_add(at);
                Span::new(from.saturating_add(part.start), from.saturating_add(part.end))
            }
            None => span,
        }
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }
}

/// Something wrong at a place, with what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {message}{}", self.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
pub struct Problem {
    /// Where.
    pub location: Location,
    /// The bytes meant, for a renderer that can underline them.
    pub span: Span,
    /// What is wrong: lower-case, no full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at `span` of `source`.
    pub fn new(source: &Source, span: Span, message: impl Into<String>) -> Self {
        Self { location: source.at(span), span, message: message.into(), help: None }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_string_has_its_own_place() {
        let source = Source::new("p.json", r#"["a b", "a\u0020b"]"#);
        assert_eq!(source.inside(Span::new(1, 6), "a b", Span::new(2, 3)), Span::new(4, 5));
        assert_eq!(source.inside(Span::new(8, 18), "a b", Span::new(2, 3)), Span::new(8, 18));
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let source = Source::new("p.toml", "a\nüb = 1\n");
        assert_eq!(source.locate(0).to_string(), "p.toml:1:1");
        assert_eq!(source.locate(2).to_string(), "p.toml:2:1");
        assert_eq!(source.locate(4).to_string(), "p.toml:2:2");
        assert_eq!(source.locate(3).to_string(), "p.toml:2:1", "inside a character counts as its start");
        assert_eq!(source.locate(999).to_string(), "p.toml:3:1");
    }
}
