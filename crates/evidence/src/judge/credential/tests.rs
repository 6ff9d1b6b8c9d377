use daypass_claims::Timestamp;

use super::*;
use crate::event::Class;
use crate::judge::{Stored, judge};
use crate::skip::Reading;
use crate::table::{CoverageRow, UseRow};

const USER: &str = "arn:aws:iam::111122223333:user/ci";

fn time(day: u32) -> Timestamp {
    Timestamp::parse(&format!("2026-10-{day:02}T00:00:00Z")).unwrap()
}

/// Ten days of logs from cut-over on, with data events, and nothing of the key.
fn quiet() -> Evidence {
    let coverage = (10..20).map(|day| CoverageRow {
        cloud: Cloud::Aws,
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        day: format!("2026-10-{day}"),
        events: 100,
        data: 10,
        hours: 0x00ff_ffff,
        lost: 0,
    });
    Evidence {
        uses: Vec::new(),
        coverage: coverage.collect(),
        keys: Vec::new(),
        doubtful: Vec::new(),
        reading: Reading::default(),
    }
}

fn question() -> Question {
    Question {
        cut_over: time(10),
        until: time(20),
        credentials: vec![Stored {
            name: String::new(),
            cloud: Cloud::Aws,
            credential: "AKIA1".to_owned(),
            account: "111122223333".to_owned(),
            principal: USER.to_owned(),
        }],
        expected: Vec::new(),
        stated_at: None,
    }
}

fn used(class: Class, credential: &str, day: u32) -> UseRow {
    UseRow {
        cloud: Cloud::Aws,
        account: "111122223333".to_owned(),
        class,
        credential: credential.to_owned(),
        principal: USER.to_owned(),
        issuer: String::new(),
        subject: String::new(),
        audience: String::new(),
        agent: "aws-cli".to_owned(),
        system: "linux".to_owned(),
        day: format!("2026-10-{day:02}"),
        address: "192.0.2.1".to_owned(),
        addresses: 1,
        hours: 1,
        minutes: 1,
        issued: 0,
        uses: 1,
        refused: 0,
        first: time(day),
        last: time(day),
    }
}

fn state(key: Option<&str>, last_used: LastUsed) -> KeyState {
    KeyState {
        account: "111122223333".to_owned(),
        user: "ci".to_owned(),
        principal: USER.to_owned(),
        key: key.map(str::to_owned),
        active: Some(true),
        created: None,
        last_used,
    }
}

fn verdict(evidence: &Evidence) -> Verdict {
    verdict_of(evidence, question())
}

fn verdict_of(evidence: &Evidence, question: Question) -> Verdict {
    judge(evidence, question).credentials.swap_remove(0).verdict
}

fn doubts(evidence: &Evidence) -> Vec<Doubt> {
    doubts_of(evidence, question())
}

fn doubts_of(evidence: &Evidence, question: Question) -> Vec<Doubt> {
    match verdict_of(evidence, question) {
        Verdict::CannotTell { why, .. } => {
            assert!(why.iter().all(|doubt| !doubt.to_string().is_empty()));
            why
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn with_all_logs_no_use_is_no_use_seen() {
    let Verdict::NoUseSeen { from, until, coverage } = verdict(&quiet()) else { panic!() };
    assert_eq!((from, until), (time(10), time(20)));
    assert_eq!((coverage.days, coverage.days_heard, coverage.hours_heard), (10, 10, 240));
    assert!(coverage.data && coverage.missing.is_empty() && coverage.regions == ["eu-west-1"]);
}

#[test]
fn use_before_cut_over_does_not_count() {
    let mut evidence = quiet();
    evidence.uses.push(used(Class::Static, "AKIA1", 9));
    assert!(matches!(verdict(&evidence), Verdict::NoUseSeen { .. }));
    let finding = judge(&evidence, question()).credentials.swap_remove(0);
    assert_eq!((finding.last, finding.consumers.len()), (Some(time(9)), 1));
}

#[test]
fn use_since_cut_over_counts_whether_by_the_key_or_by_a_session_of_it() {
    for class in [Class::Static, Class::Brokered] {
        let mut evidence = quiet();
        evidence.uses.push(used(class, "AKIA1", 10));
        assert_eq!(verdict(&evidence), Verdict::Used { last: time(10), days: 1 });
    }
}

#[test]
fn use_that_only_the_cloud_knows_of_counts() {
    let mut evidence = quiet();
    evidence.keys.push(state(Some("AKIA1"), LastUsed::At(time(15))));
    assert_eq!(verdict(&evidence), Verdict::Used { last: time(15), days: 0 });
    evidence.keys = vec![state(None, LastUsed::At(time(15)))];
    assert_eq!(verdict(&evidence), Verdict::Used { last: time(15), days: 0 });
}

#[test]
fn a_window_without_length_tells_nothing() {
    let question = Question { until: time(10), ..question() };
    assert_eq!(doubts_of(&quiet(), question), [Doubt::NoWindow]);
}

#[test]
fn without_logs_of_its_account_nobody_can_tell() {
    let mut question = question();
    question.credentials[0].account = "444455556666".to_owned();
    assert_eq!(doubts_of(&quiet(), question), [Doubt::NoLogs { account: "444455556666".to_owned() }]);
}

#[test]
fn without_its_account_nobody_can_tell_among_several() {
    let mut evidence = quiet();
    let mut question = question();
    question.credentials[0].account = String::new();
    assert!(matches!(verdict_of(&evidence, question.clone()), Verdict::NoUseSeen { .. }), "an ARN has it");
    question.credentials[0].principal = String::new();
    assert_eq!(doubts_of(&evidence, question.clone()), [Doubt::AccountUnknown { accounts: 1 }]);
    let listed = Evidence { keys: vec![state(Some("AKIA1"), LastUsed::Never)], ..quiet() };
    assert!(matches!(verdict_of(&listed, question.clone()), Verdict::NoUseSeen { .. }));
    let other = CoverageRow { account: "444455556666".to_owned(), ..evidence.coverage[0].clone() };
    evidence.coverage.push(other);
    assert_eq!(doubts_of(&evidence, question), [Doubt::AccountUnknown { accounts: 2 }]);
}

#[test]
fn a_day_without_logs_is_a_gap() {
    let mut evidence = quiet();
    evidence.coverage.remove(3);
    assert_eq!(doubts(&evidence), [Doubt::MissingDays { days: vec!["2026-10-13".to_owned()] }]);
}

#[test]
fn a_busy_region_without_logs_is_a_gap_and_a_quiet_one_is_not() {
    let mut evidence = quiet();
    let region = |name: &str, hours: u32| {
        let rows = quiet().coverage.into_iter().filter(|row| row.day != "2026-10-12");
        rows.map(move |row| CoverageRow { region: name.to_owned(), hours, ..row }).collect::<Vec<_>>()
    };
    evidence.coverage.extend(region("eu-north-1", 0b1));
    assert!(matches!(verdict(&evidence), Verdict::NoUseSeen { .. }));
    evidence.coverage.extend(region("us-east-1", 0x00ff_ffff));
    let days = vec![("us-east-1".to_owned(), "2026-10-12".to_owned())];
    assert_eq!(doubts(&evidence), [Doubt::SilentRegion { days }]);
}

#[test]
fn records_of_nobody_knows_which_account_show_no_logs_of_any() {
    let mut evidence = quiet();
    evidence.coverage.iter_mut().for_each(|row| row.account = String::new());
    assert_eq!(doubts(&evidence), [Doubt::NoLogs { account: "111122223333".to_owned() }]);
}

#[test]
fn a_busy_region_with_hours_missing_is_a_gap() {
    let partial =
        |day: u32| vec![Doubt::PartialDay { days: vec![("eu-west-1".to_owned(), format!("2026-10-{day}"))] }];
    let mut evidence = quiet();
    evidence.coverage[4].hours = 0x00ff_fe00;
    assert_eq!(doubts(&evidence), partial(14));
    evidence.coverage[4].hours = 0x00ff_ff00;
    assert!(matches!(verdict(&evidence), Verdict::NoUseSeen { .. }));
    // Of logs that were fetched before the end, the end is not there.
    evidence.coverage[9].hours = 0x0007_ffff;
    assert_eq!(doubts(&evidence), partial(19));
    let until = Timestamp::parse("2026-10-19T22:00:00Z").unwrap();
    assert!(matches!(verdict_of(&evidence, Question { until, ..question() }), Verdict::NoUseSeen { .. }));
    // Before cut-over nothing has to be heard.
    evidence = quiet();
    evidence.coverage[0].hours = 0x00ff_f000;
    assert_eq!(doubts(&evidence), partial(10));
    let cut_over = Timestamp::parse("2026-10-10T12:00:00Z").unwrap();
    assert!(matches!(verdict_of(&evidence, Question { cut_over, ..question() }), Verdict::NoUseSeen { .. }));
}

#[test]
fn what_is_lost_of_a_later_delivery_may_have_happened_before() {
    let mut evidence = quiet();
    let lost = |day: &str| CoverageRow {
        day: day.to_owned(),
        events: 0,
        hours: 0,
        lost: 1,
        ..quiet().coverage.swap_remove(0)
    };
    evidence.coverage.push(lost("2026-10-22"));
    assert!(matches!(verdict(&evidence), Verdict::NoUseSeen { .. }));
    evidence.coverage.push(lost("2026-10-20"));
    assert_eq!(doubts(&evidence), [Doubt::Lost { count: 1 }]);
}

#[test]
fn sign_ins_of_people_and_machines_show_no_logs_of_applications() {
    let mut evidence = quiet();
    let mut question = question();
    question.credentials[0].cloud = Cloud::Azure;
    let with = |evidence: &mut Evidence, region: &str| {
        evidence.coverage.iter_mut().for_each(|row| {
            (row.cloud, row.region) = (Cloud::Azure, region.to_owned());
        });
    };
    with(&mut evidence, "people");
    let none = [Doubt::NoLogs { account: "111122223333".to_owned() }];
    assert_eq!(doubts_of(&evidence, question.clone()), none);
    with(&mut evidence, "");
    assert!(matches!(verdict_of(&evidence, question), Verdict::NoUseSeen { .. }));
}

#[test]
fn what_could_not_be_read_may_have_been_it() {
    let mut evidence = quiet();
    evidence.coverage[0].lost = 2;
    assert_eq!(doubts(&evidence), [Doubt::Lost { count: 2 }]);
    evidence.coverage[0].lost = 0;
    let lost = CoverageRow {
        account: String::new(),
        region: String::new(),
        day: String::new(),
        events: 0,
        lost: 3,
        ..evidence.coverage[0].clone()
    };
    evidence.coverage.push(lost);
    assert_eq!(doubts(&evidence), [Doubt::Lost { count: 3 }]);
}

#[test]
fn records_of_it_with_impossible_times_may_be_of_any_time() {
    let mut evidence = quiet();
    evidence.doubtful.push(("AKIA2".to_owned(), 5));
    assert!(matches!(verdict(&evidence), Verdict::NoUseSeen { .. }));
    evidence.doubtful.push(("AKIA1".to_owned(), 1));
    assert_eq!(doubts(&evidence), [Doubt::Disordered { count: 1 }]);
    // Of too many to be told apart, each may be the one.
    evidence.doubtful[1].0 = String::new();
    assert_eq!(doubts(&evidence), [Doubt::Disordered { count: 1 }]);
}

#[test]
fn without_data_events_the_cloud_has_to_be_asked() {
    let mut evidence = quiet();
    evidence.coverage.iter_mut().skip(5).for_each(|row| row.data = 0);
    assert_eq!(doubts(&evidence), [Doubt::ManagementOnly], "on half of the days is not on most");
    evidence.coverage.iter_mut().for_each(|row| row.data = 0);
    assert_eq!(doubts(&evidence), [Doubt::ManagementOnly]);
    evidence.keys = vec![state(Some("AKIA1"), LastUsed::At(time(9)))];
    assert_eq!(doubts(&evidence), [Doubt::StatementTooOld { as_of: time(9) }]);
    let asked = Question { stated_at: Some(time(20)), ..question() };
    assert!(matches!(verdict_of(&evidence, asked), Verdict::NoUseSeen { .. }));
    // Another key was used on the last day, so the statements are no older than that.
    evidence.keys.push(state(Some("AKIA2"), LastUsed::At(time(19))));
    assert!(matches!(verdict(&evidence), Verdict::NoUseSeen { .. }));
    evidence.keys = vec![state(Some("AKIA1"), LastUsed::Unknown)];
    assert_eq!(doubts(&evidence), [Doubt::ManagementOnly]);
    evidence.keys = vec![state(Some("AKIA1"), LastUsed::Never)];
    assert_eq!(doubts(&evidence), [Doubt::ManagementOnly]);
}

#[test]
fn a_report_on_two_keys_of_a_user_does_not_say_which() {
    let mut evidence = quiet();
    evidence.keys = vec![state(None, LastUsed::At(time(15))), state(None, LastUsed::Never)];
    assert_eq!(doubts(&evidence), [Doubt::OneOfSeveralKeys { last: time(15) }]);
    evidence.coverage.iter_mut().for_each(|row| row.data = 0);
    assert_eq!(doubts(&evidence), [Doubt::OneOfSeveralKeys { last: time(15) }]);
}

#[test]
fn sessions_of_its_user_may_have_been_got_with_it() {
    let mut evidence = quiet();
    evidence.uses.push(used(Class::Brokered, "", 12));
    assert_eq!(doubts(&evidence), [Doubt::SessionOfItsUser { last: time(12) }]);
    evidence.uses[0] = used(Class::Brokered, "", 9);
    assert!(matches!(verdict(&evidence), Verdict::NoUseSeen { .. }));
}
