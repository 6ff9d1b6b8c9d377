use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Semaphore;

use super::*;
use crate::exchange::{ExchangeError, Refusal};
use crate::testing::{ManualClock, TokioClock, session};

const HOUR: Duration = Duration::from_secs(3_600);

const SECOND: Duration = Duration::from_secs(1);

/// When a session of an hour is due: [`AHEAD`] of its end.
const DUE: Duration = Duration::from_secs(40 * 60);

/// Gives sessions of `life` while it is `up`, one for each permit of `gate`.
struct Source {
    clock: Arc<dyn Clock>,
    life: Duration,
    up: std::sync::atomic::AtomicBool,
    asked: AtomicU32,
    gate: Semaphore,
}

impl Source {
    fn new(clock: Arc<dyn Clock>, life: Duration) -> Arc<Self> {
        let gate = Semaphore::new(1_000);
        Arc::new(Self { clock, life, up: true.into(), asked: AtomicU32::new(0), gate })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn is_up(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }
}

impl SessionSource for Source {
    fn session(&self) -> crate::BoxFuture<'_, Result<AwsSession, ClientError>> {
        Box::pin(async {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            self.gate.acquire().await.unwrap().forget();
            if !self.up.load(Ordering::SeqCst) {
                return Err(denied());
            }
            let access_key_id = format!("ASIA{asked}");
            Ok(AwsSession { access_key_id, expiration: self.clock.now() + self.life, ..session() })
        })
    }
}

fn denied() -> ClientError {
    let refusal =
        Refusal { status: 403, code: "AccessDenied".into(), message: String::new(), decision: None };
    ClientError::Exchange(ExchangeError::Refused(refusal))
}

fn set_up() -> (ManualClock, Arc<Source>, Arc<Refresher>) {
    let clock = ManualClock::new();
    let source = Source::new(Arc::new(clock.clone()), HOUR);
    let refresher = Refresher::new(source.clone(), Arc::new(clock.clone()));
    (clock, source, refresher)
}

async fn key(refresher: &Arc<Refresher>) -> String {
    refresher.session().await.unwrap().access_key_id.clone()
}

/// Lets tasks that have been spawned run until they wait for something.
async fn settle() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_session_is_handed_out_until_it_is_due() {
    let (clock, source, refresher) = set_up();
    assert_eq!(key(&refresher).await, "ASIA1");
    clock.advance(DUE.saturating_sub(SECOND));
    assert_eq!(key(&refresher).await, "ASIA1");
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn it_is_renewed_ahead_of_its_end_behind_the_askers_back() {
    let (clock, source, refresher) = set_up();
    key(&refresher).await;
    clock.advance(DUE);
    assert_eq!(key(&refresher).await, "ASIA1", "nobody waits for a renewal while the old one is good");
    settle().await;
    assert_eq!(key(&refresher).await, "ASIA2");
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn a_short_session_is_renewed_at_half_its_life() {
    let clock = ManualClock::new();
    let source = Source::new(Arc::new(clock.clone()), Duration::from_secs(900));
    let refresher = Refresher::new(source.clone(), Arc::new(clock.clone()));
    key(&refresher).await;
    clock.advance(Duration::from_secs(449));
    key(&refresher).await;
    settle().await;
    assert_eq!(source.asked(), 1);
    clock.advance(SECOND);
    key(&refresher).await;
    settle().await;
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn many_askers_share_one_renewal() {
    let (_, source, refresher) = set_up();
    source.gate.forget_permits(1_000);
    let askers: Vec<_> = (0..50)
        .map(|_| {
            let refresher = Arc::clone(&refresher);
            tokio::spawn(async move { key(&refresher).await })
        })
        .collect();
    settle().await;
    source.gate.add_permits(1);
    for asker in askers {
        assert_eq!(asker.await.unwrap(), "ASIA1");
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn many_askers_share_one_failure() {
    let (_, source, refresher) = set_up();
    source.is_up(false);
    source.gate.forget_permits(1_000);
    let askers: Vec<_> = (0..50)
        .map(|_| {
            let refresher = Arc::clone(&refresher);
            tokio::spawn(async move { refresher.session().await })
        })
        .collect();
    settle().await;
    source.gate.add_permits(1);
    for asker in askers {
        assert_eq!(asker.await.unwrap().unwrap_err(), denied());
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn a_renewal_goes_on_when_its_asker_goes_away() {
    let (_, source, refresher) = set_up();
    source.gate.forget_permits(1_000);
    let asker = tokio::spawn({
        let refresher = Arc::clone(&refresher);
        async move { key(&refresher).await }
    });
    settle().await;
    asker.abort();
    assert!(asker.await.unwrap_err().is_cancelled());
    source.gate.add_permits(1);
    assert_eq!(key(&refresher).await, "ASIA1");
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn while_renewing_fails_the_old_session_is_handed_out_until_it_ends() {
    let (clock, source, refresher) = set_up();
    key(&refresher).await;
    source.is_up(false);
    clock.advance(DUE);
    for _ in 0..10 {
        assert_eq!(key(&refresher).await, "ASIA1");
        settle().await;
    }
    assert_eq!(source.asked(), 2, "one attempt, and then a pause");
    clock.advance(PAUSE);
    assert_eq!(key(&refresher).await, "ASIA1");
    settle().await;
    assert_eq!(source.asked(), 3);
    clock.advance(AHEAD.saturating_sub(PAUSE + SECOND));
    assert_eq!(key(&refresher).await, "ASIA1");
    settle().await;
    clock.advance(SECOND);
    assert_eq!(refresher.session().await.unwrap_err(), denied(), "it has ended");
}

#[tokio::test]
async fn an_error_is_told_at_once_and_the_server_is_left_in_peace() {
    let (clock, source, refresher) = set_up();
    source.is_up(false);
    for _ in 0..10 {
        assert_eq!(refresher.session().await.unwrap_err(), denied());
    }
    assert_eq!(source.asked(), 1);
    source.is_up(true);
    clock.advance(PAUSE);
    assert_eq!(key(&refresher).await, "ASIA2");
}

#[tokio::test]
async fn pauses_double_and_end_at_a_minute() {
    let (clock, source, refresher) = set_up();
    source.is_up(false);
    for (attempt, pause) in [5, 10, 20, 40, 60, 60].into_iter().enumerate() {
        assert!(refresher.session().await.is_err());
        assert_eq!(source.asked() as usize, attempt + 1);
        clock.advance(Duration::from_secs(pause - 1));
        assert!(refresher.session().await.is_err());
        assert_eq!(source.asked() as usize, attempt + 1);
        clock.advance(SECOND);
    }
}

#[tokio::test]
async fn a_session_that_has_ended_already_is_an_error() {
    let clock = ManualClock::new();
    let source = Source::new(Arc::new(clock.clone()), Duration::ZERO);
    let refresher = Refresher::new(source.clone(), Arc::new(clock.clone()));
    let error = refresher.session().await.unwrap_err();
    assert_eq!(error, ClientError::Ended { expiration: clock.now() });
    assert!(refresher.session().await.is_err());
    assert_eq!(source.asked(), 1);
}

/// Panics when it is asked first.
struct Panicking(AtomicU32);

impl SessionSource for Panicking {
    fn session(&self) -> crate::BoxFuture<'_, Result<AwsSession, ClientError>> {
        Box::pin(async {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "this panic is part of the test");
            Ok(session())
        })
    }
}

#[tokio::test]
async fn a_panic_does_not_stop_later_renewals() {
    let source = Arc::new(Panicking(AtomicU32::new(0)));
    let refresher = Refresher::new(source, Arc::new(ManualClock::new()));
    assert_eq!(refresher.session().await.unwrap_err(), ClientError::Interrupted);
    assert!(refresher.session().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn it_keeps_fresh_though_nobody_asks() {
    let clock = Arc::new(TokioClock::start());
    let source = Source::new(clock.clone(), HOUR);
    let refresher = Refresher::new(source.clone(), clock);
    let keeper = tokio::spawn(Arc::clone(&refresher).keep_fresh());
    tokio::time::sleep(DUE.saturating_sub(SECOND)).await;
    assert_eq!(source.asked(), 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(source.asked(), 2);
    source.is_up(false);
    tokio::time::sleep(DUE + Duration::from_secs(16)).await;
    assert_eq!(source.asked(), 5, "three failures in 16 s, after pauses of 5 s and 10 s");
    assert_eq!(key(&refresher).await, "ASIA2");
    source.is_up(true);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(key(&refresher).await, "ASIA6");
    keeper.abort();
    assert!(format!("{refresher:?}").starts_with("Refresher { expiration: Some("));
}
