//! What audit logs show, as a retirement asks for it.

use std::time::Duration;

use daypass_evidence::{Credential, Expectation, Report, SessionFinding, Use as Verdict};

use super::{Evidence, Use};
use crate::plan::Planned;

/// Answers of `daypass evidence`: of one cloud, or of several.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    reports: Vec<Report>,
}

impl Observed {
    /// What all of these say together. A credential that one of them saw used is used, whatever the others say.
    pub const fn new(reports: Vec<Report>) -> Self {
        Self { reports }
    }
}

impl Evidence for Observed {
    fn usage(&self, credential: &Planned) -> Option<Use> {
        let all = self.reports.iter().flat_map(|report| &report.credentials);
        let about: Vec<&Credential> = all.filter(|found| is_about(found, credential)).collect();
        let worst = about.iter().max_by_key(|found| found.verdict)?;
        Some(match worst.verdict {
            Verdict::Used => Use::Used { last: worst.why.join("; ") },
            Verdict::Unknown => Use::Unknown { why: worst.why.join("; ") },
            Verdict::Unused => {
                let longest = about.iter().map(|found| found.window_days).max().unwrap_or_default();
                Use::Unused { window: Duration::from_secs(longest.saturating_mul(86_400)), gaps: Vec::new() }
            }
        })
    }

    /// Logs know roles and not jobs: a run counts for every job that has the role.
    fn runs(&self, role: &str, _file: &str, _job: &str) -> Option<u64> {
        let heard = self.reports.iter().filter(|report| report.read.records > 0);
        let mut heard = heard.peekable();
        heard.peek()?;
        // Where nobody said which sessions are planned, none of them is unplanned either.
        let open = |it: &&SessionFinding| it.expectation == Expectation::NotAsked;
        let sessions = heard.flat_map(|report| report.runs.iter().chain(report.sessions.iter().filter(open)));
        let of_role = sessions.filter(|session| is_of(session, role));
        Some(of_role.map(|session| session.issued_since).sum())
    }
}

/// By the id of the plan, by that of the key, or by whose it is where the plan does not know the key.
fn is_about(found: &Credential, planned: &Planned) -> bool {
    match (&planned.key, &planned.principal) {
        _ if found.credential == planned.id => true,
        (Some(key), _) => found.keys.contains(key),
        (None, Some(principal)) => !found.principal.is_empty() && found.principal == *principal,
        (None, None) => false,
    }
}

/// Whether a session acts as a role, or as one of the parts that it was split into.
fn is_of(session: &SessionFinding, role: &str) -> bool {
    let name = session.principal.rsplit('/').next().unwrap_or_default();
    let name = name.split_once('@').map_or(name, |(account, _)| account);
    name.strip_prefix(role).is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok())
    })
}
