//! What others wrote stays text, and the page asks nobody for anything.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use daypass_lint::Report;
use sha2::{Digest, Sha256};

use crate::page::{body, only, page, tags};
use crate::samples::{checked, hostile};

/// Every tag that the templates have, and its attributes.
const TAGS: [&str; 47] = [
    "a", "article", "b", "body", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "form", "h1",
    "h2", "h3", "h4", "head", "header", "html", "i", "input", "ins", "label", "li", "main", "mark", "meta",
    "nav", "output", "p", "pre", "script", "section", "small", "span", "strong", "style", "summary", "table",
    "tbody", "td", "th", "thead", "title", "tr", "ul",
];
const ATTRIBUTES: [&str; 22] = [
    "aria-label",
    "aria-labelledby",
    "autocomplete",
    "charset",
    "class",
    "colspan",
    "content",
    "data-n",
    "for",
    "hidden",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "placeholder",
    "role",
    "scope",
    "spellcheck",
    "type",
    "open",
    "title",
];

#[test]
fn hostile_text_opens_no_tag_and_no_attribute() {
    let page = body(&page("hostile", &hostile()));
    for tag in tags(&page) {
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        assert!(name == "!doctype" || TAGS.contains(&name), "<{tag}>");
        // Quoted values are cut out: what is left is names.
        let unquoted: Vec<&str> = tag.split('"').step_by(2).collect();
        for attribute in unquoted.concat().split([' ', '\n']).skip(1) {
            let attribute = attribute.split('=').next().unwrap();
            assert!(name == "!doctype" || ATTRIBUTES.contains(&attribute), "{attribute} of <{tag}>");
        }
    }
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("alert(1)>"));
}

#[test]
fn what_hides_or_reorders_is_seen() {
    let page = page("hostile", &hostile());
    assert!(!page.contains(['\u{202E}', '\u{200B}', '\0']));
    for hidden in ["U+202E", "U+200B", "U+0000"] {
        assert!(page.contains(hidden), "{hidden}");
    }
}

#[test]
fn the_page_allows_its_own_style_and_script_and_nothing_else() {
    let page = page("checked", &checked());
    let policy = only(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let style = hash(only(&page, "<style>", "</style>"));
    let script = hash(only(&page, "<script>", "</script>"));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"
        )
    );
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = page("checked", &checked());
    for loads in [
        " src=",
        "srcset",
        "url(",
        "@import",
        "<link",
        "<base",
        "<iframe",
        "<object",
        "fetch(",
        " style=",
        "innerHTML",
    ] {
        assert!(!page.contains(loads), "{loads}");
    }
}

#[test]
fn a_report_of_nothing_is_a_page_too() {
    let page = page("empty", &Report::default());
    assert!(page.contains("No roles were found") && page.contains("Nothing was found"));
    assert!(!page.contains("id=\"problems\"") && !page.contains("id=\"unresolved\""));
    crate::page::assert_anchors(&page);
}
