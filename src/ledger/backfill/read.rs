//! Reading backfills and their units, and which units may be carried out now.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, named_params};

use crate::domain::{BackfillId, BackfillState, Due, Extraction, ExtractionState, FailureLimit};

use super::super::column::{self, instant, millis, optional_instant, text};
use super::super::lease::NO_NIGHT_DUE;
use super::super::{Ledger, LedgerError};

/// A backfill as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillRow {
    /// Its number.
    pub id: BackfillId,
    /// Digest of what was asked and of the units.
    pub digest: String,
    /// Where it stands.
    pub state: BackfillState,
    /// Why it stopped.
    pub reason: Option<String>,
    /// What was asked, as JSON.
    pub asked: String,
    /// What it was to cost, as JSON.
    pub estimate: String,
    /// How many units may fail.
    pub most_failed: FailureLimit,
    /// Of its units.
    pub priority: i32,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
    /// When it was started first.
    pub started_at: Option<DateTime<Utc>>,
    /// Since when it is in its state.
    pub changed_at: DateTime<Utc>,
    /// How its units stand.
    pub counts: BackfillCounts,
}

/// How the units of a backfill stand. A unit that was cut does not count, its parts do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct BackfillCounts {
    /// All.
    pub units: u64,
    /// Published.
    pub succeeded: u64,
    /// Failed for good.
    pub failed: u64,
    /// Called off.
    pub cancelled: u64,
    /// At work.
    pub running: u64,
    /// Waiting, or not started.
    pub waiting: u64,
    /// Waiting, and not due before a later time.
    pub put_off: u64,
    /// Days of the windows that are published.
    pub days_done: u64,
    /// Days of all windows.
    pub days: u64,
    /// Rows of the published objects.
    pub rows: u64,
    /// Units that were published within the last hour.
    pub succeeded_lately: u64,
}

/// A unit of a backfill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    /// Its place in the order, from 1.
    pub position: u64,
    /// What it extracts.
    pub extraction: Extraction,
    /// Why it was planned.
    pub due: Due,
    /// The unit that it is a part of.
    pub cut_from: Option<u64>,
    /// Whether its parts are extracted instead.
    pub is_cut: bool,
    /// Where its extraction stands; `None` before the start.
    pub state: Option<ExtractionState>,
    /// It is not due before this, while it waits.
    pub not_before: Option<DateTime<Utc>>,
    /// What its last attempt said, if that failed.
    pub message: Option<String>,
}

const COUNTS: &str = "SELECT b.*, count(u.position) AS units,
        count(*) FILTER (WHERE e.state = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE e.state = 'failed') AS failed,
        count(*) FILTER (WHERE e.state = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE e.state = 'running') AS running,
        count(*) FILTER (WHERE e.state = 'pending' AND e.not_before > :now) AS put_off,
        coalesce(sum(CAST(julianday(u.window_end) - julianday(u.window_start) AS INTEGER))
                 FILTER (WHERE e.state = 'succeeded'), 0) AS days_done,
        coalesce(sum(CAST(julianday(u.window_end) - julianday(u.window_start) AS INTEGER)), 0) AS days,
        coalesce(sum(e.object_rows) FILTER (WHERE e.state = 'succeeded'), 0) AS rows,
        count(*) FILTER (WHERE e.state = 'succeeded' AND e.changed_at > :now - 3600000) AS succeeded_lately
    FROM backfill AS b LEFT JOIN backfill_unit AS u ON u.backfill = b.id AND NOT u.is_cut
    LEFT JOIN extraction AS e ON e.id = u.extraction AND b.state <> 'planned'";

impl Ledger {
    /// Every backfill, the newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn backfills(&self, now: DateTime<Utc>) -> Result<Vec<BackfillRow>, LedgerError> {
        self.read("read the backfills", |transaction| {
            let sql = format!("{COUNTS} GROUP BY b.id ORDER BY b.id DESC");
            let mut statement = transaction.prepare_cached(&sql)?;
            let rows = statement.query_map(&[(":now", &millis(now))], backfill_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A backfill; `None` if there is none of this number.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn backfill(
        &self,
        id: BackfillId,
        now: DateTime<Utc>,
    ) -> Result<Option<BackfillRow>, LedgerError> {
        self.read("read a backfill", |transaction| {
            let sql = format!("{COUNTS} WHERE b.id = :id GROUP BY b.id");
            Ok(transaction
                .prepare_cached(&sql)?
                .query_row(
                    rusqlite::named_params! {":now": millis(now), ":id": id.0},
                    backfill_row,
                )
                .optional()?)
        })
    }

    /// The units of a backfill in their order, those that were cut and their parts among them.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn backfill_units(&self, id: BackfillId) -> Result<Vec<UnitRow>, LedgerError> {
        self.read("read the units of a backfill", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT u.*, e.state, e.detail, CASE WHEN e.state = 'pending' THEN e.not_before END AS not_before,
                        (SELECT a.message FROM attempt AS a WHERE a.extraction = e.id ORDER BY a.number DESC LIMIT 1)
                            AS message
                 FROM backfill_unit AS u JOIN backfill AS b ON b.id = u.backfill
                 LEFT JOIN extraction AS e ON e.id = u.extraction AND b.state <> 'planned'
                 WHERE u.backfill = ?1 ORDER BY u.position",
            )?;
            let rows = statement.query_map([id.0], unit_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Units of a running backfill that may be claimed now, in the order of claims, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn due_units(
        &self,
        id: BackfillId,
        most: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Extraction>, LedgerError> {
        self.read("read what is due of a backfill", |transaction| {
            let mut statement = transaction.prepare_cached(&format!(
                "SELECT e.site, e.query, e.version, e.window_start, e.window_end
                 FROM extraction AS e JOIN backfill AS b ON b.id = e.backfill
                 WHERE e.backfill = :id AND b.state = 'running'
                   AND (e.state = 'pending' AND e.not_before <= :now AND {NO_NIGHT_DUE}
                        OR e.state = 'running' AND e.lease_until <= :now)
                   AND EXISTS (SELECT 1 FROM site WHERE site.key = e.site AND site.state = 'active')
                 ORDER BY e.priority DESC, e.not_before, e.id LIMIT :most"
            ))?;
            let rows = statement.query_map(
                named_params! {":id": id.0, ":now": millis(now), ":most": most},
                column::extraction,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// When the next unit that waits for a later time is due; `None` if none waits.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn next_unit_at(&self, id: BackfillId) -> Result<Option<DateTime<Utc>>, LedgerError> {
        self.read("read when a backfill goes on", |transaction| {
            let next = transaction
                .prepare_cached(
                    "SELECT min(not_before) AS next FROM extraction AS e WHERE backfill = ?1 AND state = 'pending'
                       AND EXISTS (SELECT 1 FROM site WHERE site.key = e.site AND site.state = 'active')",
                )?
                .query_row([id.0], |row| optional_instant(row, "next"))?;
            Ok(next)
        })
    }
}

fn backfill_row(row: &Row<'_>) -> rusqlite::Result<BackfillRow> {
    let (units, succeeded): (u64, u64) = (row.get("units")?, row.get("succeeded")?);
    let (failed, cancelled): (u64, u64) = (row.get("failed")?, row.get("cancelled")?);
    let running: u64 = row.get("running")?;
    Ok(BackfillRow {
        id: BackfillId(row.get("id")?),
        digest: row.get("digest")?,
        state: BackfillState::from(row.get_ref("state")?.as_str()?),
        reason: row.get("reason")?,
        asked: row.get("asked")?,
        estimate: row.get("estimate")?,
        most_failed: text(row, "most_failed")?,
        priority: row.get("priority")?,
        planned_at: instant(row, "planned_at")?,
        started_at: optional_instant(row, "started_at")?,
        changed_at: instant(row, "changed_at")?,
        counts: BackfillCounts {
            units,
            succeeded,
            failed,
            cancelled,
            running,
            waiting: units - succeeded - failed - cancelled - running,
            put_off: row.get("put_off")?,
            days_done: row.get("days_done")?,
            days: row.get("days")?,
            rows: row.get("rows")?,
            succeeded_lately: row.get("succeeded_lately")?,
        },
    })
}

fn unit_row(row: &Row<'_>) -> rusqlite::Result<UnitRow> {
    let state: Option<String> = row.get("state")?;
    let detail: Option<String> = row.get("detail")?;
    Ok(UnitRow {
        position: row.get("position")?,
        extraction: column::extraction(row)?,
        due: Due::from(row.get_ref("due")?.as_str()?),
        cut_from: row.get("cut_from")?,
        is_cut: row.get("is_cut")?,
        state: state.map(|state| ExtractionState::from_parts(&state, detail.as_deref())),
        not_before: optional_instant(row, "not_before")?,
        message: row.get("message")?,
    })
}
