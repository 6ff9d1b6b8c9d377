use std::collections::{BTreeMap, HashMap};

use daypass_claims::Timestamp;

/// How many refusals of unverified tokens are recorded singly in a second.
const UNVERIFIED: u32 = 100;
/// How many refusals of verified tokens.
const VERIFIED: u32 = 256;
/// How many of those for one subject: a matrix of jobs that are all refused, and no more.
const OF_ONE_SUBJECT: u32 = 32;

/// Bounds what callers who are refused can write: up to a number of records a second, beyond that a count.
///
/// A verified token is no bound by itself: on a shared issuer anybody can have one, and it can be refused as often as it is
/// presented.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    second: i64,
    unverified: u32,
    verified: u32,
    /// Refusals by issuer and subject: those that were recorded, so there are no more of them than records.
    subjects: HashMap<(String, String), u32>,
    counted: BTreeMap<String, u64>,
}

/// Whose token is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bearer<'a> {
    /// That of somebody who may be anybody.
    Unverified,
    /// That of a job of this issuer.
    Verified { issuer: &'a str, subject: &'a str },
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
    pub(crate) fn take(
        &mut self,
        bearer: Bearer<'_>,
        code: &str,
        now: Timestamp,
    ) -> (Verdict, Option<Counted>) {
        let summary = self.flush(now);
        if self.has_room(bearer) {
            return (Verdict::Record, summary);
        }
        let count = self.counted.entry(code.to_owned()).or_insert(0);
        *count = count.saturating_add(1);
        (Verdict::Counted, summary)
    }

    /// Takes up room, if there is any.
    fn has_room(&mut self, bearer: Bearer<'_>) -> bool {
        match bearer {
            Bearer::Unverified => take_one(&mut self.unverified, UNVERIFIED),
            Bearer::Verified { .. } if self.verified >= VERIFIED => false,
            Bearer::Verified { issuer, subject } => {
                let of_subject = self.subjects.entry((issuer.to_owned(), subject.to_owned())).or_insert(0);
                take_one(of_subject, OF_ONE_SUBJECT) && take_one(&mut self.verified, VERIFIED)
            }
        }
    }

    /// The counts of a second that is over.
    pub(crate) fn flush(&mut self, now: Timestamp) -> Option<Counted> {
        let second = now.as_secs();
        if second == self.second {
            return None;
        }
        let over = Timestamp::from_secs(std::mem::replace(&mut self.second, second));
        (self.unverified, self.verified) = (0, 0);
        self.subjects.clear();
        let counted = std::mem::take(&mut self.counted);
        (!counted.is_empty()).then_some((over, counted))
    }
}

fn take_one(taken: &mut u32, of: u32) -> bool {
    let room = *taken < of;
    *taken = taken.saturating_add(u32::from(room));
    room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_becomes_one_summary_a_second_and_loses_no_count() {
        let mut limiter = Limiter::default();
        let at = Timestamp::from_secs(10);
        let verdicts = (0..10_000).map(|_| limiter.take(Bearer::Unverified, "key-unknown", at).0);
        assert_eq!(verdicts.filter(|verdict| *verdict == Verdict::Record).count(), 100);
        let (verdict, summary) = limiter.take(Bearer::Unverified, "token-form", Timestamp::from_secs(11));
        assert_eq!(verdict, Verdict::Record);
        let (second, counts) = summary.unwrap();
        assert_eq!(second, at);
        assert_eq!(counts.get("key-unknown"), Some(&9_900));
        assert_eq!(limiter.flush(Timestamp::from_secs(12)), None);
    }

    #[test]
    fn one_subject_takes_its_share_and_all_of_them_together_no_more_than_there_is() {
        let mut limiter = Limiter::default();
        let at = Timestamp::from_secs(10);
        let mut recorded = |subject: &str| {
            let bearer = Bearer::Verified { issuer: "https://ci.example.com", subject };
            let verdicts = (0..100).map(|_| limiter.take(bearer, "denied", at).0);
            verdicts.filter(|verdict| *verdict == Verdict::Record).count()
        };
        assert_eq!(recorded("repo:evil/a"), 32);
        assert_eq!(recorded("repo:acme/app"), 32, "a flood is not at the cost of the others");
        let rest: usize = (0..98).map(|number| recorded(&format!("repo:evil/{number}"))).sum();
        assert_eq!(rest, 256 - 64);
        assert!(limiter.subjects.len() <= 256);
        let unverified = limiter.take(Bearer::Unverified, "key-unknown", at).0;
        assert_eq!(unverified, Verdict::Record, "theirs is another room");
        let (_, counts) = limiter.flush(Timestamp::from_secs(11)).unwrap();
        assert_eq!(counts.get("denied"), Some(&(10_000 - 256)));
        let bearer = Bearer::Verified { issuer: "https://ci.example.com", subject: "repo:evil/a" };
        assert_eq!(limiter.take(bearer, "denied", Timestamp::from_secs(11)).0, Verdict::Record);
    }
}
