//! Whatever is wrong with a file is reported, and the rest is read.

use daypass_evidence::{Evidence, Options, Skip, SourceKind};

use crate::common::{call, delivery, folder, gzip, read, read_as, time, write};

const FOLDER: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/05";
const NOON: &str = "2026-10-05T12:00:00Z";

/// What comes of a file that lies where CloudTrail delivers to.
fn delivered(bytes: &[u8]) -> Evidence {
    let (_folder, path) = folder();
    write(&path.join(FOLDER).join("a.json.gz"), bytes);
    read(&path, &Options { until: Some(time("2026-11-01T00:00:00Z")), ..Options::default() })
}

/// Keys that were seen, what was skipped how often, and what of that counts as lost on the day of the delivery.
fn summary(evidence: &Evidence) -> (Vec<&str>, Vec<(Skip, u64)>, u64) {
    let keys = evidence.uses.iter().map(|row| row.credential.as_str()).collect();
    let skipped: Vec<(Skip, u64)> =
        evidence.reading.skipped.iter().map(|(skip, count)| (*skip, *count)).collect();
    if !skipped.is_empty() {
        let [report] = evidence.reading.reports.as_slice() else { panic!("{:?}", evidence.reading) };
        assert!(report.path.as_str().ends_with("a.json.gz"));
        let counts: Vec<(Skip, u64)> = report.skipped.iter().map(|(skip, count)| (*skip, *count)).collect();
        assert_eq!(counts, skipped);
        assert_eq!(
            report.places.len(),
            skipped.iter().map(|(_, count)| usize::try_from(*count).unwrap()).sum::<usize>()
        );
    }
    let day = |row: &&daypass_evidence::CoverageRow| row.day == "2026-10-05" && row.account == "111122223333";
    (keys, skipped, evidence.coverage.iter().filter(day).map(|row| row.lost).sum())
}

#[test]
fn a_truncated_member_is_reported() {
    let many: Vec<String> =
        (0..500).map(|index| call(&format!("AKIA{:016}", index * 7_919 % 1_000), NOON)).collect();
    let whole = gzip(delivery(&many).as_bytes());
    let evidence = delivered(&whole[..whole.len() * 3 / 4]);
    let (keys, skipped, lost) = summary(&evidence);
    assert!(keys.len() > 100 && keys.len() < 500, "{}", keys.len());
    assert_eq!((skipped, lost), (vec![(Skip::Truncated, 1)], 1));
}

#[test]
fn behind_a_corrupt_member_the_next_one_is_read() {
    let mut broken = gzip(delivery(&[call("AKIA2", NOON)]).as_bytes());
    let length = broken.len();
    broken[length - 5] ^= 0xff;
    let file = [
        gzip(delivery(&[call("AKIA1", NOON)]).as_bytes()),
        broken,
        gzip(delivery(&[call("AKIA3", NOON)]).as_bytes()),
    ];
    let evidence = delivered(&file.concat());
    assert_eq!(summary(&evidence), (vec!["AKIA1", "AKIA2", "AKIA3"], vec![(Skip::Corrupt, 1)], 1));
}

#[test]
fn a_malformed_record_is_reported() {
    let text = delivery(&[
        call("AKIA1", NOON),
        call("AKIA2", NOON).replace(":\"IAMUser\"", ":oops"),
        call("AKIA3", NOON),
    ]);
    assert_eq!(summary(&delivered(text.as_bytes())), (vec!["AKIA1", "AKIA3"], vec![(Skip::Malformed, 1)], 1));
}

#[test]
fn a_list_without_an_end_is_reported() {
    let text = delivery(&[call("AKIA1", NOON)]).replace("]}", "");
    assert_eq!(summary(&delivered(text.as_bytes())), (vec!["AKIA1"], vec![(Skip::Unfinished, 1)], 1));
}

#[test]
fn a_record_that_is_too_large_is_reported() {
    let large = call("AKIA2", NOON).replace("ListBuckets", &"x".repeat(3 << 20));
    let text = delivery(&[call("AKIA1", NOON), large, call("AKIA3", NOON)]);
    assert_eq!(summary(&delivered(text.as_bytes())), (vec!["AKIA1", "AKIA3"], vec![(Skip::Oversize, 1)], 1));
}

#[test]
fn a_record_of_something_else_is_reported() {
    let text = delivery(&[r#"{"hello":"world"}"#.to_owned(), call("AKIA1", NOON)]);
    assert_eq!(summary(&delivered(text.as_bytes())), (vec!["AKIA1"], vec![(Skip::Unknown, 1)], 1));
}

#[test]
fn a_record_without_a_time_is_reported() {
    let text = delivery(&[call("AKIA1", "yesterday"), call("AKIA2", NOON)]);
    assert_eq!(summary(&delivered(text.as_bytes())), (vec!["AKIA2"], vec![(Skip::Untimed, 1)], 1));
}

#[test]
fn a_record_at_an_impossible_time_is_reported_and_leaves_a_doubt_about_its_key() {
    let text = delivery(&[
        call("AKIA1", "2026-10-09T00:00:00Z"),
        call("AKIA1", "2027-01-01T00:00:00Z"),
        call("AKIA2", "2026-10-04T23:00:00Z"),
    ]);
    let evidence = delivered(text.as_bytes());
    assert_eq!(summary(&evidence), (vec!["AKIA2"], vec![(Skip::Disordered, 2)], 0));
    assert_eq!(evidence.doubtful, [("AKIA1".to_owned(), 2)]);
    let [first, second] = evidence.reading.reports[0].places.as_slice() else { panic!() };
    assert!(first.offset == 12 && second.offset > first.offset, "{first:?} {second:?}");
}

#[test]
fn a_session_that_is_used_before_it_begins_is_counted() {
    let session = r#"{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/a/b","accessKeyId":"ASIA1"},
        "eventTime":"2026-10-05T11:00:00Z","eventSource":"s3.amazonaws.com","eventName":"ListBuckets"}"#;
    let issue = r#"{"userIdentity":{"type":"WebIdentityUser","userName":"s","identityProvider":"p","principalId":"p:a:s"},
        "eventTime":"2026-10-05T12:00:00Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRoleWithWebIdentity",
        "requestParameters":{"roleArn":"r"},"responseElements":{"credentials":{"accessKeyId":"ASIA1"}}}"#;
    let evidence = delivered(delivery(&[session.to_owned(), issue.to_owned()]).as_bytes());
    assert_eq!(evidence.reading.used_before_issue, 1);
    assert!(evidence.uses.iter().all(|row| row.subject == "s" && row.audience == "a"));
}

/// A call with a session of which this record does not say how it came about.
fn with_session(kind: &str, time: &str) -> String {
    call("ASIA1", time).replace("IAMUser", kind)
}

#[test]
fn a_session_at_an_impossible_time_may_have_been_any_key_s() {
    let lost = |record: String| summary(&delivered(delivery(&[record]).as_bytes())).2;
    assert_eq!(lost(with_session("IAMUser", "2026-10-09T00:00:00Z")), 1);
    assert_eq!(lost(with_session("AssumedRole", "2026-10-09T00:00:00Z")), 1);
    let federated =
        r#""type":"AssumedRole","sessionContext":{"webIdFederationData":{"federatedProvider":"p"}}"#;
    let record = with_session("AssumedRole", "2026-10-09T00:00:00Z");
    assert_eq!(lost(record.replace(r#""type":"AssumedRole""#, federated)), 0);
    assert_eq!(lost(call("AKIA1", "2026-10-09T00:00:00Z")), 0);
}

#[test]
fn an_empty_file_that_should_be_compressed_is_truncated() {
    assert_eq!(summary(&delivered(b"")), (vec![], vec![(Skip::Truncated, 1)], 1));
}

#[test]
fn a_list_of_another_kind_is_reported() {
    assert_eq!(summary(&delivered(br#"{"Records":{"a":1}}"#)), (vec![], vec![(Skip::Unknown, 1)], 1));
}

/// The header of a credential report, and a row.
const REPORT: &str = "user,arn,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n\
    ci,arn:aws:iam::111122223333:user/ci,true,2020-01-01T00:00:00Z,N/A,true,2020-01-01T00:00:00Z,N/A\n";

#[test]
fn a_credential_report_without_an_end_is_cut_off() {
    let (_folder, path) = folder();
    let path = path.join("file");
    write(&path, format!("{REPORT}{}", "x".repeat(40 << 20)).as_bytes());
    let evidence = read_as(SourceKind::CredentialReport, &path, &Options::default());
    assert_eq!((evidence.keys.len(), evidence.reading.skipped[&Skip::Oversize]), (2, 1));
}

#[test]
fn more_keys_than_are_held_are_reported() {
    let (_folder, path) = folder();
    let path = path.join("file");
    let answer = |index: u32| {
        let user = format!("{}{index}", "x".repeat(10_000));
        format!(r#"{{"UserName":"{user}","AccessKeyId":"AKIA{index}","Status":"Active"}}"#)
    };
    let answers: Vec<String> = (0..4_000).map(answer).collect();
    write(&path, answers.join("\n").as_bytes());
    let evidence = read_as(SourceKind::KeyLastUsed, &path, &Options::default());
    let surplus = evidence.reading.skipped[&Skip::Surplus];
    assert_eq!(u64::try_from(evidence.keys.len()).unwrap() + surplus, 4_000);
    assert!(evidence.keys.iter().map(|key| key.user.len()).sum::<usize>() <= 32 << 20);
}
