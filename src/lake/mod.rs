//! What we hold in storage, ledger and objects taken together: checked, told to its readers, and let go again.
//!
//! `objects` knows files and `ledger` knows records; what needs both is here. Rules (what is late, what has served
//! its time, what is merged) are pure functions over values; beside each stands the edge that carries it out.
//!
//! Invariant: an object leaves in three steps: marked in the ledger, removed from storage, noted as removed. A crash
//! between any two is mended by the next call, whichever it is. Merging puts steps of the same kind in front. Whoever
//! removes or replaces has the ledger's turn to itself meanwhile: nobody publishes, and no other merge is at work.

mod compact;
mod counts;
mod coverage;
mod error;
mod expire;
mod forget;
mod leave;
mod night;
mod rebuild;
mod reconcile;
mod refresh;
mod verify;

pub use compact::{Compacted, Compaction, Month, MonthError};
pub use counts::Loss;
pub use error::LakeError;
pub use forget::{ForgetError, Forgotten, Receipt};
pub use rebuild::Rebuilt;
pub use reconcile::{Finding, Reconciled};
pub use refresh::Refreshed;
pub use verify::{Sample, Verification};

use std::sync::Arc;

use crate::domain::Environment;
use crate::ledger::{Ledger, LedgerError, Turn};
use crate::objects::Store;

/// One environment's objects and their records. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// Which world they belong to.
    pub environment: Environment,
    /// Where the objects are.
    pub store: Store,
    /// What is recorded of them.
    pub ledger: Arc<Ledger>,
}

impl Holdings {
    /// Waits for the turn to remove or replace objects.
    async fn turn(&self) -> Result<Turn, LakeError> {
        self.ledger(|ledger| ledger.turn_to_remove()).await
    }

    /// Makes a call to the ledger on a thread where it may block.
    async fn ledger<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LakeError> {
        let ledger = Arc::clone(&self.ledger);
        match tokio::task::spawn_blocking(move || call(&ledger)).await {
            Ok(value) => Ok(value?),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
