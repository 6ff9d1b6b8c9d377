//! The checks, one for each sentence of the standard.

use std::sync::Arc;

use daypass_evidence::{Report as Evidence, Use};
use daypass_sources::FoundPolicy;

use super::{Check, Place, Sprawl, Trust};
use crate::{Finding, Report};

/// A sentence of the standard, and how it is told whether it holds.
#[derive(Clone, Copy, Debug)]
pub struct Standard {
    /// Its id.
    pub id: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    /// The rules whose findings stand against it.
    pub rules: &'static [&'static str],
    about: About,
}

/// What has to be there for a check to mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Pipelines,
    Trust,
    /// Trust, with what whoever gets in may do.
    Permissions,
    /// Stored credentials in logs.
    Keys,
    /// The logs themselves.
    Logs,
    Sprawl,
}

/// The check of trust that nobody needs.
pub(super) const SPRAWL: &str = "no-sprawl";

/// The house standard.
pub const STANDARD: &[Standard] = &[
    Standard {
        id: "workload-identity",
        asks: "pipelines reach clouds by workload identity, and not by stored credentials",
        rules: &["static-credential", "hardcoded-credential", "exposed-service-principal"],
        about: About::Pipelines,
    },
    Standard {
        id: "no-fallback",
        asks: "no stored credential stands beside a token, as a fallback",
        rules: &["static-fallback", "static-principal"],
        about: About::Pipelines,
    },
    Standard {
        id: "no-dormant-keys",
        asks: "no stored credential is used any more",
        rules: &[],
        about: About::Keys,
    },
    Standard {
        id: "tokens-kept-close",
        asks: "tokens are for the jobs that need them, and nobody else's code runs beside them",
        rules: &[
            "untrusted-code-with-token",
            "injected-script",
            "leaked-token",
            "token-for-every-job",
            "secrets-inherit",
            "self-hosted-for-strangers",
        ],
        about: About::Pipelines,
    },
    Standard {
        id: "own-tenant",
        asks: "trust is in a named issuer, and in one's own organisation on it",
        rules: &[
            "no-tenant",
            "any-tenant",
            "open-prefix",
            "wildcard-tenant",
            "unanchored-match",
            "custom-subject",
            "borrowed-claim",
            "vacuous-condition",
            "negative-only",
            "undone-by-alternative",
            "foreign-tenant",
            "wildcard-principal",
            "unapproved-issuer",
            "misspelt-issuer",
            "open-provider",
        ],
        about: About::Trust,
    },
    Standard {
        id: "exact-audience",
        asks: "the audience is asked for, and is nobody else's",
        rules: &["no-audience", "shared-audience", "broad-audience"],
        about: About::Trust,
    },
    Standard {
        id: "repository-conditions",
        asks: "a role is for a repository, and not for an organisation",
        rules: &["organisation-wide", "any-workload", "person-as-identity", "ambiguous-subject"],
        about: About::Trust,
    },
    Standard {
        id: "ref-conditions",
        asks: "a role that deploys is for refs or environments, and not for every run",
        rules: &["repository-wide", "any-branch", "any-tag", "pull-request", "unpinned-workflow"],
        about: About::Trust,
    },
    Standard {
        id: "environment-roles",
        asks: "environments have roles of their own",
        rules: &["overlapping-roles", "any-environment"],
        about: About::Trust,
    },
    Standard {
        id: "no-administrators",
        asks: "no pipeline is an administrator",
        rules: &["administrator"],
        about: About::Permissions,
    },
    Standard {
        id: "short-sessions",
        asks: "sessions end soon after the job",
        rules: &["long-session", "endless-token"],
        about: About::Trust,
    },
    Standard {
        id: "working-trust",
        asks: "every trust policy does what it says",
        rules: &["dead-trust", "refused-policy", "unsupported-key", "idle-deny"],
        about: About::Trust,
    },
    Standard {
        id: "assumptions-logged",
        asks: "assumptions of roles are in the logs, every day",
        rules: &[],
        about: About::Logs,
    },
    Standard {
        id: SPRAWL,
        asks: "no role, and no condition of one, is wider than its use",
        rules: &[],
        about: About::Sprawl,
    },
];

/// What was looked at.
pub(super) struct Looked<'l> {
    pub(super) report: &'l Report,
    pub(super) trusts: &'l [Trust<'l>],
    pub(super) evidence: Option<&'l Evidence>,
    pub(super) sprawl: &'l [Sprawl],
    /// What of the sprawl could not be told.
    pub(super) doubts: &'l [Place],
}

/// How a check came out: whether it passes, why, and what speaks for that.
type Outcome = (Option<bool>, String, Vec<Place>);

impl Standard {
    pub(super) fn check(&self, looked: &Looked<'_>) -> Check {
        let (pass, why, places) = match self.about {
            About::Pipelines | About::Trust | About::Permissions => self.by_rules(looked),
            About::Keys => keys(looked.evidence),
            About::Logs => logs(looked.evidence),
            About::Sprawl => sprawl(looked),
        };
        Check { id: self.id, standard: self.asks, pass, why, places }
    }

    fn by_rules(&self, looked: &Looked<'_>) -> Outcome {
        let report = looked.report;
        let against: Vec<Place> =
            report.findings.iter().filter(|it| self.rules.contains(&it.rule)).map(Place::of).collect();
        if !against.is_empty() {
            let count = against.len();
            return (Some(false), format!("{} against it", counted(count, "finding")), against);
        }
        let (what, number) = match self.about {
            About::Pipelines => ("pipeline", report.pipelines),
            _ => ("trust policy", report.policies),
        };
        if number == 0 {
            return (None, format!("there is no {what} below the paths"), Vec::new());
        }
        let doubts = self.doubts(looked);
        if !doubts.is_empty() {
            return (None, "not all of it could be looked at".to_owned(), doubts);
        }
        (Some(true), format!("nothing against it in {}", counted(number, what)), Vec::new())
    }

    /// What keeps "nothing was found" from being "there is nothing".
    fn doubts(&self, looked: &Looked<'_>) -> Vec<Place> {
        let report = looked.report;
        let problems = report.problems.iter().map(|it| Place {
            file: it.location.file.clone(),
            line: it.location.line,
            what: it.message.clone(),
        });
        let mut doubts: Vec<Place> = problems.collect();
        if self.about == About::Pipelines {
            return doubts;
        }
        doubts.extend(report.unresolved.iter().map(|it| Place {
            file: it.location.file.clone(),
            line: it.location.line,
            what: format!("`{}`: {}", it.construct, it.why),
        }));
        doubts.extend(report.findings.iter().filter(|it| it.rule == "undecided").map(Place::of));
        if self.about == About::Permissions {
            let unseen = looked.trusts.iter().filter(|it| it.found.facts.permissions.is_empty());
            doubts.extend(unseen.map(|it| {
                Place::at(it.found, format!("what `{}` permits does not stand beside it", it.found.role))
            }));
        }
        doubts
    }
}

/// Whether stored credentials were used.
fn keys(evidence: Option<&Evidence>) -> Outcome {
    let Some(evidence) = evidence else { return without_evidence() };
    let of = |verdict: Use| evidence.credentials.iter().filter(move |it| it.verdict == verdict);
    let tell = |verdict: Use| {
        let each = of(verdict).map(|it| Place::seen(format!("{}: {}", it.credential, it.why.join("; "))));
        each.collect::<Vec<_>>()
    };
    let (used, unknown) = (tell(Use::Used), tell(Use::Unknown));
    if !used.is_empty() {
        let why = format!("{} used since {}", counted(used.len(), "stored credential"), evidence.since);
        return (Some(false), why, used);
    }
    if !unknown.is_empty() {
        let why = format!("of {} it cannot be told", counted(unknown.len(), "stored credential"));
        return (None, why, unknown);
    }
    if evidence.logs.is_empty() {
        return (None, "the evidence has no logs".to_owned(), Vec::new());
    }
    let unused = of(Use::Unused).count();
    (Some(true), format!("{} known, and none used", counted(unused, "stored credential")), Vec::new())
}

/// Whether the logs are all there, and have sessions of the roles in them.
fn logs(evidence: Option<&Evidence>) -> Outcome {
    let Some(evidence) = evidence else { return without_evidence() };
    let gaps: Vec<Place> = evidence
        .logs
        .iter()
        .filter(|it| !it.coverage.missing.is_empty() || it.coverage.lost > 0)
        .map(|it| {
            let missing = it.coverage.missing.len();
            let lost = it.coverage.lost;
            Place::seen(format!(
                "{} {}: {missing} of {} days without logs, {lost} records or parts of files lost",
                it.cloud, it.account, it.coverage.days
            ))
        })
        .collect();
    if !gaps.is_empty() {
        return (Some(false), "the logs have gaps".to_owned(), gaps);
    }
    let issued: u64 = sessions(evidence).map(|it| it.issued).sum();
    match (evidence.logs.len(), issued) {
        (0, _) => (None, "the evidence has no logs".to_owned(), Vec::new()),
        (_, 0) => (None, "the logs are there, and have no session of a workload".to_owned(), Vec::new()),
        (accounts, issued) => {
            let accounts = counted(accounts, "account");
            (Some(true), format!("{issued} sessions of workloads in the logs of {accounts}"), Vec::new())
        }
    }
}

fn sprawl(looked: &Looked<'_>) -> Outcome {
    if looked.evidence.is_none() {
        return without_evidence();
    }
    if !looked.sprawl.is_empty() {
        let places = looked.sprawl.iter().flat_map(|it| {
            let role = &it.role;
            let whole = Place { file: it.file.clone(), line: it.line, what: format!("`{role}`: {}", it.why) };
            let parts = it.idle.iter().map(move |part| Place {
                file: part.file.clone(),
                line: part.line,
                what: format!("`{role}`: {} was of no use", part.what),
            });
            std::iter::once(whole).chain(parts)
        });
        let why = format!("{} beyond use", counted(looked.sprawl.len(), "trust policy"));
        return (Some(false), why, places.collect());
    }
    if looked.trusts.is_empty() {
        return (None, "there is no trust policy below the paths".to_owned(), Vec::new());
    }
    if !looked.doubts.is_empty() {
        return (None, "not all of it could be told".to_owned(), looked.doubts.to_vec());
    }
    (Some(true), format!("{} as wide as its use", counted(looked.trusts.len(), "trust policy")), Vec::new())
}

/// Every session that came of a token.
pub(super) fn sessions(evidence: &Evidence) -> impl Iterator<Item = &daypass_evidence::SessionFinding> {
    evidence.runs.iter().chain(&evidence.sessions)
}

fn without_evidence() -> Outcome {
    (None, "there is no evidence: give the answer of `daypass evidence --json`".to_owned(), Vec::new())
}

/// `1 trust policy`, `2 trust policies`.
fn counted(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}

impl Place {
    fn of(finding: &Finding) -> Self {
        let what = format!("{}: {} (`{}`)", finding.role, finding.message, finding.rule);
        Self { file: finding.file.clone(), line: finding.line, what }
    }

    /// Where a role is declared.
    pub(super) fn at(found: &FoundPolicy, what: String) -> Self {
        Self { file: found.location.file.clone(), line: found.location.line, what }
    }

    /// What stands in no file.
    fn seen(what: String) -> Self {
        Self { file: Arc::from(""), line: 1, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_is_named_is_one() {
        for standard in STANDARD {
            for rule in standard.rules {
                assert!(crate::rule(rule).is_some(), "{}: {rule}", standard.id);
            }
        }
    }

    #[test]
    fn nouns_have_plurals() {
        assert_eq!(counted(1, "trust policy"), "1 trust policy");
        assert_eq!(counted(2, "trust policy"), "2 trust policies");
        assert_eq!(counted(0, "finding"), "0 findings");
    }
}
