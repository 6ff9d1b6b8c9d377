use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::*;
use crate::BoxFuture;
use crate::credential::AwsSession;
use crate::http::Call;
use crate::testing::{CountingRandom, ManualClock, http, session};

struct Fixed(Result<AwsSession, ClientError>);

impl SessionSource for Fixed {
    fn session(&self) -> BoxFuture<'_, Result<AwsSession, ClientError>> {
        Box::pin(async { self.0.clone() })
    }
}

fn script(text: &str, environment: &[(&str, &str)]) -> RunOptions {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut environment: Vec<(OsString, OsString)> =
        environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    environment.push(("PATH".into(), path));
    RunOptions {
        program: "sh".into(),
        arguments: vec!["-c".into(), text.into()],
        environment,
        core_dumps: None,
    }
}

async fn prepared(options: RunOptions, outcome: Result<AwsSession, ClientError>) -> Result<Run, RunError> {
    let clock = Arc::new(ManualClock::new());
    Run::prepare(options, Arc::new(Fixed(outcome)), clock, &CountingRandom::default()).await
}

async fn run(options: RunOptions) -> Result<Exit, RunError> {
    prepared(options, Ok(session())).await?.to_completion().await
}

#[tokio::test]
async fn the_exit_code_is_passed_through() {
    for (text, code) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143)] {
        assert_eq!(run(script(text, &[])).await.unwrap().code(), code, "{text}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told_as_by_a_shell() {
    let mut options = script("", &[]);
    options.program = "daypass-no-such-program".into();
    let error = run(options).await.unwrap_err();
    assert_eq!(error, RunError::NotFound("daypass-no-such-program".into()));
    assert_eq!(error.exit_code(), 127);

    let dir = tempfile::tempdir().unwrap();
    let mut options = script("", &[]);
    options.program = dir.path().into();
    let error = run(options).await.unwrap_err();
    assert!(matches!(error, RunError::NotStarted { .. }), "{error}");
    assert_eq!(error.exit_code(), 126);
}

#[tokio::test]
async fn without_a_first_session_nothing_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let started = dir.path().join("started");
    let options = script("touch \"$STARTED\"", &[("STARTED", started.to_str().unwrap())]);
    let error = prepared(options, Err(ClientError::NotASession)).await.unwrap_err();
    assert_eq!(error, RunError::Client(ClientError::NotASession));
    assert_eq!(error.exit_code(), 1);
    assert!(!started.exists());
}

#[tokio::test]
async fn the_command_sees_the_endpoint_and_no_other_credential() {
    let dir = tempfile::tempdir().unwrap();
    let seen = dir.path().join("seen");
    let environment = [
        ("SEEN", seen.to_str().unwrap()),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAOLD"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
    ];
    let run = prepared(script("env > \"$SEEN\"", &environment), Ok(session())).await.unwrap();
    assert_eq!(run.removed(), ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    assert_eq!(run.to_completion().await.unwrap().code(), 0);
    let seen = std::fs::read_to_string(seen).unwrap();
    let mut aws: Vec<&str> = seen.lines().filter(|line| line.starts_with("AWS_")).collect();
    aws.sort_unstable();
    assert_eq!(aws.len(), 3, "{aws:?}");
    assert!(aws[0].starts_with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/"));
    assert!(aws[1].starts_with("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:"));
    assert_eq!(aws[2], "AWS_REGION=eu-west-1");
    assert!(!seen.contains("ASIA") && !seen.contains("dps1_"));
}

#[tokio::test]
async fn the_endpoint_answers_while_the_command_runs_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = |name: &str| {
        let path = dir.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    let (out, go) = (pipe("out"), pipe("go"));
    let text = "printf '%s\\n' \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\" \
        \"$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE\" > \"$OUT\"; cat \"$GO\"";
    let options = script(text, &[("OUT", out.to_str().unwrap()), ("GO", go.to_str().unwrap())]);
    let running = tokio::spawn(run(options));
    // A pipe is opened when both ends are: the command has started, and it waits for us.
    let told = tokio::task::spawn_blocking(move || std::fs::read_to_string(out).unwrap()).await.unwrap();
    let (url, file) = told.trim_end().split_once('\n').unwrap();
    let file = Path::new(file);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(file), mode(file.parent().unwrap())), (0o600, 0o700));

    let mut call = Call::new(reqwest::Method::GET, url.parse().unwrap());
    let token = std::fs::read_to_string(file).unwrap();
    call.secret_header(reqwest::header::AUTHORIZATION, &token).unwrap();
    let answer = http().send(&call, Duration::from_secs(10)).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(
        String::from_utf8(answer.body.to_vec()).unwrap().contains("\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\"")
    );

    tokio::task::spawn_blocking(move || std::fs::write(go, "").unwrap()).await.unwrap();
    assert_eq!(running.await.unwrap().unwrap().code(), 0);
    assert!(!file.parent().unwrap().exists());
    let error = http().send(&call, Duration::from_secs(10)).await.unwrap_err();
    assert!(error.is_transient(), "nobody listens: {error}");
}

#[tokio::test]
async fn nothing_of_the_environment_is_printed() {
    let run = prepared(script("exit", &[("DEPLOY_KEY", "hush")]), Ok(session())).await.unwrap();
    assert!(!format!("{run:?}").contains("hush"));
}
