//! The key engine: what is known of one issuer's keys, and when to ask it again.
//!
//! A pure state machine. It does no I/O and reads no clock; a driver asks it for [`FetchOrder`]s, carries them out and
//! hands back what came. Its keys are in one of four states:
//!
//! ```text
//!             fetched             ttl passed            ttl + stale_for passed
//!   missing ---------->  fresh  -------------->  stale  ---------------------->  expired
//!                          ^                       |                                |
//!                          +------- fetched -------+------------- fetched ----------+
//! ```
//!
//! *Fresh* and *stale* keys serve alike, so an issuer's outage is not noticed for `stale_for`; *missing* and *expired*
//! ones make tokens wait or come again. Only a successful fetch of at least one usable key replaces keys, and it
//! replaces all of them: a withdrawn key stops at once, a failed or empty answer changes nothing.
//!
//! Beside that, fetching is *idle until due*, *due* or *in flight*, never twice at a time. It falls due
//!
//! * at the start, and before keys go stale (after 4/5 of their life);
//! * after a failure, at growing intervals that nothing can shorten;
//! * when a token names an unknown key, if the last fetch succeeded and began at least `cool_down` ago.
//!
//! Whoever floods a verifier with made-up key ids therefore causes one fetch per `cool_down`, holds at most
//! `max_waiters` places in the queue, and slows no token whose key is known: those are served from the
//! [`KeySnapshot`] without asking the engine at all.

mod fetch;
mod lookup;
mod policy;
mod snapshot;
mod status;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use daypass_claims::{Algorithm, Issuer, KeyId, Timestamp};

use crate::key_set::{KeySet, SelectError};
use crate::unverified::UnverifiedToken;

pub use fetch::{FetchFailure, FetchId, FetchOrder, Fetched, Settled, max_age};
pub use lookup::{Lookup, RetryReason, Ticket};
pub use policy::EnginePolicy;
pub use snapshot::{KeySnapshot, Miss, Origin};
pub use status::{EngineStatus, KeyState};

/// Why pushed keys were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The issuer's keys come from elsewhere, and two sources would contradict each other.
    #[error("the keys of `{issuer}` are {origin} and cannot be pushed")]
    NotPushed {
        /// Whose keys.
        issuer: Issuer,
        /// Where they come from.
        origin: Origin,
    },
    /// The set is another issuer's.
    #[error("the keys are those of `{found}`, not of `{expected}`")]
    WrongIssuer {
        /// Whose they are.
        found: Issuer,
        /// Whose they should be.
        expected: Issuer,
    },
}

/// The engine of one issuer.
#[derive(Debug)]
pub struct Engine {
    policy: EnginePolicy,
    snapshot: Arc<KeySnapshot>,
    fetches: u64,
    /// When the next fetch is due; never, for keys that are not fetched.
    due: Option<Timestamp>,
    in_flight: Option<InFlight>,
    last_start: Option<Timestamp>,
    /// When the last successful fetch began.
    last_success: Option<Timestamp>,
    failures: u32,
    last_failure: Option<FetchFailure>,
    waiters: usize,
    unknown_key_ids: u64,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    id: FetchId,
    started: Timestamp,
    deadline: Timestamp,
}

impl Engine {
    /// An engine whose keys are fetched; the first fetch is due at once.
    pub fn fetching(issuer: Issuer, policy: EnginePolicy, now: Timestamp) -> Self {
        Self::with(KeySnapshot::empty(issuer, Origin::Fetched), policy, Some(now))
    }

    /// An engine whose keys are given and stay.
    pub fn pinned(keys: KeySet) -> Self {
        Self::with(KeySnapshot::standing(keys, Origin::Pinned), EnginePolicy::default(), None)
    }

    /// An engine whose keys are handed over with [`push`](Self::push); there are none yet.
    pub fn pushed(issuer: Issuer) -> Self {
        Self::with(KeySnapshot::empty(issuer, Origin::Pushed), EnginePolicy::default(), None)
    }

    fn with(snapshot: KeySnapshot, policy: EnginePolicy, due: Option<Timestamp>) -> Self {
        Self {
            policy,
            snapshot: Arc::new(snapshot),
            fetches: 0,
            due,
            in_flight: None,
            last_start: None,
            last_success: None,
            failures: 0,
            last_failure: None,
            waiters: 0,
            unknown_key_ids: 0,
        }
    }

    /// What is known now, for readers to keep. It changes in [`fetched`](Self::fetched), [`push`](Self::push) and
    /// [`restore`](Self::restore) only.
    pub fn snapshot(&self) -> Arc<KeySnapshot> {
        Arc::clone(&self.snapshot)
    }

    /// Takes keys that were fetched by an earlier process at `fetched_at`. They serve as if they had been fetched then,
    /// so that a restart during the issuer's outage still knows its keys; a fetch stays due. Keys that were fetched by
    /// this engine are better and stay.
    pub fn restore(&mut self, keys: KeySet, fetched_at: Timestamp, now: Timestamp) {
        let fetched = self.snapshot.origin == Origin::Fetched;
        if fetched && self.last_success.is_none() && *keys.issuer() == self.snapshot.issuer {
            let ttl = self.policy.ttl(None);
            self.replace(keys, fetched_at.min(now), ttl);
        }
    }

    /// Takes keys from an administrator, in place of those pushed before.
    pub fn push(&mut self, keys: KeySet) -> Result<Settled, PushError> {
        let expected = self.snapshot.issuer.clone();
        if self.snapshot.origin != Origin::Pushed {
            return Err(PushError::NotPushed { issuer: expected, origin: self.snapshot.origin });
        }
        if *keys.issuer() != expected {
            return Err(PushError::WrongIssuer { found: keys.issuer().clone(), expected });
        }
        let settled = self.difference(&keys);
        self.snapshot = Arc::new(KeySnapshot::standing(keys, Origin::Pushed));
        Ok(settled)
    }

    /// Looks for the keys that may have signed `token`, after a [`Miss`] of the snapshot.
    pub fn lookup(&mut self, token: &UnverifiedToken, allowed: &[Algorithm], now: Timestamp) -> Lookup {
        self.give_up_late_fetch(now);
        match self.snapshot.select(token, allowed, now) {
            Ok(keys) => Lookup::Use(keys),
            Err(Miss::Refused(error)) => Lookup::Refuse(error),
            Err(Miss::UnknownKeyId(_)) => {
                self.unknown_key_ids += 1;
                self.queue(now)
            }
            Err(Miss::NoKeys) => self.queue(now),
        }
    }

    /// Looks again once the fetch that `ticket` waits for has settled, or the ticket's deadline has passed.
    ///
    /// A key that is not in a set whose fetch began after the token came is not the issuer's: that is a refusal, where
    /// [`lookup`](Self::lookup) could only ask to come again.
    pub fn resume(
        &mut self,
        ticket: Ticket,
        token: &UnverifiedToken,
        allowed: &[Algorithm],
        now: Timestamp,
    ) -> Lookup {
        self.give_up_late_fetch(now);
        let miss = match self.snapshot.select(token, allowed, now) {
            Ok(keys) => return Lookup::Use(keys),
            Err(Miss::Refused(error)) => return Lookup::Refuse(error),
            Err(miss) => miss,
        };
        if !self.has_settled(ticket.fetch) {
            if now < ticket.deadline {
                return Lookup::Wait(ticket);
            }
            self.waiters = self.waiters.saturating_sub(1);
            return Lookup::Retry { after: self.policy.cool_down, why: RetryReason::FetchSlow };
        }
        match miss {
            Miss::UnknownKeyId(key_id) if self.last_success.is_some_and(|began| began >= ticket.asked_at) => {
                Lookup::Refuse(SelectError::UnknownKeyId(key_id))
            }
            _ if self.failures > 0 => self.retry(RetryReason::FetchFailed, now),
            _ => self.retry(RetryReason::FetchOverlapped, now),
        }
    }

    /// Orders a fetch, if one is due and none is in flight.
    pub fn poll_fetch(&mut self, now: Timestamp) -> Option<FetchOrder> {
        self.give_up_late_fetch(now);
        if self.in_flight.is_some() || !self.is_due(now) {
            return None;
        }
        self.fetches += 1;
        let id = FetchId(self.fetches);
        let deadline = now + self.policy.fetch_timeout;
        self.in_flight = Some(InFlight { id, started: now, deadline });
        self.last_start = Some(now);
        Some(FetchOrder { id, issuer: self.snapshot.issuer.clone(), deadline })
    }

    /// Takes the answer to an order.
    pub fn fetched(&mut self, id: FetchId, result: Result<Fetched, FetchFailure>, now: Timestamp) -> Settled {
        self.give_up_late_fetch(now);
        let Some(fetch) = self.in_flight.take_if(|fetch| fetch.id == id) else { return Settled::TooLate };
        match result {
            Ok(Fetched { keys, .. }) if *keys.issuer() != self.snapshot.issuer => {
                self.fail(FetchFailure::WrongIssuer(keys.issuer().clone()), now)
            }
            Ok(Fetched { keys, max_age }) => {
                let settled = self.difference(&keys);
                // The life of keys counts from the question: the issuer may have changed its mind while answering.
                let ttl = self.policy.ttl(max_age);
                self.replace(keys, fetch.started, ttl);
                self.due = Some(fetch.started + EnginePolicy::refresh_after(ttl));
                self.last_success = Some(fetch.started);
                self.failures = 0;
                self.last_failure = None;
                self.waiters = 0;
                settled
            }
            Err(failure) => self.fail(failure, now),
        }
    }

    /// When the driver should [`poll_fetch`](Self::poll_fetch) next, if no [`Lookup::Wait`] makes it do so earlier.
    /// `None`: never, the keys are not fetched.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        self.in_flight.map(|fetch| fetch.deadline).or(self.due)
    }

    /// What an operator wants to see.
    pub fn status(&self, now: Timestamp) -> EngineStatus {
        let snapshot = &self.snapshot;
        EngineStatus {
            origin: snapshot.origin,
            state: match &snapshot.keys {
                None => KeyState::Missing,
                Some(_) if now < snapshot.fresh_until => KeyState::Fresh,
                Some(_) if now < snapshot.usable_until => KeyState::Stale,
                Some(_) => KeyState::Expired,
            },
            keys: snapshot.keys.as_ref().map_or(0, |keys| keys.keys().len()),
            fetching: self.in_flight.is_some(),
            fetches: self.fetches,
            failures: self.failures,
            last_failure: self.last_failure.clone(),
            unknown_key_ids: self.unknown_key_ids,
        }
    }

    /// Gives a token a place in the queue for the fetch that is in flight or may begin now, if there is one.
    fn queue(&mut self, now: Timestamp) -> Lookup {
        if self.snapshot.origin == Origin::Pushed {
            return Lookup::Retry { after: self.policy.cool_down, why: RetryReason::NotPushed };
        }
        let fetch = match self.in_flight {
            Some(fetch) => fetch.id,
            None if self.is_due(now) => FetchId(self.fetches + 1),
            None if self.may_ask_again(now) => {
                self.due = Some(now);
                FetchId(self.fetches + 1)
            }
            None if self.failures > 0 => return self.retry(RetryReason::FetchFailed, now),
            None => return self.retry(RetryReason::CoolingDown, now),
        };
        if self.waiters >= self.policy.max_waiters {
            return Lookup::Retry { after: self.policy.fetch_timeout, why: RetryReason::TooManyWaiters };
        }
        self.waiters += 1;
        Lookup::Wait(Ticket { fetch, asked_at: now, deadline: now + self.policy.wait })
    }

    /// A retry makes sense when the next fetch may begin.
    fn retry(&self, why: RetryReason, now: Timestamp) -> Lookup {
        let cooled =
            self.last_start.map(|start| start + self.policy.cool_down).filter(|_| self.failures == 0);
        let next = match (cooled, self.due) {
            (Some(cooled), Some(due)) => cooled.min(due),
            (one, other) => one.or(other).unwrap_or(now),
        };
        Lookup::Retry { after: next.since(now).max(Duration::from_secs(1)), why }
    }

    /// A clock that was set back must not postpone fetches until it has caught up.
    fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| now >= due || self.last_start.is_some_and(|start| now < start))
    }

    /// Whether an unknown key may cause a fetch. After a failure only time does.
    fn may_ask_again(&self, now: Timestamp) -> bool {
        self.failures == 0 && self.last_start.is_some_and(|start| now >= start + self.policy.cool_down)
    }

    fn has_settled(&self, fetch: FetchId) -> bool {
        let running = self.in_flight.map(|fetch| fetch.id);
        fetch.0 <= self.fetches && running != Some(fetch)
    }

    fn give_up_late_fetch(&mut self, now: Timestamp) {
        if self.in_flight.take_if(|fetch| now >= fetch.deadline).is_some() {
            self.fail(FetchFailure::TimedOut, now);
        }
    }

    fn fail(&mut self, failure: FetchFailure, now: Timestamp) -> Settled {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some(failure);
        self.waiters = 0;
        let retry_at = now + self.policy.retry_after(self.failures, self.snapshot.usable(now).is_some());
        self.due = Some(retry_at);
        Settled::Failed { failures: self.failures, retry_at }
    }

    fn replace(&mut self, keys: KeySet, from: Timestamp, ttl: Duration) {
        self.snapshot = Arc::new(KeySnapshot {
            issuer: self.snapshot.issuer.clone(),
            origin: Origin::Fetched,
            keys: Some(Arc::new(keys)),
            fresh_until: from + ttl,
            usable_until: from + ttl + self.policy.stale_for,
        });
    }

    fn difference(&self, new: &KeySet) -> Settled {
        let ids = |set: &KeySet| set.keys().filter_map(|key| key.key_id().cloned()).collect::<Vec<KeyId>>();
        let old = self.snapshot.keys.as_deref();
        let added = ids(new).into_iter().filter(|id| !old.is_some_and(|old| old.contains(id))).collect();
        let removed = old.map(ids).unwrap_or_default().into_iter().filter(|id| !new.contains(id)).collect();
        Settled::Replaced { added, removed }
    }
}
