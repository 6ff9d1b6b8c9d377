//! The logs of `examples/acme`, which `examples/acme.rs` of this crate makes up.

use camino::Utf8Path;
use daypass_evidence::synthesise::{CUT_OVER, DEPLOY_KEY, DEPLOY_ROLE, DEPLOY_SUBJECT, UNEXPECTED_SUBJECT};
use daypass_evidence::{Cloud, ConsumerKind, Expected, Options, Question, Report, Stored, Use, judge};

use crate::common::{read, time};

fn report(month: &str, cut_over: &str, until: &str) -> Report {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/acme/logs").join(month);
    let evidence = read(&folder, &Options::default());
    assert!(
        evidence.reading.records > 1_000 && evidence.reading.skipped.is_empty(),
        "{:?}",
        evidence.reading
    );
    let question = Question {
        cut_over: time(&format!("{cut_over}T00:00:00Z")),
        until: time(&format!("{until}T00:00:00Z")),
        credentials: vec![Stored {
            name: "shop".to_owned(),
            cloud: Cloud::Aws,
            credential: String::new(),
            account: String::new(),
            principal: "arn:aws:iam::111122223333:user/ci-deploy".to_owned(),
        }],
        expected: vec![Expected {
            principal: DEPLOY_ROLE.to_owned(),
            issuer: "*".to_owned(),
            subject: DEPLOY_SUBJECT.to_owned(),
        }],
        stated_at: None,
    };
    Report::new(&question, judge(&evidence, question.clone()), &evidence.reading)
}

#[test]
fn in_october_a_cron_job_keeps_the_key_alive_and_a_pull_request_gets_in() {
    let report = report("october", CUT_OVER, "2026-11-01");
    let shop = report.credential("shop").unwrap();
    assert_eq!((shop.verdict, shop.keys.as_slice()), (Use::Used, [DEPLOY_KEY.to_owned()].as_slice()));
    assert_eq!(shop.consumers[0].kind, ConsumerKind::Scheduled);
    assert!(report.sessions.iter().any(|it| it.subject == UNEXPECTED_SUBJECT && it.issued == 1));
}

#[test]
fn in_november_the_key_is_dead_and_the_jobs_run_on() {
    let report = report("november", "2026-11-01", "2026-11-23");
    let shop = report.credential("shop").unwrap();
    assert_eq!((shop.verdict, shop.window_days), (Use::Unused, 22), "{shop:#?}");
    let runs = report.runs.iter().find(|it| it.subject == DEPLOY_SUBJECT && it.principal == DEPLOY_ROLE);
    assert!(runs.unwrap().issued_since > 80);
    assert!(!report.sessions.iter().any(|it| it.subject == UNEXPECTED_SUBJECT));
}
