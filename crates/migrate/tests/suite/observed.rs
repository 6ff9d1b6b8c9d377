use std::time::Duration;

use daypass_evidence::Report;
use daypass_migrate::Plan;
use daypass_migrate::retire::{Evidence, Observed, Use};
use daypass_trust::document::Source;
use serde_json::json;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const OWNER: &str = "arn:aws:iam::111122223333:user/ci";

fn plan(more: &str) -> Plan {
    let text = format!(
        "version = 1\n[[credential]]\nid = \"cred-1\"\nkind = \"aws-access-key\"\ncloud = \"aws\"\nfile = \"f\"\nline = 1\n\
         confidence = \"certain\"\nstate = \"cut-over\"\n{more}\n"
    );
    Plan::parse(&Source::new("p.toml", text.as_str())).unwrap()
}

fn report(name: &str, verdict: &str, days: u64) -> Report {
    let session = |role: &str, expectation: &str| {
        json!({
            "cloud": "aws", "account": "111122223333", "class": "federated",
            "principal": format!("arn:aws:iam::111122223333:role/{role}"), "issuer": "i", "subject": "s", "audience": "a",
            "issued": 9, "issued_since": 4, "uses": 9, "refused": 0, "days": 3,
            "first": "2026-10-11T00:00:00Z", "last": "2026-10-20T00:00:00Z", "expectation": expectation,
        })
    };
    serde_json::from_value(json!({
        "since": "2026-10-18T00:00:00Z", "until": "2026-11-01T00:00:00Z",
        "credentials": [{
            "credential": name, "asked": true, "cloud": "aws", "account": "111122223333", "principal": OWNER, "keys": [KEY],
            "verdict": verdict, "since": "2026-10-18T00:00:00Z", "window_days": days, "first": null, "last": null,
            "coverage": null, "why": ["at 02:15, by aws-cli"], "consumers": [],
        }],
        "sessions": [session("deploy", "not-asked"), session("deploy", "unknown-subject")],
        "runs": [session("deploy-2", "expected"), session("deployment", "expected")],
        "skipped": [], "read": {"files": 1, "passed_over": 0, "bytes": 1, "records": 1, "used_before_issue": 0},
    }))
    .unwrap()
}

fn usage(plan: &Plan, reports: Vec<Report>) -> Option<Use> {
    Observed::new(reports).usage(&plan.credentials[0])
}

#[test]
fn a_credential_is_known_by_its_id_its_key_or_its_owner() {
    let days = |days: u64| Some(Use::Unused { window: Duration::from_secs(days * 86_400), gaps: Vec::new() });
    assert_eq!(usage(&plan(""), vec![report("cred-1", "unused", 14)]), days(14));
    assert_eq!(usage(&plan(&format!("key = \"{KEY}\"")), vec![report("x", "unused", 14)]), days(14));
    assert_eq!(usage(&plan(&format!("principal = \"{OWNER}\"")), vec![report("x", "unused", 14)]), days(14));
    assert_eq!(usage(&plan("key = \"AKIAOTHER\""), vec![report("x", "unused", 14)]), None);
    assert_eq!(usage(&plan(""), vec![report("x", "unused", 14)]), None);
}

#[test]
fn the_worst_of_several_reports_counts() {
    let all = |verdicts: &[&str]| verdicts.iter().map(|verdict| report("cred-1", verdict, 14)).collect();
    let why = "at 02:15, by aws-cli".to_owned();
    assert_eq!(usage(&plan(""), all(&["unused", "used", "unknown"])), Some(Use::Used { last: why.clone() }));
    assert_eq!(usage(&plan(""), all(&["unused", "unknown"])), Some(Use::Unknown { why }));
}

#[test]
fn runs_are_those_of_the_role_and_of_its_parts_that_nobody_is_surprised_by() {
    let seen = Observed::new(vec![report("cred-1", "unused", 14)]);
    assert_eq!(seen.runs("deploy", "f", "j"), Some(8));
    assert_eq!(seen.runs("other", "f", "j"), Some(0));
    assert_eq!(Observed::default().runs("deploy", "f", "j"), None);
}
