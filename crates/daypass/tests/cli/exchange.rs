//! `exchange`, in jobs of every platform that can be played.

use serde_json::json;

use crate::program::{Call, daypass, steadily};
use crate::service::Up;

const STAGING: &str = "arn:aws:iam::123456789012:role/deploy-staging";
const PROD: &str = "arn:aws:iam::123456789012:role/deploy-prod";

fn exchange<'a>(up: &Up, more: impl IntoIterator<Item = &'a str>) -> Call {
    up.daypass(["exchange"].into_iter().chain(more))
}

#[test]
fn every_format_hands_the_credential_over() {
    let up = Up::start();
    let token = up.github();
    let aws =
        |more: &[&str]| exchange(&up, [&["--role", STAGING, "--token-file", &token], more].concat()).exits(0);
    let shell = aws(&[]).stdout;
    assert!(shell.contains("export AWS_ACCESS_KEY_ID=") && shell.contains("AWS_SESSION_TOKEN="), "{shell}");
    let process: serde_json::Value =
        serde_json::from_str(&aws(&["--format", "credential-process"]).stdout).unwrap();
    assert_eq!(process["Version"], 1);
    assert!(aws(&["--format", "dotenv"]).stdout.contains("AWS_SECRET_ACCESS_KEY="));
    let file = up.path().join("credentials.env");
    let written = aws(&["--format", "dotenv", "--output", file.to_str().unwrap()]);
    assert!(
        written.stdout.is_empty() && std::fs::read_to_string(&file).unwrap().contains("AWS_SESSION_TOKEN")
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let answer = aws(&["--json"]).json();
    assert_eq!(answer["arn"], "arn:aws:sts::123456789012:assumed-role/deploy-staging/daypass");
    let identity = up.path().join("identity");
    let variables = aws(&["--format", "web-identity", "--output", identity.to_str().unwrap()]).stdout;
    assert!(
        variables.contains("AWS_WEB_IDENTITY_TOKEN_FILE=") && variables.contains("AWS_ENDPOINT_URL_STS=")
    );
    let again = up.path().join("identity-2");
    aws(&["--format", "web-identity", "--json", "--output", again.to_str().unwrap()]).json();
}

#[test]
fn a_github_job_keeps_the_credential_for_its_later_steps() {
    let up = Up::start();
    let job = up.job(&json!({ "platform": "github-actions" }));
    let file = up.path().join("github-env");
    std::fs::write(&file, "").unwrap();
    let call =
        exchange(&up, ["--role", STAGING, "--audience", "sts.amazonaws.com", "--format", "github-env"])
            .envs(job.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let outside =
        exchange(&up, ["--role", STAGING, "--token-file", &up.github(), "--format", "github-env"]).exits(2);
    assert!(outside.stderr.contains("GITHUB_ENV is not set"), "{outside:?}");
    let ran = call.env("GITHUB_ENV", &file).exits(0);
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("AWS_SECRET_ACCESS_KEY"), "{kept}");
    assert!(ran.stdout.lines().all(|line| line.starts_with("::add-mask::")), "only masks: {ran:?}");
    assert!(ran.stderr.is_empty(), "{ran:?}");
}

#[test]
fn a_release_gets_a_token_of_ours() {
    let up = Up::start();
    let token = up.token(&["--platform", "github-actions", "--variant", "tag"]);
    let own = ["--role", "publish", "--token-file", &token];
    let shell = exchange(&up, own).exits(0).stdout;
    assert!(shell.starts_with("export DAYPASS_ACCESS_TOKEN="), "{shell}");
    let named = exchange(&up, [&own[..], &["--variable", "REGISTRY_TOKEN"]].concat()).exits(0).stdout;
    assert!(named.starts_with("export REGISTRY_TOKEN="));
    assert_eq!(exchange(&up, [&own[..], &["--json"]].concat()).exits(0).json()["kind"], "token");
    let file = up.path().join("access-token");
    exchange(&up, [&own[..], &["--format", "token-file", "--output", file.to_str().unwrap()]].concat())
        .exits(0);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("eyJ"));
    let ran = exchange(&up, [&own[..], &["--format", "credential-process"]].concat()).exits(2);
    assert!(ran.stderr.contains("is for AWS sessions"), "{ran:?}");
}

#[test]
fn a_job_of_each_platform_finds_its_own_token() {
    let up = Up::start();
    for (platform, arguments) in
        [("github-actions", &["--audience", "sts.amazonaws.com"][..]), ("circleci", &[])]
    {
        let job = up.job(&json!({ "platform": platform }));
        let ran = exchange(&up, [&["--role", STAGING, "--json"], arguments].concat())
            .envs(job.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .exits(0);
        assert_eq!(ran.json()["kind"], "aws-session", "{platform}");
    }
}

#[test]
fn a_refused_job_is_told_why_and_where_to_go() {
    let up = Up::start();
    let token = up.github();
    let call = |more: &[&str]| exchange(&up, [&["--token-file", &token], more].concat());
    let seen = call(&["--role", PROD]).exits(1);
    assert!(seen.stdout.is_empty(), "{seen:?}");
    let mut said: String = seen.stderr;
    said.push_str(&call(&["--role", "deploy-prod"]).exits(1).stderr);
    said.push_str(&call(&["--role", STAGING, "--duration", "12h"]).exits(1).stderr);
    steadily(|| insta::assert_snapshot!("exchange-refused", said));
    let answer = call(&["--role", PROD, "--json"]).exits(1).json();
    assert_eq!(answer["error"]["kind"], "refused");
    let command = answer["error"]["advice"][1].as_str().unwrap().to_owned();
    let id = command.rsplit(' ').next().unwrap();
    let explained = up.daypass(["explain", "--decision", id]).exits(1);
    assert!(explained.stdout.contains("claims.environment is absent"), "{explained:?}");
    assert_eq!(
        up.daypass(["explain", "--decision", id, "--json"]).exits(1).json()["record"]["outcome"],
        "refused"
    );
    let nothing = "01900000-0000-7000-8000-000000000000";
    assert!(up.daypass(["explain", "--decision", nothing]).exits(1).stderr.contains("no decision"));
}

#[test]
fn what_cannot_work_is_said_before_it_is_tried() {
    let up = Up::start();
    let bad: [&[&str]; 9] = [
        &["--role", STAGING],
        &["--role", STAGING, "--token-env", "NOWHERE"],
        &["--role", STAGING, "--token-file", "nowhere"],
        &["--role", STAGING, "--platform", "travis"],
        &["--role", STAGING, "--token-file", "t", "--duration", "long"],
        &["--role", STAGING, "--token-file", "t", "--session-name", "a b"],
        &["--role", STAGING, "--token-file", "t", "--format", "web-identity"],
        &["--role", STAGING, "--token-file", "t", "--output", "x"],
        &["--role", STAGING, "--token-file", "t", "--server", "ftp://sts.example.com"],
    ];
    let said: String =
        bad.iter().map(|more| exchange(&up, more.iter().copied()).exits(2).stderr + "\n").collect();
    steadily(|| insta::assert_snapshot!("exchange-misused", said));
}

#[test]
fn without_a_server_it_gives_up_and_says_so() {
    let up = Up::start();
    let token = up.github();
    let ran =
        daypass(["exchange", "--server", "http://127.0.0.1:9", "--role", STAGING, "--token-file", &token])
            .env("NO_COLOR", "1");
    let mut ran = ran;
    ran.command.args(["--give-up-after", "1s"]);
    let ran = ran.exits(3);
    let secret = std::fs::read_to_string(&token).unwrap();
    assert!(ran.stderr.contains("127.0.0.1:9") && !ran.stderr.contains(secret.trim()), "{ran:?}");
}

#[test]
fn static_keys_that_would_be_used_instead_are_warned_of() {
    let up = Up::start();
    let token = up.github();
    let file = up.path().join("shadowed");
    let ran = exchange(
        &up,
        [
            "--role",
            STAGING,
            "--token-file",
            &token,
            "--format",
            "web-identity",
            "--output",
            file.to_str().unwrap(),
        ],
    )
    .envs([("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hunter2")])
    .exits(0);
    assert!(ran.stderr.contains("warning: ") && ran.stderr.contains("AWS_ACCESS_KEY_ID"), "{ran:?}");
    assert!(!ran.stderr.contains("hunter2") && !ran.stdout.contains("hunter2"), "{ran:?}");
}
