//! Workers: tasks that claim extractions, make attempts, and record how they ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::domain::{Extraction, ExtractionState, FailureClass, Lane, Retry, SiteState, Waiting};
use crate::ledger::{Claim, ClaimRequest, Cut, Fenced, LedgerError};

use super::attempt::{Attempt, AttemptEnd};
use super::cut::cut;
use super::engine::Engine;
use super::error::AttemptError;
use super::kept_pages::on_disk;
use super::progress::{Ended, Finished, Observer, Progress, log};

/// How long a claim holds unless renewed: several renewals may be late before anybody takes it over.
const LEASE: Duration = Duration::from_secs(120);
const RENEW_EVERY: Duration = Duration::from_secs(30);

/// Pause before the second try within a run; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Pause after the key or our address was refused while a remote query lives.
const REFUSED_PAUSE: Duration = Duration::from_secs(3600);

/// How often a worker looks whether another process finished what it waits for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

const LANES: [Lane; 3] = [Lane::Manual, Lane::Nightly, Lane::Backfill];

/// Carries out `extractions`, which are planned in the ledger, as worker `name`; returns when each of them
/// is published, has failed, waits for later, or `cancel` was called.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn work(
    engine: Engine,
    name: &str,
    extractions: Vec<Extraction>,
    observer: Arc<Observer>,
    cancel: CancellationToken,
) -> Result<Vec<Finished>, LedgerError> {
    let tasks = (engine.limits.extractions_at_once as usize).min(extractions.len());
    let run = Arc::new(Run {
        engine,
        name: name.to_owned(),
        observer,
        cancel,
        open: Mutex::new(
            extractions
                .into_iter()
                .map(|extraction| (extraction, 0))
                .collect(),
        ),
        finished: Mutex::new(Vec::new()),
        looked: Mutex::new(None),
        changed: Notify::new(),
    });
    let mut workers = JoinSet::new();
    for _ in 0..tasks {
        workers.spawn(Arc::clone(&run).worker());
    }
    while let Some(ended) = workers.join_next().await {
        // A panic inside an attempt is caught there; one here is a fault of this file.
        ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    }
    Ok(std::mem::take(&mut *lock(&run.finished)))
}

/// The state that the tasks of one run share.
struct Run {
    engine: Engine,
    name: String,
    observer: Arc<Observer>,
    cancel: CancellationToken,
    /// Extractions that this run still wants, with the number of attempts that it made.
    open: Mutex<BTreeMap<Extraction, u32>>,
    finished: Mutex<Vec<Finished>>,
    /// When a worker last looked what others did.
    looked: Mutex<Option<Instant>>,
    changed: Notify,
}

impl Run {
    async fn worker(self: Arc<Self>) -> Result<(), LedgerError> {
        while !self.cancel.is_cancelled() {
            // Registered before looking, so that a change between looking and waiting is not missed.
            let changed = self.changed.notified();
            if lock(&self.open).is_empty() {
                break;
            }
            match self.claim().await? {
                Some(claim) => self.carry_out(claim).await?,
                None => {
                    if self.look_around().await? {
                        continue;
                    }
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                        () = self.cancel.cancelled() => {}
                    }
                }
            }
        }
        Ok(())
    }

    async fn claim(self: &Arc<Self>) -> Result<Option<Claim>, LedgerError> {
        let (run, now) = (Arc::clone(self), self.engine.now());
        self.engine
            .ledger(move |ledger| {
                let is_open = |extraction: &Extraction| lock(&run.open).contains_key(extraction);
                ledger.claim(&ClaimRequest {
                    worker: &run.name,
                    now,
                    lease: LEASE,
                    per_site_limit: run.engine.limits.extractions_per_site,
                    lanes: &LANES,
                    only: Some(&is_open),
                })
            })
            .await
    }

    /// Nothing could be claimed: takes off what others finished and what can no longer run; whether that was
    /// anything.
    ///
    /// Every extraction that is open is looked at, so one worker does it for all and not oftener than others
    /// finish things.
    async fn look_around(&self) -> Result<bool, LedgerError> {
        {
            let mut looked = lock(&self.looked);
            if looked.is_some_and(|looked| looked.elapsed() < LOOK_AGAIN) {
                return Ok(false);
            }
            *looked = Some(Instant::now());
        }
        let open: Vec<Extraction> = lock(&self.open).keys().cloned().collect();
        let mut off = Vec::new();
        for extraction in open {
            let key = extraction.clone();
            let (row, site) = self
                .engine
                .ledger(move |ledger| {
                    Ok::<_, LedgerError>((ledger.extraction(&key)?, ledger.site(&key.site)?))
                })
                .await?;
            let active = site.is_some_and(|site| site.state == SiteState::Active);
            let halted = row.as_ref().is_some_and(|row| row.halted);
            match row.map(|row| row.state) {
                Some(ExtractionState::Pending(_)) if active && !halted => {}
                Some(ExtractionState::Running(_)) => {}
                _ => off.push(extraction),
            }
        }
        let changed = !off.is_empty();
        for extraction in off {
            self.finish(extraction, Ended::Elsewhere);
        }
        Ok(changed)
    }

    async fn carry_out(&self, claim: Claim) -> Result<(), LedgerError> {
        let tries = {
            let mut open = lock(&self.open);
            open.get_mut(&claim.extraction).map_or(1, |tries| {
                *tries += 1;
                *tries
            })
        };
        (self.observer)(&claim.extraction, Progress::Started(claim.attempt));
        let end = tokio::select! {
            end = self.attempt(claim.clone()) => end,
            () = self.keep_lease(claim.clone()) => AttemptEnd::Lost,
        };
        let ended = self.record(&claim, end, tries).await?;
        log(&claim, &ended);
        (self.observer)(&claim.extraction, Progress::Ended(&ended));
        if matches!(ended, Ended::Again(_)) {
            self.changed.notify_waiters();
        } else {
            self.finish(claim.extraction, ended);
        }
        Ok(())
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
                cost: crate::ledger::AttemptCost::default(),
                alive: false,
                remote: claimed,
            })
    }

    /// Renews the claim until it is lost.
    async fn keep_lease(&self, claim: Claim) {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            let (renewed, now) = (claim.clone(), self.engine.now());
            let kept = self
                .engine
                .ledger(move |ledger| ledger.renew(&renewed, now, LEASE))
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
            Retry::Now => Retry::Later(FIRST_PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1))),
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

    fn finish(&self, extraction: Extraction, ended: Ended) {
        if lock(&self.open).remove(&extraction).is_some() {
            lock(&self.finished).push(Finished { extraction, ended });
        }
        self.changed.notify_waiters();
    }
}

/// A panic while the lock was held left nothing half done: the values are replaced in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
