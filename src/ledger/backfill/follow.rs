//! What the end of a unit means for its backfill, in the transaction that records that end.

use chrono::{DateTime, Utc};
use rusqlite::{Transaction, params};

use crate::domain::{BackfillEvent, BackfillId, FailureLimit};

use super::super::column::millis;
use super::super::{Ledger, LedgerError, LedgerErrorKind};
use super::steer::{set_state, state};

impl Ledger {
    /// Finishes a backfill whose units are all over. Recording the end of a unit does the same; this is for units
    /// that ended in another way, for example because their site was withdrawn and they were called off.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn settle_backfill(&self, id: BackfillId, now: DateTime<Utc>) -> Result<(), LedgerError> {
        self.write("settle a backfill", |transaction| {
            settle(transaction, id.0, millis(now))
        })
    }
}

/// How a unit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum UnitEnd {
    /// It succeeded or was called off.
    Over,
    /// It failed for good.
    Failed,
}

/// Finishes or stops the backfills of an extraction that has ended.
///
/// Counting all units of a backfill at the end of each would make a large one quadratic: as long as one of them
/// visibly waits, only a failure can change anything.
pub(in crate::ledger) fn unit_ended(
    transaction: &Transaction<'_>,
    extraction: i64,
    end: UnitEnd,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    let backfills: Vec<u64> = transaction
        .prepare_cached("SELECT DISTINCT backfill FROM backfill_unit WHERE extraction = ?1")?
        .query_map([extraction], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for backfill in backfills {
        if end == UnitEnd::Over && has_open_units(transaction, backfill)? {
            continue;
        }
        settle(transaction, backfill, millis(now))?;
    }
    Ok(())
}

/// Whether units wait or are at work that nobody took over: enough to know that it is not finished.
fn has_open_units(transaction: &Transaction<'_>, backfill: u64) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM extraction WHERE backfill = ?1 AND state IN ('pending', 'running'))",
        )?
        .query_row([backfill], |row| row.get(0))
}

/// By way of what failed, which is little: the days before an object are all that its site ever had.
pub(in crate::ledger) const SETTLE_COVERED: &str =
    "UPDATE extraction AS f INDEXED BY extraction_failed SET state = 'cancelled', detail = NULL, changed_at = ?2
     FROM extraction AS e
     WHERE e.id = ?1 AND e.lane = 'backfill' AND f.id <> e.id AND f.state = 'failed'
       AND f.site = e.site AND f.query = e.query AND f.version = e.version
       AND f.window_start >= e.window_start AND f.window_end <= e.window_end";

/// Calls off the failed extractions whose days the new object of a backfill covers: nobody has to look at them any
/// more. What they had published stays.
pub(in crate::ledger) fn settle_covered(
    transaction: &Transaction<'_>,
    extraction: i64,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached(SETTLE_COVERED)?
        .execute(params![extraction, millis(now)])?;
    Ok(())
}

pub(super) fn settle(
    transaction: &Transaction<'_>,
    backfill: u64,
    now: i64,
) -> Result<(), LedgerErrorKind> {
    let id = BackfillId(backfill);
    let Some(current) = state(transaction, id)? else {
        return Ok(());
    };
    let (open, units): (u64, u64) = transaction
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE e.state IN ('pending', 'running')), count(*)
             FROM backfill_unit AS u LEFT JOIN extraction AS e ON e.id = u.extraction
             WHERE u.backfill = ?1 AND NOT u.is_cut",
        )?
        .query_row([backfill], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if open == 0 {
        if let Some(finished) = current.after(BackfillEvent::Finish) {
            set_state(transaction, id, &finished, None, now)?;
        }
        return Ok(());
    }
    let (limit, forgiven): (String, u64) = transaction
        .prepare_cached("SELECT most_failed, forgiven FROM backfill WHERE id = ?1")?
        .query_row([backfill], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let failed = failed_units(transaction, backfill)?;
    let too_many = limit
        .parse::<FailureLimit>()
        .is_ok_and(|limit| limit.is_exceeded(failed.saturating_sub(forgiven), units));
    if let Some(stopped) = current.after(BackfillEvent::Stop).filter(|_| too_many) {
        let reason = format!("{failed} of {units} units failed, and {limit} may");
        set_state(transaction, id, &stopped, Some(&reason), now)?;
    }
    Ok(())
}

pub(super) fn failed_units(
    transaction: &Transaction<'_>,
    backfill: u64,
) -> Result<u64, LedgerErrorKind> {
    Ok(transaction
        .prepare_cached(
            "SELECT count(*) FROM backfill_unit AS u JOIN extraction AS e ON e.id = u.extraction
             WHERE u.backfill = ?1 AND NOT u.is_cut AND e.state = 'failed'",
        )?
        .query_row([backfill], |row| row.get(0))?)
}
