//! Saving a plan, once for each digest that waits to be started.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{BackfillId, BackfillState, Due, Extraction, FailureLimit};

use super::super::column::{identity, millis};
use super::super::{Ledger, LedgerError, LedgerErrorKind};

/// A plan that is to be saved.
#[derive(Debug, Clone)]
pub struct NewBackfill<'a> {
    /// Digest of what was asked and of the units.
    pub digest: &'a str,
    /// What was asked, as JSON.
    pub asked: &'a str,
    /// What it will cost, as JSON.
    pub estimate: &'a str,
    /// How many units may fail.
    pub most_failed: FailureLimit,
    /// Of its units; higher goes first within the lane.
    pub priority: i32,
    /// In the order in which they are carried out.
    pub units: &'a [(Extraction, Due)],
}

impl Ledger {
    /// Saves a plan; the one that waits with the same digest, limit and priority is kept instead of a second.
    ///
    /// # Errors
    /// When a site is not registered, or the ledger cannot be written.
    pub fn save_backfill(
        &self,
        plan: &NewBackfill<'_>,
        now: DateTime<Utc>,
    ) -> Result<BackfillId, LedgerError> {
        self.write("save a backfill", |transaction| {
            if let Some(id) = waiting(transaction, plan)? {
                return Ok(BackfillId(id));
            }
            transaction.execute(
                "INSERT INTO backfill (digest, state, asked, estimate, most_failed, priority, planned_at, changed_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                params![
                    plan.digest,
                    BackfillState::Planned.to_string(),
                    plan.asked,
                    plan.estimate,
                    plan.most_failed.to_string(),
                    plan.priority,
                    millis(now)
                ],
            )?;
            let id = transaction.last_insert_rowid();
            for (position, (extraction, due)) in (1_i64..).zip(plan.units) {
                add_unit(transaction, id, position, extraction, due, None)?;
            }
            Ok(BackfillId(id.unsigned_abs()))
        })
    }
}

fn waiting(transaction: &Transaction<'_>, plan: &NewBackfill<'_>) -> rusqlite::Result<Option<u64>> {
    transaction
        .query_row(
            "SELECT id FROM backfill WHERE digest = ?1 AND state = ?2 AND most_failed = ?3 AND priority = ?4",
            params![
                plan.digest,
                BackfillState::Planned.to_string(),
                plan.most_failed.to_string(),
                plan.priority
            ],
            |row| row.get(0),
        )
        .optional()
}

pub(super) fn add_unit(
    transaction: &Transaction<'_>,
    backfill: i64,
    position: i64,
    extraction: &Extraction,
    due: &Due,
    cut_from: Option<i64>,
) -> Result<(), LedgerErrorKind> {
    let (site, query, version, start, end) = identity(extraction);
    transaction
        .prepare_cached(
            "INSERT INTO backfill_unit (backfill, position, site, query, version, window_start, window_end, due, cut_from)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            backfill,
            position,
            site,
            query,
            version,
            start,
            end,
            due.to_string(),
            cut_from
        ])?;
    Ok(())
}
