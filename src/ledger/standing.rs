//! How one site stands: its newest windows, what is not finished and why, and what it was asked this month.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{ExtractionState, SiteKey};

use super::column::instant;
use super::read::{SELECT, extraction_row};
use super::setback::{self, Setback};
use super::{ExtractionRow, Ledger, LedgerError};

/// Extractions of a site that are in one state and not published, with what last stood in their way.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unfinished {
    /// Their state.
    pub state: ExtractionState,
    /// How many.
    pub extractions: u64,
    /// When the first of them may start.
    pub not_before: DateTime<Utc>,
    /// What last stood in the way of any of them.
    pub setback: Option<Setback>,
}

impl Ledger {
    /// The extraction with the newest window of each query version that was ever planned for a site.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn newest_of_site(&self, site: &SiteKey) -> Result<Vec<ExtractionRow>, LedgerError> {
        self.read("read a site's newest extractions", |transaction| {
            // SQLite takes `id` of the row that has the maximum. Dates in this form sort as text, all of one length.
            let sql = format!(
                "{SELECT} WHERE id IN (
                     SELECT id FROM (SELECT id, max(window_start || window_end) FROM extraction WHERE site = ?1
                                     GROUP BY query, version))
                 ORDER BY query, version"
            );
            let mut statement = transaction.prepare_cached(&sql)?;
            let rows = statement.query_map([site.as_str()], extraction_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What is not published of a site, by state: failed, running, pending and what each waits for.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn unfinished_of_site(&self, site: &SiteKey) -> Result<Vec<Unfinished>, LedgerError> {
        self.read("read what a site waits for", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT state, detail, count(*) AS extractions, min(not_before) AS not_before FROM extraction
                 WHERE site = ?1 AND state NOT IN ('succeeded', 'cancelled') GROUP BY state, detail ORDER BY state, detail",
            )?;
            let groups = statement.query_map([site.as_str()], |row| {
                let state: String = row.get("state")?;
                let detail: Option<String> = row.get("detail")?;
                Ok(Unfinished {
                    setback: last_setback(transaction, site, &state, detail.as_deref())?,
                    state: ExtractionState::from_parts(&state, detail.as_deref()),
                    extractions: row.get("extractions")?,
                    not_before: instant(row, "not_before")?,
                })
            })?;
            Ok(groups.collect::<Result<_, _>>()?)
        })
    }
}

fn last_setback(
    transaction: &Transaction<'_>,
    site: &SiteKey,
    state: &str,
    detail: Option<&str>,
) -> rusqlite::Result<Option<Setback>> {
    transaction
        .prepare_cached(
            "SELECT setback.* FROM setback JOIN extraction ON extraction.id = setback.extraction
             WHERE site = ?1 AND state = ?2 AND detail IS ?3 ORDER BY at DESC LIMIT 1",
        )?
        .query_row(params![site.as_str(), state, detail], setback::from_row)
        .optional()
}
