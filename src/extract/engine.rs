//! What attempts work with.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::catalog::Catalog;
use crate::config::{Halo, Limits};
use crate::domain::{Environment, HaloGuid, SiteKey};
use crate::ledger::{Ledger, LedgerError, Turn};
use crate::objects::Store;
use crate::plan::Rules;
use crate::privacy::PseudonymKey;
use crate::remote::{Client, ImmediateResult, Statement};

use super::error::AttemptError;
use super::spool::Spool;

/// Where the present time comes from.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What attempts work with: the remote side, the truth, the storage, the questions and the rules.
#[derive(Clone)]
pub struct Engine {
    /// Which world this is; part of every object's path.
    pub environment: Environment,
    /// The remote API.
    pub client: Client,
    /// The durable truth.
    pub ledger: Arc<Ledger>,
    /// Where objects go.
    pub store: Store,
    /// Where fetched pages are kept until their object is published.
    pub spool: Spool,
    /// The questions.
    pub catalog: Arc<Catalog>,
    /// The key of pseudonyms; needed by queries that have such a rule.
    pub pseudonym_key: Option<PseudonymKey>,
    /// How the remote API is waited for.
    pub halo: Halo,
    /// How much happens at once.
    pub limits: Limits,
    /// Whether a result without rows may replace an object that has rows.
    pub allow_empty: bool,
    /// Whose quiet hours are kept; `None` where a person asked for it now.
    pub quiet: Option<Rules>,
    /// The present time.
    pub clock: Clock,
}

impl Engine {
    /// Makes a call to the ledger, and waits until what it wrote is on the disk.
    ///
    /// A call is made where it stands: it takes microseconds, and to hand it to another thread costs more. Only where
    /// another thread is at work in the ledger, which may go on for seconds, it waits on a thread where it may block.
    ///
    /// # Errors
    /// Those of the call, or that the disk refused.
    pub async fn ledger<T: Send + 'static, E: From<LedgerError> + Send + 'static>(
        &self,
        call: impl FnOnce(&Ledger) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        // Calls that follow each other leave room for other tasks.
        tokio::task::coop::consume_budget().await;
        let ledger = self.ledger.owing();
        let (called, ledger) = if ledger.is_free() {
            (call(&ledger), ledger)
        } else {
            on_a_thread(move || (call(&ledger), ledger)).await
        };
        let settled = ledger.settled().await;
        let value = called?;
        settled?;
        Ok(value)
    }

    /// A turn to publish; waits while somebody removes objects.
    pub(super) async fn turn_to_publish(&self) -> Result<Turn, LedgerError> {
        if let Some(turn) = self.ledger.free_turn_to_publish()? {
            return Ok(turn);
        }
        let ledger = Arc::clone(&self.ledger);
        on_a_thread(move || ledger.turn_to_publish()).await
    }

    /// Asks a site a small question at once, and counts it as the query that it is.
    pub(super) async fn ask(
        &self,
        site: &SiteKey,
        guid: HaloGuid,
        statement: &Statement,
    ) -> Result<ImmediateResult, AttemptError> {
        let (site, now) = (site.clone(), self.now());
        self.ledger(move |ledger| ledger.count_immediate(&site, now))
            .await?;
        Ok(self.client.immediate(guid, statement).await?)
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }
}

/// Work on a thread where it may block.
pub(super) async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The value behind a mutex, of which a panic while it was held left nothing half done: values are replaced in one step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("environment", &self.environment)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
