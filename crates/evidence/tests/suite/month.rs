//! The made-up month, from files to findings.

use std::num::NonZeroUsize;

use daypass_evidence::synthesise::{
    BROKER_KEY, CUT_OVER, DEPLOY_KEY, DEPLOY_ROLE, DEPLOY_SUBJECT, LAPTOP_KEY, Month, REPORT_KEY,
    UNEXPECTED_SUBJECT, write_month,
};
use daypass_evidence::{
    Class, Confidence, ConsumerKind, Doubt, Evidence, Expectation, Expected, Findings, Options, Question,
    Verdict, judge,
};

use crate::common::{folder, read, time};

fn question() -> Question {
    Question {
        cut_over: time(&format!("{CUT_OVER}T00:00:00Z")),
        until: time("2026-11-01T00:00:00Z"),
        credentials: Vec::new(),
        expected: vec![Expected {
            principal: DEPLOY_ROLE.to_owned(),
            issuer: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com".to_owned(),
            subject: DEPLOY_SUBJECT.to_owned(),
        }],
        stated_at: None,
    }
}

fn month() -> (Evidence, Findings) {
    let (_folder, path) = folder();
    write_month(&path, &Month::default()).unwrap();
    let evidence = read(&path, &Options::default());
    let findings = judge(&evidence, question());
    (evidence, findings)
}

#[test]
fn the_forgotten_cron_job_is_found_and_the_finished_key_is_free() {
    let (evidence, findings) = month();
    assert!(evidence.reading.skipped.is_empty(), "{:?}", evidence.reading);
    let of = |key: &str| findings.credentials.iter().find(|it| it.credential == key).unwrap();
    let deploy = of(DEPLOY_KEY);
    assert!(matches!(deploy.verdict, Verdict::Used { days: 14, .. }), "{:?}", deploy.verdict);
    let cron = &deploy.consumers[0];
    assert_eq!((cron.kind, cron.confidence), (ConsumerKind::Scheduled, Confidence::Likely));
    assert_eq!((cron.address.as_str(), cron.days), ("203.0.113.7", 31));
    let pipeline = &deploy.consumers[1];
    assert_eq!((pipeline.kind, pipeline.agent.as_str()), (ConsumerKind::CiJob, "github-actions"));
    assert!(pipeline.last < question().cut_over && pipeline.addresses > 10);

    let Verdict::NoUseSeen { coverage, .. } = &of(REPORT_KEY).verdict else { panic!("{:?}", of(REPORT_KEY)) };
    assert_eq!((coverage.days, coverage.days_heard, coverage.lost), (14, 14, 0));
    assert!(coverage.data);
    assert_eq!(of(LAPTOP_KEY).consumers[0].kind, ConsumerKind::Workstation);
    assert!(matches!(of(BROKER_KEY).verdict, Verdict::Used { .. }));
}

#[test]
fn the_unexpected_session_stands_out() {
    let (_, findings) = month();
    let surprises: Vec<_> = findings.sessions.iter().filter(|it| it.expectation.is_surprise()).collect();
    let shown: Vec<String> = surprises
        .iter()
        .map(|it| {
            format!(
                "{} {} issued {} refused {} {:?}",
                it.principal, it.subject, it.issued, it.refused, it.expectation
            )
        })
        .collect();
    let [refused, direct, by_way_of] = surprises.as_slice() else { panic!("{shown:#?}") };
    assert_eq!((direct.subject.as_str(), direct.issued), (UNEXPECTED_SUBJECT, 1));
    assert_eq!(direct.expectation, Expectation::UnknownSubject);
    assert_eq!((refused.issued, refused.refused), (0, 7));
    assert_eq!(
        (by_way_of.subject.as_str(), by_way_of.expectation),
        (UNEXPECTED_SUBJECT, Expectation::Unknown)
    );
    let planned = findings.sessions.iter().find(|it| it.expectation == Expectation::Expected).unwrap();
    // Four runs a day since the parallel run began; fourteen days of it since cut-over.
    assert_eq!((planned.issued, planned.issued_since), (84, 56));
    assert_eq!((planned.uses, planned.class), (84 * 4 + 42, Class::Federated));
}

#[test]
fn however_it_is_read_the_table_is_the_same() {
    let (_folder, path) = folder();
    write_month(&path, &Month::default()).unwrap();
    let one = read(&path, &Options::default());
    for (threads, memory) in [(3, 64 << 20), (1, 20_000), (4, 0)] {
        let threads = NonZeroUsize::new(threads).unwrap();
        let other = read(&path, &Options { threads, memory, ..Options::default() });
        assert_eq!(other.uses, one.uses, "{threads} threads, {memory} bytes");
        assert_eq!(other.coverage, one.coverage);
        assert_eq!(other.reading, one.reading);
    }
    assert!(one.uses.is_sorted_by_key(|row| {
        (
            row.account.clone(),
            row.class.as_str(),
            row.credential.clone(),
            row.principal.clone(),
            row.issuer.clone(),
        )
    }));
}

#[test]
fn rows_read_back_as_they_were_written() {
    let (evidence, _) = month();
    for row in &evidence.uses {
        let text = serde_json::to_string(row).unwrap();
        assert_eq!(serde_json::from_str::<daypass_evidence::UseRow>(&text).unwrap(), *row);
    }
    for row in &evidence.coverage {
        let text = serde_json::to_string(row).unwrap();
        assert_eq!(serde_json::from_str::<daypass_evidence::CoverageRow>(&text).unwrap(), *row);
    }
}

#[test]
fn the_window_leaves_out_what_came_before() {
    let (_folder, path) = folder();
    write_month(&path, &Month::default()).unwrap();
    let from = time("2026-10-31T00:00:00Z");
    let evidence = read(&path, &Options { from: Some(from), ..Options::default() });
    assert!(evidence.uses.iter().all(|row| row.day == "2026-10-31"));
    assert!(evidence.reading.outside > 5_000);
    // With a window that begins after cut-over, the days between are a gap.
    let findings = judge(&evidence, question());
    let broker = findings.credentials.iter().find(|it| it.credential == BROKER_KEY).unwrap();
    assert!(matches!(broker.verdict, Verdict::Used { .. }));
    let mut question = question();
    question.credentials.push(daypass_evidence::Stored {
        name: String::new(),
        cloud: daypass_evidence::Cloud::Aws,
        credential: REPORT_KEY.to_owned(),
        account: "111122223333".to_owned(),
        principal: String::new(),
    });
    let findings = judge(&evidence, question);
    let report = findings.credentials.iter().find(|it| it.credential == REPORT_KEY).unwrap();
    let Verdict::CannotTell { why, .. } = &report.verdict else { panic!("{:?}", report.verdict) };
    assert!(matches!(why.as_slice(), [Doubt::MissingDays { days }] if days.len() == 13), "{why:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let sizes = [7, 7, 8].map(|seed| {
        let (_folder, path) = folder();
        let written = write_month(&path, &Month { seed, days: 2, ..Month::default() }).unwrap();
        (written, read(&path, &Options::default()).uses)
    });
    assert_eq!(sizes[0], sizes[1]);
    assert_ne!(sizes[0].1, sizes[2].1);
}

#[test]
fn a_month_grows_to_the_size_that_is_asked_for() {
    let (_folder, path) = folder();
    let month = Month { days: 2, bytes: 1 << 20, ..Month::default() };
    let written = write_month(&path, &month).unwrap();
    assert!((1 << 20..2 << 20).contains(&written.bytes), "{written:?}");
    let evidence = read(&path, &Options::default());
    assert_eq!((evidence.reading.files, evidence.reading.records), (written.files, written.records));
    assert_eq!(evidence.reading.bytes, written.bytes);
}
