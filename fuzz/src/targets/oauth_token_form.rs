//! Token exchange requests (RFC 8693).

use daypass_server::fuzzing::token_exchange;

use super::aws_query_form::tokens;
use crate::check::kept_secret;

pub fn run(data: &[u8]) {
    match token_exchange(data) {
        Ok(request) => {
            assert!(!request.token.expose().is_empty());
            assert!(request.role.len() <= 2_048);
        }
        Err((error, description)) => {
            assert!(error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
            // RFC 6749 section 5.2.
            let allowed = |byte: u8| matches!(byte, b' '..=b'!' | b'#'..=b'[' | b']'..=b'~');
            assert!(description.bytes().all(allowed), "{description}");
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        tokens(&[text], "subject_token", |token| kept_secret(token, text, told));
    }
}

/// What is shown of a request, good or bad.
fn told(text: &str) -> String {
    match token_exchange(text.as_bytes()) {
        Ok(request) => format!("{request:?}"),
        Err((_, description)) => description,
    }
}
