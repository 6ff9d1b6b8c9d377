//! Files that are wrong, each in one way: `tests/bad`. Whoever wrote one is told where, and what would be right.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Ran, daypass, steadily};

/// The files of a folder with that beginning, in the order of their names.
fn files(folder: &str, beginning: &str) -> Vec<String> {
    let all = std::fs::read_dir(home(folder)).unwrap();
    let mut names: Vec<String> = all
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(beginning))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{folder}/{beginning}");
    names
}

fn home(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad").join(folder)
}

/// What is said about each file that `arguments` are given; `{}` stands for the file's name.
fn said(folder: &str, names: &[String], arguments: &[&str]) -> String {
    let mut said = String::new();
    for name in names {
        let words: Vec<String> = arguments.iter().map(|word| word.replace("{}", name)).collect();
        let call = || daypass(words.iter().map(String::as_str)).within(&home(folder));
        let ran = call().exits(2);
        complete(name, &ran);
        let json = daypass(words.iter().map(String::as_str).chain(["--json"])).within(&home(folder)).exits(2);
        located(name, &json.json());
        said.push_str(&format!("## {name}\n{}\n", ran.stderr.trim_end()));
        said.push('\n');
    }
    said
}

/// The message says where, and nothing that is secret.
fn complete(name: &str, ran: &Ran) {
    assert_eq!(ran.stdout, "", "{name}");
    assert!(ran.stderr.starts_with("error: "), "{name}: {}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2") && !ran.stderr.contains("eyJ"), "{name}: {}", ran.stderr);
}

fn located(name: &str, answer: &Value) {
    let problems = answer["error"]["problems"].as_array().unwrap_or_else(|| panic!("{name}: {answer}"));
    assert!(!problems.is_empty(), "{name}");
}

#[test]
fn configurations() {
    for topic in ["file", "server", "admin", "issuer", "role", "trust"] {
        let names = files("config", &format!("{topic}-"));
        let said = said("config", &names, &["config", "check", "{}"]);
        steadily(|| insta::assert_snapshot!(format!("bad-config-{topic}"), said));
    }
}

#[test]
fn policies() {
    for dialect in ["aws", "native", "other"] {
        let names = files("policy", &format!("{dialect}-"));
        let said = said("policy", &names, &["explain", "--policy", "{}", "--claims", "../tests/policy.json"]);
        steadily(|| insta::assert_snapshot!(format!("bad-policy-{dialect}"), said));
    }
}

#[test]
fn tests_of_policies() {
    let names: Vec<String> = files("tests", "").into_iter().filter(|name| name != "policy.json").collect();
    let said = said("tests", &names, &["test", "{}"]);
    steadily(|| insta::assert_snapshot!("bad-tests", said));
}

#[test]
fn claims() {
    let said = said(
        "claims",
        &files("claims", ""),
        &["explain", "--policy", "../tests/policy.json", "--claims", "{}"],
    );
    steadily(|| insta::assert_snapshot!("bad-claims", said));
}

#[test]
fn tokens() {
    let inspected = said("tokens", &files("tokens", ""), &["token", "inspect", "{}"]);
    steadily(|| insta::assert_snapshot!("bad-tokens", inspected));
    let explained = said(
        "tokens",
        &files("tokens", ""),
        &["explain", "--policy", "../tests/policy.json", "--token-file", "{}"],
    );
    assert_eq!(explained, inspected);
}

#[test]
fn key_sets() {
    let names: Vec<String> = files("keys", "").into_iter().filter(|name| name != "good-token").collect();
    let said = said("keys", &names, &["token", "inspect", "good-token", "--jwks", "{}"]);
    steadily(|| insta::assert_snapshot!("bad-keys", said));
}

#[test]
fn files_that_are_not_there() {
    let calls: [&[&str]; 6] = [
        &["config", "check", "nowhere.toml"],
        &["explain", "--policy", "nowhere.json", "--claims", "nowhere.json"],
        &["explain", "--config", "nowhere.toml", "--role", "deploy", "--claims", "../tests/policy.json"],
        &["test", "nowhere.test.toml"],
        &["token", "inspect", "nowhere"],
        &["audit", "verify", "nowhere.jsonl"],
    ];
    let said: String = calls
        .iter()
        .map(|words| daypass(words.iter().copied()).within(&home("config")).exits(2).seen())
        .collect();
    steadily(|| insta::assert_snapshot!("bad-nowhere", said));
}
