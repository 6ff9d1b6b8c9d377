use daypass_claims::{ClaimValue, Number, Timestamp};

/// 9999-12-31T23:59:59Z: the last second that RFC 3339 can write. What lies beyond is a mistake or an attack.
const LAST_SECOND: i64 = 253_402_300_799;

/// Why a claim is not a NumericDate (RFC 7519 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// A string, for instance.
    #[error("it is {0}, not a number of seconds since 1970")]
    NotANumber(&'static str),
    /// Before 1970.
    #[error("it is negative")]
    Negative,
    /// After the year 9999.
    #[error("it is after the year 9999")]
    TooLarge,
}

/// Reads a NumericDate: seconds since 1970, whole or with a fraction. Fractions finer than a millisecond are
/// rounded down, towards an earlier expiry.
pub(super) fn numeric_date(value: &ClaimValue) -> Result<Timestamp, TimeError> {
    let number = match value {
        ClaimValue::Number(number) => *number,
        other => return Err(TimeError::NotANumber(other.kind())),
    };
    match number {
        Number::Integer(secs) if secs < 0 => Err(TimeError::Negative),
        Number::Integer(secs) => match i64::try_from(secs) {
            Ok(secs) if secs <= LAST_SECOND => Ok(Timestamp::from_secs(secs)),
            _ => Err(TimeError::TooLarge),
        },
        Number::Float(secs) if secs < 0.0 => Err(TimeError::Negative),
        Number::Float(secs) => {
            let millis = (secs * 1_000.0).floor();
            if !(0.0..LAST_MILLI).contains(&millis) {
                return Err(TimeError::TooLarge);
            }
            #[expect(clippy::cast_possible_truncation, reason = "whole, and between 0 and 2^48")]
            Ok(Timestamp::from_millis(millis as i64))
        }
    }
}

/// [`LAST_SECOND`] and its fractions, in milliseconds; exact as a float.
#[expect(clippy::cast_precision_loss, reason = "below 2^48")]
const LAST_MILLI: f64 = ((LAST_SECOND + 1) * 1_000) as f64;

#[cfg(test)]
mod tests {
    use super::*;
    use daypass_claims::{JsonLimits, parse_value};

    fn read(json: &str) -> Result<Timestamp, TimeError> {
        numeric_date(&parse_value(json.as_bytes(), JsonLimits::default()).unwrap())
    }

    #[test]
    fn whole_and_fractional_seconds_read() {
        assert_eq!(read("1700000000"), Ok(Timestamp::from_secs(1_700_000_000)));
        assert_eq!(read("1700000000.75"), Ok(Timestamp::from_millis(1_700_000_000_750)));
        assert_eq!(read("1.7e9"), Ok(Timestamp::from_secs(1_700_000_000)));
        assert_eq!(read("0.0009"), Ok(Timestamp::from_millis(0)));
        assert_eq!(read("-0.0"), Ok(Timestamp::from_millis(0)));
        assert_eq!(read("253402300799"), Ok(Timestamp::from_secs(LAST_SECOND)));
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        for json in ["-1", "-0.5", "-9223372036854775808"] {
            assert_eq!(read(json), Err(TimeError::Negative), "{json}");
        }
        for json in ["253402300800", "253402300800.0", "18446744073709551615", "9e15"] {
            assert_eq!(read(json), Err(TimeError::TooLarge), "{json}");
        }
        for (json, kind) in
            [("\"1700000000\"", "a string"), ("null", "null"), ("true", "a boolean"), ("[1]", "a list")]
        {
            assert_eq!(read(json), Err(TimeError::NotANumber(kind)), "{json}");
        }
    }
}
