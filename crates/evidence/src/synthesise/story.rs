//! What happens on each day of the month.

use std::io;

use super::actor::{Actor, BOTO, CLI_LINUX, CLI_MACOS, GITHUB, TERRAFORM, service, session, user, workload};
use super::record::Call;
use super::trail::Trail;
use super::{
    ACCOUNT, BROKER_KEY, DEPLOY_KEY, DEPLOY_ROLE, DEPLOY_SUBJECT, LAPTOP_KEY, Month, Pipeline, REPORT_KEY,
    UNEXPECTED_SUBJECT, moment,
};

const GITHUB_PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const CIRCLE_PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/oidc.circleci.com/org/0f5b3a1e";
const NEXT_ROLE: &str = "arn:aws:iam::111122223333:role/shop-publish";
const BROKERED_ROLE: &str = "arn:aws:iam::111122223333:role/data-export";
/// The machine with the cron job has a role of its own, once somebody thinks of it.
const BACKUP_ROLE: &str = "arn:aws:iam::111122223333:role/nightly-backup";
const HOME: &str = "eu-west-1";
const CALLS: [(&str, &str); 6] = [
    ("ecs", "UpdateService"),
    ("ecr", "GetAuthorizationToken"),
    ("s3", "ListBuckets"),
    ("cloudformation", "DescribeStacks"),
    ("lambda", "UpdateFunctionCode20150331v2"),
    ("ssm", "GetParameter"),
];

/// The days on which roles are first used, and on which nothing else is.
const PARALLEL: i64 = 10;
const CUT_OVER: i64 = 17;

/// One day, counted from 0.
pub(super) fn day(trail: &mut Trail, day: i64, month: &Month) -> io::Result<()> {
    for run in 0..4 {
        let start = 28_800 + run * 7_200 + trail.dice.roll(3_000);
        if day < CUT_OVER {
            let identity = user(ACCOUNT, "ci-deploy", DEPLOY_KEY);
            let runner = at_home(identity, runner_address(trail), GITHUB);
            calls(trail, &runner, day, start, 5);
        }
        if day >= PARALLEL {
            deploy(trail, day, start + 600, DEPLOY_SUBJECT, run);
        }
    }
    // The cron job that nobody thought of: every night at a quarter past two, from one machine.
    let identity = if month.mended.is_some_and(|mended| day >= i64::from(mended)) {
        let key = session_key(trail);
        session(BACKUP_ROLE, "backup", &key, None)
    } else {
        user(ACCOUNT, "ci-deploy", DEPLOY_KEY)
    };
    let cron = at_home(identity, "203.0.113.7".to_owned(), CLI_LINUX);
    calls(trail, &cron, day, 2 * 3_600 + 15 * 60, 3);
    if day < CUT_OVER {
        let report = at_home(user(ACCOUNT, "ci-report", REPORT_KEY), runner_address(trail), BOTO);
        calls(trail, &report, day, 6 * 3_600, 2);
    }
    if day % 7 < 5 {
        let laptop = at_home(user(ACCOUNT, "ann", LAPTOP_KEY), "198.51.100.23".to_owned(), CLI_MACOS);
        let start = 32_000 + trail.dice.roll(20_000);
        calls(trail, &laptop, day, start, 4);
    }
    brokered(trail, day);
    if day == 21 {
        deploy(trail, day, 50_000, UNEXPECTED_SUBJECT, 9);
    }
    if day % 5 == 0 {
        refused(trail, day);
    }
    machines(trail, day);
    for pipeline in &month.pipelines {
        moved(trail, pipeline, day);
    }
    for region in [HOME, "us-east-1"] {
        let at_home = if region == HOME { month.others } else { month.elsewhere };
        others(trail, ACCOUNT, region, day, at_home);
        others(trail, "444455556666", region, day, month.elsewhere);
    }
    trail.deliver()
}

/// Calls that have nothing to do with pipelines.
pub(super) fn others(trail: &mut Trail, account: &str, region: &'static str, day: i64, count: u32) {
    let role = format!("arn:aws:iam::{account}:role/app-{}", trail.dice.roll(5));
    let key = format!("ASIA{account}{:04}", trail.dice.roll(10_000));
    for _ in 0..count {
        let identity = match trail.dice.roll(4) {
            0 => service("autoscaling"),
            1 => session(&role, "i-0abc0def012345678", &key, None),
            _ => session(&role, "app", &key, None),
        };
        let address = format!("10.0.{}.{}", trail.dice.roll(4), trail.dice.roll(250));
        let who = Actor { account: account.to_owned(), region, identity, address, agent: BOTO };
        let (source, name) = trail.dice.pick(&CALLS).unwrap_or(("ec2", "DescribeInstances"));
        let mut call = Call::new(source, name);
        let object = trail.dice.next();
        if trail.dice.roll(10) == 0 {
            call = Call::new("s3", "GetObject");
            call.data = true;
        }
        call.request = format!(
            r#"{{"bucketName":"acme-{account}","key":"part/{object:016x}","Host":"s3.{region}.amazonaws.com","tags":["a","b"],"filterSet":{{"items":[{{"name":"x","valueSet":{{"items":[{{"value":"\"quoted\" {object}"}}]}}}}]}}}}"#
        );
        let second = trail.dice.roll(86_400);
        trail.call(&who, moment(day, second), &call);
    }
}

fn at_home(identity: String, address: String, agent: &'static str) -> Actor {
    Actor { account: ACCOUNT.to_owned(), region: HOME, identity, address, agent }
}

/// Hosted runners come from anywhere.
fn runner_address(trail: &mut Trail) -> String {
    format!("20.{}.{}.{}", 1 + trail.dice.roll(200), trail.dice.roll(256), 1 + trail.dice.roll(250))
}

fn session_key(trail: &mut Trail) -> String {
    format!("ASIA{:016X}", trail.dice.next())
}

/// So many calls, some seconds apart.
fn calls(trail: &mut Trail, who: &Actor, day: i64, start: i64, count: i64) {
    for index in 0..count {
        let (source, name) = trail.dice.pick(&CALLS).unwrap_or(("ec2", "DescribeInstances"));
        let mut call = Call::new(source, name);
        if trail.dice.roll(12) == 0 {
            call.error = Some("AccessDenied");
        }
        let second = start + index * 4 + trail.dice.roll(3);
        trail.call(who, moment(day, second), &call);
    }
}

fn assumed(name: &'static str, role: &str, session_name: &str, key: &str) -> Call<'static> {
    let mut call = Call::new("sts", name);
    call.request =
        format!(r#"{{"roleArn":"{role}","roleSessionName":"{session_name}","durationSeconds":3600}}"#);
    call.response = format!(
        r#"{{"credentials":{{"accessKeyId":"{key}","sessionToken":"not-shown","expiration":"Oct 1, 2026, 5:46:56 AM"}},"assumedRoleUser":{{"arn":"{role}/{session_name}"}}}}"#
    );
    call
}

/// A pipeline's run with workload identity; every other one goes on to a second role.
fn deploy(trail: &mut Trail, day: i64, start: i64, subject: &str, run: i64) {
    let address = runner_address(trail);
    let key = session_key(trail);
    let who = at_home(workload(GITHUB_PROVIDER, subject), address.clone(), GITHUB);
    let mut call = assumed("AssumeRoleWithWebIdentity", DEPLOY_ROLE, "GitHubActions", &key);
    call.response = call.response.replacen(
        '{',
        &format!(r#"{{"subjectFromWebIdentityToken":"{subject}","provider":"{GITHUB_PROVIDER}","audience":"sts.amazonaws.com","#),
        1,
    );
    trail.call(&who, moment(day, start), &call);
    let who = at_home(
        session(DEPLOY_ROLE, "GitHubActions", &key, Some(GITHUB_PROVIDER)),
        address.clone(),
        TERRAFORM,
    );
    calls(trail, &who, day, start + 5, 4);
    if run % 2 == 1 {
        let next = session_key(trail);
        trail.call(&who, moment(day, start + 40), &assumed("AssumeRole", NEXT_ROLE, "publish", &next));
        let who = at_home(session(NEXT_ROLE, "publish", &next, None), address, BOTO);
        calls(trail, &who, day, start + 45, 2);
    }
}

/// A run of another pipeline: with its key until cut-over, with its role from the parallel run on.
fn moved(trail: &mut Trail, pipeline: &Pipeline, day: i64) {
    let Pipeline { user: name, key, role, provider, subject, agent } = pipeline;
    let address = runner_address(trail);
    let start = 36_000 + trail.dice.roll(20_000);
    if day < CUT_OVER {
        calls(trail, &at_home(user(ACCOUNT, name, key), address.clone(), agent), day, start, 3);
    }
    if day >= PARALLEL {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}");
        let session_key = session_key(trail);
        let who = at_home(workload(&provider, subject), address.clone(), agent);
        let call = assumed("AssumeRoleWithWebIdentity", &role, "pipeline", &session_key);
        trail.call(&who, moment(day, start + 600), &call);
        let who = at_home(session(&role, "pipeline", &session_key, Some(&provider)), address, agent);
        calls(trail, &who, day, start + 605, 3);
    }
}

/// A stored key that is good for nothing but a role.
fn brokered(trail: &mut Trail, day: i64) {
    let key = session_key(trail);
    let address = "198.51.100.80".to_owned();
    let start = 40_000 + trail.dice.roll(100);
    let who = at_home(user(ACCOUNT, "exporter", BROKER_KEY), address.clone(), BOTO);
    trail.call(&who, moment(day, start), &assumed("AssumeRole", BROKERED_ROLE, "export", &key));
    let who = at_home(session(BROKERED_ROLE, "export", &key, None), address, BOTO);
    calls(trail, &who, day, start + 10, 3);
}

/// A workload that is not let in.
fn refused(trail: &mut Trail, day: i64) {
    let subject = "org/0f5b3a1e/project/9c1d/user/77aa";
    let who = at_home(workload(CIRCLE_PROVIDER, subject), runner_address(trail), "CircleCI-Runner/1.0");
    let mut call = assumed("AssumeRoleWithWebIdentity", DEPLOY_ROLE, "circle", "");
    call.response = "null".to_owned();
    call.error = Some("AccessDenied");
    trail.call(&who, moment(day, 45_000), &call);
}

/// Machines with roles of their own, and sessions that began before the month.
fn machines(trail: &mut Trail, day: i64) {
    let role = "arn:aws:iam::111122223333:role/build-fleet";
    let key = session_key(trail);
    let who = at_home(session(role, "i-0123456789abcdef0", &key, None), "10.1.2.3".to_owned(), BOTO);
    calls(trail, &who, day, 1_000, 2);
    let key = session_key(trail);
    let who = at_home(
        session(DEPLOY_ROLE, "GitHubActions", &key, Some(GITHUB_PROVIDER)),
        "20.9.9.9".to_owned(),
        TERRAFORM,
    );
    if day == 0 {
        calls(trail, &who, day, 30, 2);
    }
}
