use crate::{Report, Severity};

/// Findings as workflow commands, which GitHub shows beside the lines of a pull request.
///
/// `::error file=FILE,line=L,endLine=L,col=C,endColumn=C,title=RULE::MESSAGE` (docs.github.com, "Workflow commands").
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let level = match finding.severity {
            Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low | Severity::Info => "notice",
        };
        let mut message = finding.message.clone();
        if let Some(help) = &finding.help {
            message.push_str(&format!("\n{help}"));
        }
        // Columns count only within a line.
        let columns = if finding.line == finding.end_line {
            format!(",col={},endColumn={}", finding.column, finding.end_column)
        } else {
            String::new()
        };
        out.push_str(&format!(
            "::{level} file={},line={},endLine={}{columns},title={}::{}\n",
            property(&finding.file),
            finding.line,
            finding.end_line,
            property(&format!("{} ({})", finding.rule, finding.role)),
            data(&message)
        ));
    }
    for problem in &report.problems {
        out.push_str(&format!(
            "::warning file={},line={},col={}::{}\n",
            property(&problem.location.file),
            problem.location.line,
            problem.location.column,
            data(&problem.message)
        ));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
        assert_eq!(data("a::b\r\n"), "a::b%0D%0A");
    }
}
