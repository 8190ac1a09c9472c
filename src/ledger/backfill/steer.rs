//! Starting, pausing, resuming, calling off and retrying, each with its audit entry in the same transaction.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{BackfillEvent, BackfillId, BackfillState, Waiting};

use super::super::column::millis;
use super::super::{Change, Ledger, LedgerError, LedgerErrorKind, audit};
use super::follow::{failed_units, settle};

/// What steering did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a backfill that cannot be steered so is left as it was"]
pub enum Steered {
    /// The backfill is in this state now, and so many extractions were changed by it.
    Done {
        /// The state.
        state: BackfillState,
        /// Extractions that became due, or were called off.
        units: usize,
    },
    /// That makes no sense in the state it is in; nothing was changed.
    Refused(BackfillState),
    /// There is no such backfill.
    Unknown,
}

impl Ledger {
    /// Does `event` to a backfill, with everything that it means for its units.
    ///
    /// *Start* makes the units due in the backfill lane; those that another lane has waiting or a worker has at this
    /// moment are left as they are. *Cancel* calls off what waits; what is at work goes on to its end, and where an
    /// object stands that was to be replaced it stays. *Retry* makes the failed units due again.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn steer_backfill(
        &self,
        id: BackfillId,
        event: BackfillEvent,
        change: &Change,
    ) -> Result<Steered, LedgerError> {
        self.write("steer a backfill", |transaction| {
            let Some(before) = state(transaction, id)? else {
                return Ok(Steered::Unknown);
            };
            let Some(after) = before.after(event) else {
                return Ok(Steered::Refused(before));
            };
            let now = millis(change.at);
            set_state(transaction, id, &after, None, now)?;
            let units = match event {
                BackfillEvent::Start => start(transaction, id, now)?,
                BackfillEvent::Cancel => cancel(transaction, id, now)?,
                BackfillEvent::Retry => retry(transaction, id, now)?,
                BackfillEvent::Resume => resume(transaction, id)?,
                BackfillEvent::Pause | BackfillEvent::Stop | BackfillEvent::Finish => 0,
            };
            let changes = BTreeMap::from([(
                "state".to_owned(),
                [Some(before.to_string()), Some(after.to_string())],
            )]);
            audit::append(transaction, change, &format!("backfill {id}"), changes)?;
            // Nothing may be left to do, for example when every unit was covered meanwhile.
            settle(transaction, id.0, now)?;
            let state = state(transaction, id)?.unwrap_or(after);
            Ok(Steered::Done { state, units })
        })
    }

    /// Changes the priority of a backfill and of what it has waiting. `false` if there is no such backfill.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn prioritise_backfill(
        &self,
        id: BackfillId,
        priority: i32,
        change: &Change,
    ) -> Result<bool, LedgerError> {
        self.write("change the priority of a backfill", |transaction| {
            let before: Option<i32> = transaction
                .query_row("SELECT priority FROM backfill WHERE id = ?1", [id.0], |row| {
                    row.get(0)
                })
                .optional()?;
            let Some(before) = before else {
                return Ok(false);
            };
            transaction.execute(
                "UPDATE backfill SET priority = ?2 WHERE id = ?1",
                params![id.0, priority],
            )?;
            transaction.execute(
                "UPDATE extraction SET priority = ?2 WHERE backfill = ?1 AND state IN ('pending', 'running')",
                params![id.0, priority],
            )?;
            let values = [Some(before.to_string()), Some(priority.to_string())];
            let changes = BTreeMap::from([("priority".to_owned(), values)]);
            audit::append(transaction, change, &format!("backfill {id}"), changes)?;
            Ok(true)
        })
    }
}

pub(super) fn state(
    transaction: &Transaction<'_>,
    id: BackfillId,
) -> rusqlite::Result<Option<BackfillState>> {
    transaction
        .prepare_cached("SELECT state FROM backfill WHERE id = ?1")?
        .query_row([id.0], |row| {
            Ok(BackfillState::from(row.get_ref("state")?.as_str()?))
        })
        .optional()
}

pub(super) fn set_state(
    transaction: &Transaction<'_>,
    id: BackfillId,
    state: &BackfillState,
    reason: Option<&str>,
    now: i64,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE backfill SET state = ?2, reason = ?3, changed_at = ?4,
                 started_at = CASE WHEN ?2 = 'running' THEN coalesce(started_at, ?4) ELSE started_at END
             WHERE id = ?1",
        )?
        .execute(params![id.0, state.to_string(), reason, now])?;
    Ok(())
}

fn start(
    transaction: &Transaction<'_>,
    id: BackfillId,
    now: i64,
) -> Result<usize, LedgerErrorKind> {
    let positions: Vec<i64> = transaction
        .prepare_cached("SELECT position FROM backfill_unit WHERE backfill = ?1 ORDER BY position")?
        .query_map([id.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut entered = 0;
    for position in positions {
        entered += enter(transaction, id, position, now)?;
    }
    Ok(entered)
}

/// Makes one unit due; 0 if another lane or a worker has it.
pub(super) fn enter(
    transaction: &Transaction<'_>,
    id: BackfillId,
    position: i64,
    now: i64,
) -> Result<usize, LedgerErrorKind> {
    let entered = transaction
        .prepare_cached(
            "INSERT INTO extraction (site, query, version, window_start, window_end, state, detail, due, lane, priority,
                                     not_before, planned_at, changed_at, backfill)
             SELECT u.site, u.query, u.version, u.window_start, u.window_end, 'pending', ?4, u.due, 'backfill', b.priority,
                    ?3, ?3, ?3, b.id
             FROM backfill_unit AS u JOIN backfill AS b ON b.id = u.backfill WHERE u.backfill = ?1 AND u.position = ?2
             ON CONFLICT DO UPDATE SET state = 'pending', detail = excluded.detail, due = excluded.due,
                 lane = 'backfill', priority = excluded.priority, not_before = excluded.not_before,
                 changed_at = excluded.changed_at, backfill = excluded.backfill, results_lost = 0
             WHERE extraction.state IN ('succeeded', 'failed', 'cancelled')",
        )?
        .execute(params![id.0, position, now, Waiting::Worker.to_string()])?;
    transaction
        .prepare_cached(
            "UPDATE backfill_unit AS u SET extraction =
                 (SELECT e.id FROM extraction AS e
                  WHERE e.site = u.site AND e.query = u.query AND e.version = u.version
                    AND e.window_start = u.window_start AND e.window_end = u.window_end)
             WHERE u.backfill = ?1 AND u.position = ?2",
        )?
        .execute(params![id.0, position])?;
    Ok(entered)
}

/// What waits and was to replace an object leaves that object as it stands.
const CALLED_OFF: &str = "UPDATE extraction SET detail = NULL, changed_at = ?2, backfill = NULL,
         state = CASE WHEN object_path IS NOT NULL AND object_gone IS NULL THEN 'succeeded' ELSE 'cancelled' END
     WHERE backfill = ?1 AND state = 'pending'";

fn cancel(
    transaction: &Transaction<'_>,
    id: BackfillId,
    now: i64,
) -> Result<usize, LedgerErrorKind> {
    transaction.execute(
        "UPDATE attempt SET outcome = 'cancelled', ended_at = ?2 WHERE outcome IS NULL AND extraction IN
             (SELECT id FROM extraction WHERE backfill = ?1 AND state = 'pending')",
        params![id.0, now],
    )?;
    let called_off = transaction.execute(CALLED_OFF, params![id.0, now])?;
    // What is at work belongs to nobody's switch any more: whoever takes it up after a crash may end it.
    transaction.execute(
        "UPDATE extraction SET backfill = NULL WHERE backfill = ?1",
        [id.0],
    )?;
    Ok(called_off)
}

fn retry(
    transaction: &Transaction<'_>,
    id: BackfillId,
    now: i64,
) -> Result<usize, LedgerErrorKind> {
    let positions: Vec<i64> = transaction
        .prepare_cached(
            "SELECT u.position FROM backfill_unit AS u JOIN extraction AS e ON e.id = u.extraction
             WHERE u.backfill = ?1 AND NOT u.is_cut AND e.state = 'failed' ORDER BY u.position",
        )?
        .query_map([id.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for position in &positions {
        enter(transaction, id, *position, now)?;
    }
    transaction.execute("UPDATE backfill SET forgiven = 0 WHERE id = ?1", [id.0])?;
    Ok(positions.len())
}

/// What failed until now is known to whoever resumes, and does not stop it a second time.
fn resume(transaction: &Transaction<'_>, id: BackfillId) -> Result<usize, LedgerErrorKind> {
    let failed = failed_units(transaction, id.0)?;
    transaction.execute(
        "UPDATE backfill SET forgiven = ?2 WHERE id = ?1",
        params![id.0, failed],
    )?;
    Ok(0)
}
