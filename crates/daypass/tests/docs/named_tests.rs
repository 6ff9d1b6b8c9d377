use std::collections::BTreeMap;

use regex::Regex;

use crate::pages::{files, root};

#[test]
fn every_test_on_the_page_of_known_bugs_exists() {
    let page = std::fs::read_to_string(root().join("docs/explanation/bug-classes.md")).unwrap();
    let named = Regex::new(r"`([a-z]+)::([a-z0-9_]+)`").unwrap();
    let function = Regex::new(r"#\[(?:tokio::)?test[^\]]*\]\s+(?:#\[[^\]]*\]\s+)*(?:async )?fn ([a-z0-9_]+)|fn ([a-z0-9_]+)\(.* in ").unwrap();
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut count = 0;
    for (room, name) in named.captures_iter(&page).map(|found| (found[1].to_owned(), found[2].to_owned())) {
        let known = tests.entry(room.clone()).or_insert_with(|| {
            let sources = files(&root().join("crates").join(&room), ".rs");
            let texts = sources.iter().map(|path| std::fs::read_to_string(path).unwrap());
            let names = texts.flat_map(|text| {
                let found = function.captures_iter(&text);
                found.map(|it| it.get(1).or(it.get(2)).unwrap().as_str().to_owned()).collect::<Vec<_>>()
            });
            names.collect()
        });
        assert!(known.contains(&name), "the page names `{room}::{name}`, and there is no such test");
        count += 1;
    }
    assert!(count > 80, "the page names {count} tests");
}
