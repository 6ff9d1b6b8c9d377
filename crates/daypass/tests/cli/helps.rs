//! `--help` of everything, which is where users learn.

use crate::program::{daypass, steadily};

/// Words of commands that a help lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "help")
        .map(str::to_owned)
        .collect()
}

fn help(words: &[String], flag: &str) -> String {
    daypass(words.iter().map(String::as_str).chain([flag])).exits(0).stdout
}

/// Every command, groups before what they hold.
fn all() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut next = 0;
    while let Some(words) = found.get(next).cloned() {
        let below = listed(&help(&words, "-h"));
        found.extend(below.into_iter().map(|word| [words.clone(), vec![word]].concat()));
        next += 1;
    }
    found
}

/// Every command that does something.
pub(crate) fn leaves() -> Vec<Vec<String>> {
    let all = all();
    let is_group =
        |words: &[String]| all.iter().any(|other| other.len() > words.len() && other.starts_with(words));
    all.iter().filter(|words| !is_group(words)).cloned().collect()
}

#[test]
fn every_command_says_what_it_does_and_how() {
    for words in all() {
        let name =
            if words.is_empty() { "daypass".to_owned() } else { format!("daypass-{}", words.join("-")) };
        let text = help(&words, "--help");
        let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(long.is_empty(), "{name}: {long:#?}");
        steadily(|| insta::assert_snapshot!(format!("help-{name}"), text));
    }
}

#[test]
fn every_command_that_takes_more_than_a_name_shows_examples() {
    for words in leaves() {
        let text = help(&words, "--help");
        let simple = ["demo", "list"].contains(&words.last().unwrap().as_str());
        assert!(simple || text.contains("Example"), "{words:?}");
    }
}

#[test]
fn help_is_the_same_by_command_and_by_flag() {
    let by_flag = daypass(["audit", "verify", "--help"]).exits(0).stdout;
    assert_eq!(daypass(["help", "audit", "verify"]).exits(0).stdout, by_flag);
}

#[test]
fn without_arguments_the_help_is_on_stderr() {
    let ran = daypass([]).exits(2);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("Where to begin:"), "{ran:?}");
}

#[test]
fn the_version_is_that_of_the_package() {
    let said = daypass(["--version"]).exits(0).stdout;
    assert_eq!(said, format!("daypass {}\n", env!("CARGO_PKG_VERSION")));
}
