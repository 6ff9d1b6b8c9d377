use std::cell::RefCell;

use daypass_trust::document::{Location, Source, Span};

/// All files of a configuration, laid end to end: one number tells file and place.
///
/// An expression of one file may hold values of several; spans that count through all files keep apart what came from
/// where until a document is put together.
#[derive(Debug, Default)]
pub(crate) struct SourceMap {
    files: RefCell<Vec<File>>,
}

#[derive(Debug)]
struct File {
    base: usize,
    source: Source,
}

impl SourceMap {
    /// Adds a file; its offsets count from the answer on.
    pub(crate) fn add(&self, source: Source) -> usize {
        let mut files = self.files.borrow_mut();
        if let Some(known) = files.iter().find(|file| file.source == source) {
            return known.base;
        }
        let base = files
            .last()
            .map_or(1, |last| last.base.saturating_add(last.source.text().len()).saturating_add(1));
        files.push(File { base, source });
        base
    }

    /// The file that a span is of, and where its offsets begin.
    pub(crate) fn file(&self, span: Span) -> Option<(Source, usize)> {
        let files = self.files.borrow();
        let at = files.partition_point(|file| file.base <= span.start).checked_sub(1)?;
        files.get(at).map(|file| (file.source.clone(), file.base))
    }

    /// Whether two spans are of one file.
    pub(crate) fn same_file(&self, a: Span, b: Span) -> bool {
        let files = self.files.borrow();
        let of = |span: Span| files.partition_point(|file| file.base <= span.start);
        of(a) == of(b)
    }

    /// The place of a span.
    pub(crate) fn locate(&self, span: Span) -> Location {
        self.file(span)
            .map_or_else(|| Source::new("", "").locate(0), |(source, base)| source.at(local(span, base)))
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: Span) -> String {
        self.file(span).map(|(source, base)| source.slice(local(span, base)).to_owned()).unwrap_or_default()
    }
}

/// A span within its file.
pub(crate) const fn local(span: Span, base: usize) -> Span {
    Span::new(span.start.saturating_sub(base), span.end.saturating_sub(base))
}

/// A span of a file among all files.
pub(crate) const fn global(span: Span, base: usize) -> Span {
    Span::new(span.start.saturating_add(base), span.end.saturating_add(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_tells_its_file() {
        let map = SourceMap::default();
        let a = map.add(Source::new("a.tf", "x\ny"));
        let b = map.add(Source::new("b.tf", ""));
        let c = map.add(Source::new("c.tf", "zz"));
        let place = |base, at| map.locate(global(Span::new(at, at), base)).to_string();
        assert_eq!(place(a, 2), "a.tf:2:1");
        assert_eq!(place(a, 3), "a.tf:2:2", "one past the end is still of the file");
        assert_eq!(place(b, 0), "b.tf:1:1");
        assert_eq!(place(c, 1), "c.tf:1:2");
    }
}
