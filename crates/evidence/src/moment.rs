//! Points in time as the logs have them: whole seconds, with the day, hour and minute that rows are made of.

use std::fmt::Write as _;

use daypass_claims::Timestamp;

const DAY: i64 = 86_400;

/// Seconds since 1970-01-01T00:00:00Z, between the years 1970 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    /// Reads RFC 3339. The form that CloudTrail writes takes a way of its own, because it is read millions of times.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::parse_plain(text.as_bytes())
            .or_else(|| Self::from_secs(Timestamp::parse(text).ok()?.as_secs()))
            .filter(|moment| moment.0 >= 0)
    }

    /// `None` outside of the years that rows can name.
    pub(crate) fn from_secs(secs: i64) -> Option<Self> {
        (0..253_402_300_800).contains(&secs).then_some(Self(secs))
    }

    /// `2026-11-23T04:46:56Z`, and nothing else.
    fn parse_plain(text: &[u8]) -> Option<Self> {
        let &[y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2, b'Z'] =
            text
        else {
            return None;
        };
        let two = |high: u8, low: u8| {
            let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte & 0x0f));
            Some(digit(high)? * 10 + digit(low)?)
        };
        let year = two(y1, y2)? * 100 + two(y3, y4)?;
        let (month, day) = (two(mo1, mo2)?, two(d1, d2)?);
        let (hour, minute, second) = (two(h1, h2)?, two(mi1, mi2)?, two(s1, s2)?);
        let last = match month {
            4 | 6 | 9 | 11 => 30,
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=last).contains(&day) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Self::from_secs(days_from_civil(year, month, day) * DAY + hour * 3_600 + minute * 60 + second)
    }

    pub(crate) const fn secs(self) -> i64 {
        self.0
    }

    /// Days since 1970-01-01.
    pub(crate) const fn day(self) -> i64 {
        self.0 / DAY
    }

    /// The hour of the day, as a bit.
    pub(crate) const fn hour_bit(self) -> u32 {
        1 << (self.0 % DAY / 3_600)
    }

    /// The minute of the hour, as a bit.
    pub(crate) const fn minute_bit(self) -> u64 {
        1 << (self.0 % 3_600 / 60)
    }

    /// Appends `2026-11-23`.
    pub(crate) fn write_day(self, text: &mut String) {
        write_day(self.day(), text);
    }
}

impl From<Moment> for Timestamp {
    fn from(moment: Moment) -> Self {
        Self::from_secs(moment.0)
    }
}

/// Appends a day since 1970 as `2026-11-23`.
pub(crate) fn write_day(day: i64, text: &mut String) {
    let (year, month, day) = civil_from_days(day);
    // Writing to a `String` cannot fail.
    let _ = write!(text, "{year:04}-{month:02}-{day:02}");
}

/// Reads `2026-11-23` as days since 1970.
pub(crate) fn parse_day(text: &str) -> Option<i64> {
    let mut whole = String::with_capacity(20);
    whole.push_str(text);
    whole.push_str("T00:00:00Z");
    Moment::parse_plain(whole.as_bytes()).map(Moment::day)
}

/// The proleptic Gregorian calendar, counted from 1 March so that leap days come last (Howard Hinnant's `days_from_civil`).
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_every_source_are_read() {
        let plain = Moment::parse("2026-11-23T04:46:56Z").unwrap();
        assert_eq!(Moment::parse("2026-11-23T04:46:56.789012Z"), Some(plain));
        assert_eq!(Moment::parse("2026-11-23T05:46:56+01:00"), Some(plain));
        assert_eq!((plain.hour_bit(), plain.minute_bit()), (1 << 4, 1 << 46));
        for bad in ["", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "yesterday"] {
            assert_eq!(Moment::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_calendar(secs in 0_i64..253_402_300_800) {
            let text = Timestamp::from_secs(secs).to_rfc3339();
            let moment = Moment::parse_plain(text.as_bytes()).unwrap();
            prop_assert_eq!(moment.secs(), secs);
            let mut day = String::new();
            moment.write_day(&mut day);
            prop_assert_eq!(parse_day(&day), Some(moment.day()));
            prop_assert!(text.starts_with(&day));
        }
    }
}
