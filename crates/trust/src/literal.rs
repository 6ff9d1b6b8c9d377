//! Literals in policies and tokens: how text is read as a number, a boolean, a time or bytes, and shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use daypass_claims::{ClaimValue, Number, Timestamp};

/// A decimal number as IAM condition values write it.
pub(crate) fn parse_number(text: &str) -> Option<Number> {
    if !text.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        return None;
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Number::Integer(integer.into()));
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Number::Float)
}

/// `true` or `false` in any letter case.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    [("true", true), ("false", false)]
        .into_iter()
        .find(|(word, _)| text.eq_ignore_ascii_case(word))
        .map(|(_, is)| is)
}

/// RFC 3339, a date alone (midnight UTC), or seconds since the epoch, as IAM's date conditions take it.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time);
    }
    if text.len() == 10
        && let Ok(time) = Timestamp::parse(&format!("{text}T00:00:00Z"))
    {
        return Some(time);
    }
    text.parse::<i64>().ok().map(Timestamp::from_secs)
}

/// Standard base64 with padding, as IAM's `BinaryEquals` writes bytes.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Text in quotes, as it would stand in JSON.
pub(crate) fn shown_text(text: &str) -> String {
    ClaimValue::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(parse_time("2026-11-23T00:00:00Z"), parse_time("2026-11-23"));
        assert_eq!(parse_time("1790000000"), Some(Timestamp::from_secs(1_790_000_000)));
        assert_eq!(parse_time("soon"), None);
    }
}
