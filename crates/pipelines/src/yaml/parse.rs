use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use daypass_trust::document::{Location, Span};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as Marks, Tag};

use super::{Node, Pair, Value};
use crate::{Place, Style, Text};

/// What a file may cost. The defaults leave room for the largest real pipelines by a factor of ten or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Levels of nesting, aliases written out.
    pub depth: usize,
    /// Nodes, aliases written out.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 * 1024 * 1024, depth: 96, nodes: 1_000_000 }
    }
}

/// Why a file is not read as YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// It is larger than [`Limits::bytes`].
    #[error("{file}: the file has {bytes} bytes, pipelines of up to {limit} are read")]
    TooLarge {
        /// The file.
        file: Arc<str>,
        /// Its size.
        bytes: usize,
        /// The cap.
        limit: usize,
    },
    /// It is not text.
    #[error("{0}: these bytes are not UTF-8")]
    NotUtf8(Location),
    /// It is not YAML.
    #[error("{at}: {what}")]
    Syntax {
        /// Where the parser gave up.
        at: Location,
        /// What it stumbled over.
        what: String,
    },
    /// It is nested deeper than [`Limits::depth`].
    #[error("{at}: nested more than {limit} levels deep")]
    TooDeep {
        /// The first level too many.
        at: Location,
        /// The cap.
        limit: usize,
    },
    /// It is more than [`Limits::nodes`] values once its aliases are written out.
    #[error("{at}: more than {limit} values with aliases written out")]
    TooMany {
        /// The value or alias that is one too many.
        at: Location,
        /// The cap.
        limit: usize,
    },
    /// An alias inside the very value that its anchor names.
    #[error("{0}: an alias to the value that it is part of")]
    Cycle(Location),
}

/// Reads every document of a file, within the default [`Limits`].
pub fn parse(file: &Arc<str>, bytes: &[u8]) -> Result<Vec<Node>, YamlError> {
    parse_within(file, bytes, Limits::default())
}

/// Reads every document of a file. An empty document is a null.
pub fn parse_within(file: &Arc<str>, bytes: &[u8], limits: Limits) -> Result<Vec<Node>, YamlError> {
    let text = text(file, bytes, limits)?;
    let mut builder = Builder::new(file, text, limits);
    let mut parser = Parser::new_from_str(builder.text);
    while let Some(event) = parser.next_event() {
        let (event, marks) = event.map_err(|error| YamlError::Syntax {
            at: builder.location(*error.marker()),
            what: error.info().to_owned(),
        })?;
        builder.take(event, marks)?;
    }
    Ok(builder.documents)
}

/// The bytes as text, if they are not too many: for files that are no YAML too.
pub(crate) fn text<'b>(file: &Arc<str>, bytes: &'b [u8], limits: Limits) -> Result<&'b str, YamlError> {
    if bytes.len() > limits.bytes {
        let (file, bytes, limit) = (Arc::clone(file), bytes.len(), limits.bytes);
        return Err(YamlError::TooLarge { file, bytes, limit });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        YamlError::NotUtf8(end_of(file, &String::from_utf8_lossy(valid)))
    })
}

fn end_of(file: &Arc<str>, text: &str) -> Location {
    let last = text.rsplit('\n').next().unwrap_or_default();
    Location {
        file: Arc::clone(file),
        line: text.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1),
        column: last.chars().count().saturating_add(1),
    }
}

struct Builder<'t> {
    file: &'t Arc<str>,
    /// The text, without the byte order mark.
    text: &'t str,
    /// Bytes of the byte order mark.
    bom: usize,
    /// Byte offsets of every character; empty where each is one byte.
    offsets: Vec<usize>,
    limits: Limits,
    nodes: usize,
    open: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    documents: Vec<Node>,
}

/// A collection whose end has not been seen.
struct Frame {
    place: Place,
    tag: Option<Arc<str>>,
    anchor: usize,
    mapping: bool,
    children: Vec<Node>,
}

impl<'t> Builder<'t> {
    fn new(file: &'t Arc<str>, text: &'t str, limits: Limits) -> Self {
        let stripped = text.strip_prefix('\u{feff}').unwrap_or(text);
        let offsets = if stripped.is_ascii() {
            Vec::new()
        } else {
            stripped.char_indices().map(|(at, _)| at).collect()
        };
        Self {
            file,
            text: stripped,
            bom: text.len().saturating_sub(stripped.len()),
            offsets,
            limits,
            nodes: 0,
            open: Vec::new(),
            anchors: HashMap::new(),
            documents: Vec::new(),
        }
    }

    fn take(&mut self, event: Event<'_>, marks: Marks) -> Result<(), YamlError> {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let text = self.scalar(&value, style, marks);
                let node = Node {
                    place: text.place.clone(),
                    alias: None,
                    tag: tag_of(tag),
                    value: Value::Scalar(text),
                    weight: 1,
                    height: 0,
                };
                self.close(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => self.open(false, anchor, tag, marks),
            Event::MappingStart(anchor, tag) => self.open(true, anchor, tag, marks),
            Event::SequenceEnd | Event::MappingEnd => self.end(marks),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(YamlError::Cycle(self.location(marks.start)));
                };
                let mut node = node.clone();
                node.alias = Some(Box::new(self.place(marks)));
                self.close(node, 0)
            }
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn open(
        &mut self,
        mapping: bool,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        marks: Marks,
    ) -> Result<(), YamlError> {
        if self.open.len() >= self.limits.depth {
            return Err(YamlError::TooDeep { at: self.location(marks.start), limit: self.limits.depth });
        }
        let place = self.place(marks);
        self.open.push(Frame { place, tag: tag_of(tag), anchor, mapping, children: Vec::new() });
        Ok(())
    }

    fn end(&mut self, marks: Marks) -> Result<(), YamlError> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let Frame { mut place, tag, anchor, mapping, children } = frame;
        let last = self.byte(marks.start).saturating_add(1);
        let flow = marks.end.index() > marks.start.index();
        if flow {
            self.skip_properties(&mut place);
            place.span.end = last;
        } else if let (Some(first), Some(end)) = (children.first(), children.last()) {
            let end = end.use_place().span.end;
            place = first.use_place().clone();
            if !mapping {
                self.include_bullet(&mut place);
            }
            place.span.end = end.max(place.span.start);
        }
        let value = if mapping {
            let mut pairs = Vec::with_capacity(children.len() / 2);
            let mut children = children.into_iter();
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                pairs.push(Pair { key, value });
            }
            Value::Mapping(pairs.into())
        } else {
            Value::Sequence(children.into())
        };
        let mut node = Node { place, alias: None, tag, value, weight: 1, height: 0 };
        node.weigh();
        self.close(node, anchor)
    }

    /// Puts a finished value where it belongs.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        let at = || node.use_place().location();
        if self.open.len().saturating_add(node.height) > self.limits.depth {
            return Err(YamlError::TooDeep { at: at(), limit: self.limits.depth });
        }
        let added = if node.alias.is_some() { node.weight } else { 1 };
        self.nodes = self.nodes.saturating_add(added);
        if self.nodes > self.limits.nodes {
            return Err(YamlError::TooMany { at: at(), limit: self.limits.nodes });
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(frame) => frame.children.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }

    fn scalar(&self, value: &str, style: ScalarStyle, marks: Marks) -> Text {
        let mut place = self.place(marks);
        let first_line = marks.start.line();
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        match style {
            Style::Plain => {
                let trimmed = self.written(place.span).trim_end().len();
                place.span.end = place.span.start.saturating_add(trimmed);
            }
            Style::SingleQuoted | Style::DoubleQuoted => {
                self.skip_properties(&mut place);
                let quote = if style == Style::SingleQuoted { '\'' } else { '"' };
                let length = quoted_length(self.written(place.span), quote);
                place.span.end = place.span.start.saturating_add(length);
            }
            Style::Literal | Style::Folded => {
                let trimmed = self.written(place.span).trim_end().len();
                place.span.end = place.span.start.saturating_add(trimmed);
                self.include_header(&mut place);
            }
        }
        Text { value: Arc::from(value), place, style, first_line }
    }

    /// Moves the beginning past an anchor and a tag.
    fn skip_properties(&self, place: &mut Place) {
        loop {
            let written = self.written(Span::new(place.span.start, self.text.len().saturating_add(self.bom)));
            if !written.starts_with(['&', '!']) {
                return;
            }
            let word = written.find(char::is_whitespace).unwrap_or(written.len());
            let rest = written.get(word..).unwrap_or_default();
            let skipped = written.get(..written.len().saturating_sub(rest.trim_start().len()));
            let skipped = skipped.unwrap_or_default();
            Self::advance(place, skipped);
            if skipped.is_empty() {
                return;
            }
        }
    }

    fn advance(place: &mut Place, skipped: &str) {
        place.span.start = place.span.start.saturating_add(skipped.len());
        match skipped.rsplit_once('\n') {
            Some((lines, last)) => {
                let more = lines.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1);
                place.line = place.line.saturating_add(more);
                place.column = last.chars().count().saturating_add(1);
            }
            None => place.column = place.column.saturating_add(skipped.chars().count()),
        }
    }

    /// Moves the beginning of a block back to its `|` or `>`.
    fn include_header(&self, place: &mut Place) {
        let before = self.text.get(..place.span.start.saturating_sub(self.bom)).unwrap_or_default();
        if let Some(at) = before.rfind(['|', '>']) {
            self.retreat(place, before, at);
        }
    }

    /// Moves the beginning of a list back to its first `-`.
    fn include_bullet(&self, place: &mut Place) {
        let before = self.text.get(..place.span.start.saturating_sub(self.bom)).unwrap_or_default();
        let trimmed = before.trim_end();
        if trimmed.ends_with('-') {
            self.retreat(place, before, trimmed.len().saturating_sub(1));
        }
    }

    fn retreat(&self, place: &mut Place, before: &str, at: usize) {
        let (start, passed) = before.split_at_checked(at).unwrap_or((before, ""));
        let line = start.rsplit('\n').next().unwrap_or_default();
        place.span.start = at.saturating_add(self.bom);
        place.line = place.line.saturating_sub(passed.bytes().filter(|byte| *byte == b'\n').count());
        place.column = line.chars().count().saturating_add(1);
    }

    fn written(&self, span: Span) -> &'t str {
        let (start, end) = (span.start.saturating_sub(self.bom), span.end.saturating_sub(self.bom));
        self.text.get(start..end).unwrap_or_default()
    }

    fn place(&self, marks: Marks) -> Place {
        let start = self.byte(marks.start);
        Place {
            file: Arc::clone(self.file),
            span: Span::new(start, self.byte(marks.end).max(start)),
            line: marks.start.line(),
            column: marks.start.col().saturating_add(1),
        }
    }

    /// The parser counts characters, everyone else bytes.
    fn byte(&self, mark: Marker) -> usize {
        let length = self.text.len();
        let at = if self.offsets.is_empty() {
            mark.index().min(length)
        } else {
            self.offsets.get(mark.index()).copied().unwrap_or(length)
        };
        at.saturating_add(self.bom)
    }

    fn location(&self, mark: Marker) -> Location {
        Location { file: Arc::clone(self.file), line: mark.line(), column: mark.col().saturating_add(1) }
    }
}

fn tag_of(tag: Option<Cow<'_, Tag>>) -> Option<Arc<str>> {
    tag.map(|tag| Arc::from(tag.to_string().as_str()))
}

/// Bytes of a quoted text, quotes included.
fn quoted_length(written: &str, quote: char) -> usize {
    let mut characters = written.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && quote == '"' {
            characters.next();
        } else if c == quote {
            if quote == '\'' && characters.next_if(|(_, next)| *next == quote).is_some() {
                continue;
            }
            return at.saturating_add(c.len_utf8());
        }
    }
    written.len()
}
