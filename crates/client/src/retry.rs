//! Trying again, within bounds, and only where another try can end differently.

use std::time::Duration;

use daypass_claims::{Random, Timestamp};
use tokio::time::Instant;

/// How often and how long something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Tries at most, the first one included.
    pub tries: u32,
    /// The pause after the first try; it doubles with each further one.
    pub pause: Duration,
    /// The longest pause, unless a server asks for more.
    pub longest_pause: Duration,
    /// From the first try's start to the last one's end.
    pub total: Duration,
}

impl Default for Retry {
    /// Five tries in a minute: pauses of about 0.5, 1, 2 and 4 seconds, as long as a deployment of a server takes.
    fn default() -> Self {
        Self {
            tries: 5,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(10),
            total: Duration::from_secs(60),
        }
    }
}

/// How one try went wrong.
#[derive(Debug)]
pub(crate) enum Failed<E> {
    /// Another try would end the same way.
    ForGood(E),
    /// Another try can succeed, not before the pause that a server asked for.
    ForNow(E, Option<Duration>),
}

/// Why there are no more tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The error is for good.
    ForGood,
    /// All tries are used up, or the next one would come too late.
    Exhausted {
        /// How many there were.
        tries: u32,
    },
}

impl<E> Failed<E> {
    /// For now if `is_transient`, with the pause that a server asked for; for good otherwise.
    pub(crate) fn new(error: E, is_transient: bool, asked: Option<Duration>) -> Self {
        if is_transient { Self::ForNow(error, asked) } else { Self::ForGood(error) }
    }
}

impl Retry {
    /// Tries until it succeeds, an error is for good, or the bounds are reached. Each try is told how much time is left
    /// to it.
    pub(crate) async fn run<T, E, F>(
        &self,
        random: &dyn Random,
        mut attempt: impl FnMut(Duration) -> F,
    ) -> Result<T, (E, Stopped)>
    where
        F: Future<Output = Result<T, Failed<E>>>,
    {
        let end = Instant::now() + self.total;
        let mut tries = 0;
        loop {
            let (error, asked) = match attempt(end.saturating_duration_since(Instant::now())).await {
                Ok(done) => return Ok(done),
                Err(Failed::ForGood(error)) => return Err((error, Stopped::ForGood)),
                Err(Failed::ForNow(error, asked)) => (error, asked),
            };
            tries += 1;
            let pause = self.pause_after(tries, asked, random);
            if tries >= self.tries || Instant::now() + pause >= end {
                return Err((error, Stopped::Exhausted { tries }));
            }
            tracing::debug!(tries, ?pause, "trying again");
            tokio::time::sleep(pause).await;
        }
    }

    /// The pause after try number `tries`: doubling, with the upper half of it left to chance so that jobs which failed
    /// together do not come back together; never less than what a server asked for.
    fn pause_after(&self, tries: u32, asked: Option<Duration>, random: &dyn Random) -> Duration {
        let doubled = self.pause.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)));
        let ceiling = doubled.min(self.longest_pause);
        let mut byte = [u8::MAX];
        // Without randomness the pause is merely less spread.
        let _ = random.fill(&mut byte);
        let [byte] = byte;
        let pause = ceiling / 2 + ceiling * u32::from(byte) / 510;
        pause.max(asked.unwrap_or_default())
    }
}

/// Reads `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?;
    Some(Timestamp::from_millis(date.timestamp().as_millisecond()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FixedRandom, NoRandom};

    const BOUNDS: Retry = Retry {
        tries: 3,
        pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(8),
        total: Duration::from_secs(60),
    };

    /// The outcome of attempts that answer with `outcome`, given how many there were before, and how many there were.
    async fn tried<T>(
        outcome: impl Fn(u32) -> Result<T, Failed<&'static str>>,
    ) -> (Result<T, (&'static str, Stopped)>, u32) {
        let mut tries = 0;
        let done = BOUNDS
            .run(&FixedRandom(0), |_| {
                tries += 1;
                std::future::ready(outcome(tries))
            })
            .await;
        (done, tries)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_for_good_is_tried_once() {
        let (outcome, tries) = tried::<()>(|_| Err(Failed::ForGood("no"))).await;
        assert_eq!((outcome, tries), (Err(("no", Stopped::ForGood)), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_for_now_is_tried_until_it_works() {
        let (outcome, _) =
            tried(|tries| if tries < 3 { Err(Failed::ForNow("not yet", None)) } else { Ok(tries) }).await;
        assert_eq!(outcome, Ok(3));
    }

    #[tokio::test(start_paused = true)]
    async fn tries_are_counted() {
        let (outcome, tries) = tried::<()>(|_| Err(Failed::ForNow("no", None))).await;
        assert_eq!((outcome, tries), (Err(("no", Stopped::Exhausted { tries: 3 })), 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_end_is_not_waited_for() {
        let start = Instant::now();
        let hour = Duration::from_secs(3_600);
        let (outcome, _) = tried::<()>(|_| Err(Failed::ForNow("busy", Some(hour)))).await;
        assert_eq!(outcome, Err(("busy", Stopped::Exhausted { tries: 1 })));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn each_try_knows_what_is_left() {
        let mut left = Vec::new();
        let _: Result<(), _> = BOUNDS
            .run(&FixedRandom(255), |time| {
                left.push(time);
                async {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    Err(Failed::ForNow("no", None))
                }
            })
            .await;
        assert_eq!(left, [60, 49, 37].map(Duration::from_secs));
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_are_spread() {
        let pause = |tries, byte| BOUNDS.pause_after(tries, None, &FixedRandom(byte)).as_millis();
        assert_eq!([1, 2, 3, 4, 5, 90].map(|tries| pause(tries, 255)), [1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!([1, 2, 3, 4, 5, 90].map(|tries| pause(tries, 0)), [500, 1000, 2000, 4000, 4000, 4000]);
        assert_eq!(BOUNDS.pause_after(1, None, &NoRandom), Duration::from_secs(1));
    }

    #[test]
    fn a_server_can_ask_for_more_patience_not_for_less() {
        let pause = |asked| BOUNDS.pause_after(1, Some(Duration::from_secs(asked)), &FixedRandom(255));
        assert_eq!(pause(20), Duration::from_secs(20));
        assert_eq!(pause(0), Duration::from_secs(1));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::parse("2026-11-23T05:00:00Z").unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 05:00:07 GMT", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 04:00:00 GMT", now), Some(Duration::ZERO));
        for bad in ["", "soon", "-1", "1.5"] {
            assert_eq!(retry_after(bad, now), None, "{bad}");
        }
    }
}
