use regex::Regex;

use crate::pages::pages;

#[test]
fn every_page_that_is_linked_to_is_there() {
    let link = Regex::new(r"\]\(([^)#\s]+)(?:#[^)]*)?\)").unwrap();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let there = page.parent().unwrap().join(&target);
            assert!(there.exists(), "{} links to {target}, which is not there", page.display());
        }
    }
}
