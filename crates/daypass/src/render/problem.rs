use std::io::{self, Write};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use daypass_trust::document::{Problem, Source, Span};
use serde_json::{Value, json};

/// Writes problems as errors, each with the line it is about.
pub(crate) fn problems(out: &mut dyn Write, problems: &[Problem], sources: &[Source]) -> io::Result<()> {
    problems.iter().try_for_each(|problem| write_one(out, &Level::ERROR, problem, sources))
}

/// Writes problems as warnings.
pub(crate) fn warnings(out: &mut dyn Write, problems: &[Problem], sources: &[Source]) -> io::Result<()> {
    problems.iter().try_for_each(|problem| write_one(out, &Level::WARNING, problem, sources))
}

/// `{"file", "line", "column", "message", "help"}`.
pub(crate) fn problem_json(problem: &Problem) -> Value {
    json!({
        "file": problem.location.file,
        "line": problem.location.line,
        "column": problem.location.column,
        "message": problem.message,
        "help": problem.help,
    })
}

fn write_one(
    out: &mut dyn Write,
    level: &Level<'_>,
    problem: &Problem,
    sources: &[Source],
) -> io::Result<()> {
    let title = level.clone().primary_title(problem.message.as_str());
    let source = sources.iter().find(|source| source.name() == &*problem.location.file);
    let group = match source.and_then(|source| Some((source, shown(source, problem)?))) {
        Some((source, span)) => Group::with_title(title).element(
            Snippet::source(source.text())
                .path(source.name())
                .annotation(AnnotationKind::Primary.span(span.start..span.end)),
        ),
        None => Group::with_title(title).element(
            annotate_snippets::Origin::path(problem.location.file.to_string())
                .line(problem.location.line)
                .char_column(problem.location.column),
        ),
    };
    let group = match &problem.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    };
    let text = Renderer::styled().decor_style(DecorStyle::Ascii).render(&[group]);
    writeln!(out, "{text}\n")
}

/// The bytes to underline; `None` where the lines are not to be shown: files that could not be read have none, and a line
/// with a password in an URL or with a token is not for a log.
fn shown(source: &Source, problem: &Problem) -> Option<Span> {
    let text = source.text();
    let located = source.at(problem.span) == problem.location;
    let start = if located { problem.span.start } else { offset(text, problem.location.line)? };
    let line_end = text.get(start..)?.find('\n').map_or(text.len(), |length| start.saturating_add(length));
    // What spans many lines is a table or a statement: its first line says which.
    let end = if located && problem.span.end <= line_end { problem.span.end.max(start) } else { line_end };
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let line = text.get(line_start..line_end)?;
    // Every token begins with the base64 of `{"`.
    let secret = line.contains("://") && line.contains('@') || line.contains("eyJ");
    (!text.is_empty() && !secret).then(|| Span::new(start, end))
}

/// Where a 1-based line starts.
fn offset(text: &str, line: usize) -> Option<usize> {
    let before: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    (before < text.len()).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(problem: &Problem, source: &Source) -> String {
        let mut out = Vec::new();
        problems(&mut out, std::slice::from_ref(problem), std::slice::from_ref(source)).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn a_problem_shows_its_line_and_what_would_be_right() {
        let source = Source::new("daypass.toml", "listen = \"x\"\ndata = \"d\"\n");
        let problem =
            Problem::new(&source, Span::new(9, 12), "`x` is not an address").help("for example 127.0.0.1:80");
        insta::assert_snapshot!(rendered(&problem, &source), @r#"
        error: `x` is not an address
         --> daypass.toml:1:10
          |
        1 | listen = "x"
          |          ^^^
          |
          = help: for example 127.0.0.1:80
        "#);
    }

    #[test]
    fn a_line_with_a_password_is_not_shown() {
        let source = Source::new("daypass.toml", "data = \"postgres://daypass:hunter2@db/daypass\"\n");
        let text = rendered(&Problem::new(&source, Span::new(0, 4), "something"), &source);
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("daypass.toml:1:1"), "{text}");
    }

    #[test]
    fn a_token_is_not_shown() {
        let source = Source::new("claims.json", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln\n");
        let text = rendered(&Problem::new(&source, Span::new(0, 1), "expected value"), &source);
        assert!(!text.contains("eyJ"), "{text}");
    }

    #[test]
    fn a_problem_without_its_source_still_says_where() {
        let source = Source::new("a.json", "{}\n");
        let text = rendered(&Problem::new(&source, Span::new(0, 1), "something"), &Source::new("b", ""));
        assert!(text.contains("a.json:1:1"), "{text}");
    }
}
