//! Tokens in compact form, and their headers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use daypass_token::UnverifiedToken;
use daypass_token::jws::Jws;

use crate::check::kept_secret;

/// The input as a token; and, so that what is inside is reached as well, its first three lines as the three segments of one.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        read(text);
    }
    let lines: Vec<String> = data.splitn(3, |byte| *byte == b'\n').map(|line| BASE64.encode(line)).collect();
    if lines.len() == 3 {
        read(&lines.join("."));
    }
}

fn read(raw: &str) {
    let payload = raw.split('.').nth(1).unwrap_or_default();
    kept_secret(payload, raw, told);
    match UnverifiedToken::parse(raw) {
        Ok(token) => {
            assert_eq!(raw.split('.').count(), 3);
            let again = UnverifiedToken::parse(raw).expect("it was read a moment ago");
            assert_eq!(again.digest(), token.digest());
            assert_eq!(again.unverified_claims(), token.unverified_claims());
        }
        Err(error) => assert!(!error.code().is_empty()),
    }
    // One text, one meaning: what was decoded is written in one way only.
    if let Ok(jws) = Jws::parse(raw) {
        assert_eq!(BASE64.encode(jws.payload()), payload);
        assert!(!raw.ends_with('.'), "a token without a signature");
    }
}

/// What is shown of a token, good or bad.
fn told(raw: &str) -> String {
    match UnverifiedToken::parse(raw) {
        Ok(token) => format!("{token:?}"),
        Err(error) => format!("{error} {error:?}"),
    }
}
