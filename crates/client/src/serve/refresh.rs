//! One credential for many askers, renewed before it ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daypass_claims::{Clock, Timestamp};
use tokio::sync::watch;

use crate::credential::AwsSession;
use crate::federation::{ClientError, SessionSource};

/// How long before its end a session is renewed, unless half its life is shorter. SDKs ask for a new one a quarter of an
/// hour before the end; by then there must be one.
const AHEAD: Duration = Duration::from_secs(20 * 60);

/// The pause after a failed renewal. It doubles with each further one.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The longest sleep of [`Refresher::keep_fresh`]: a machine that was suspended notices soon.
const NAP: Duration = Duration::from_secs(30);

type Outcome = Result<Arc<AwsSession>, ClientError>;

/// Hands out a session and renews it ahead of its end, one renewal at a time however many ask.
///
/// While renewing fails the session that is there goes on being handed out until it ends. Only then do askers get the
/// error, at once: the pauses between attempts are the refresher's, not theirs.
pub struct Refresher {
    source: Arc<dyn SessionSource>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Held>,
    /// The renewal that is under way.
    flight: Option<watch::Receiver<Option<Outcome>>>,
    failure: Option<Failure>,
}

#[derive(Clone)]
struct Held {
    session: Arc<AwsSession>,
    renew_at: Timestamp,
}

struct Failure {
    error: ClientError,
    count: u32,
    retry_at: Timestamp,
}

impl Refresher {
    /// Without a session yet; the first one that asks waits for it.
    pub fn new(source: Arc<dyn SessionSource>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { source, clock, state: Mutex::default() })
    }

    /// The session. Waits only if there is none that is still good.
    pub async fn session(self: &Arc<Self>) -> Outcome {
        let flight = {
            let now = self.clock.now();
            let mut state = self.state();
            let pausing = state.pausing(now);
            if let Some(held) = state.usable(now) {
                if held.renew_at <= now && pausing.is_none() {
                    self.take_off(&mut state);
                }
                return Ok(held.session);
            }
            match pausing {
                Some(error) => return Err(error),
                None => self.take_off(&mut state),
            }
        };
        Self::land(flight).await
    }

    /// Renews the session whenever it is due, whether anyone asks or not. Never ends; to be dropped with the endpoint.
    pub async fn keep_fresh(self: Arc<Self>) {
        loop {
            let wait = self.until_due();
            if wait > Duration::ZERO {
                tokio::time::sleep(wait.min(NAP)).await;
                continue;
            }
            let flight = self.take_off(&mut self.state());
            // A failure has been logged, and sets the time of the next attempt.
            let _ = Self::land(flight).await;
        }
    }

    fn until_due(&self) -> Duration {
        let now = self.clock.now();
        let state = self.state();
        let due = state.current.as_ref().map_or(now, |held| held.renew_at);
        let allowed = state.failure.as_ref().map_or(due, |failure| failure.retry_at.max(due));
        allowed.since(now)
    }

    /// Starts a renewal, or joins the one that is under way. It goes on when those who wait for it go away: the token
    /// has been used.
    fn take_off(self: &Arc<Self>, state: &mut State) -> watch::Receiver<Option<Outcome>> {
        // One whose task has panicked has no sender any more, and does not count.
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return flight.clone();
        }
        let (announce, flight) = watch::channel(None);
        state.flight = Some(flight.clone());
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = this.source.session().await;
            let outcome = this.settle(outcome);
            let _ = announce.send(Some(outcome));
        });
        flight
    }

    async fn land(mut flight: watch::Receiver<Option<Outcome>>) -> Outcome {
        let landed = flight.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        // Without an outcome the task has panicked, or went with the runtime.
        landed.unwrap_or(Err(ClientError::Interrupted))
    }

    fn settle(&self, outcome: Result<AwsSession, ClientError>) -> Outcome {
        let now = self.clock.now();
        let outcome = outcome.and_then(|session| match session.expiration {
            expiration if expiration <= now => Err(ClientError::Ended { expiration }),
            _ => Ok(session),
        });
        let mut state = self.state();
        state.flight = None;
        match outcome {
            Ok(session) => {
                let ahead = AHEAD.min(session.expiration.since(now) / 2);
                let held = Held { renew_at: session.expiration - ahead, session: Arc::new(session) };
                tracing::debug!(expiration = %held.session.expiration, "have a session");
                state.failure = None;
                state.current = Some(held.clone());
                Ok(held.session)
            }
            Err(error) => {
                let count = state.failure.as_ref().map_or(0, |failure| failure.count);
                let pause = PAUSE.saturating_mul(2_u32.saturating_pow(count)).min(LONGEST_PAUSE);
                tracing::warn!(%error, ?pause, "the session could not be renewed");
                state.failure = Some(Failure {
                    error: error.clone(),
                    count: count.saturating_add(1),
                    retry_at: now + pause,
                });
                Err(error)
            }
        }
    }

    /// The state is consistent between any two statements, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn usable(&self, now: Timestamp) -> Option<Held> {
        self.current.clone().filter(|held| held.session.expiration > now)
    }

    /// The last failure, while the pause after it lasts.
    fn pausing(&self, now: Timestamp) -> Option<ClientError> {
        let failure = self.failure.as_ref().filter(|failure| failure.retry_at > now)?;
        Some(failure.error.clone())
    }
}

impl std::fmt::Debug for Refresher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let expiration = self.state().current.as_ref().map(|held| held.session.expiration);
        f.debug_struct("Refresher").field("expiration", &expiration).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
