//! Workers that carry out a list: each claims one of its extractions after the other until none is left.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::{Extraction, ExtractionState, Lane, SiteState};
use crate::fail_point::fail_point;
use crate::ledger::{Claim, ClaimRequest, LedgerError};

use super::engine::{Engine, lock};
use super::hand::{Hand, LEASE};
use super::progress::{Ended, Finished, Observer};

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
        hand: Hand {
            engine,
            observer,
            cancel,
            lease: LEASE,
        },
        name: name.to_owned(),
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
    hand: Hand,
    name: String,
    /// Extractions that this run still wants, with the number of attempts that it made.
    open: Mutex<BTreeMap<Extraction, u32>>,
    finished: Mutex<Vec<Finished>>,
    /// When a worker last looked what others did.
    looked: Mutex<Option<Instant>>,
    changed: Notify,
}

impl Run {
    async fn worker(self: Arc<Self>) -> Result<(), LedgerError> {
        while !self.hand.cancel.is_cancelled() {
            // Registered before looking, so that a change between looking and waiting is not missed.
            let changed = self.changed.notified();
            if lock(&self.open).is_empty() {
                break;
            }
            fail_point("before a claim");
            match self.claim().await? {
                Some(claim) => self.carry_out(claim).await?,
                None => {
                    if self.look_around().await? {
                        continue;
                    }
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                        () = self.hand.cancel.cancelled() => {}
                    }
                }
            }
        }
        Ok(())
    }

    async fn claim(self: &Arc<Self>) -> Result<Option<Claim>, LedgerError> {
        let (run, now) = (Arc::clone(self), self.hand.engine.now());
        self.hand
            .engine
            .ledger(move |ledger| {
                let is_open = |extraction: &Extraction| lock(&run.open).contains_key(extraction);
                ledger.claim(&ClaimRequest {
                    worker: &run.name,
                    now,
                    lease: run.hand.lease,
                    per_site_limit: run.hand.engine.limits.extractions_per_site,
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
                .hand
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
        let extraction = claim.extraction.clone();
        let ended = self.hand.carry_out(claim, tries).await?;
        if matches!(ended, Ended::Again(_)) {
            self.changed.notify_waiters();
        } else {
            self.finish(extraction, ended);
        }
        Ok(())
    }

    fn finish(&self, extraction: Extraction, ended: Ended) {
        if lock(&self.open).remove(&extraction).is_some() {
            lock(&self.finished).push(Finished { extraction, ended });
        }
        self.changed.notify_waiters();
    }
}
