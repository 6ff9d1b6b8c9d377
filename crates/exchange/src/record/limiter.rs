use std::collections::BTreeMap;

use daypass_claims::Timestamp;

/// How many refusals of unverified tokens are recorded singly in a second.
const SINGLY_PER_SECOND: u32 = 100;

/// Bounds what unverified callers can write: up to a number of records a second, beyond that a count.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    second: i64,
    singly: u32,
    counted: BTreeMap<String, u64>,
}

/// Refusals of one second that were only counted, by code.
pub(crate) type Counted = (Timestamp, BTreeMap<String, u64>);

/// What to do with a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Record it.
    Record,
    /// It has been counted.
    Counted,
}

impl Limiter {
    /// Takes a refusal. If it is the first of a new second and some of an earlier one were counted, those come back, to be
    /// recorded as a summary.
    pub(crate) fn take(&mut self, code: &str, now: Timestamp) -> (Verdict, Option<Counted>) {
        let summary = self.flush(now);
        if self.singly < SINGLY_PER_SECOND {
            self.singly += 1;
            return (Verdict::Record, summary);
        }
        let count = self.counted.entry(code.to_owned()).or_insert(0);
        *count = count.saturating_add(1);
        (Verdict::Counted, summary)
    }

    /// The counts of a second that is over.
    pub(crate) fn flush(&mut self, now: Timestamp) -> Option<Counted> {
        let second = now.as_secs();
        if second == self.second {
            return None;
        }
        let over = Timestamp::from_secs(std::mem::replace(&mut self.second, second));
        self.singly = 0;
        let counted = std::mem::take(&mut self.counted);
        (!counted.is_empty()).then_some((over, counted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_becomes_one_summary_a_second_and_loses_no_count() {
        let mut limiter = Limiter::default();
        let at = Timestamp::from_secs(10);
        let verdicts = (0..10_000).map(|_| limiter.take("key-unknown", at).0);
        assert_eq!(verdicts.filter(|verdict| *verdict == Verdict::Record).count(), 100);
        let (verdict, summary) = limiter.take("token-form", Timestamp::from_secs(11));
        assert_eq!(verdict, Verdict::Record);
        let (second, counts) = summary.unwrap();
        assert_eq!(second, at);
        assert_eq!(counts.get("key-unknown"), Some(&9_900));
        assert_eq!(limiter.flush(Timestamp::from_secs(12)), None);
    }
}
