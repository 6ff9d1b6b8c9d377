use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use daypass_claims::{Clock, Random, RandomError, Timestamp};
use daypass_client::run::{Run, RunOptions};
use daypass_client::{AwsSession, BoxFuture, ClientError, Secret, SessionSource};
use rustix::process::{Signal, getpid, kill_process};

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_795_410_000)
    }
}

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(7);
        Ok(())
    }
}

impl SessionSource for Fixed {
    fn session(&self) -> BoxFuture<'_, Result<AwsSession, ClientError>> {
        Box::pin(async {
            Ok(AwsSession {
                access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
                secret_access_key: Secret::new("x"),
                session_token: Secret::new("x"),
                expiration: self.now() + Duration::from_secs(3_600),
                account: None,
                arn: None,
            })
        })
    }
}

/// Runs a script that tells by a pipe when it is ready, sends us the signal then, and gives the exit code.
async fn signalled(script: &str, signal: Signal) -> i32 {
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready");
    assert!(std::process::Command::new("mkfifo").arg(&ready).status().unwrap().success());
    let variables =
        [("READY", ready.as_os_str().to_owned()), ("PATH", std::env::var_os("PATH").unwrap_or_default())];
    let options = RunOptions {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: variables.map(|(name, value)| (OsString::from(name), value)).to_vec(),
        core_dumps: None,
    };
    let run = Run::prepare(options, Arc::new(Fixed), Arc::new(Fixed), &Fixed).await.unwrap();
    let running = tokio::spawn(run.to_completion());
    wait_for(&ready).await;
    kill_process(getpid(), signal).unwrap();
    running.await.unwrap().unwrap().code()
}

async fn wait_for(pipe: &Path) {
    let pipe = pipe.to_owned();
    tokio::task::spawn_blocking(move || std::fs::read(pipe).unwrap()).await.unwrap();
}

#[tokio::test]
async fn signals_reach_the_command() {
    for (name, signal) in
        [("TERM", Signal::TERM), ("HUP", Signal::HUP), ("USR1", Signal::USR1), ("USR2", Signal::USR2)]
    {
        // `wait` is what a trap interrupts. Nothing that it waits for outlives the test for long.
        let trap = format!("trap 'exit 7' {name}; : > \"$READY\"; while :; do sleep 1 & wait; done");
        assert_eq!(signalled(&trap, signal).await, 7, "{name}");
    }
    let code = signalled(": > \"$READY\"; exec sleep 600", Signal::TERM).await;
    assert_eq!(code, 128 + 15, "a command that does not care is ended");
}
