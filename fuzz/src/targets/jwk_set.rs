//! Key sets as issuers publish them, and single keys.

use daypass_claims::Issuer;
use daypass_token::jwk::Jwk;
use daypass_token::{JwksLimits, KeySet, KeySetError, KeyWarning};
use serde_json::Value;

use crate::check::{kept_secret, readable};

pub fn run(data: &[u8]) {
    match key_set(data) {
        Ok((set, warnings)) => {
            for key in set.keys() {
                written_and_read(key.jwk());
            }
            for warning in &warnings {
                readable(&warning.to_string());
            }
        }
        Err(error) => readable(&error.to_string()),
    }
    match Jwk::parse(data) {
        Ok(jwk) => written_and_read(&jwk),
        Err(error) => readable(&error.to_string()),
    }
    quiet(data);
}

/// A key that is accepted is the same key when it has been published and read again.
fn written_and_read(jwk: &Jwk) {
    let written = serde_json::to_vec(jwk).expect("keys are JSON");
    let read = Jwk::parse(&written).expect("what is written can be read");
    assert_eq!(&read, jwk);
    assert_eq!(read.thumbprint(), jwk.thumbprint());
}

/// A private member that somebody published by mistake is not published once more in a log.
fn quiet(data: &[u8]) {
    let (Ok(text), Ok(json)) = (std::str::from_utf8(data), serde_json::from_slice::<Value>(data)) else {
        return;
    };
    let listed = json.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for key in listed.iter().chain([&json]) {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            if let Some(secret) = key.get(private).and_then(Value::as_str) {
                kept_secret(secret, text, told);
            }
        }
    }
}

/// What is shown of a key set or a key, good or bad.
fn told(text: &str) -> String {
    let set = match key_set(text.as_bytes()) {
        Ok((set, warnings)) => {
            warnings.iter().fold(format!("{set:?}"), |told, warning| format!("{told} {warning} {warning:?}"))
        }
        Err(error) => format!("{error} {error:?}"),
    };
    let key = match Jwk::parse(text.as_bytes()) {
        Ok(key) => format!("{key:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    format!("{set} {key}")
}

fn key_set(data: &[u8]) -> Result<(KeySet, Vec<KeyWarning>), KeySetError> {
    let issuer = Issuer::parse("https://a.example/org/1").expect("a constant");
    KeySet::from_jwks(issuer, data, JwksLimits::default())
}
