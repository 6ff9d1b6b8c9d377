//! Reports for people and for machines.

mod github;
mod markdown;
mod sarif;
mod text;

pub use github::github;
pub use markdown::markdown;
pub(crate) use sarif::place;
pub use sarif::sarif;
pub use text::{TextOptions, text};

use crate::{Report, Severity};

/// How many of each severity there are, in words: `2 high, 1 low`.
fn counted(report: &Report) -> String {
    let counts = Severity::ALL.into_iter().rev().filter_map(|severity| {
        let count = report.findings.iter().filter(|it| it.severity == severity).count();
        (count > 0).then(|| format!("{count} {}", severity.as_str()))
    });
    counts.collect::<Vec<_>>().join(", ")
}

/// What was looked at and what came of it, in a sentence.
fn summary(report: &Report) -> String {
    let plural = |count: usize, one: &str, many: &str| {
        if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
    };
    let looked = format!(
        "{} and {}",
        plural(report.policies, "trust policy", "trust policies"),
        plural(report.pipelines, "pipeline", "pipelines")
    );
    let found = match report.findings.len() {
        0 => "nothing found".to_owned(),
        count => format!("{} ({})", plural(count, "finding", "findings"), counted(report)),
    };
    let mut text = format!("{found} in {looked}");
    for (count, one, many) in [
        (
            report.unresolved.len(),
            "construct is not known from the files",
            "constructs are not known from the files",
        ),
        (report.problems.len(), "place could not be read", "places could not be read"),
        (report.ignored.len(), "finding is ignored by a comment", "findings are ignored by comments"),
        (report.accepted.len(), "finding is in the baseline", "findings are in the baseline"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {}", plural(count, one, many)));
        }
    }
    text
}

/// Who gets in, in a phrase: the persona, and its token's subject and audience.
fn shown(finding: &crate::Finding) -> Option<String> {
    let witness = finding.witness.as_ref()?;
    let who = finding.persona.map_or_else(|| "a token".to_owned(), |persona| persona.about().to_owned());
    let audience = witness.claims.audiences().unwrap_or_default().join(", ");
    let audience = if audience.is_empty() { String::new() } else { format!(", aud `{audience}`") };
    Some(format!("{who}: a token of {} with sub `{}`{audience}", witness.issuer, witness.subject()))
}
