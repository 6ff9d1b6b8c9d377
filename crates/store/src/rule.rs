//! The rule for uses of a token. Pure, and the only one: the backends differ in how they find what is taken.

use daypass_claims::Timestamp;

use crate::{DecisionId, UseOutcome, UseRequest};

/// A use of the token that is taken already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) ordinal: u32,
    pub(crate) request: [u8; 32],
    pub(crate) decision: DecisionId,
    pub(crate) at: Timestamp,
    pub(crate) sealed: Vec<u8>,
}

#[cfg(feature = "postgres")]
impl Taken {
    /// What `wish` leaves behind when it takes the use `ordinal`.
    pub(crate) fn by(wish: &UseRequest, ordinal: u32, decision: DecisionId, at: Timestamp) -> Self {
        Self { ordinal, request: wish.request, decision, at, sealed: wish.sealed.clone() }
    }
}

/// What becomes of `wish` at `time`, when the uses in `taken` (all of this token, in any order) are there already.
///
/// A repetition within the window comes first: it must get its answer even when all uses are taken. A time before
/// that of the earlier use, from a replica whose clock is ahead, counts as within. Ordinals are never given twice,
/// even if the earlier ones have been swept.
pub(crate) fn judge(wish: &UseRequest, time: Timestamp, taken: &[Taken]) -> UseOutcome {
    let repeated = taken
        .iter()
        .filter(|earlier| earlier.request == wish.request && time.since(earlier.at) < wish.retry_window)
        .max_by_key(|earlier| earlier.ordinal);
    if let Some(earlier) = repeated {
        return UseOutcome::Retry {
            decision: earlier.decision,
            ordinal: earlier.ordinal,
            at: earlier.at,
            sealed: earlier.sealed.clone(),
        };
    }
    let uses = taken.iter().map(|earlier| earlier.ordinal).max().unwrap_or(0);
    match taken.iter().map(|earlier| earlier.at).min() {
        Some(first_at) if uses >= wish.max_uses => UseOutcome::Exhausted { uses, first_at },
        _ => UseOutcome::Fresh { ordinal: uses.saturating_add(1) },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    fn wish(request: u8, max_uses: u32) -> UseRequest {
        UseRequest {
            key: [0; 32],
            request: [request; 32],
            max_uses,
            retry_window: Duration::from_secs(60),
            expires_at: Timestamp::from_secs(1_000),
            sealed: vec![],
        }
    }

    fn taken(ordinal: u32, request: u8, at: i64) -> Taken {
        let decision = DecisionId(Uuid::from_u128(u128::from(ordinal)));
        Taken {
            ordinal,
            request: [request; 32],
            decision,
            at: Timestamp::from_secs(at),
            sealed: vec![request],
        }
    }

    fn retry_of(earlier: &Taken) -> UseOutcome {
        UseOutcome::Retry {
            decision: earlier.decision,
            ordinal: earlier.ordinal,
            at: earlier.at,
            sealed: earlier.sealed.clone(),
        }
    }

    #[test]
    fn the_first_use_is_fresh() {
        let outcome = judge(&wish(1, 1), Timestamp::from_secs(100), &[]);
        assert_eq!(outcome, UseOutcome::Fresh { ordinal: 1 });
    }

    #[test]
    fn another_request_takes_the_next_use_while_there_is_one() {
        let earlier = [taken(1, 1, 100), taken(2, 2, 110)];
        let now = Timestamp::from_secs(120);
        assert_eq!(judge(&wish(3, 3), now, &earlier), UseOutcome::Fresh { ordinal: 3 });
        assert_eq!(
            judge(&wish(3, 2), now, &earlier),
            UseOutcome::Exhausted { uses: 2, first_at: Timestamp::from_secs(100) }
        );
    }

    #[test]
    fn a_repetition_within_the_window_is_a_retry_even_when_all_uses_are_taken() {
        let earlier = taken(1, 1, 100);
        for now in [100, 159] {
            let outcome = judge(&wish(1, 1), Timestamp::from_secs(now), std::slice::from_ref(&earlier));
            assert_eq!(outcome, retry_of(&earlier), "{now}");
        }
    }

    #[test]
    fn a_repetition_at_the_end_of_the_window_is_a_use() {
        let earlier = [taken(1, 1, 100)];
        let now = Timestamp::from_secs(160);
        assert_eq!(judge(&wish(1, 2), now, &earlier), UseOutcome::Fresh { ordinal: 2 });
        assert!(matches!(judge(&wish(1, 1), now, &earlier), UseOutcome::Exhausted { uses: 1, .. }));
    }

    #[test]
    fn a_clock_that_is_behind_does_not_turn_a_retry_into_a_use() {
        let earlier = taken(1, 1, 100);
        let outcome = judge(&wish(1, 5), Timestamp::from_secs(90), std::slice::from_ref(&earlier));
        assert_eq!(outcome, retry_of(&earlier));
    }

    #[test]
    fn the_newest_of_several_identical_requests_is_the_one_retried() {
        let earlier = [taken(1, 1, 10), taken(3, 1, 100), taken(2, 2, 50)];
        assert_eq!(judge(&wish(1, 9), Timestamp::from_secs(110), &earlier), retry_of(&earlier[1]));
    }

    #[test]
    fn an_ordinal_is_not_given_again_after_earlier_ones_were_swept() {
        let outcome = judge(&wish(2, 5), Timestamp::from_secs(500), &[taken(4, 1, 100)]);
        assert_eq!(outcome, UseOutcome::Fresh { ordinal: 5 });
    }
}
