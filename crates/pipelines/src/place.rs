use std::fmt;
use std::sync::Arc;

use daypass_trust::document::{Location, Span};

/// Where something stands: a file, the bytes meant, and the line and column of the first of them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// The bytes.
    pub span: Span,
    /// 1-based line of the first byte.
    pub line: usize,
    /// 1-based column of the first byte, in characters.
    pub column: usize,
}

impl Place {
    /// The whole of a file.
    pub fn whole(file: &Arc<str>, length: usize) -> Self {
        Self { file: Arc::clone(file), span: Span::new(0, length), line: 1, column: 1 }
    }

    /// The place as findings name it.
    pub fn location(&self) -> Location {
        Location { file: Arc::clone(&self.file), line: self.line, column: self.column }
    }

    /// From the beginning of this place to the end of another one of the same file.
    #[must_use]
    pub fn to(&self, other: &Self) -> Self {
        let end = other.span.end.max(self.span.end);
        Self { span: Span::new(self.span.start, end), ..self.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// How a text is written, which says what an edit of it has to keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Style {
    /// As it is.
    Plain,
    /// In single quotes.
    SingleQuoted,
    /// In double quotes.
    DoubleQuoted,
    /// As a block that keeps its line breaks (`|`).
    Literal,
    /// As a block that joins its lines (`>`).
    Folded,
}

/// A text with its place. `Debug` shows the place only: pipeline files hold secrets that should not be there.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text {
    /// The text itself, quotes and escapes resolved.
    pub value: Arc<str>,
    /// Where it stands, quotes and block header included.
    pub place: Place,
    /// How it is written.
    pub style: Style,
    /// The line that its first line stands on, which for a block is below its header.
    pub first_line: usize,
}

impl Text {
    /// A text that stands at a place as it is.
    pub fn plain(value: impl Into<Arc<str>>, place: Place) -> Self {
        let first_line = place.line;
        Self { value: value.into(), place, style: Style::Plain, first_line }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// The line in the file of a byte of the text. Exact for literal blocks, which is what scripts are written as;
    /// elsewhere a text of several lines counts as standing on its first.
    pub fn line_of(&self, offset: usize) -> usize {
        match self.style {
            Style::Literal => {
                let before = self.value.bytes().take(offset);
                self.first_line.saturating_add(before.filter(|byte| *byte == b'\n').count())
            }
            _ => self.first_line,
        }
    }

    /// The lines with the line of the file that each stands on.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let step = usize::from(self.style == Style::Literal);
        self.value
            .lines()
            .enumerate()
            .map(move |(index, line)| (self.first_line.saturating_add(index.saturating_mul(step)), line))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({})", self.place)
    }
}
