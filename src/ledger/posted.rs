//! How many queries a site was asked in a month: what its budget counts, and what Halo Cloud may charge.

use chrono::{DateTime, Datelike, Utc};
use rusqlite::{Connection, params};

use crate::domain::SiteKey;

use super::column::millis;
use super::{Claim, Ledger, LedgerError};

impl Ledger {
    /// Counts an immediate query to a site. Call it before the query is sent: one that is lost on its way may have
    /// been answered.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn count_immediate(&self, site: &SiteKey, now: DateTime<Utc>) -> Result<(), LedgerError> {
        self.write_without_wait("count an immediate query", |transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO immediate_month (site, month, asked)
                     VALUES (?1, strftime('%Y-%m', ?2 / 1000, 'unixepoch'), 1)
                     ON CONFLICT DO UPDATE SET asked = asked + 1",
                )?
                .execute(params![site.as_str(), millis(now)])?;
            Ok(())
        })
    }

    /// Queries of both kinds that a site was asked since the month (UTC) of `now` began.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn posted_this_month(
        &self,
        site: &SiteKey,
        now: DateTime<Utc>,
    ) -> Result<u32, LedgerError> {
        self.read("count a site's queries", |transaction| {
            Ok(posted(transaction, site, None, now)?)
        })
    }
}

/// Immediate queries and attempts whose query was posted to a site since the month began; the attempt of `but` is
/// left out. A query that one attempt posts again, because the site moved, counts once.
pub(super) fn posted(
    connection: &Connection,
    site: &SiteKey,
    but: Option<&Claim>,
    now: DateTime<Utc>,
) -> rusqlite::Result<u32> {
    connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM extraction AS e JOIN attempt AS a ON a.extraction = e.id
                     WHERE e.site = ?1 AND a.submitted_at >= ?2
                       AND NOT (a.extraction IS ?3 AND a.number IS ?4))
                  + coalesce((SELECT asked FROM immediate_month
                              WHERE site = ?1 AND month = strftime('%Y-%m', ?2 / 1000, 'unixepoch')), 0)",
        )?
        .query_row(
            params![
                site.as_str(),
                millis(month_of(now)),
                but.map(|claim| claim.id),
                but.map(|claim| claim.attempt.0)
            ],
            |row| row.get(0),
        )
}

/// The first instant of the month of `now`.
fn month_of(now: DateTime<Utc>) -> DateTime<Utc> {
    now.date_naive()
        .with_day(1)
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .expect("every month has a first day, and every day a midnight")
        .and_utc()
}
