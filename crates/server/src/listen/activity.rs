//! What a connection is doing, and how long it may go on doing that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Protocol;

/// How long a connection may be silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until its first request is there, and from the first byte of any other to the end of its head.
    pub(super) head: Duration,
    /// From an answer to the first byte of the next request.
    pub(super) idle: Duration,
}

/// What is to become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may go on for so long; then it is looked at again.
    Wait(Duration),
    /// It has been idle for long enough and may end in good order.
    End,
    /// It asks for something, and does not get on with it.
    GiveUp,
}

/// What a connection has done so far. Times are milliseconds since it was opened, and never 0.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    begun: AtomicU64,
    ended: AtomicU64,
    /// When the last request ended.
    idle_since: AtomicU64,
    /// When the first byte after the last request came; 0 if none has.
    heard: AtomicU64,
}

/// A request that has begun; it has ended when this is dropped.
pub(super) struct InProgress(Arc<Activity>);

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            idle_since: AtomicU64::new(0),
            heard: AtomicU64::new(0),
        })
    }

    /// Some bytes came.
    pub(super) fn hear(&self) {
        if self.heard.load(Ordering::Relaxed) == 0 {
            self.heard.store(self.now(), Ordering::Relaxed);
        }
    }

    /// The head of a request is complete.
    pub(super) fn begin(activity: &Arc<Self>) -> InProgress {
        activity.begun.fetch_add(1, Ordering::Relaxed);
        InProgress(Arc::clone(activity))
    }

    /// What is to become of the connection, by now.
    pub(super) fn judge(&self, protocol: Protocol, patience: Patience) -> Verdict {
        let begun = self.begun.load(Ordering::Relaxed);
        if begun != self.ended.load(Ordering::Relaxed) {
            // Bodies and answers have bounds of their own.
            return Verdict::Wait(patience.head);
        }
        let heard = match protocol {
            Protocol::Http1 => self.heard.load(Ordering::Relaxed),
            // Answers to pings come from the idle, too.
            Protocol::Http2 => 0,
        };
        let (since, bound, after) = match (begun, heard) {
            (0, _) => (0, patience.head, Verdict::GiveUp),
            (_, 0) => (self.idle_since.load(Ordering::Relaxed), patience.idle, Verdict::End),
            (_, heard) => (heard, patience.head, Verdict::GiveUp),
        };
        let due = Duration::from_millis(since) + bound;
        match due.checked_sub(self.opened.elapsed()) {
            // Looked at once in the time of a head at least: the bytes of the next one wake nobody.
            Some(left) if !left.is_zero() => Verdict::Wait(left.min(patience.head)),
            _ => after,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let Self(activity) = self;
        activity.idle_since.store(activity.now(), Ordering::Relaxed);
        activity.heard.store(0, Ordering::Relaxed);
        activity.ended.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const PATIENCE: Patience = Patience { head: Duration::from_secs(10), idle: Duration::from_secs(75) };

    const fn wait(seconds: u64) -> Verdict {
        Verdict::Wait(Duration::from_secs(seconds))
    }

    async fn after(seconds: u64, activity: &Activity) -> Verdict {
        advance(Duration::from_secs(seconds)).await;
        activity.judge(Protocol::Http1, PATIENCE)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_request_has_the_time_of_a_head() {
        let activity = Activity::new();
        assert_eq!(after(4, &activity).await, wait(6));
        activity.hear();
        assert_eq!(after(5, &activity).await, wait(1));
        assert_eq!(after(1, &activity).await, Verdict::GiveUp);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_been_answered_may_be_idle_for_longer() {
        let activity = Activity::new();
        activity.hear();
        let request = Activity::begin(&activity);
        assert_eq!(after(600, &activity).await, wait(10), "a request in progress is not idle");
        drop(request);
        assert_eq!(after(74, &activity).await, wait(1));
        assert_eq!(after(1, &activity).await, Verdict::End);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_head_has_its_time_from_its_first_byte() {
        let activity = Activity::new();
        drop(Activity::begin(&activity));
        assert_eq!(after(60, &activity).await, wait(10), "the next byte must not be missed for longer");
        advance(Duration::from_secs(10)).await;
        activity.hear();
        assert_eq!(after(9, &activity).await, wait(1));
        activity.hear();
        assert_eq!(after(1, &activity).await, Verdict::GiveUp);
        assert_eq!(activity.judge(Protocol::Http2, PATIENCE), Verdict::End, "80 seconds without a request");
    }
}
