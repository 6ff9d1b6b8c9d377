//! The list of rules, their files and their reference page agree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use daypass_lint::{RULES, Subject, reference_page, rule};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The rules that have a file in a folder, by its name.
fn files(folder: &Path) -> BTreeSet<String> {
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = names.filter_map(|name| name.strip_suffix(".rs").map(|stem| stem.replace('_', "-")));
    names.filter(|name| name != "mod").collect()
}

#[test]
fn every_rule_has_a_file_and_every_file_a_rule() {
    for (folder, of_pipelines) in [("src/rules/trust", false), ("src/rules/pipeline", true)] {
        let listed = RULES.iter().filter(|it| (it.applies_to == [Subject::Pipelines]) == of_pipelines);
        let listed: BTreeSet<String> = listed.map(|it| it.id.to_owned()).collect();
        assert_eq!(listed, files(&root().join(folder)), "{folder}");
    }
}

#[test]
fn ids_are_unique_and_every_rule_is_explained() {
    let ids: BTreeSet<&str> = RULES.iter().map(|it| it.id).collect();
    assert_eq!(ids.len(), RULES.len());
    for it in RULES.iter() {
        assert!(rule(it.id).is_some());
        assert!(it.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", it.id);
        for text in [it.name, it.what, it.why, it.example, it.instead] {
            assert!(!text.is_empty(), "{}", it.id);
        }
        assert!(it.what.ends_with('.') && it.why.ends_with('.') && !it.name.ends_with('.'), "{}", it.id);
    }
}

#[test]
fn the_reference_page_is_made_of_the_rules() {
    let path = root().join("../../docs/reference/rules.md");
    let page = reference_page();
    if std::env::var_os("DAYPASS_UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "docs/reference/rules.md is not what the rules say: run the test with DAYPASS_UPDATE=1"
    );
}
