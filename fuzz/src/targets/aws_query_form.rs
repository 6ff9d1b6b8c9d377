//! Forms, and `AssumeRoleWithWebIdentity` out of them.

use daypass_server::fuzzing::{form, web_identity};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::check::{kept_secret, readable};

/// The first line is the query, the rest is the body.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let (query, body) = parts(text);
        for text in [query, body] {
            match form(text) {
                Ok(pairs) => {
                    assert_eq!(form(&encode(&pairs)).as_ref(), Ok(&pairs), "what is written can be read");
                }
                Err(error) => readable(&error),
            }
        }
        tokens(&[query, body], "WebIdentityToken", |token| kept_secret(token, text, told));
    }
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let query = std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    match web_identity(query, lines.next().unwrap_or_default()) {
        Ok(request) => {
            assert!((20..=2_048).contains(&request.role.len()));
            let name = request.session_name.expect("this operation has one");
            assert!((2..=64).contains(&name.len()));
            assert!(request.duration.is_none_or(|duration| (900..=43_200).contains(&duration.as_secs())));
        }
        Err((code, message)) => {
            assert!(!code.is_empty());
            readable(&message);
        }
    }
}

fn parts(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// What is shown of a request, good or bad.
fn told(text: &str) -> String {
    let (query, body) = parts(text);
    match web_identity(query, body.as_bytes()) {
        Ok(request) => format!("{request:?}"),
        Err((_, message)) => message,
    }
}

/// Every value that `member` has in these forms.
pub(super) fn tokens(forms: &[&str], member: &str, mut check: impl FnMut(&str)) {
    let pairs = forms.iter().filter_map(|text| form(text).ok()).flatten();
    pairs.filter(|(name, _)| name == member).for_each(|(_, token)| check(&token));
}

fn encode(pairs: &[(String, String)]) -> String {
    let encode = |text: &String| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}
