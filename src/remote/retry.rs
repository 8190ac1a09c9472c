//! Whether a call is tried again, and after how long: a pure decision.
//!
//! These are the short retries within one call, seconds long. When they are spent, the error's own
//! `retry()` tells the schedule when to come back.

use std::time::Duration;

use super::cause::Cause;
use super::error::RemoteError;

/// How a repeated call may do harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It only reads: repeating it costs time alone.
    Freely,
    /// It has an effect that must not happen twice: repeated only when it surely did not happen.
    IfNothingHappened,
}

/// How long to pause between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// Pause before the second try; doubles from there.
    pub first: Duration,
    /// Longest pause of our own choosing.
    pub most: Duration,
    /// Longest pause that the API may ask for within a call; when it asks for more, the call fails and
    /// says so, because a worker has better things to do.
    pub patience: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_secs(30),
            patience: Duration::from_secs(60),
        }
    }
}

impl BackOff {
    /// The pause after try number `attempt` (from 1), or `None` if the call has failed for good.
    ///
    /// `random` in `[0, 1)` spreads callers over the upper half of each pause. What the API asks for is
    /// never cut short: jitter comes on top.
    pub(crate) fn pause(
        &self,
        error: &RemoteError,
        repeat: Repeat,
        attempt: u32,
        random: f64,
    ) -> Option<Duration> {
        if !may_repeat(error.cause(), error.http_status(), repeat) {
            return None;
        }
        let doublings = attempt.saturating_sub(1).min(20);
        let full = self.first.saturating_mul(1 << doublings).min(self.most);
        let ours = full.mul_f64(0.5 + random / 2.0);
        match error.retry_after() {
            Some(asked) if asked > self.patience => None,
            Some(asked) => Some(asked.max(ours) + self.first.mul_f64(random)),
            None => Some(ours),
        }
    }
}

fn may_repeat(cause: Cause, status: Option<u16>, repeat: Repeat) -> bool {
    match cause {
        Cause::NotReached | Cause::RateLimited => true,
        // Only as an HTTP answer: a query that ended so needs a new submission.
        Cause::SiteOffline => status == Some(503),
        // Halo documents a failed validation here, before any pairing.
        Cause::PairingFailed => true,
        Cause::Unanswered
        | Cause::CutShort
        | Cause::SiteLost
        | Cause::ApiFailed
        | Cause::SqlTransient => repeat == Repeat::Freely,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACK_OFF: BackOff = BackOff {
        first: Duration::from_secs(1),
        most: Duration::from_secs(8),
        patience: Duration::from_secs(60),
    };

    fn error(cause: Cause) -> RemoteError {
        RemoteError::new(cause, "a test")
    }

    #[test]
    fn a_submission_is_repeated_only_when_it_surely_did_not_happen() {
        let pause = |error: RemoteError| BACK_OFF.pause(&error, Repeat::IfNothingHappened, 1, 0.0);

        assert!(pause(error(Cause::NotReached)).is_some());
        assert!(pause(error(Cause::RateLimited).with_status(429)).is_some());
        assert!(pause(error(Cause::SiteOffline).with_status(503)).is_some());
        for cause in [
            Cause::Unanswered,
            Cause::CutShort,
            Cause::SiteLost,
            Cause::ApiFailed,
            Cause::SqlTransient,
            Cause::SqlFailed,
            Cause::KeyRefused,
        ] {
            assert_eq!(pause(error(cause)), None, "{cause:?}");
        }
    }

    #[test]
    fn a_wait_longer_than_our_patience_is_left_to_the_schedule() {
        let asked = |seconds| {
            error(Cause::RateLimited).with_retry_after(Some(Duration::from_secs(seconds)))
        };

        assert!(BACK_OFF.pause(&asked(61), Repeat::Freely, 1, 0.5).is_none());
        assert!(BACK_OFF.pause(&asked(60), Repeat::Freely, 1, 0.5).is_some());
        assert_eq!(
            asked(61).retry(),
            crate::domain::Retry::Later(Duration::from_secs(61))
        );
    }

    proptest! {
        #[test]
        fn a_pause_stays_within_its_bounds(attempt in 1u32..200, random in 0.0..1.0f64, asked in 0u64..60) {
            let full = Duration::from_secs((1u64 << (attempt - 1).min(3)).min(8));

            let ours = BACK_OFF.pause(&error(Cause::ApiFailed), Repeat::Freely, attempt, random).expect("a pause");
            prop_assert!(ours >= full / 2 && ours <= full);

            let limited = error(Cause::RateLimited).with_retry_after(Some(Duration::from_secs(asked)));
            let obeyed = BACK_OFF.pause(&limited, Repeat::Freely, attempt, random).expect("a pause");
            prop_assert!(obeyed >= Duration::from_secs(asked));
        }
    }
}
