use daypass_prove::{Persona, Verdict};

use super::{shown, summary};
use crate::{Report, Row};

/// How many findings are shown: a comment has an end.
const MOST: usize = 100;

/// The report as a comment on a pull request: what was found, then who gets into which role.
pub fn markdown(report: &Report) -> String {
    let mut out = format!("### daypass: {}\n", escaped(&summary(report)));
    if !report.findings.is_empty() {
        out.push_str("\n| | where | role | finding |\n|---|---|---|---|\n");
    }
    for finding in report.findings.iter().take(MOST) {
        let mut text = format!("`{}`: {}", finding.rule, escaped(&finding.message));
        for more in [shown(finding), finding.help.clone()].into_iter().flatten() {
            text.push_str(&format!("<br>{}", escaped(&more)));
        }
        let word = finding.verdict.map_or(finding.severity.as_str(), crate::Verdict::as_str);
        out.push_str(&format!(
            "| **{word}** | {}:{} | {} | {text} |\n",
            code(&finding.file),
            finding.line,
            code(&finding.role)
        ));
    }
    if report.findings.len() > MOST {
        out.push_str(&format!("\nThe first {MOST} of {} findings.\n", report.findings.len()));
    }
    let rows: Vec<&Row> = report.matrix.iter().filter(|row| row.dead.is_some()).take(MOST).collect();
    if !rows.is_empty() {
        out.push_str("\n<details><summary>Who gets in</summary>\n\n| role |");
        out.push_str(&Persona::ALL.map(|persona| format!(" {} |", persona.as_str())).concat());
        out.push_str(&format!("\n|---|{}\n", "---|".repeat(Persona::ALL.len())));
        for row in rows {
            let cells = Persona::ALL.map(|persona| format!(" {} |", cell(row, persona))).concat();
            out.push_str(&format!("| {} |{cells}\n", code(&row.role)));
        }
        out.push_str("\n</details>\n");
    }
    for (title, lines) in [
        ("Not known from the files", report.unresolved.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ("Not read", report.problems.iter().map(ToString::to_string).collect()),
    ] {
        if !lines.is_empty() {
            out.push_str(&format!("\n<details><summary>{title}</summary>\n\n"));
            for line in lines.iter().take(MOST) {
                out.push_str(&format!("- {}\n", escaped(line)));
            }
            out.push_str("\n</details>\n");
        }
    }
    out
}

fn cell(row: &Row, persona: Persona) -> &'static str {
    let answer = row.personas.iter().find(|it| it.persona == persona).map(|it| it.answer.answer);
    match answer {
        Some(Verdict::Yes) if persona == Persona::Intended => "in",
        Some(Verdict::Yes) => "**in**",
        Some(Verdict::Unknown) => "?",
        Some(Verdict::No) | None => "-",
    }
}

/// Text in a cell: what would be a tag, a cell's end or a line's end is not. Between backticks only the latter two are anything.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_code = false;
    for c in text.chars() {
        match c {
            '`' => {
                in_code = !in_code;
                out.push(c);
            }
            '|' => out.push_str("\\|"),
            '\n' | '\r' => out.push(' '),
            '<' if !in_code => out.push_str("&lt;"),
            '@' if !in_code => out.push_str("@\u{200b}"),
            '*' | '_' | '[' if !in_code => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|").replace(['\n', '\r'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_makes_no_cells_tags_or_mentions() {
        assert_eq!(escaped("a|b\n<img> @acme `x|<y>`"), "a\\|b &lt;img> @\u{200b}acme `x\\|<y>`");
        assert_eq!(code("a`b|c"), "`a'b\\|c`");
    }
}
