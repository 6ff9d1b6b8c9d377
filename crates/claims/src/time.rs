use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Arithmetic saturates: a token that expires in the year 300 million is as good as one that never does, and is
/// refused by the lifetime rule, not by an overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time like 2026-11-23T05:00:00Z")]
pub struct TimestampError(String);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch (a NumericDate, RFC 7519 section 2).
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339 (`2026-11-23T05:00:00Z`, with any offset).
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let time: jiff::Timestamp =
            text.parse().map_err(|_| TimestampError(text.chars().take(40).collect()))?;
        Ok(Self(time.as_millisecond()))
    }

    /// `2026-11-23T05:00:00Z`: RFC 3339 in UTC, whole seconds.
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.as_secs())
            .map_or_else(|_| format!("@{}", self.as_secs()), |time| time.to_string())
    }

    /// `20261123T050000Z`: the ISO 8601 basic form that SigV4 signs.
    pub fn to_iso_basic(self) -> String {
        self.to_rfc3339().replace(['-', ':'], "")
    }
}

/// RFC 3339 in UTC, with milliseconds, all three digits, where there are any.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) if self.0.rem_euclid(1_000) == 0 => write!(f, "{time}"),
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "@{}", self.as_secs()),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounded by the `min` before the cast")]
const fn millis(duration: Duration) -> i64 {
    let millis = duration.as_millis();
    if millis > i64::MAX as u128 { i64::MAX } else { millis as i64 }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration like `90s`, `15m`, `1h` or `1h30m`")]
pub struct DurationError(String);

/// Reads `90s`, `15m`, `1h`, `1h30m`, `24h`, `7d`.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let (negative, duration) = parse_signed_duration(text)?;
    if negative { Err(DurationError(text.to_owned())) } else { Ok(duration) }
}

/// Like [`parse_duration`], with a leading `-` allowed; the flag says whether there was one.
pub fn parse_signed_duration(text: &str) -> Result<(bool, Duration), DurationError> {
    let refuse = || DurationError(text.chars().take(40).collect());
    let (negative, mut rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut total = Duration::ZERO;
    let mut smallest_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits).ok_or_else(refuse)?;
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at_checked(letters).ok_or_else(refuse)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(refuse()),
        };
        if seconds >= smallest_unit {
            return Err(refuse());
        }
        smallest_unit = seconds;
        let count: u64 = number.parse().map_err(|_| refuse())?;
        let part = count.checked_mul(seconds).ok_or_else(refuse)?;
        total = total.checked_add(Duration::from_secs(part)).ok_or_else(refuse)?;
        rest = after;
    }
    if smallest_unit == u64::MAX { Err(refuse()) } else { Ok((negative, total)) }
}

/// Writes a duration as [`parse_duration`] reads it: `1h30m`, `45s`, `0s`. Fractions of a second are dropped.
pub fn format_duration(duration: Duration) -> String {
    let secs = duration.as_secs();
    let mut text = String::new();
    for (unit, size, of) in [("d", 86_400, u64::MAX), ("h", 3_600, 86_400), ("m", 60, 3_600), ("s", 1, 60)] {
        let count = (secs % of) / size;
        if count > 0 {
            text.push_str(&count.to_string());
            text.push_str(unit);
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_read_and_print() {
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("7d"), Ok(Duration::from_secs(604_800)));
        assert_eq!(parse_signed_duration("-10m"), Ok((true, Duration::from_secs(600))));
        for bad in ["", "-", "10", "h", "1x", "1m1h", "1h1h", "1.5h", " 1h", "-1h", "99999999999999999999s"] {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
        assert_eq!(format_duration(Duration::from_secs(5_400)), "1h30m");
        assert_eq!(format_duration(Duration::ZERO), "0s");
    }

    #[test]
    fn times_print_as_the_protocols_want_them() {
        let time = Timestamp::parse("2026-11-23T06:00:00+01:00").unwrap();
        assert_eq!(time.to_rfc3339(), "2026-11-23T05:00:00Z");
        assert_eq!(time.to_iso_basic(), "20261123T050000Z");
        assert_eq!(Timestamp::from_millis(1_500).to_string(), "1970-01-01T00:00:01.500Z");
        assert_eq!(Timestamp::from_millis(-1).as_secs(), -1);
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Timestamp::from_secs(i64::MAX);
        assert_eq!(end + Duration::from_secs(u64::MAX), end);
        assert_eq!(Timestamp::from_secs(5).since(Timestamp::from_secs(9)), Duration::ZERO);
        assert!(!end.to_rfc3339().is_empty());
    }

    proptest! {
        #[test]
        fn a_printed_duration_reads_back(secs in 0_u64..1_000_000_000) {
            let duration = Duration::from_secs(secs);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
    }
}
