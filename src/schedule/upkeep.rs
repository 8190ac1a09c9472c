//! What has to be done beside the nights: readers are told what came, and what is old or left over goes.
//!
//! Readers are told once nothing is at work, and now and then while a long night or a backfill goes on. What was
//! published and not told is in the ledger, so a service that was killed in between tells it after its next start.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::catalog::Catalog;
use crate::extract::Clock;
use crate::lake::{Holdings, LakeError};
use crate::ledger::{LedgerError, ended_before};

use super::health::Health;

/// How often it is looked whether something is to be done.
const LOOK: Duration = Duration::from_secs(5);

/// Readers are told again after this at the earliest: the tables of a large fleet take a while to write.
const REST: TimeDelta = TimeDelta::minutes(10);

/// While work goes on, they are told after this.
const MEANWHILE: TimeDelta = TimeDelta::hours(1);

/// Leftovers and old attempts are looked for at the start and then after this.
const DAILY: TimeDelta = TimeDelta::hours(24);

/// What is kept in order, and how.
#[derive(Debug, Clone)]
pub struct Upkeep {
    /// Storage and ledger.
    pub holdings: Holdings,
    /// The questions, of which the dictionary tells.
    pub catalog: Arc<Catalog>,
    /// Attempts that ended longer ago are compacted.
    pub keep_attempts: Duration,
}

/// Keeps things in order until it is dropped; whatever that interrupts is done by the next look.
pub(super) async fn keep(upkeep: Upkeep, clock: Clock, health: Arc<Health>) {
    let mut tidied: Option<DateTime<Utc>> = None;
    loop {
        let now = clock();
        if tidied.is_none_or(|at| now - at >= DAILY) {
            tidied = Some(now);
            upkeep.tidy(now).await;
        }
        if let Err(error) = upkeep.tell(now, health.workers() > 0).await {
            tracing::error!(%error, "readers could not be told what came; it is tried again");
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Upkeep {
    /// Tells readers what was published since they were told last, if it is time.
    async fn tell(&self, now: DateTime<Utc>, is_busy: bool) -> Result<(), LakeError> {
        let ledger = Arc::clone(&self.holdings.ledger);
        let (told, published) = blocking(move || {
            Ok::<_, LedgerError>((ledger.told_until()?, ledger.last_published()?))
        })
        .await?;
        if !is_due(told, published, is_busy, now) {
            return Ok(());
        }
        let told = self.holdings.refresh(&self.catalog, now).await?;
        tracing::info!(manifests = told.manifests, "told readers what came");
        Ok(())
    }

    async fn tidy(&self, now: DateTime<Utc>) {
        match self.holdings.sweep(now).await {
            Ok(0) => {}
            Ok(uploads) => {
                tracing::info!(
                    uploads,
                    "ended uploads that a crash had left open in storage"
                );
            }
            Err(error) => {
                tracing::warn!(%error, "what crashes left in storage could not be ended");
            }
        }
        let (ledger, before) = (
            Arc::clone(&self.holdings.ledger),
            ended_before(self.keep_attempts, now),
        );
        match blocking(move || ledger.compact(before)).await {
            Ok(0) => {}
            Ok(attempts) => tracing::info!(attempts, "compacted old attempts"),
            Err(error) => tracing::warn!(%error, "old attempts could not be compacted"),
        }
    }
}

/// Whether readers are to be told now of what was `published` last.
fn is_due(
    told: Option<DateTime<Utc>>,
    published: Option<DateTime<Utc>>,
    is_busy: bool,
    now: DateTime<Utc>,
) -> bool {
    match (told, published) {
        (_, None) => false,
        (None, Some(_)) => !is_busy,
        (Some(told), Some(published)) => {
            published >= told && now - told >= if is_busy { MEANWHILE } else { REST }
        }
    }
}

async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    match tokio::task::spawn_blocking(call).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    #[test]
    fn readers_are_told_once_after_the_work_and_now_and_then_while_it_goes_on() {
        let due = |told: Option<i64>, published: Option<i64>, is_busy, now| {
            is_due(told.map(at), published.map(at), is_busy, at(now))
        };

        assert!(!due(None, None, false, 0), "nothing is there");
        assert!(due(None, Some(5), false, 6));
        assert!(!due(None, Some(5), true, 6), "the first night goes on");
        assert!(!due(Some(10), Some(5), false, 600), "nothing is new");
        assert!(
            !due(Some(10), Some(15), false, 16),
            "they were told just now"
        );
        assert!(due(Some(10), Some(15), false, 20));
        assert!(!due(Some(10), Some(15), true, 60));
        assert!(due(Some(10), Some(65), true, 70));
    }
}
