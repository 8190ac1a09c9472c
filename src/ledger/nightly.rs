//! What the lake tells its readers after a night: what was published, what covers which day, how attempts went.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use crate::domain::{Extraction, QueryId, SiteKey, Window};

use super::column::{self, instant, millis, optional_instant};
use super::object::{STANDING, StandingObject, standing_object};
use super::read::{SELECT, attempt_row, extraction_row};
use super::{AttemptRow, ExtractionRow, Ledger, LedgerError};

/// Where the time is kept until which the lake has told its readers.
const TOLD_UNTIL: &str = "lake_told_until";

/// One attempt, and what it was an attempt at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptAt {
    /// What was attempted.
    pub extraction: Extraction,
    /// The attempt.
    pub attempt: AttemptRow,
    /// Rows of the object that it published, as far as no later one replaced it.
    pub rows: Option<u64>,
    /// Size of that object in bytes.
    pub object_bytes: Option<u64>,
}

impl Ledger {
    /// The objects of a site that stand and were published at `since` or later, in order of their publication.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn published_since(
        &self,
        site: &SiteKey,
        since: DateTime<Utc>,
    ) -> Result<Vec<StandingObject>, LedgerError> {
        self.read("read what was published", |transaction| {
            let mut statement = transaction.prepare_cached(&format!(
                "{STANDING} AND e.site = ?1 AND e.extracted_at >= ?2 ORDER BY e.extracted_at, e.id"
            ))?;
            let rows =
                statement.query_map(params![site.as_str(), millis(since)], standing_object)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The objects that stand of one query version at one site, oldest window first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn standing_of(
        &self,
        site: &SiteKey,
        query: &QueryId,
    ) -> Result<Vec<StandingObject>, LedgerError> {
        self.read("read what was published", |transaction| {
            let mut statement = transaction.prepare_cached(&format!(
                "{STANDING} AND e.site = ?1 AND e.query = ?2 AND e.version = ?3
                 ORDER BY e.window_start, e.window_end"
            ))?;
            let rows = statement.query_map(
                params![site.as_str(), query.name.as_str(), query.version.number()],
                standing_object,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The extractions of one site whose window overlaps `within`, by query, version and window; without what was
    /// forgotten.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn extractions_at(
        &self,
        site: &SiteKey,
        within: Window,
    ) -> Result<Vec<ExtractionRow>, LedgerError> {
        self.read("read a site's extractions", |transaction| {
            let mut statement = transaction.prepare_cached(&at_site_sql())?;
            let rows = statement.query_map(
                params![
                    site.as_str(),
                    within.start().to_string(),
                    within.end().to_string()
                ],
                extraction_row,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// At most `most` attempts that began at `since` or later, after the one of `after` (0 for the first page); the
    /// number to go on from, `None` after the last page. Without what was forgotten.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn attempts_since(
        &self,
        since: DateTime<Utc>,
        after: u64,
        most: u32,
    ) -> Result<(Vec<AttemptAt>, Option<u64>), LedgerError> {
        self.read("read attempts", |transaction| {
            // Pages follow the extraction; all attempts at one are on one page.
            let mut statement = transaction.prepare_cached(&format!(
                "SELECT e.id AS extraction_id, e.site, e.query, e.version, e.window_start, e.window_end, a.*,
                        CASE WHEN a.outcome = 'succeeded' AND a.ended_at = e.extracted_at THEN e.object_rows END AS own_rows,
                        CASE WHEN a.outcome = 'succeeded' AND a.ended_at = e.extracted_at THEN e.object_bytes END AS own_bytes
                 FROM (SELECT * FROM extraction WHERE id > ?2 ORDER BY id LIMIT ?3) AS e
                 JOIN attempt AS a ON a.extraction = e.id
                 WHERE a.started_at >= ?1 AND {told}
                 ORDER BY e.id, a.number",
                told = not_forgotten("e.site", "a.started_at"),
            ))?;
            let rows = statement.query_map(params![millis(since), after, most], |row| {
                Ok(AttemptAt {
                    extraction: column::extraction(row)?,
                    attempt: attempt_row(row)?,
                    rows: row.get("own_rows")?,
                    object_bytes: row.get("own_bytes")?,
                })
            })?;
            let found = rows.collect::<Result<_, _>>()?;
            let last = transaction
                .prepare_cached(
                    "SELECT max(id) FROM (SELECT id FROM extraction WHERE id > ?1 ORDER BY id LIMIT ?2)",
                )?
                .query_row(params![after, most], |row| row.get(0))?;
            Ok((found, last))
        })
    }

    /// When an object was last published; `None` if none ever was.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn last_published(&self) -> Result<Option<DateTime<Utc>>, LedgerError> {
        self.read("read when something was last published", |transaction| {
            Ok(transaction.query_row(
                "SELECT max(extracted_at) AS at FROM extraction WHERE extracted_at IS NOT NULL",
                [],
                |row| optional_instant(row, "at"),
            )?)
        })
    }

    /// Until when the lake has told its readers what was published; `None` if it never did.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn told_until(&self) -> Result<Option<DateTime<Utc>>, LedgerError> {
        self.read("read until when readers were told", |transaction| {
            Ok(transaction
                .query_row(
                    "SELECT CAST(value AS INTEGER) AS value FROM property WHERE name = ?1",
                    [TOLD_UNTIL],
                    |row| instant(row, "value"),
                )
                .optional()?)
        })
    }

    /// Notes until when the lake has told its readers what was published.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note_told(&self, until: DateTime<Utc>) -> Result<(), LedgerError> {
        self.write("note until when readers were told", |transaction| {
            transaction.execute(
                "INSERT INTO property (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                params![TOLD_UNTIL, millis(until).to_string()],
            )?;
            Ok(())
        })
    }
}

pub(super) fn at_site_sql() -> String {
    format!(
        "{SELECT} WHERE site = ?1 AND window_start < ?3 AND window_end > ?2 AND {told}
         ORDER BY query, version, window_start, window_end",
        told = not_forgotten("extraction.site", "planned_at"),
    )
}

/// What was recorded of a site before its data was forgotten is told to nobody any more.
fn not_forgotten(site: &str, recorded_at: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM forgetting AS f WHERE f.site = {site} AND f.began_at >= {recorded_at})"
    )
}
