//! Reviews as one HTML file, on the design of the check report. It asks for nothing: no network, no fonts, no script.

use askama::Template;

use super::{Check, Review};
use crate::html::{Header, STYLE, STYLE_HASH, Text};

/// The page of a review.
pub fn page(review: &Review, header: &Header<'_>) -> String {
    let page =
        Page { title: Text(header.title), when: Text(header.when), version: Text(header.version), review };
    page.to_string()
}

/// The page around the checks.
#[derive(Debug, Template)]
#[template(path = "review.html")]
struct Page<'a> {
    title: Text<'a>,
    when: Text<'a>,
    version: Text<'a>,
    review: &'a Review,
}

impl Page<'_> {
    /// The class that colours an outcome.
    fn class(check: &Check) -> &'static str {
        match check.pass {
            Some(true) => "none",
            Some(false) => "s-bad",
            None => "s-undecided",
        }
    }
}
