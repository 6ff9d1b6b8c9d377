//! What a job's side reads: the platform's token, and the answers of both wires.

use daypass_client::fuzzing::{aws_answer, ci_token, oauth_answer};
use daypass_client::{AwsSession, Credential};

use crate::check::{kept_secret, readable};

pub fn run(data: &[u8]) {
    let text = std::str::from_utf8(data).unwrap_or_default();
    kept_secret(text.trim(), text, told);
    match ci_token(text) {
        Ok(token) => {
            assert!(!token.secret().expose().is_empty());
            assert!(!token.secret().expose().contains(char::is_whitespace));
        }
        Err(error) => readable(&error.to_string()),
    }
    if let Ok(session) = aws_answer(data) {
        read(&session, text);
    }
    match oauth_answer(data) {
        Ok(Credential::AwsSession(session)) => read(&session, text),
        Ok(Credential::Token(token)) => kept_secret(token.access_token.expose(), text, told),
        Err(why) => readable(why),
    }
}

/// A session has all that a request is signed with, and shows nothing of it.
fn read(session: &AwsSession, text: &str) {
    for secret in [&session.secret_access_key, &session.session_token] {
        assert!(!secret.expose().is_empty());
        kept_secret(secret.expose(), text, told);
    }
}

/// What is shown of an answer, whatever it is one of.
fn told(text: &str) -> String {
    let data = text.as_bytes();
    format!("{:?} {:?} {:?}", ci_token(text), aws_answer(data), oauth_answer(data))
}
