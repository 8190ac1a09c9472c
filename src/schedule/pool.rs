//! The open pool: as many attempts side by side as the limits allow, of anything that is due.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::domain::{Extraction, Lane, SiteKey, Waiting};
use crate::extract::{AttemptError, Ended, Hand};
use crate::ledger::{Claim, ClaimRequest, LedgerError};

use super::health::Health;
use super::share::{Share, Taken};

/// How often the ledger is looked at for what has become due meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Lanes that wait together when a site closes, or when its queries of the month are spent.
const GUESTS: [Lane; 2] = [Lane::Nightly, Lane::Backfill];

/// Claims what is due, and carries it out.
pub(super) struct Pool {
    pub(super) hand: Hand,
    /// Name of the worker, for people.
    pub(super) name: String,
    /// Rung when something has become due.
    pub(super) due: Arc<Notify>,
    pub(super) health: Arc<Health>,
    /// Nothing new is begun any more.
    pub(super) closed: CancellationToken,
}

type Done = Result<(Id, (Extraction, Result<Ended, LedgerError>)), JoinError>;

impl Pool {
    /// Works until it is closed and empty. Gives what was stopped before its end.
    pub(super) async fn run(self) -> Vec<Extraction> {
        let now = self.hand.engine.now();
        let mut share = Share::new(self.hand.engine.limits.extractions_at_once, now);
        let mut tasks = JoinSet::new();
        let mut taken: HashMap<Id, Taken> = HashMap::new();
        let mut stopped = Vec::new();
        loop {
            // Registered before looking, so that what becomes due between looking and waiting is not missed.
            let due = self.due.notified();
            while let Some((claim, lane)) = self.next(&share).await {
                let hand = self.hand.clone();
                let task = tasks.spawn(async move {
                    let extraction = claim.extraction.clone();
                    let tries = claim.attempt.0.saturating_add(claim.resumed);
                    (extraction, hand.carry_out(claim, tries).await)
                });
                taken.insert(task.id(), share.take(&lane, self.hand.engine.now()));
            }
            self.health.at_work(share.at_work());
            if self.closed.is_cancelled() && tasks.is_empty() {
                return stopped;
            }
            tokio::select! {
                Some(done) = tasks.join_next_with_id() => {
                    let id = match &done {
                        Ok((id, _)) => *id,
                        Err(error) => error.id(),
                    };
                    if let Some(taken) = taken.remove(&id) {
                        share.give_back(taken);
                    }
                    stopped.extend(self.note(done).await);
                }
                () = due => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = self.closed.cancelled(), if !self.closed.is_cancelled() => {}
            }
        }
    }

    /// The next claim, and its lane. A ledger that cannot be written for a moment is asked again later.
    async fn next(&self, share: &Share) -> Option<(Claim, Lane)> {
        if self.closed.is_cancelled() {
            return None;
        }
        for lane in share.lanes(self.hand.engine.now()) {
            match self.claim(lane.clone()).await {
                Ok(Some(claim)) => return Some((claim, lane.clone())),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "nothing can be claimed; it is tried again");
                    return None;
                }
            }
        }
        None
    }

    async fn claim(&self, lane: Lane) -> Result<Option<Claim>, LedgerError> {
        let (worker, now) = (self.name.clone(), self.hand.engine.now());
        let (lease, per_site_limit) = (
            self.hand.lease,
            self.hand.engine.limits.extractions_per_site,
        );
        self.hand
            .engine
            .ledger(move |ledger| {
                ledger.claim(&ClaimRequest {
                    worker: &worker,
                    now,
                    lease,
                    per_site_limit,
                    lanes: &[lane],
                    only: None,
                })
            })
            .await
    }

    /// Looks at how a claim ended; gives the extraction if it was stopped before its end.
    async fn note(&self, done: Done) -> Option<Extraction> {
        match done {
            Ok((_, (extraction, Ok(ended)))) => match ended {
                Ended::Stopped => Some(extraction),
                Ended::Later(AttemptError::OutsideHours { until, .. }, _) => {
                    self.put_off(extraction.site, Waiting::QuietHours, until)
                        .await;
                    None
                }
                Ended::Later(error @ AttemptError::BudgetSpent { until, .. }, _) => {
                    tracing::warn!(site = %extraction.site, %error, "what is left of the site waits for the next month");
                    self.put_off(extraction.site, Waiting::BudgetSpent, until)
                        .await;
                    None
                }
                _ => None,
            },
            Ok((_, (extraction, Err(error)))) => {
                tracing::error!(%extraction, %error, "how it ended could not be recorded; it is claimed again when its lease runs out");
                None
            }
            Err(error) => {
                tracing::error!(%error, "a worker failed; its extraction is claimed again when its lease runs out");
                None
            }
        }
    }

    /// Nothing of the site can be asked now: what else waits there need not be claimed one by one to find out.
    async fn put_off(&self, site: SiteKey, waiting: Waiting, until: DateTime<Utc>) {
        let now = self.hand.engine.now();
        let put_off = self
            .hand
            .engine
            .ledger(move |ledger| {
                for lane in &GUESTS {
                    ledger.put_off_site(&site, lane, &waiting, until, now)?;
                }
                Ok::<_, LedgerError>(())
            })
            .await;
        if let Err(error) = put_off {
            tracing::warn!(%error, "a site could not be put off as a whole");
        }
    }
}
