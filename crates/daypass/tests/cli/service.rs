//! `up` and `serve` as processes beside the test.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Call, daypass, write};
use crate::schema;

/// `up` on ports and state of its own.
pub(crate) struct Up {
    process: Process,
    directory: TempDir,
}

impl Up {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With more arguments.
    pub(crate) fn with(more: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let own = ["up", "--json", "--listen", "127.0.0.1:0", "--issuer-listen", "127.0.0.1:0", "--data"];
        let arguments = own.into_iter().chain([data.to_str().unwrap()]).chain(more.iter().copied());
        let process = Process::start(daypass(arguments), directory.path());
        Self { process, directory }
    }

    /// A directory of the test's own.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn data(&self) -> &str {
        self.process.text("data")
    }

    pub(crate) fn sts(&self) -> &str {
        self.process.text("sts")
    }

    pub(crate) fn issuer(&self) -> &str {
        self.process.text("issuer")
    }

    /// What it printed.
    pub(crate) fn answer(&self) -> &Value {
        &self.process.answer
    }

    /// Another command, on this service.
    pub(crate) fn daypass<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Call {
        daypass(arguments)
            .within(self.path())
            .env("DAYPASS_DATA", self.data())
            .env("DAYPASS_SERVER", self.sts())
            .env("DAYPASS_ISSUER_URL", self.issuer())
    }

    /// A token of a platform's job; the file that it lies in.
    pub(crate) fn token(&self, arguments: &[&str]) -> String {
        let minted = self.daypass(["token", "mint"].into_iter().chain(arguments.iter().copied())).exits(0);
        let name = format!("token-{}", std::fs::read_dir(self.path()).unwrap().count());
        write(self.path(), &name, minted.stdout)
    }

    /// The token of acme/app's job on main.
    pub(crate) fn github(&self) -> String {
        self.token(&["--platform", "github-actions"])
    }

    /// The environment of a platform's job.
    pub(crate) fn job(&self, wish: &Value) -> Vec<(String, String)> {
        let answer = post(&format!("{}/job", self.issuer()), wish);
        let variables = answer["environment"].as_object().unwrap_or_else(|| panic!("{answer}"));
        variables.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    }

    /// Stops it gracefully, and keeps its directory.
    pub(crate) fn stop(self) -> TempDir {
        self.process.stop();
        self.directory
    }
}

/// A service's process; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// What it printed when it served.
    pub(crate) answer: Value,
}

impl Process {
    /// Starts a service, and waits until it serves.
    pub(crate) fn start(mut call: Call, directory: &Path) -> Self {
        let log = directory.join("stderr.log");
        let mut child = call
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}: {line:?}: {}", std::fs::read_to_string(&log).unwrap()));
        assert!(answer.get("error").is_none(), "{answer}");
        schema::check(if answer.get("sts").is_some() { "up" } else { "serve" }, &answer);
        Self { child, log, answer }
    }

    /// A text that it printed.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.answer[member].as_str().unwrap_or_else(|| panic!("no {member}: {}", self.answer))
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Stops it gracefully.
    pub(crate) fn stop(mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The answer to a POST of JSON.
pub(crate) fn post(url: &str, body: &Value) -> Value {
    let (_, text) = http("POST", url, &body.to_string());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Status and text of a document.
pub(crate) fn get(url: &str) -> (u16, String) {
    http("GET", url, "")
}

fn http(method: &str, url: &str, body: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
