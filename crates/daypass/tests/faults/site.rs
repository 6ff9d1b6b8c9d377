//! A place where the service is configured, and the service running there as a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use daypass_claims::Random;
use daypass_server::SystemRandom;
use daypass_token::sign::SigningKey;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::client::Client;
use crate::platform::{GITHUB, Job, job, jwks, key};

/// How long a service may take to start or to stop before that is a failure of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// Roles that the jobs of one repository may assume. `shared` may be used five times per token, the others once. Retries are
/// retries for as long as any test takes.
const ROLES: &str = r#"
[[role]]
name = "deploy"
max_uses = 1
retry_window = "10m"
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"

[[role]]
name = "shared"
max_uses = 5
retry_window = "10m"
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"

[[role]]
name = "api"
max_uses = 1
retry_window = "10m"
credential = { kind = "jwt", audience = "https://api.example.com", subject = "repo:{repository_id}" }
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"
"#;

/// A configuration and its state.
pub(crate) struct Site {
    directory: TempDir,
    /// A directory or a URL, as `--data` takes it.
    data: String,
    issuers: String,
    key: SigningKey,
}

impl Site {
    /// With its state in SQLite, and an issuer whose keys are pinned.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data").display().to_string();
        Self::over(directory, data)
    }

    /// With its state in a directory or database of somebody else.
    pub(crate) fn on(data: impl Into<String>) -> Self {
        Self::over(tempfile::tempdir().unwrap(), data.into())
    }

    fn over(directory: TempDir, data: String) -> Self {
        let key = key();
        let issuers = format!("{}jwks_file = \"github.jwks.json\"\n", issuer("github", GITHUB));
        let mut kek = [0; 32];
        SystemRandom.fill(&mut kek).unwrap();
        fs::write(directory.path().join("kek"), hex::encode(kek)).unwrap();
        fs::write(directory.path().join("github.jwks.json"), jwks([&key])).unwrap();
        Self { directory, data, issuers, key }
    }

    /// With these issuers in place of the usual one; `github` is the one that roles trust.
    pub(crate) fn trusting(self, issuers: impl Into<String>) -> Self {
        Self { issuers: issuers.into(), ..self }
    }

    /// A directory or a URL, as `--data` takes it.
    pub(crate) fn data(&self) -> &str {
        &self.data
    }

    /// The directory that the configuration lies in.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A new job of the usual issuer.
    pub(crate) fn job(&self) -> Job {
        job(GITHUB, &self.key)
    }

    /// A service, when it serves.
    pub(crate) async fn serve(&self) -> Service {
        self.replica("one").await
    }

    /// The replica of that name, when it serves.
    pub(crate) async fn replica(&self, name: &str) -> Service {
        match self.start(name, Command::new(env!("CARGO_BIN_EXE_daypass"))).await {
            Ok(service) => service,
            Err(output) => panic!("replica {name} does not start: {output:?}"),
        }
    }

    /// What a service that does not start leaves behind.
    pub(crate) async fn refused_start(&self) -> Output {
        match self.start("one", Command::new(env!("CARGO_BIN_EXE_daypass"))).await {
            Ok(service) => panic!("it serves at {}", service.url()),
            Err(output) => output,
        }
    }

    /// Runs `daypass serve` by a command that comes to nothing else.
    pub(crate) async fn start(&self, name: &str, mut command: Command) -> Result<Service, Output> {
        let log = self.path().join(format!("{name}.log"));
        let mut child = command
            .args(["serve", "--json", "--config"])
            .arg(self.configure(name))
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let began = Instant::now();
        let mut line = String::new();
        let mut printed = BufReader::new(child.stdout.take().unwrap());
        timeout(PATIENCE, printed.read_line(&mut line))
            .await
            .expect("a service that starts or fails")
            .unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        if answer.get("listen").is_none() {
            let status = child.wait().await.unwrap();
            return Err(Output { status, stdout: line.into_bytes(), stderr: fs::read(&log).unwrap() });
        }
        let text = |member: &str| answer[member].as_str().unwrap().to_owned();
        Ok(Service {
            child,
            log,
            public: format!("http://{}", text("listen")),
            admin: text("admin"),
            admin_token_file: text("admin_token_file"),
            took: began.elapsed(),
        })
    }

    /// The configuration of a replica, written down.
    fn configure(&self, name: &str) -> PathBuf {
        let data = &self.data;
        let kek = if data.starts_with("postgres") { "kek = { file = \"kek\" }\n" } else { "" };
        let text = format!(
            "listen = \"127.0.0.1:0\"\npublic_url = \"https://sts.example.com\"\ndata = \"{data}\"\n{kek}\
             account_id = \"123456789012\"\n{}{ROLES}\n[admin]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"{name}.token\"\n",
            self.issuers
        );
        let path = self.path().join(format!("{name}.toml"));
        fs::write(&path, text).unwrap();
        path
    }
}

/// An issuer's table, but for where its keys come from.
pub(crate) fn issuer(name: &str, url: &str) -> String {
    format!(
        "[[issuer]]\nname = \"{name}\"\nurl = \"{url}\"\nplatform = \"github-actions\"\n\
         audiences = [\"sts.amazonaws.com\"]\nalgorithms = [\"ES256\"]\n"
    )
}

/// A running service; killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    log: PathBuf,
    public: String,
    admin: String,
    admin_token_file: String,
    /// From its start until it served.
    pub(crate) took: Duration,
}

impl Service {
    /// The URL of the public listener.
    pub(crate) fn url(&self) -> &str {
        &self.public
    }

    /// Waits until it says that it can record, or that it cannot. It asks its database once a second, whoever asks.
    pub(crate) async fn until_ready(&self, client: &Client, ready: bool) {
        let (url, wanted) = (format!("{}/readyz", self.public), if ready { 200 } else { 503 });
        let said = async { while client.get(&url).await.0 != wanted {} };
        timeout(PATIENCE, said).await.expect("a service that knows whether it is ready");
    }

    /// `kill -9`, and nothing of it is left.
    pub(crate) async fn kill(mut self) {
        self.child.start_kill().unwrap();
        self.child.wait().await.unwrap();
    }

    /// SIGTERM, without waiting for what comes of it.
    pub(crate) fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// How it ended.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("a service that ends").unwrap()
    }

    /// Stops it gracefully.
    pub(crate) async fn stop(self) {
        self.terminate();
        let status = self.ended().await;
        assert!(status.success(), "{status}");
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap()
    }

    /// Runs an administrator's command on this service.
    pub(crate) async fn administer(&self, arguments: &[&str]) -> Value {
        let own = ["--admin-url", &self.admin, "--admin-token-file", &self.admin_token_file];
        let output = daypass(&[arguments, &own].concat()).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(log) = fs::read_to_string(&self.log)
        {
            eprintln!("what the service at {} said:\n{log}", self.public);
        }
    }
}

/// Runs another command of the program, with its answer in JSON.
pub(crate) async fn daypass(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_daypass"))
        .args(arguments)
        .arg("--json")
        .kill_on_drop(true)
        .output()
        .await
        .unwrap()
}
