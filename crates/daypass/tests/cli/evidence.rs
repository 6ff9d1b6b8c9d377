//! `evidence`.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::migration::{ESTATE, WORKFLOW};
use crate::program::{Call, daypass, steadily, write};

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";
const MAIN: &str = "repo:acme/shop:ref:refs/heads/main";

/// A call with a stored key, every day at a quarter past two.
fn call(key: &str, user: &str, day: u32) -> Value {
    json!({
        "userIdentity": {
            "type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{user}"),
            "accountId": "111122223333", "accessKeyId": key,
        },
        "eventTime": format!("2026-10-{day:02}T02:15:00Z"), "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject", "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/1.22.34 Linux/5.15", "recipientAccountId": "111122223333", "eventCategory": "Data",
    })
}

/// A job's session.
fn session(subject: &str, day: u32) -> Value {
    session_of(ROLE, subject, day)
}

fn session_of(role: &str, subject: &str, day: u32) -> Value {
    json!({
        "userIdentity": {"type": "WebIdentityUser", "userName": subject, "identityProvider": "github"},
        "eventTime": format!("2026-10-{day:02}T09:00:00Z"), "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRoleWithWebIdentity", "awsRegion": "eu-west-1", "sourceIPAddress": "20.1.2.3",
        "userAgent": "aws-sdk-js configure-aws-credentials-for-github-actions",
        "requestParameters": {"roleArn": role},
        "responseElements": {"credentials": {"accessKeyId": format!("ASIA{subject}{day}")}},
        "recipientAccountId": "111122223333", "eventCategory": "Management",
    })
}

/// Twenty days of October: a key that goes on being used, one that is not used from the tenth on, and jobs.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for day in 1..=20 {
        let mut records = vec![call(KEY, "ci", day), session(MAIN, day)];
        if day < 10 {
            records.push(call("AKIAREPORT", "report", day));
        }
        if day == 15 {
            records.push(session("repo:acme/shop:pull_request", day));
        }
        write(place.path(), &format!("logs/{day:02}.json"), json!({ "Records": records }).to_string());
    }
    place
}

fn ask(place: &Path, arguments: &[&str]) -> Call {
    let window = ["evidence", "--cloudtrail", "logs", "--cut-over", "2026-10-11", "--until", "2026-10-21"];
    daypass(window.into_iter().chain(arguments.iter().copied())).within(place)
}

#[test]
fn keys_are_judged_and_the_session_that_nobody_planned_is_named() {
    let place = place();
    let said = ask(place.path(), &["--key", KEY, "--owner", "report", "--expect", ROLE, MAIN, "--json"]);
    let answer = said.exits(0).json();
    let [used, unused] = answer["credentials"].as_array().unwrap().as_slice() else { panic!("{answer:#}") };
    assert_eq!((&used["credential"], &used["verdict"]), (&KEY.into(), &"used".into()));
    assert_eq!(used["consumers"][0]["kind"], "scheduled", "{used:#}");
    assert_eq!(
        (&unused["credential"], &unused["verdict"]),
        (&"report".into(), &"unused".into()),
        "{unused:#}"
    );
    assert_eq!((&unused["keys"], &unused["window_days"]), (&json!(["AKIAREPORT"]), &10.into()));
    let [surprise] = answer["sessions"].as_array().unwrap().as_slice() else { panic!("{answer:#}") };
    assert_eq!(surprise["subject"], "repo:acme/shop:pull_request");
    assert_eq!(answer["runs"][0]["issued_since"], 10, "{answer:#}");
    assert_eq!(answer["read"]["files"], 20);
}

#[test]
fn people_are_told_in_words() {
    let place = place();
    steadily(|| {
        let ran = ask(place.path(), &["--key", KEY, "--expect", ROLE, MAIN]).run();
        insta::assert_snapshot!("evidence", ran.seen());
    });
}

#[test]
fn a_gap_in_the_logs_leaves_it_unknown_and_what_could_not_be_read_is_said() {
    let place = place();
    write(place.path(), "logs/16.json", "{\"Records\":[{\"eventName\": \"x\"},");
    let answer = ask(place.path(), &["--owner", "report", "--json"]).exits(0).json();
    assert_eq!(answer["credentials"][0]["verdict"], "unknown");
    let why = answer["credentials"][0]["why"].to_string();
    assert!(why.contains("no logs of 1 day(s), the first of them 2026-10-16"), "{why}");
    assert!(why.contains("could not be read"), "{why}");
    assert_eq!(answer["skipped"][0]["file"], "logs/16.json", "{answer:#}");
}

#[test]
fn what_the_cloud_says_of_a_key_counts() {
    let place = place();
    let report = "user,arn,user_creation_time,password_enabled,access_key_1_active,access_key_1_last_rotated,\
        access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n\
        report,arn:aws:iam::111122223333:user/report,2020-01-01T00:00:00+00:00,false,true,\
        2020-01-01T00:00:00+00:00,2026-10-19T00:00:00+00:00,false,N/A,N/A\n";
    write(place.path(), "report.csv", report);
    let more = ["--owner", "report", "--credential-report", "report.csv", "--json"];
    let answer = ask(place.path(), &more).exits(0).json();
    assert_eq!(answer["credentials"][0]["verdict"], "used", "{answer:#}");
}

#[test]
fn queries_are_printed_for_engines() {
    let place = place();
    let call = |more: &[&str]| {
        let files = ["evidence", "--cloudtrail", "s3://trail/AWSLogs/*.json.gz", "--sql"];
        daypass(files.into_iter().chain(more.iter().copied())).within(place.path())
    };
    for engine in ["athena", "spark", "duckdb"] {
        let answer = call(&[engine, "--json"]).exits(0).json();
        assert!(answer["uses"].as_str().unwrap().contains("cloudtrail"), "{answer:#}");
    }
    let text = call(&["duckdb", "--table", "audit.trail"]).exits(0).stdout;
    assert!(text.starts_with("-- what to read\n") && text.contains("audit.trail"), "{text}");
    let refused = call(&["duckdb", "--table", "a b"]).exits(2);
    assert!(refused.stderr.contains("`a b` is not a table's name"), "{refused:?}");
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let place = place();
    let refused = |arguments: &[&str], why: &str| {
        let ran =
            daypass(["evidence"].into_iter().chain(arguments.iter().copied())).within(place.path()).exits(2);
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
    };
    refused(&[], "nothing to read");
    refused(&["--cloudtrail", "nowhere"], "cannot read `nowhere`");
    refused(&["--cloudtrail", "logs", "--cut-over", "yesterday"], "a date is written like 2026-10-18");
    refused(
        &["--cloudtrail", "logs", "--cut-over", "2026-10-18", "--until", "2026-10-18"],
        "is not before the end",
    );
    refused(&["--cloudtrail", "a", "b", "--sql", "spark"], "give one --cloudtrail");
    refused(&["--cloudtrail", "a", "--sql", "oracle"], "oracle");
}

#[test]
fn progress_is_for_terminals() {
    let place = place();
    assert_eq!(ask(place.path(), &[]).exits(0).stderr, "");
    let Some(seen) = ask(place.path(), &["--threads", "1"]).on_a_terminal() else { return };
    assert!(seen.contains("reading logs [###") && seen.contains("] 20 of 20"), "{seen}");
}

/// A repository whose workflow has a stored key, with a plan that lies elsewhere.
fn planned() -> TempDir {
    let place = place();
    write(place.path(), "shop/.github/workflows/deploy.yml", WORKFLOW);
    write(place.path(), "daypass.estate.toml", ESTATE);
    daypass(["plan", "shop", "--out", "plans/shop.toml"]).within(place.path()).exits(0);
    let plan = std::fs::read_to_string(place.path().join("plans/shop.toml")).unwrap();
    let plan = plan.replacen("[[group]]", "[target.aws]\naccount = \"111122223333\"\n\n[[group]]", 1);
    let plan = plan.replacen("state = \"planned\"", &format!("key = \"{KEY}\"\nstate = \"cut-over\""), 1);
    write(place.path(), "plans/shop.toml", plan);
    place
}

#[test]
fn a_plan_says_which_keys_and_which_sessions() {
    let place = planned();
    let role = "arn:aws:iam::111122223333:role/aws-s3-write-production";
    let records =
        ["repo:acme@1001/shop@2002:environment:production", "repo:acme@1001/shop@2002:pull_request"]
            .map(|subject| session_of(role, subject, 12));
    write(place.path(), "logs/plan.json", json!({ "Records": records }).to_string());
    let answer = ask(place.path(), &["--plan", "plans/shop.toml", "--json"]).exits(0).json();
    let first = &answer["credentials"][0];
    assert_eq!((&first["asked"], &first["verdict"]), (&true.into(), &"used".into()), "{answer:#}");
    assert_eq!(first["keys"], json!([KEY]), "{answer:#}");
    assert!(first["credential"].as_str().unwrap().starts_with("cred-"), "{answer:#}");
    let subjects = |of: &str| {
        let of_role = |it: &&Value| it["principal"] == role;
        let found = answer[of].as_array().unwrap().iter().filter(of_role);
        found.map(|it| it["subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(subjects("runs"), ["repo:acme@1001/shop@2002:environment:production"], "{answer:#}");
    assert_eq!(subjects("sessions"), ["repo:acme@1001/shop@2002:pull_request"], "{answer:#}");
    // `retire` reads the answer without being told more.
    write(place.path(), "seen.json", answer.to_string());
    let refused = daypass(["retire", "--plan", "plans/shop.toml", "--evidence", "seen.json", "--json"]);
    let why = refused.within(place.path()).exits(1).json()["refused"][0]["why"].to_string();
    assert!(why.contains("it was used since cut-over"), "{why}");
}

#[test]
fn of_a_key_that_no_log_knows_the_account_has_to_be_said() {
    let place = place();
    let verdict = |key: &str| {
        let answer = ask(place.path(), &["--key", key, "--json"]).exits(0).json();
        let one = &answer["credentials"][0];
        (one["verdict"].as_str().unwrap().to_owned(), one["why"][0].as_str().unwrap().to_owned())
    };
    let (unknown, why) = verdict("AKIAMISSPELT");
    assert_eq!(unknown, "unknown");
    assert!(why.contains("its account is not known"), "{why}");
    assert_eq!(verdict("111122223333:AKIAFORGOTTEN").0, "unused");
    assert!(verdict("444455556666:AKIAFORGOTTEN").1.contains("no logs of account `444455556666`"));
}

#[test]
fn a_plan_whose_files_are_gone_is_refused() {
    let place = planned();
    std::fs::remove_dir_all(place.path().join("shop")).unwrap();
    let ran = ask(place.path(), &["--plan", "plans/shop.toml"]).exits(2);
    assert!(ran.stderr.contains("nothing to read"), "{ran:?}");
}

#[test]
fn what_logs_say_does_not_reach_the_terminal() {
    let place = place();
    let records = [session("repo:\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}x", 12)];
    write(place.path(), "logs/bad.json", json!({ "Records": records }).to_string());
    let seen = ask(place.path(), &["--color", "always"]).exits(0).stdout;
    assert!(seen.contains(r"repo:\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}x"), "{seen:?}");
    assert!(seen.contains("\u{1b}[1m") && !seen.contains("\u{1b}]"), "{seen:?}");
}
