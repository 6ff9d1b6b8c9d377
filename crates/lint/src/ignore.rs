//! Comments that take a finding back: `daypass:ignore RULE REASON`.
//!
//! A comment counts for the findings of its line, of the line below it, and of the role that is declared there. The reason is
//! for whoever reads the file next, and without one the comment does not count. JSON has no comments: see [`crate::Baseline`].

use daypass_trust::document::{Source, Span};
use serde::Serialize;

use crate::rules::{RULES, useless_ignore};
use crate::{Finding, Report};

/// What a comment begins with that takes a finding back.
const MARK: &str = "daypass:ignore";

/// A finding that a comment takes back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ignored {
    /// What was found.
    pub finding: Finding,
    /// Why it is taken back.
    pub reason: String,
}

/// A comment that takes a finding back.
#[derive(Debug)]
struct Comment<'s> {
    line: usize,
    span: Span,
    rule: &'s str,
    reason: &'s str,
    /// The line of what stands below the comment and others like it.
    below: usize,
}

/// Takes findings back that comments of their files speak of, and adds those about comments that do nothing. `declared` tells
/// where the role of a finding is declared, if that is in the same file.
pub(crate) fn apply(report: &mut Report, sources: &[Source], declared: &dyn Fn(&Finding) -> Option<usize>) {
    for source in sources {
        let comments = comments(source);
        for comment in &comments {
            if !RULES.iter().any(|rule| rule.id == comment.rule) {
                let message = format!("no rule is called `{}`", comment.rule);
                report.findings.push(useless_ignore(source, comment.span, message));
                continue;
            }
            if comment.reason.is_empty() {
                let message = format!("`{}` is ignored without a reason, and so is not", comment.rule);
                report.findings.push(useless_ignore(source, comment.span, message));
                continue;
            }
            let is_meant = |finding: &Finding| {
                *finding.file == *source.name()
                    && finding.rule == comment.rule
                    && [Some(finding.line), declared(finding)]
                        .into_iter()
                        .flatten()
                        .any(|line| line == comment.line || line == comment.below)
            };
            let before = report.findings.len();
            let (meant, kept) = std::mem::take(&mut report.findings).into_iter().partition(is_meant);
            report.findings = kept;
            let meant: Vec<Finding> = meant;
            let reason = comment.reason;
            report
                .ignored
                .extend(meant.into_iter().map(|finding| Ignored { finding, reason: reason.to_owned() }));
            if report.findings.len() == before {
                let message = format!("`{}` finds nothing here that could be ignored", comment.rule);
                report.findings.push(useless_ignore(source, comment.span, message));
            }
        }
    }
}

fn comments(source: &Source) -> Vec<Comment<'_>> {
    if !source.text().contains(MARK) || !has_comments(source.name()) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut offset = 0_usize;
    let lines: Vec<&str> = source.text().split('\n').collect();
    for (index, line) in lines.iter().enumerate() {
        if let Some((before, after)) = line.split_once(MARK)
            && let Some(sign) = before.trim_end().chars().last().filter(|c| matches!(c, '#' | '/' | '*'))
        {
            let (rule, reason) = after.trim().split_once(char::is_whitespace).unwrap_or((after.trim(), ""));
            let alone = before.trim().trim_matches(['#', '/', '*']).is_empty();
            let is_comment = |line: &&&str| {
                let line = line.trim_start();
                line.starts_with(sign) || line.starts_with('#') || line.starts_with("//")
            };
            let comments_below = lines.iter().skip(index.saturating_add(1)).take_while(is_comment).count();
            let line_number = index.saturating_add(1);
            let start = offset.saturating_add(before.len());
            found.push(Comment {
                line: line_number,
                span: Span::new(start, offset.saturating_add(line.len())),
                rule,
                reason: reason.trim().trim_end_matches("*/").trim(),
                below: if alone {
                    line_number.saturating_add(comments_below).saturating_add(1)
                } else {
                    line_number
                },
            });
        }
        offset = offset.saturating_add(line.len()).saturating_add(1);
    }
    found
}

/// Whether files of that name have comments that begin with `#` or `//`.
fn has_comments(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    extension != "json"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_speaks_of_its_line_or_of_what_stands_below() {
        let text = "# daypass:ignore any-tag releases\n# more\nresource {\n  x = 1 # daypass:ignore no-tenant because\n}\n";
        let source = Source::new("a.tf", text);
        let found: Vec<_> =
            comments(&source).into_iter().map(|it| (it.rule, it.reason, it.line, it.below)).collect();
        assert_eq!(found, [("any-tag", "releases", 1, 3), ("no-tenant", "because", 4, 4)]);
        assert_eq!(source.slice(comments(&source)[1].span), "daypass:ignore no-tenant because");
    }

    #[test]
    fn text_that_is_no_comment_is_none() {
        assert!(comments(&Source::new("a.tf", "x = \"daypass:ignore any-tag why\"\n")).is_empty());
        assert!(comments(&Source::new("a.json", "# daypass:ignore any-tag why\n")).is_empty());
    }
}
