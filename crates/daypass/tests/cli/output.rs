//! What all commands have in common: streams, colours, errors.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::program::{daypass, write};

const ESCAPE: char = '\u{1b}';

#[test]
fn colours_come_when_they_are_wanted() {
    let list = |more: &[&str]| daypass(["issuers", "list"].into_iter().chain(more.iter().copied()));
    assert!(!list(&[]).exits(0).stdout.contains(ESCAPE), "no terminal, no colours");
    assert!(list(&["--color", "always"]).exits(0).stdout.contains(ESCAPE));
    assert!(
        list(&["--color", "always"]).env("NO_COLOR", "1").exits(0).stdout.contains(ESCAPE),
        "the flag is nearer"
    );
    assert!(!list(&["--color", "never"]).env("CLICOLOR_FORCE", "1").exits(0).stdout.contains(ESCAPE));
    let json = list(&["--color", "always", "--json"]).exits(0);
    assert!(!json.stdout.contains(ESCAPE), "JSON has no colours");
}

#[test]
fn a_reader_that_goes_early_is_no_failure() {
    for arguments in [&["issuers", "list"][..], &["issuers", "show", "github-actions"], &["--help"], &["man"]]
    {
        let mut call = daypass(arguments.iter().copied());
        let mut child =
            call.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[test]
fn wrong_arguments_are_said_in_json_too() {
    for arguments in
        [&["frobnicate", "--json"][..], &["keys", "rotate", "--json", "all"], &["exchange", "--json"]]
    {
        let ran = daypass(arguments.iter().copied()).exits(2);
        assert_eq!(ran.json()["error"]["kind"], "usage", "{ran:?}");
        assert!(ran.stderr.starts_with("error: "), "{ran:?}");
    }
}

#[test]
fn what_fails_exits_with_three_and_says_what_failed() {
    let call =
        || daypass(["token", "mint", "--platform", "gitlab-com", "--issuer-url", "http://127.0.0.1:9"]);
    let ran = call().exits(3);
    assert!(ran.stderr.contains("is `daypass up` running?"), "{ran:?}");
    let place = tempfile::tempdir().unwrap();
    let token = write(place.path(), "token", "secret");
    let ran = daypass([
        "keys",
        "list",
        "--json",
        "--admin-url",
        "http://127.0.0.1:9",
        "--admin-token-file",
        &token,
    ]);
    assert_eq!(ran.exits(3).json()["error"]["kind"], "failed");
}

#[test]
fn administration_needs_a_service_and_a_right() {
    let ran = daypass(["keys", "list"]).exits(2);
    assert!(ran.stderr.contains("--data DIR or --admin-url URL"), "{ran:?}");
    let ran = daypass(["keys", "list", "--admin-url", "http://127.0.0.1:9"]).exits(2);
    assert!(ran.stderr.contains("--admin-token-file"), "{ran:?}");
    for url in ["http://192.0.2.1:8081", "8081"] {
        let ran = daypass(["keys", "list", "--admin-url", url]).exits(2);
        assert!(ran.stderr.contains("--admin-url: "), "{ran:?}");
    }
}

#[test]
fn scripts_for_shells_parse() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = daypass(["completions", shell]).exits(0).stdout;
        assert!(script.contains("issuers"), "{shell}");
        assert_eq!(daypass(["completions", shell, "--json"]).exits(0).json()["script"], *script);
        if ["bash", "zsh"].contains(&shell) {
            let place = tempfile::tempdir().unwrap();
            let file = write(place.path(), "script", script);
            // Not everybody has every shell.
            if let Ok(checked) = std::process::Command::new(shell).args(["-n", &file]).output() {
                assert!(checked.status.success(), "{checked:?}");
            }
        }
    }
    assert!(daypass(["completions", "csh"]).exits(2).stderr.contains("possible values"));
}

#[test]
fn every_command_has_a_manual_page() {
    let place = tempfile::tempdir().unwrap();
    let answer = daypass(["man", "--json", "--directory", place.path().to_str().unwrap()]).exits(0).json();
    let pages = answer["pages"].as_array().unwrap();
    assert!(pages.iter().any(|page| page.as_str().unwrap().ends_with("/daypass-audit-verify.1")), "{answer}");
    for page in pages {
        let text = std::fs::read_to_string(page.as_str().unwrap()).unwrap();
        assert!(text.contains(".TH daypass") && text.contains(".SH SYNOPSIS"), "{page}");
    }
    let own = daypass(["man"]).exits(0).stdout;
    assert_eq!(daypass(["man", "--json"]).exits(0).json()["page"], *own);
}
