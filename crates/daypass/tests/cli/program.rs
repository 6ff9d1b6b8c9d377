//! Running the program once.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::schema;

/// The program, alone: nothing of the environment that the tests run in reaches it, but where programs are.
pub(crate) fn daypass<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Call {
    let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_daypass"));
    command.args(&arguments).env_clear().env("HOME", home.path()).current_dir(home.path());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    Call { command, arguments, home, input: Vec::new() }
}

/// A call of the program, in the making.
pub(crate) struct Call {
    pub(crate) command: Command,
    arguments: Vec<String>,
    /// Where it starts, unless told otherwise.
    home: TempDir,
    input: Vec<u8>,
}

impl Call {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn envs<'a>(mut self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.command.envs(variables);
        self
    }

    /// Where it starts.
    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// What it reads on stdin.
    pub(crate) fn input(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.input = text.into();
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Ran {
        let mut child =
            self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that does not read its input may have ended by now.
        let _ = child.stdin.take().unwrap().write_all(&self.input);
        let output = child.wait_with_output().unwrap();
        drop(self.home);
        let ran = Ran {
            arguments: self.arguments,
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
        ran
    }

    /// Runs it on a terminal of its own and gives all that is written there; `None` without util-linux's `script`, which makes one.
    pub(crate) fn on_a_terminal(&self) -> Option<String> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let quoted = |word: &str| format!("'{}'", word.replace('\'', r"'\''"));
        let words =
            std::iter::once(env!("CARGO_BIN_EXE_daypass")).chain(self.arguments.iter().map(String::as_str));
        let line: Vec<String> = words.map(quoted).collect();
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"]);
        script.stdin(Stdio::null()).env_clear();
        for (name, value) in self.command.get_envs() {
            script.envs(value.map(|value| (name, value)));
        }
        script.current_dir(self.command.get_current_dir().unwrap());
        match script.output() {
            Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Runs it; it must exit with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Ran {
        let ran = self.run();
        assert_eq!(ran.code, Some(code), "{ran:?}");
        ran
    }
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Ran {
    arguments: Vec<String>,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The answer, which is one line of JSON and as its schema has it.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let line = self.stdout.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!line.contains('\n'), "more than one line: {self:?}");
        let value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        schema::check(&schema::of(&self.arguments, &value), &value);
        value
    }

    /// Everything that a user sees.
    pub(crate) fn seen(&self) -> String {
        let mut seen = format!("$ daypass {}\n", self.arguments.join(" "));
        seen.push_str(&self.stdout);
        for line in self.stderr.lines() {
            seen.push_str(&format!("stderr: {line}\n"));
        }
        seen.push_str(&format!("exit {}\n", self.code.unwrap_or(-1)));
        seen
    }
}

/// Runs what compares snapshots, with whatever differs from run to run named instead.
pub(crate) fn steadily(compare: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let changing = [
        (r"(/private)?/tmp/\.tmp\w+", "[DIR]"),
        (r"/var/folders/[\w/]+/\.tmp\w+", "[DIR]"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[ID]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
        (r"127\.0\.0\.1:[1-9]\d{4}", "127.0.0.1:[PORT]"),
        (r"daypass-dev-[0-9a-f]{16}", "daypass-dev-[KEY]"),
        (r"daypass 0\.\d+\.\d+", "daypass [VERSION]"),
    ];
    for (pattern, name) in changing {
        settings.add_filter(pattern, name);
    }
    settings.bind(compare);
}

/// A file in a directory.
pub(crate) fn write(directory: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
