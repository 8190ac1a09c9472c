//! What the ledger knows of a site and a query that a backfill is planned from.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::params;

use crate::domain::{ExtractionState, QueryId, SiteKey, Window};

use super::super::column::{self, optional_instant};
use super::super::{Ledger, LedgerError};

/// Successful attempts that an estimate looks at, the newest first.
const SAMPLES: u32 = 60;

/// One window that a site has or had of a query version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowStanding {
    /// The window.
    pub window: Window,
    /// Where its extraction stands.
    pub state: ExtractionState,
    /// When the object was extracted that covers it; `None` if none does. One that has served its time counts, one
    /// that was forgotten does not.
    pub extracted_at: Option<DateTime<Utc>>,
}

/// What successful attempts took: one, or the sum of those of a month that were compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct CostSample {
    /// How many attempts.
    pub attempts: u64,
    /// Days of their windows.
    pub days: u64,
    /// Rows of their objects.
    pub rows: u64,
    /// Bytes of their objects.
    pub size_bytes: u64,
    /// How long the practice's server worked.
    pub remote: Duration,
    /// How long they took from claim to end.
    pub elapsed: Duration,
}

impl Ledger {
    /// Every window of a query version at a site, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn windows(
        &self,
        site: &SiteKey,
        query: &QueryId,
    ) -> Result<Vec<WindowStanding>, LedgerError> {
        self.read("read the windows of a query", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT window_start, window_end, state, detail,
                        CASE WHEN object_path IS NOT NULL AND object_gone IS NOT 'forgotten' THEN extracted_at END
                            AS extracted_at
                 FROM extraction WHERE site = ?1 AND query = ?2 AND version = ?3 ORDER BY window_start, window_end",
            )?;
            let rows = statement.query_map(
                params![site.as_str(), query.name.as_str(), query.version.number()],
                |row| {
                    let state: String = row.get("state")?;
                    let detail: Option<String> = row.get("detail")?;
                    Ok(WindowStanding {
                        window: column::window(row)?,
                        state: ExtractionState::from_parts(&state, detail.as_deref()),
                        extracted_at: optional_instant(row, "extracted_at")?,
                    })
                },
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What a query version took lately: at `site`, or at all sites for `None`. Empty without any success.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn cost_samples(
        &self,
        site: Option<&SiteKey>,
        query: &QueryId,
    ) -> Result<Vec<CostSample>, LedgerError> {
        self.read("read what a query took", |transaction| {
            let mut statement = transaction.prepare_cached(&samples_sql(site.is_some()))?;
            let rows = statement.query_map(
                params![
                    site.map(SiteKey::as_str),
                    query.name.as_str(),
                    query.version.number(),
                    SAMPLES
                ],
                |row| {
                    let duration = |name: &str| -> rusqlite::Result<Duration> {
                        Ok(column::duration(row, name)?.unwrap_or_default())
                    };
                    Ok(CostSample {
                        attempts: row.get("attempts")?,
                        days: row.get("days")?,
                        rows: row.get("rows")?,
                        size_bytes: row.get("bytes")?,
                        remote: duration("remote_ms")?,
                        elapsed: duration("duration_ms")?,
                    })
                },
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Goes back from what was published last, at the site of `?1` or anywhere, until it has enough.
pub(in crate::ledger) fn samples_sql(at_site: bool) -> String {
    let (index, of_site, of_month) = if at_site {
        (
            "extraction_by_site_and_publication",
            "e.site = ?1",
            "site = ?1",
        )
    } else {
        ("extraction_by_publication", "?1 IS NULL", "?1 IS NULL")
    };
    format!(
        "SELECT * FROM (
             SELECT 1 AS attempts, CAST(julianday(e.window_end) - julianday(e.window_start) AS INTEGER) AS days,
                    e.object_rows AS rows, e.object_bytes AS bytes, a.remote_ms, a.duration_ms
             FROM extraction AS e INDEXED BY {index} CROSS JOIN attempt AS a ON a.extraction = e.id
             WHERE {of_site} AND e.query = ?2 AND e.version = ?3 AND e.state = 'succeeded'
               AND e.extracted_at IS NOT NULL AND e.object_rows IS NOT NULL AND a.outcome = 'succeeded'
             ORDER BY e.extracted_at DESC LIMIT ?4)
         UNION ALL
         SELECT succeeded, days, rows, bytes, remote_ms, duration_ms FROM attempt_month
         WHERE {of_month} AND query = ?2 AND version = ?3 AND succeeded > 0"
    )
}
