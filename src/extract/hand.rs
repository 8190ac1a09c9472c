//! One claim carried out: the attempt in a task of its own, its lease renewed beside it, its end recorded.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::domain::{FailureClass, Retry, Waiting};
use crate::ledger::{AttemptCost, Claim, Cut, Fenced, LedgerError};

use super::attempt::{Attempt, AttemptEnd};
use super::cut::cut;
use super::engine::Engine;
use super::error::AttemptError;
use super::kept_pages::on_disk;
use super::progress::{Ended, Observer, Progress, log};

/// How long a claim holds unless renewed: several renewals may be late before anybody takes it over.
pub const LEASE: Duration = Duration::from_secs(120);

/// Renewals within the time that a claim holds.
const RENEWALS: u32 = 4;

/// Pause before the second try; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Pause after the key or our address was refused while a remote query lives.
const REFUSED_PAUSE: Duration = Duration::from_secs(3600);

/// The pause no longer grows beyond this: a night has only so many hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// Carries out claims; cheap to clone.
#[derive(Clone)]
pub struct Hand {
    /// What attempts work with.
    pub engine: Engine,
    /// Who is told how it goes.
    pub observer: Arc<Observer>,
    /// Ends attempts between pages; their claims are given back.
    pub cancel: CancellationToken,
    /// How long a claim holds unless renewed, [`LEASE`] but for tests.
    pub lease: Duration,
}

impl Hand {
    /// Carries a claim out and records how it ended. `tries` counts from 1 and lengthens the pause before the next.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub async fn carry_out(&self, claim: Claim, tries: u32) -> Result<Ended, LedgerError> {
        (self.observer)(&claim.extraction, Progress::Started(claim.attempt));
        let end = tokio::select! {
            end = self.attempt(claim.clone()) => end,
            () = self.keep_lease(claim.clone()) => AttemptEnd::Lost,
        };
        let ended = self.record(&claim, end, tries).await?;
        log(&claim, &ended);
        (self.observer)(&claim.extraction, Progress::Ended(&ended));
        Ok(ended)
    }

    /// The attempt in a task of its own, so that a panic fails it and nothing else.
    async fn attempt(&self, claim: Claim) -> AttemptEnd {
        let (engine, observer, cancel) = (
            self.engine.clone(),
            Arc::clone(&self.observer),
            self.cancel.clone(),
        );
        let claimed = claim.resume.as_ref().map(|resume| resume.remote);
        let task = tokio::spawn(async move {
            Attempt::new(&engine, &claim, &*observer, &cancel)
                .run()
                .await
        });
        AbortOnDropHandle::new(task)
            .await
            .unwrap_or_else(|_panic| AttemptEnd::Failed {
                error: AttemptError::Internal("an attempt panicked".to_owned()),
                cost: AttemptCost::default(),
                alive: false,
                remote: claimed,
            })
    }

    /// Renews the claim until it is lost.
    async fn keep_lease(&self, claim: Claim) {
        loop {
            tokio::time::sleep(self.lease / RENEWALS).await;
            let (renewed, now, lease) = (claim.clone(), self.engine.now(), self.lease);
            let kept = self
                .engine
                .ledger(move |ledger| ledger.renew(&renewed, now, lease))
                .await;
            // A ledger that cannot be written for a moment does not end the attempt; the lease outlives it.
            if let Ok(Fenced::Lost) = kept {
                return;
            }
        }
    }

    async fn record(
        &self,
        claim: &Claim,
        end: AttemptEnd,
        tries: u32,
    ) -> Result<Ended, LedgerError> {
        let (error, cost, alive, remote) = match end {
            AttemptEnd::Published(published) => return Ok(Ended::Published(published)),
            AttemptEnd::Lost => return Ok(Ended::Elsewhere),
            AttemptEnd::Failed {
                error,
                cost,
                alive,
                remote,
            } => (error, cost, alive, remote),
        };
        let now = self.engine.now();
        let claim = claim.clone();
        if self.cancel.is_cancelled() {
            let released = self
                .engine
                .ledger(move |ledger| ledger.release(&claim, now))
                .await?;
            return Ok(if released == Fenced::Recorded {
                Ended::Stopped
            } else {
                Ended::Elsewhere
            });
        }
        if let AttemptError::OutsideHours { until, .. } = error {
            let put_off = self
                .engine
                .ledger(move |ledger| ledger.put_off(&claim, &Waiting::QuietHours, until, now))
                .await?;
            return Ok(match put_off {
                Fenced::Recorded => Ended::Later(error, until),
                Fenced::Lost => Ended::Elsewhere,
            });
        }
        let (of, setback) = (claim.clone(), error.setback(&claim.extraction, now));
        // A claim that was lost meanwhile is lost to the next call too, which tells it.
        let _fenced = self
            .engine
            .ledger(move |ledger| ledger.record_setback(&of, &setback))
            .await?;
        if let AttemptError::BudgetSpent { until, .. } = error {
            let put_off = self
                .engine
                .ledger(move |ledger| ledger.put_off(&claim, &Waiting::BudgetSpent, until, now))
                .await?;
            return Ok(match put_off {
                Fenced::Recorded => Ended::Later(error, until),
                Fenced::Lost => Ended::Elsewhere,
            });
        }
        if error.ran_out_of_time()
            && let Some(parts) = cut(&self.engine, &claim, &error, cost).await?
        {
            return Ok(match parts {
                Cut::Into(parts) => Ended::Cut(error, parts.len()),
                Cut::NoUnit | Cut::Lost => Ended::Elsewhere,
            });
        }
        let again = error.retry() == Retry::Now && tries < self.engine.limits.attempts_per_run;
        let retry = match error.retry() {
            Retry::Now => Retry::Later(pause(tries)),
            // A person mends the key or the address; the result is still there for a day.
            Retry::Never if alive && error.refuses_us() => Retry::Later(REFUSED_PAUSE),
            other => other,
        };
        let (class, message) = (error.class(), error.to_string());
        let goes_on = alive && matches!(retry, Retry::Later(_));
        let recorded = match retry {
            // The answer is still there to be had: the attempt stays open and goes on with it.
            Retry::Later(pause) if goes_on => {
                let until = now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1));
                let waiting = match class {
                    FailureClass::Limit => Waiting::RateLimited,
                    _ => Waiting::BackingOff,
                };
                self.engine
                    .ledger(move |ledger| ledger.put_off(&claim, &waiting, until, now))
                    .await?
            }
            retry => {
                let breaks = error.contract_breaks();
                self.engine
                    .ledger(move |ledger| {
                        // A claim that was lost meanwhile is lost to the next call too, which tells it.
                        let _fenced = ledger.record_breaks(&claim, &breaks)?;
                        ledger.fail(&claim, class, &message, retry, cost, now)
                    })
                    .await?
            }
        };
        if let Some(remote) = remote.filter(|_| !goes_on || error.doubts_pages())
            && recorded == Fenced::Recorded
        {
            on_disk(&self.engine.spool, move |spool| spool.remove(remote)).await;
        }
        Ok(match (recorded, retry) {
            (Fenced::Lost, _) => Ended::Elsewhere,
            (Fenced::Recorded, _) if again => Ended::Again(error),
            (Fenced::Recorded, Retry::Later(pause)) => Ended::Later(
                error,
                now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1)),
            ),
            (Fenced::Recorded, _) => Ended::Failed(error),
        })
    }
}

fn pause(tries: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)))
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_with_each_try_up_to_half_an_hour() {
        let seconds: Vec<u64> = [1, 2, 3, 11, 12, 200]
            .map(|tries| pause(tries).as_secs())
            .into();
        assert_eq!(seconds, [1, 2, 4, 1024, 1800, 1800]);
    }
}
