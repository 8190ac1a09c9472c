//! What can go wrong with what we hold: either of its two halves.

use crate::ledger::LedgerError;
use crate::objects::StorageError;

/// Ledger or storage could not be used. Reads as the half that failed.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The records.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The objects.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
