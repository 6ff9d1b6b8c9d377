use std::time::Duration;

/// How an engine spaces its fetches and how long keys live. All of it is time on the caller's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnginePolicy {
    /// The shortest life of fetched keys, whatever `Cache-Control` says.
    pub min_ttl: Duration,
    /// The longest life of fetched keys: within this time a key that its issuer has withdrawn is refused.
    pub max_ttl: Duration,
    /// The life of fetched keys when `Cache-Control` says nothing; bounded like the others.
    pub default_ttl: Duration,
    /// How long past their life keys go on serving while the issuer cannot be reached.
    pub stale_for: Duration,
    /// The least time between the fetches that unknown keys may cause, and between retries while keys are at hand.
    pub cool_down: Duration,
    /// How long a fetch may take: discovery document and key set together.
    pub fetch_timeout: Duration,
    /// How long a token with an unknown key waits for a fetch.
    pub wait: Duration,
    /// How many tokens wait at once.
    pub max_waiters: usize,
    /// The first retry while there are no keys; each further one waits twice as long.
    pub first_retry: Duration,
    /// The longest wait between retries.
    pub max_retry: Duration,
}

impl Default for EnginePolicy {
    fn default() -> Self {
        Self {
            min_ttl: Duration::from_secs(5 * 60),
            max_ttl: Duration::from_secs(60 * 60),
            default_ttl: Duration::from_secs(15 * 60),
            stale_for: Duration::from_secs(24 * 60 * 60),
            cool_down: Duration::from_secs(30),
            fetch_timeout: Duration::from_secs(5),
            wait: Duration::from_secs(5),
            max_waiters: 64,
            first_retry: Duration::from_secs(1),
            max_retry: Duration::from_secs(5 * 60),
        }
    }
}

impl EnginePolicy {
    /// The life of keys that came with this `max-age`.
    pub(super) fn ttl(&self, max_age: Option<Duration>) -> Duration {
        max_age.unwrap_or(self.default_ttl).min(self.max_ttl).max(self.min_ttl)
    }

    /// How long after the beginning of their life keys are fetched again: early enough for a few retries.
    pub(super) fn refresh_after(ttl: Duration) -> Duration {
        ttl / 5 * 4
    }

    /// How long to wait after the `failures`th failure in a row.
    pub(super) fn retry_after(&self, failures: u32, has_keys: bool) -> Duration {
        let first = if has_keys { self.cool_down } else { self.first_retry };
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        first.saturating_mul(doubled).min(self.max_retry.max(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_life_of_keys_is_bounded_on_both_sides() {
        let policy = EnginePolicy::default();
        assert_eq!(policy.ttl(Some(Duration::ZERO)), secs(300));
        assert_eq!(policy.ttl(Some(secs(1_200))), secs(1_200));
        assert_eq!(policy.ttl(Some(Duration::MAX)), secs(3_600));
        assert_eq!(policy.ttl(None), secs(900));
    }

    #[test]
    fn retries_space_out_up_to_the_limit() {
        let policy = EnginePolicy::default();
        let waits = |has_keys| [1, 2, 3, 5, 9, u32::MAX].map(|n| policy.retry_after(n, has_keys).as_secs());
        assert_eq!(waits(false), [1, 2, 4, 16, 256, 300]);
        assert_eq!(waits(true), [30, 60, 120, 300, 300, 300]);
    }
}
