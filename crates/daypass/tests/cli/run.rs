//! `run -- COMMAND`.

use crate::program::Call;
use crate::service::Up;

const STAGING: &str = "arn:aws:iam::123456789012:role/deploy-staging";

fn run(up: &Up, token: &str, command: &[&str]) -> Call {
    up.daypass(
        ["run", "--role", STAGING, "--token-file", token, "--"].into_iter().chain(command.iter().copied()),
    )
}

#[test]
fn the_command_sees_an_endpoint_and_no_static_keys() {
    let up = Up::start();
    let script = "test -n \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\" && test -s \"$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE\" \
                  && test -z \"$AWS_SECRET_ACCESS_KEY\" && echo seen";
    let ran = run(&up, &up.github(), &["sh", "-c", script])
        .envs([("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hunter2")])
        .exits(0);
    assert_eq!(ran.stdout, "seen\n", "{ran:?}");
    assert!(ran.stderr.contains("kept from the command") && !ran.stderr.contains("hunter2"), "{ran:?}");
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let up = Up::start();
    let token = up.github();
    assert_eq!(run(&up, &token, &["true"]).exits(0).stdout, "");
    run(&up, &token, &["sh", "-c", "exit 42"]).exits(42);
    run(&up, &token, &["sh", "-c", "kill -TERM $$"]).exits(143);
    assert!(run(&up, &token, &["daypass-has-no-such-command"]).exits(127).stderr.contains("error: "));
    run(&up, &token, &["/"]).exits(126);
}

#[test]
fn without_a_credential_nothing_is_run() {
    let up = Up::start();
    let marker = up.path().join("ran");
    let touch = ["touch", marker.to_str().unwrap()];
    let token = up.token(&["--platform", "github-actions", "--claim", "repository_id=9"]);
    let ran = run(&up, &token, &touch).exits(1);
    assert!(ran.stderr.contains("refused: AccessDenied: ") && ran.stderr.contains("--decision"), "{ran:?}");
    let ran = up.daypass(["run", "--json", "--role", STAGING, "--", "true"]).exits(2);
    assert!(ran.stderr.contains("no --json"), "{ran:?}");
    up.daypass(["run", "--role", STAGING]).exits(2);
    assert!(!marker.exists());
}
