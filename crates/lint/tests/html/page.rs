//! A page taken apart, as far as the tests need it.

use std::collections::BTreeSet;

use daypass_lint::Report;
use daypass_lint::html::{Header, html};

/// A report's page. It is written to `$DAYPASS_REPORTS/NAME.html` too, if that is set: for a browser to look at.
pub(crate) fn page(name: &str, report: &Report) -> String {
    let page = html(report, &Header { title: "acme/infra", when: "2026-03-01 12:00 UTC", version: "0.1.0" });
    if let Some(folder) = std::env::var_os("DAYPASS_REPORTS") {
        let folder = std::path::PathBuf::from(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name).with_extension("html"), &page).unwrap();
    }
    page
}

/// What stands between two markers, each time.
pub(crate) fn between<'p>(page: &'p str, start: &str, end: &str) -> Vec<&'p str> {
    page.split(start).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}

/// The one that stands between two markers.
pub(crate) fn only<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
    match between(page, start, end)[..] {
        [one] => one,
        ref found => panic!("{} of {start}", found.len()),
    }
}

/// The page without its style, its script and their hashes.
pub(crate) fn body(page: &str) -> String {
    let parts = [("<style>", "</style>"), ("<script>", "</script>"), ("Policy\" content=\"", "\"")];
    parts.into_iter().fold(page.to_owned(), |body, (start, end)| body.replace(only(&body, start, end), ""))
}

/// The tags of the page, without what they hold: `a href="#m0"`.
pub(crate) fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

/// Checks that every anchor of the page has its place, and that no two places are the same.
pub(crate) fn assert_anchors(page: &str) {
    let body = body(page);
    let mut ids = BTreeSet::new();
    for id in between(&body, " id=\"", "\"") {
        assert!(ids.insert(id), "two places are called {id}");
    }
    for reference in between(&body, "href=\"#", "\"").into_iter().chain(between(&body, "labelledby=\"", "\""))
    {
        assert!(ids.contains(reference), "no place is called {reference}");
    }
}
