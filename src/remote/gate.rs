//! What all calls with one key share: their pace, how many are under way, and what the API told one of
//! them that holds for all.
//!
//! Rate limits and quotas count per key and are not published, so the pace is a guard against a loop gone
//! wild, and obeying what the API answers is what keeps the peace.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::cause::Cause;
use super::error::RemoteError;

/// The one door through which every call of a key goes.
pub(crate) struct Gate {
    under_way: Semaphore,
    state: Mutex<State>,
    /// Longest hold that a call waits out instead of failing.
    patience: Duration,
    /// How long no call is made after the key was refused, or a quota was spent that does not say when it renews.
    key_rest: Duration,
}

struct State {
    pace: Pace,
    hold: Option<Hold>,
}

/// An answer to one call that holds for all until a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hold {
    cause: Cause,
    until: Instant,
}

/// Spreads calls over time: at most `burst` at once and one per `interval` in the long run.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    burst: u32,
    /// When the calls granted so far would be through, one per interval.
    busy_until: Option<Instant>,
}

impl Pace {
    /// A pace of so many calls in a second; a second's worth may go at once.
    pub(crate) fn per_second(calls: u32) -> Self {
        let calls = calls.max(1);
        Self {
            interval: Duration::from_secs(1) / calls,
            burst: calls,
            busy_until: None,
        }
    }

    /// Grants one call and says how long it must wait first.
    pub(crate) fn reserve(&mut self, now: Instant) -> Duration {
        let busy_until = self.busy_until.map_or(now, |until| until.max(now));
        self.busy_until = Some(busy_until + self.interval);
        let ahead = busy_until.saturating_duration_since(now);
        ahead.saturating_sub(self.interval * (self.burst - 1))
    }
}

impl Gate {
    pub(crate) fn new(
        calls_per_second: u32,
        calls_in_flight: usize,
        patience: Duration,
        key_rest: Duration,
    ) -> Self {
        Self {
            under_way: Semaphore::new(calls_in_flight.max(1)),
            state: Mutex::new(State {
                pace: Pace::per_second(calls_per_second),
                hold: None,
            }),
            patience,
            key_rest,
        }
    }

    /// Waits for a turn. The call may be made while the permit is held.
    ///
    /// # Errors
    /// What the API told an earlier call, when it holds for this one too and for too long to wait.
    pub(crate) async fn enter(&self, task: &str) -> Result<SemaphorePermit<'_>, RemoteError> {
        let permit = self.under_way.acquire().await.expect("never closed");
        while let Some(hold) = self.hold(Instant::now()) {
            let left = hold.until.saturating_duration_since(Instant::now());
            if hold.cause != Cause::RateLimited || left > self.patience {
                return Err(RemoteError::new(hold.cause, task)
                    .with_said("as an earlier call was told; none was made".to_owned())
                    .with_retry_after(Some(left)));
            }
            tokio::time::sleep(left).await;
        }
        let wait = self.with_state(|state| state.pace.reserve(Instant::now()));
        tokio::time::sleep(wait).await;
        Ok(permit)
    }

    /// Takes note of an answer that concerns every call with this key.
    pub(crate) fn learn(&self, error: &RemoteError) {
        let rest = match error.cause() {
            Cause::RateLimited => error.retry_after(),
            // A quota that does not say when it renews is asked about now and then.
            Cause::QuotaSpent => Some(error.retry_after().unwrap_or(self.key_rest)),
            Cause::KeyRefused => Some(self.key_rest),
            _ => None,
        };
        let Some(rest) = rest else { return };
        let hold = Hold {
            cause: error.cause(),
            until: Instant::now() + rest,
        };
        self.with_state(|state| {
            if state.hold.is_none_or(|held| held.until < hold.until) {
                state.hold = Some(hold);
            }
        });
    }

    fn hold(&self, now: Instant) -> Option<Hold> {
        self.with_state(|state| state.hold.take_if(|hold| hold.until <= now));
        self.with_state(|state| state.hold)
    }

    /// A panic elsewhere leaves numbers at worst out of date, so a poisoned lock is no reason to stop.
    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gate() -> Gate {
        Gate::new(1000, 1, Duration::from_millis(200), Duration::from_secs(60))
    }

    fn told(cause: Cause, wait: Duration) -> RemoteError {
        RemoteError::new(cause, "a test").with_retry_after(Some(wait))
    }

    #[tokio::test]
    async fn a_refused_key_stops_every_call() {
        let gate = gate();
        gate.learn(&RemoteError::new(Cause::KeyRefused, "a test"));
        let error = gate.enter("another").await.expect_err("stopped");
        assert_eq!((error.cause(), error.attempts()), (Cause::KeyRefused, 0));
    }

    #[tokio::test]
    async fn a_spent_quota_stops_every_call_also_when_it_does_not_say_for_how_long() {
        let gate = gate();
        gate.learn(&RemoteError::new(Cause::QuotaSpent, "a test"));
        let error = gate.enter("another").await.expect_err("stopped");
        assert_eq!((error.cause(), error.attempts()), (Cause::QuotaSpent, 0));
        assert!(error.retry_after().expect("told") > Duration::from_secs(50));
    }

    #[tokio::test]
    async fn a_short_hold_is_waited_out_and_a_long_one_is_told() {
        let gate = gate();
        let start = Instant::now();
        gate.learn(&told(Cause::RateLimited, Duration::from_millis(30)));
        drop(gate.enter("a call").await.expect("after the hold"));
        assert!(start.elapsed() >= Duration::from_millis(30));

        gate.learn(&told(Cause::RateLimited, Duration::from_secs(100)));
        let error = gate.enter("a call").await.expect_err("too long");
        assert_eq!(error.cause(), Cause::RateLimited);
        assert!(error.retry_after().expect("told") > Duration::from_secs(90));
    }

    #[tokio::test]
    async fn a_fault_of_one_call_concerns_no_other() {
        let gate = gate();
        gate.learn(&told(Cause::SiteOffline, Duration::from_secs(100)));
        assert!(gate.enter("a call").await.is_ok());
    }

    proptest! {
        #[test]
        fn no_span_of_time_sees_more_calls_than_burst_and_pace_allow(
            gaps in proptest::collection::vec(0u64..400, 1..80), per_second in 1u32..20
        ) {
            let start = Instant::now();
            let mut pace = Pace::per_second(per_second);
            let mut now = start;
            let mut grants = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                grants.push((now + pace.reserve(now)).duration_since(start));
            }
            for (i, first) in grants.iter().enumerate() {
                for (n, last) in grants.iter().enumerate().skip(i) {
                    let span = last.saturating_sub(*first).as_secs_f64();
                    let allowed = f64::from(per_second) * (1.0 + span) + 1e-6;
                    let count = u32::try_from(n - i + 1).expect("few");
                    prop_assert!(f64::from(count) <= allowed.floor() + 1.0, "{count} in {span} s");
                }
            }
        }
    }
}
