//! What evidence comes down to, in the form that is printed and that later steps of a migration read.

use std::cmp::Reverse;
use std::fmt::Write as _;

use daypass_claims::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Cloud;
use crate::judge::{
    Consumer, Coverage, CredentialFinding, Doubt, Expectation, Findings, Logs, Question, SessionFinding,
    Stored, Verdict,
};
use crate::skip::{FileReport, Reading, Skip};

/// The answer of `daypass evidence --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// From when on stored credentials should not be used any more.
    #[serde(with = "crate::rfc3339")]
    pub since: Timestamp,
    /// The end of the window.
    #[serde(with = "crate::rfc3339")]
    pub until: Timestamp,
    /// Those that were asked for, in that order, then all others that were seen: used ones first, and the last of them first.
    pub credentials: Vec<Credential>,
    /// Sessions that nobody planned; where nothing was planned, all. Who got in comes before who was refused.
    pub sessions: Vec<SessionFinding>,
    /// Sessions of planned workloads or roles.
    pub runs: Vec<SessionFinding>,
    /// What of the logs there is in the window, for each account that there are any of.
    #[serde(default)]
    pub logs: Vec<Logs>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
    /// What was read.
    pub read: Read,
}

/// What is known of a stored credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The name it was asked for by, or else its id.
    pub credential: String,
    /// Whether it was asked for.
    pub asked: bool,
    /// Where it is good.
    pub cloud: Cloud,
    /// Its account; empty where that is not known.
    pub account: String,
    /// Whose it is; empty where that is not known.
    pub principal: String,
    /// The ids that were judged: several where its owner has several.
    pub keys: Vec<String>,
    /// Whether it was used in the window.
    pub verdict: Use,
    /// The beginning of the window.
    #[serde(with = "crate::rfc3339")]
    pub since: Timestamp,
    /// Whole days from there to the window's end.
    pub window_days: u64,
    /// Its first use that is known of.
    #[serde(with = "crate::rfc3339::option")]
    pub first: Option<Timestamp>,
    /// Its last use that is known of.
    #[serde(with = "crate::rfc3339::option")]
    pub last: Option<Timestamp>,
    /// What of the logs there is; none where it was used, which needs no more.
    pub coverage: Option<Coverage>,
    /// What the verdict rests on, in words.
    pub why: Vec<String>,
    /// Who uses it, the last first.
    pub consumers: Vec<Consumer>,
}

/// Whether a credential was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// No use was seen, and the logs are there in which it would have been.
    Unused,
    /// It cannot be told.
    Unknown,
    /// It was.
    Used,
}

/// A file with something left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The file.
    pub file: String,
    /// What was left out, why, and where the first of it stands.
    pub why: String,
}

/// How much was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Files.
    pub files: u64,
    /// Files that hold no records: digests and insights.
    pub passed_over: u64,
    /// Bytes, compressed as they were.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Session uses that were recorded earlier than the session's own issue.
    pub used_before_issue: u64,
}

impl Report {
    /// Puts together what was asked, what was found, and what there was to find it in.
    pub fn new(question: &Question, findings: Findings, reading: &Reading) -> Self {
        let Findings { credentials, sessions, logs } = findings;
        let mut told: Vec<Credential> =
            question.credentials.iter().map(|asked| told_of(asked, &credentials, question)).collect();
        let is_known = |finding: &&CredentialFinding| {
            told.iter().any(|it| it.cloud == finding.cloud && it.keys.contains(&finding.credential))
        };
        let others = credentials.iter().filter(|it| !it.credential.is_empty() && !is_known(it));
        let mut others: Vec<Credential> =
            others.map(|finding| summed(&finding.credential, false, &[finding], question)).collect();
        others.sort_by_key(|it| (Reverse(it.verdict), Reverse(it.last)));
        told.append(&mut others);
        let (mut unplanned, runs): (Vec<_>, Vec<_>) = sessions
            .into_iter()
            .partition(|it| it.expectation.is_surprise() || it.expectation == Expectation::NotAsked);
        // Anybody may be refused any number of times, and that is not to hide who got in.
        unplanned.sort_by_key(|it| (it.issued == 0, it.uses <= it.refused, Reverse(it.last)));
        Self {
            since: question.cut_over,
            until: question.until,
            credentials: told,
            sessions: unplanned,
            runs,
            logs,
            skipped: skipped(reading),
            read: Read {
                files: reading.files,
                passed_over: reading.passed_over,
                bytes: reading.bytes,
                records: reading.records,
                used_before_issue: reading.used_before_issue,
            },
        }
    }

    /// What is known of a credential, by the name it was asked for by.
    pub fn credential(&self, name: &str) -> Option<&Credential> {
        self.credentials.iter().find(|it| it.credential == name)
    }
}

/// One that was asked for: by its id, or as all that its owner has.
fn told_of(asked: &Stored, findings: &[CredentialFinding], question: &Question) -> Credential {
    let fitting: Vec<&CredentialFinding> = findings.iter().filter(|it| asked.is(it)).collect();
    let name = if asked.name.is_empty() { &asked.credential } else { &asked.name };
    if !fitting.is_empty() {
        return summed(name, true, &fitting, question);
    }
    let nobody = "neither its id nor its owner is known, by which logs know it".to_owned();
    Credential {
        credential: name.clone(),
        asked: true,
        cloud: asked.cloud,
        account: asked.account.clone(),
        principal: asked.principal.clone(),
        keys: Vec::new(),
        verdict: Use::Unknown,
        since: question.cut_over,
        window_days: window_days(question),
        first: None,
        last: None,
        coverage: None,
        why: vec![nobody],
        consumers: Vec::new(),
    }
}

/// The findings on one credential, or on all keys of its owner, as one.
fn summed(name: &str, asked: bool, findings: &[&CredentialFinding], question: &Question) -> Credential {
    let verdict = findings.iter().map(|it| Use::of(&it.verdict)).max().unwrap_or(Use::Unknown);
    let mut why = Vec::new();
    for finding in findings.iter().filter(|it| Use::of(&it.verdict) == verdict) {
        let of = if findings.len() > 1 { format!("{}: ", finding.credential) } else { String::new() };
        why.extend(reasons(finding, question).into_iter().map(|reason| format!("{of}{reason}")));
    }
    let mut consumers: Vec<Consumer> = findings.iter().flat_map(|it| it.consumers.clone()).collect();
    consumers.sort_by_key(|it| Reverse(it.last));
    let text = |of: fn(&CredentialFinding) -> &String| {
        findings.iter().map(|it| of(it)).find(|it| !it.is_empty()).cloned().unwrap_or_default()
    };
    let keys = findings.iter().map(|it| it.credential.clone()).filter(|it| !it.is_empty());
    Credential {
        credential: name.to_owned(),
        asked,
        cloud: findings.first().map_or(Cloud::Aws, |it| it.cloud),
        account: text(|it| &it.account),
        principal: text(|it| &it.principal),
        keys: keys.collect(),
        verdict,
        since: question.cut_over,
        window_days: window_days(question),
        first: findings.iter().filter_map(|it| it.first).min(),
        last: findings.iter().filter_map(|it| it.last).max(),
        coverage: findings.iter().find_map(|it| it.verdict.coverage()).cloned(),
        why,
        consumers,
    }
}

fn reasons(finding: &CredentialFinding, question: &Question) -> Vec<String> {
    match &finding.verdict {
        Verdict::Used { last, .. } => {
            let since = finding.consumers.iter().filter(|it| it.last >= question.cut_over);
            let mut why: Vec<String> = since.map(Consumer::in_words).collect();
            if why.is_empty() {
                why.push(format!("the cloud says that it was used at {last}"));
            }
            why
        }
        Verdict::NoUseSeen { coverage, .. } => vec![coverage.in_words()],
        Verdict::CannotTell { why, .. } => why.iter().map(Doubt::to_string).collect(),
    }
}

fn window_days(question: &Question) -> u64 {
    question.until.since(question.cut_over).as_secs() / 86_400
}

fn skipped(reading: &Reading) -> Vec<Skipped> {
    let mut all: Vec<Skipped> = reading.reports.iter().map(Skipped::of).collect();
    if reading.unnamed > 0 {
        let why = format!("{} more files of which something could not be read", reading.unnamed);
        all.push(Skipped { file: String::new(), why });
    }
    all
}

impl Skipped {
    fn of(report: &FileReport) -> Self {
        let said = report.skipped.iter().map(|(skip, count)| {
            let mut text = skip.to_string();
            if *count > 1 {
                // Writing to a `String` cannot fail.
                let _ = write!(text, " ({count} times)");
            }
            let first =
                report.places.iter().find(|place| place.skip == *skip && place.skip != Skip::Unreadable);
            if let Some(place) = first.filter(|place| place.offset > 0) {
                let _ = write!(text, " after {} bytes", place.offset);
            }
            text
        });
        Self { file: report.path.to_string(), why: said.collect::<Vec<_>>().join("; ") }
    }
}

impl Use {
    const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Used { .. } => Self::Used,
            Verdict::CannotTell { .. } => Self::Unknown,
            Verdict::NoUseSeen { .. } => Self::Unused,
        }
    }

    /// As in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Unknown => "unknown",
            Self::Used => "used",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skip::Place;
    use crate::{Evidence, SourceKind, judge};

    const USER: &str = "arn:aws:iam::111122223333:user/ci";

    fn time(day: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-10-{day:02}T00:00:00Z")).unwrap()
    }

    fn row(credential: &str, day: u32) -> crate::UseRow {
        serde_json::from_value(serde_json::json!({
            "cloud": "aws", "account": "111122223333", "class": "static", "credential": credential,
            "principal": USER, "issuer": "", "subject": "", "audience": "", "agent": "aws-cli",
            "system": "linux", "day": format!("2026-10-{day:02}"), "address": "192.0.2.1", "addresses": 1,
            "hours": 1, "minutes": 1, "issued": 0, "uses": 1, "refused": 0,
            "first": format!("2026-10-{day:02}T00:00:00Z"), "last": format!("2026-10-{day:02}T00:00:00Z"),
        }))
        .unwrap()
    }

    fn evidence(uses: Vec<crate::UseRow>) -> Evidence {
        let coverage = (1..20).map(|day| {
            serde_json::from_value(serde_json::json!({
                "cloud": "aws", "account": "111122223333", "region": "eu-west-1",
                "day": format!("2026-10-{day:02}"), "events": 9, "data": 9, "hours": 0x00ff_ffff, "lost": 0,
            }))
            .unwrap()
        });
        let coverage = coverage.collect();
        Evidence { uses, coverage, keys: Vec::new(), doubtful: Vec::new(), reading: Reading::default() }
    }

    fn asked(name: &str, credential: &str, principal: &str) -> Stored {
        Stored {
            name: name.to_owned(),
            cloud: Cloud::Aws,
            credential: credential.to_owned(),
            account: String::new(),
            principal: principal.to_owned(),
        }
    }

    fn report(uses: Vec<crate::UseRow>, credentials: Vec<Stored>) -> Report {
        let question =
            Question { cut_over: time(10), until: time(20), credentials, expected: vec![], stated_at: None };
        let evidence = evidence(uses);
        Report::new(&question, judge(&evidence, question.clone()), &evidence.reading)
    }

    #[test]
    fn a_credential_without_an_id_is_all_keys_of_its_owner() {
        let uses = || vec![row("AKIA1", 3), row("AKIA2", 12), row("AKIA3", 13)];
        for owner in [USER, "ci"] {
            let report = report(uses(), vec![asked("cred-1", "", owner)]);
            let found = report.credential("cred-1").unwrap();
            assert_eq!((found.verdict, found.keys.len(), found.window_days), (Use::Used, 3, 10));
            assert!(found.why[0].starts_with("AKIA2: ") && found.why.len() == 2, "{:?}", found.why);
            assert_eq!(report.credentials.len(), 1);
        }
    }

    #[test]
    fn an_owner_that_was_never_seen_has_used_none() {
        let named = report(vec![row("AKIA1", 12)], vec![asked("cred-1", "", "other")]);
        let one = named.credential("cred-1").unwrap();
        assert_eq!((one.verdict, one.why.len()), (Use::Unknown, 1), "of which account?");
        let found = report(vec![row("AKIA1", 12)], vec![asked("cred-1", "", &USER.replace("ci", "other"))]);
        let one = found.credential("cred-1").unwrap();
        assert_eq!((one.verdict, one.keys.len(), one.asked), (Use::Unused, 0, true));
        assert_eq!(one.why, ["no use in 10 of 10 days of logs from eu-west-1, with data events"]);
        assert_eq!((found.credentials[1].credential.as_str(), found.credentials[1].asked), ("AKIA1", false));
    }

    #[test]
    fn one_of_which_neither_id_nor_owner_is_known_cannot_be_told_of() {
        let found = report(vec![row("AKIA1", 12)], vec![asked("cred-1", "", "")]);
        assert_eq!(found.credential("cred-1").unwrap().verdict, Use::Unknown);
    }

    #[test]
    fn who_got_in_comes_before_who_was_refused() {
        let session = |subject: &str, issued: u64, day: u32| crate::UseRow {
            class: crate::Class::Federated,
            credential: String::new(),
            subject: subject.to_owned(),
            issued,
            uses: 0,
            refused: 1 - issued,
            ..row("", day)
        };
        let mut rows: Vec<_> = (1..10).map(|number| session(&format!("a{number}"), 0, 15)).collect();
        rows.extend([session("z1", 1, 11), session("z2", 1, 12), row("AKIA1", 3), row("AKIA2", 12)]);
        let report = report(rows, Vec::new());
        let first: Vec<&str> = report.sessions.iter().map(|it| it.subject.as_str()).take(3).collect();
        assert_eq!((first, report.sessions.len()), (vec!["z2", "z1", "a1"], 11));
        assert_eq!(report.credentials[0].credential, "AKIA2");
    }

    #[test]
    fn a_report_reads_back_as_it_was_written() {
        let report = report(vec![row("AKIA1", 3)], vec![asked("", "AKIA1", "")]);
        assert_eq!(report.credentials[0].verdict, Use::Unused);
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }

    #[test]
    fn what_was_skipped_is_said_with_its_place() {
        let mut file = FileReport::new("a.json.gz".into(), SourceKind::CloudTrail);
        file.skip(Skip::Truncated, 700);
        file.skip(Skip::Unknown, 0);
        file.skip(Skip::Unknown, 9);
        assert_eq!(file.places[0], Place { skip: Skip::Truncated, offset: 700 });
        assert_eq!(
            Skipped::of(&file).why,
            "the compressed data ends too early after 700 bytes; the record is none of this source (2 times)"
        );
    }
}
