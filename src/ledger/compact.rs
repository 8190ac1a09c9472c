//! Compaction: old attempts give way to a month's sums, so that the ledger does not grow by every night for ever.
//!
//! Extractions and their objects are never touched: what is covered, and what proves it, stays for good. Of an
//! extraction that stands failed the last attempt stays too, because it says why.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{OptionalExtension, Transaction, named_params};

use super::column::millis;
use super::{Ledger, LedgerError, LedgerErrorKind};

/// Attempts that one transaction removes: it holds the write lock for a few tens of milliseconds.
const CHUNK: usize = 2_000;

/// Attempts that ended before `:before`, beginning where the last chunk did, and that nothing needs any more.
const OLD: &str = "FROM attempt AS a JOIN extraction AS e ON e.id = a.extraction
     WHERE a.ended_at IS NOT NULL AND a.ended_at >= :from AND a.ended_at < :before
       AND (e.state IN ('succeeded', 'cancelled')
            OR e.state = 'failed' AND a.number < (SELECT max(l.number) FROM attempt AS l WHERE l.extraction = e.id))";

/// Attempts that ended before this instant are older than `age` at `now`.
#[must_use]
pub fn ended_before(age: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    TimeDelta::from_std(age)
        .ok()
        .and_then(|age| now.checked_sub_signed(age))
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

impl Ledger {
    /// How many attempts [`compact`](Self::compact) would remove.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn compactable(&self, before: DateTime<Utc>) -> Result<u64, LedgerError> {
        self.read("count old attempts", |transaction| {
            let sql = format!("SELECT count(*) {OLD}");
            Ok(transaction.prepare_cached(&sql)?.query_row(
                named_params! {":from": i64::MIN, ":before": millis(before)},
                |row| row.get(0),
            )?)
        })
    }

    /// Replaces the attempts that ended before `before` by sums per site, query version and month, in short
    /// transactions; returns how many. After a failure the same call goes on.
    ///
    /// `before` must lie in an earlier month than the present: a site's budget counts the attempts of this one.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn compact(&self, before: DateTime<Utc>) -> Result<u64, LedgerError> {
        let (mut from, mut removed) = (i64::MIN, 0);
        loop {
            let chunk = self.write("compact old attempts", |transaction| {
                compact_chunk(transaction, from, before)
            })?;
            let Some(chunk) = chunk else {
                return Ok(removed);
            };
            removed += chunk.attempts;
            from = chunk.last_ended_at;
        }
    }

    /// Gives the room of what was removed back to the disk. Rewrites the whole file: nobody else can write to the
    /// ledger meanwhile.
    ///
    /// # Errors
    /// When the ledger cannot be written, or the disk has no room for a second copy.
    pub fn shrink(&self) -> Result<(), LedgerError> {
        self.outside_transactions("shrink the ledger", |connection| {
            Ok(connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?)
        })
    }
}

struct Chunk {
    attempts: u64,
    last_ended_at: i64,
}

/// `None` when nothing is left to remove.
fn compact_chunk(
    transaction: &Transaction<'_>,
    from: i64,
    before: DateTime<Utc>,
) -> Result<Option<Chunk>, LedgerErrorKind> {
    let scope = named_params! {":from": from, ":before": millis(before)};
    transaction.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS old_attempt (extraction, number, ended_at)",
    )?;
    let chosen = transaction.execute(
        &format!(
            "INSERT INTO old_attempt SELECT a.extraction, a.number, a.ended_at {OLD} ORDER BY a.ended_at LIMIT {CHUNK}"
        ),
        scope,
    )?;
    let last_ended_at: Option<i64> = transaction
        .query_row("SELECT max(ended_at) FROM old_attempt", [], |row| {
            row.get(0)
        })
        .optional()?
        .flatten();
    let Some(last_ended_at) = last_ended_at else {
        return Ok(None);
    };
    transaction.execute_batch(MOVE)?;
    Ok(Some(Chunk {
        attempts: chosen as u64,
        last_ended_at,
    }))
}

const MOVE: &str = "
INSERT INTO attempt_month
    SELECT e.site, e.query, e.version, strftime('%Y-%m', a.ended_at / 1000, 'unixepoch') AS month,
           count(*), count(a.submitted_at), count(*) FILTER (WHERE a.outcome = 'succeeded'),
           coalesce(sum(CAST(julianday(e.window_end) - julianday(e.window_start) AS INTEGER))
                    FILTER (WHERE a.outcome = 'succeeded'), 0),
           coalesce(sum(e.object_rows) FILTER (WHERE a.outcome = 'succeeded'), 0),
           coalesce(sum(a.pages) FILTER (WHERE a.outcome = 'succeeded'), 0),
           coalesce(sum(a.bytes) FILTER (WHERE a.outcome = 'succeeded'), 0),
           coalesce(sum(a.remote_ms) FILTER (WHERE a.outcome = 'succeeded'), 0),
           coalesce(sum(a.duration_ms) FILTER (WHERE a.outcome = 'succeeded'), 0)
    FROM old_attempt AS o JOIN attempt AS a USING (extraction, number) JOIN extraction AS e ON e.id = a.extraction
    WHERE true GROUP BY e.site, e.query, e.version, month
    ON CONFLICT DO UPDATE SET
        attempts = attempts + excluded.attempts, posted = posted + excluded.posted,
        succeeded = succeeded + excluded.succeeded, days = days + excluded.days, rows = rows + excluded.rows,
        pages = pages + excluded.pages, bytes = bytes + excluded.bytes,
        remote_ms = remote_ms + excluded.remote_ms, duration_ms = duration_ms + excluded.duration_ms;
UPDATE extraction SET attempts_before = o.last
    FROM (SELECT extraction, max(number) AS last FROM old_attempt GROUP BY extraction) AS o
    WHERE o.extraction = extraction.id;
DELETE FROM contract_break WHERE (extraction, attempt) IN (SELECT extraction, number FROM old_attempt);
DELETE FROM attempt WHERE (extraction, number) IN (SELECT extraction, number FROM old_attempt);
DROP TABLE old_attempt;";
