//! Lines of a file, with the part that is meant marked; and what a fix makes of them.

use askama::Template;
use daypass_trust::document::{Source, Span};

use super::text::{Prose, Text};
use crate::Fix;

/// Lines shown before and after those that are meant.
const CONTEXT: usize = 2;
/// How many of the lines that are meant are shown at the beginning, and how many at the end.
const HEAD: usize = 8;
const TAIL: usize = 3;
/// How much of a line is shown around what is meant, in bytes.
const WIDTH: usize = 240;

/// Some lines of a file.
#[derive(Debug, Template)]
#[template(path = "snippet.html")]
pub(super) struct Snippet<'a> {
    lines: Vec<Line<'a>>,
}

#[derive(Debug, PartialEq)]
enum Line<'a> {
    /// A line, and its part that is meant, if one is.
    Shown { number: usize, before: Text<'a>, marked: Option<Text<'a>>, after: Text<'a> },
    /// Lines that are left out.
    Gap(usize),
}

impl<'a> Snippet<'a> {
    /// The lines of a span, and a few around it; `None` for a span of no text.
    pub(super) fn of(source: &'a Source, span: Span) -> Option<Self> {
        let text = source.text();
        let end = span.end.min(text.len());
        let start = span.start.min(end);
        if text.is_empty() || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
            return None;
        }
        let number = source.locate(start).line;
        let first = line_start(text, start);
        let before = above(text, first);
        let mut lines: Vec<Line<'a>> = Vec::new();
        for (index, line) in before.iter().enumerate() {
            let behind = before.len().saturating_sub(index);
            lines.push(plain(number.saturating_sub(behind), line));
        }
        let last = line_end(text, end.max(start));
        let meant: Vec<&str> = text.get(first..last)?.split('\n').collect();
        let mut at = first;
        for (index, line) in meant.iter().enumerate() {
            if meant.len() <= HEAD + TAIL || index < HEAD || index >= meant.len().saturating_sub(TAIL) {
                let within = |offset: usize| offset.saturating_sub(at).min(line.len());
                lines.push(marked(number.saturating_add(index), line, within(start), within(end)));
            } else if index == HEAD {
                lines.push(Line::Gap(meant.len().saturating_sub(HEAD + TAIL)));
            }
            at = at.saturating_add(line.len()).saturating_add(1);
        }
        let below = text.get(last..).unwrap_or_default().split('\n').skip(1).take(CONTEXT);
        let next = number.saturating_add(meant.len());
        lines.extend(below.enumerate().map(|(index, line)| plain(next.saturating_add(index), line)));
        if matches!(lines.last(), Some(Line::Shown { before: Text(""), marked: None, after: Text(""), .. })) {
            lines.pop();
        }
        Some(Self { lines })
    }
}

/// What a fix does to the lines of a file.
#[derive(Debug, Template)]
#[template(path = "diff.html")]
pub(super) struct Diff<'a> {
    about: &'a str,
    hunks: Vec<Hunk<'a>>,
}

/// Some lines that follow one another, as they are and as they will be.
#[derive(Debug, PartialEq, Eq)]
struct Hunk<'a> {
    line: usize,
    old: Vec<&'a str>,
    new: Vec<String>,
}

impl<'a> Diff<'a> {
    /// The lines that a fix changes; edits that do not lie in the file, or in one another, are left out.
    pub(super) fn of(source: &'a Source, fix: &'a Fix) -> Self {
        let text = source.text();
        let mut hunks: Vec<(usize, usize, String)> = Vec::new();
        let mut done = 0;
        for edit in &fix.edits {
            let Some(kept) = text.get(done..edit.start) else { continue };
            if text.get(edit.start..edit.end).is_none() {
                continue;
            }
            match hunks.last_mut() {
                // An edit of the line that the one before ended on, or of the next.
                Some((_, end, new)) if line_start(text, edit.start) <= end.saturating_add(1) => {
                    new.push_str(kept);
                    new.push_str(&edit.text);
                    *end = line_end(text, edit.end);
                }
                _ => {
                    close(text, done, &mut hunks);
                    let from = line_start(text, edit.start);
                    let head = text.get(from..edit.start).unwrap_or_default();
                    hunks.push((from, line_end(text, edit.end), format!("{head}{}", edit.text)));
                }
            }
            done = edit.end;
        }
        close(text, done, &mut hunks);
        let hunks = hunks.into_iter().map(|(from, to, new)| Hunk::of(source, from, to, &new)).collect();
        Self { about: &fix.about, hunks }
    }
}

/// Adds to the last hunk what stands behind its last edit on the same line.
fn close(text: &str, done: usize, hunks: &mut [(usize, usize, String)]) {
    if let Some((_, end, new)) = hunks.last_mut() {
        new.push_str(text.get(done..*end).unwrap_or_default());
    }
}

impl<'a> Hunk<'a> {
    fn of(source: &'a Source, from: usize, to: usize, new: &str) -> Self {
        let mut old: Vec<&str> = source.text().get(from..to).unwrap_or_default().split('\n').collect();
        let mut new: Vec<String> = new.split('\n').map(str::to_owned).collect();
        let mut line = source.locate(from).line;
        let same = old.iter().zip(&new).take_while(|(a, b)| **a == b.as_str()).count();
        old.drain(..same);
        new.drain(..same);
        line = line.saturating_add(same);
        let same = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| **a == b.as_str()).count();
        old.truncate(old.len().saturating_sub(same));
        new.truncate(new.len().saturating_sub(same));
        Self { line, old, new }
    }
}

/// The lines before the one that begins at an offset.
fn above(text: &str, first: usize) -> Vec<&str> {
    let before = text.get(..first.saturating_sub(1)).filter(|_| first > 0);
    let mut lines: Vec<&str> = before.into_iter().flat_map(|it| it.rsplit('\n').take(CONTEXT)).collect();
    lines.reverse();
    lines
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at.saturating_add(1))
}

fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |length| at.saturating_add(length))
}

fn plain(number: usize, line: &str) -> Line<'_> {
    let line = line.trim_end_matches('\r');
    Line::Shown { number, before: Text(near_start(line)), marked: None, after: Text("") }
}

/// A line with the bytes from `start` to `end` marked, and of the rest as much as has a place.
fn marked(number: usize, line: &str, start: usize, end: usize) -> Line<'_> {
    let before = near_end(line.get(..start).unwrap_or_default());
    let meant = line.get(start..end).unwrap_or_default();
    let after = line.get(end..).unwrap_or_default().trim_end_matches('\r');
    // The indentation is no part of what is meant.
    let indent =
        if before.trim().is_empty() { meant.len().saturating_sub(meant.trim_start().len()) } else { 0 };
    let (blank, meant) = meant.split_at_checked(indent).unwrap_or((meant, ""));
    let before = if before.is_empty() { blank } else { before };
    Line::Shown { number, before: Text(before), marked: Some(Text(meant)), after: Text(near_start(after)) }
}

fn near_start(text: &str) -> &str {
    text.get(..text.floor_char_boundary(WIDTH)).unwrap_or(text)
}

fn near_end(text: &str) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(WIDTH))..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Edit;

    fn shown(source: &Source, span: Span) -> Vec<String> {
        let snippet = Snippet::of(source, span).unwrap();
        let line = |line: &Line<'_>| match line {
            Line::Gap(count) => format!("... {count}"),
            Line::Shown { number, before, marked: None, after } => {
                format!("{number} {}{}", before.0, after.0)
            }
            Line::Shown { number, before, marked: Some(marked), after } => {
                format!("{number}>{}[{}]{}", before.0, marked.0, after.0)
            }
        };
        snippet.lines.iter().map(line).collect()
    }

    #[test]
    fn the_part_meant_is_marked_among_its_neighbours() {
        let source = Source::new("p.json", "one\ntwo\nthree\nfour\nfive\nsix\n");
        assert_eq!(shown(&source, Span::new(14, 16)), ["2 two", "3 three", "4>[fo]ur", "5 five", "6 six"]);
        assert_eq!(shown(&source, Span::new(0, 7)), ["1>[one]", "2>[two]", "3 three", "4 four"]);
        assert_eq!(shown(&source, Span::new(24, 27)), ["4 four", "5 five", "6>[six]"]);
    }

    #[test]
    fn the_middle_of_a_long_part_is_counted() {
        let text: Vec<String> = (1..=40).map(|line| line.to_string()).collect();
        let source = Source::new("p.json", text.join("\n"));
        let shown = shown(&source, Span::new(0, source.text().len()));
        assert_eq!(shown[7..10], ["8>[8]", "... 29", "38>[38]"]);
    }

    #[test]
    fn one_endless_line_is_shown_around_what_is_meant() {
        let source = Source::new("p.json", format!("{}X{}", "ä".repeat(9_000), "ö".repeat(9_000)));
        let shown = shown(&source, Span::new(18_000, 18_001));
        assert_eq!(shown, [format!("1>{}[X]{}", "ä".repeat(120), "ö".repeat(120))]);
    }

    #[test]
    fn a_span_that_is_not_in_the_text_shows_nothing_false() {
        assert!(Snippet::of(&Source::new("p.json", ""), Span::new(0, 0)).is_none());
        assert!(Snippet::of(&Source::new("p.json", "ä"), Span::new(1, 2)).is_none());
        assert_eq!(shown(&Source::new("p.json", "a"), Span::new(90, 99)), ["1>a[]"]);
    }

    fn diff(text: &str, edits: &[(usize, usize, &str)]) -> Vec<(usize, Vec<String>, Vec<String>)> {
        let source = Source::new("p.json", text);
        let edits = edits.iter().map(|(start, end, text)| Edit {
            start: *start,
            end: *end,
            text: (*text).to_owned(),
        });
        let fix = Fix { about: "mends it".to_owned(), edits: edits.collect() };
        let owned = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
        Diff::of(&source, &fix).hunks.into_iter().map(|it| (it.line, owned(it.old), it.new)).collect()
    }

    #[test]
    fn edits_of_a_line_and_of_neighbouring_lines_are_one_hunk() {
        assert_eq!(
            diff("a = 1\nb = 2\nc = 3\nd = 4\n", &[(0, 1, "x"), (4, 5, "9"), (10, 11, "8"), (18, 19, "e")]),
            [
                (1, vec!["a = 1".into(), "b = 2".into()], vec!["x = 9".into(), "b = 8".into()]),
                (4, vec!["d = 4".into()], vec!["e = 4".into()]),
            ]
        );
    }

    #[test]
    fn lines_that_stay_are_not_shown_as_changed() {
        assert_eq!(
            diff("a\nb\nc", &[(0, 5, "a\nx\ny\nc")]),
            [(2, vec!["b".into()], vec!["x".into(), "y".into()])]
        );
        assert_eq!(diff("a\nb\nc", &[(1, 3, "")]), [(2, vec!["b".into()], vec![])]);
    }

    #[test]
    fn edits_outside_the_file_are_left_out() {
        assert_eq!(diff("ab", &[(1, 9, "x"), (7, 8, "y")]), []);
    }
}
