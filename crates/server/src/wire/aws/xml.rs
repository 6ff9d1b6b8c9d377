//! Responses as XML. Five fixed shapes; the one thing that can go wrong is escaping, which is done in one place.

use std::fmt::Write as _;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// The namespace of every STS response.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Writes elements. There are secrets in them, so it is not printed.
#[derive(Default)]
pub(crate) struct Xml(String);

impl Xml {
    /// An element with text.
    pub(crate) fn text(mut self, name: &str, text: &str) -> Self {
        let _ = write!(self.0, "<{name}>{}</{name}>", escape(text));
        self
    }

    /// An element with text, if there is one.
    pub(crate) fn optional(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// An element with elements.
    pub(crate) fn group(mut self, name: &str, inner: &Self) -> Self {
        let _ = write!(self.0, "<{name}>{}</{name}>", inner.0);
        self
    }

    /// The response of an operation: `OperationResponse`, in it `OperationResult` and the metadata.
    pub(crate) fn respond(self, operation: &str, request_id: &str) -> Response {
        let document = format!(
            "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{}</{operation}Result>\
             <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{operation}Response>\n",
            self.0,
            escape(request_id)
        );
        respond(StatusCode::OK, document, request_id)
    }

    /// The text so far.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// A response with the headers of STS. Nothing that holds a credential may be kept by a cache.
pub(crate) fn respond(status: StatusCode, document: String, request_id: &str) -> Response {
    let mut response = (status, document).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// Text as XML character data. Characters that XML 1.0 cannot hold become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' | '\r' => escaped.push_str(&format!("&#{};", u32::from(c))),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_in_a_value_is_text() {
        assert_eq!(escape("<a href=\"x\">&'</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;&apos;&lt;/a&gt;");
        assert_eq!(escape("a\u{1}b\n"), "a\u{fffd}b&#10;");
        let xml = Xml::default().text("A", "</A><B>").optional("C", None).into_string();
        assert_eq!(xml, "<A>&lt;/A&gt;&lt;B&gt;</A>");
    }

    proptest! {
        #[test]
        fn no_value_holds_markup(text in ".{0,40}") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            prop_assert!(escaped.split('&').skip(1).all(|rest| rest.contains(';')));
        }
    }
}
