//! Cutting a unit that takes a practice's server too long into shorter ones.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use rusqlite::{Transaction, params};

use crate::domain::{BackfillId, Due, Extraction, FailureClass, QueryId, SiteKey, Window};

use super::super::column::{self, millis};
use super::super::{AttemptCost, Claim, Fenced, Ledger, LedgerError, LedgerErrorKind, attempt};
use super::save::add_unit;
use super::steer::enter;

/// So often a window must have taken too long before its length counts as the reason.
const TIMES_TO_BELIEVE: u32 = 2;

/// What cutting did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an extraction that was not cut still has to be recorded"]
pub enum Cut {
    /// The attempt is closed as failed, and these take the place of its extraction.
    Into(Vec<Extraction>),
    /// It is no unit of a backfill: nothing was changed.
    NoUnit,
    /// The claim does not hold any more.
    Lost,
}

impl Ledger {
    /// Records that the attempt failed because its window is too long, puts the windows that `tile` makes of it, at
    /// most `days` long, in its place, and remembers that length for the site and query. From the second time on,
    /// what the backfill has waiting of the same site and query, and was not asked yet, is cut to that length too, so
    /// that the practice is not made to try each in vain; once may be a server that was busy for a moment.
    ///
    /// `message` is for people and must be free of row values and secrets.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn cut(
        &self,
        claim: &Claim,
        (class, message): (FailureClass, &str),
        cost: AttemptCost,
        days: NonZeroU32,
        tile: impl Fn(Window) -> Vec<Window>,
        now: DateTime<Utc>,
    ) -> Result<Cut, LedgerError> {
        let mut cut = Cut::NoUnit;
        let fenced = self.fenced("cut a unit of a backfill", claim, |transaction| {
            let Some(unit) = unit_of(transaction, claim.id)? else {
                return Ok(());
            };
            attempt::close_failed(transaction, claim, class, message, cost, now)?;
            remember(transaction, &claim.extraction, days, now)?;
            let parts = replace(transaction, &unit, &claim.extraction, &tile, now)?;
            if is_believed(transaction, &claim.extraction)? {
                for (other, extraction) in untried_and_longer(transaction, &unit, claim, days)? {
                    replace(transaction, &other, &extraction, &tile, now)?;
                }
            }
            cut = Cut::Into(parts);
            Ok(())
        })?;
        Ok(match fenced {
            Fenced::Recorded => cut,
            Fenced::Lost => Cut::Lost,
        })
    }

    /// The longest window that a site is known to manage of a query version; `None` if none was too long more than
    /// once since a longer one succeeded.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn workable_days(
        &self,
        site: &SiteKey,
        query: &QueryId,
    ) -> Result<Option<NonZeroU32>, LedgerError> {
        use rusqlite::OptionalExtension;
        self.read("read a workable window", |transaction| {
            let days: Option<u32> = transaction
                .prepare_cached(
                    "SELECT days FROM workable WHERE site = ?1 AND query = ?2 AND version = ?3 AND times >= ?4",
                )?
                .query_row(
                    params![
                        site.as_str(),
                        query.name.as_str(),
                        query.version.number(),
                        TIMES_TO_BELIEVE
                    ],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(days.and_then(NonZeroU32::new))
        })
    }
}

struct Unit {
    backfill: u64,
    position: i64,
    extraction: i64,
    due: Due,
}

/// The unit that the extraction is of the backfill whose switch it is under.
fn unit_of(transaction: &Transaction<'_>, extraction: i64) -> rusqlite::Result<Option<Unit>> {
    use rusqlite::OptionalExtension;
    transaction
        .prepare_cached(
            "SELECT u.backfill, u.position, u.due FROM extraction AS e
             JOIN backfill_unit AS u ON u.backfill = e.backfill AND u.extraction = e.id
             WHERE e.id = ?1 AND NOT u.is_cut",
        )?
        .query_row([extraction], |row| {
            Ok(Unit {
                backfill: row.get("backfill")?,
                position: row.get("position")?,
                extraction,
                due: Due::from(row.get_ref("due")?.as_str()?),
            })
        })
        .optional()
}

fn remember(
    transaction: &Transaction<'_>,
    extraction: &Extraction,
    days: NonZeroU32,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached(
            "INSERT INTO workable (site, query, version, days, since) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET since = excluded.since, days = min(days, excluded.days), times = times + 1",
        )?
        .execute(params![
            extraction.site.as_str(),
            extraction.query.name.as_str(),
            extraction.query.version.number(),
            days.get(),
            millis(now)
        ])?;
    Ok(())
}

fn is_believed(
    transaction: &Transaction<'_>,
    extraction: &Extraction,
) -> Result<bool, LedgerErrorKind> {
    Ok(transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM workable WHERE site = ?1 AND query = ?2 AND version = ?3 AND times >= ?4)",
        )?
        .query_row(
            params![
                extraction.site.as_str(),
                extraction.query.name.as_str(),
                extraction.query.version.number(),
                TIMES_TO_BELIEVE
            ],
            |row| row.get(0),
        )?)
}

/// A window that succeeds proves that a shorter length was not the limit.
pub(in crate::ledger) fn forget_disproved(
    transaction: &Transaction<'_>,
    extraction: &Extraction,
) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached(
            "DELETE FROM workable WHERE site = ?1 AND query = ?2 AND version = ?3 AND days < ?4",
        )?
        .execute(params![
            extraction.site.as_str(),
            extraction.query.name.as_str(),
            extraction.query.version.number(),
            extraction.window.days()
        ])?;
    Ok(())
}

/// Units of the same backfill, site and query that wait, are longer, and of which the practice was not asked.
fn untried_and_longer(
    transaction: &Transaction<'_>,
    unit: &Unit,
    claim: &Claim,
    days: NonZeroU32,
) -> Result<Vec<(Unit, Extraction)>, LedgerErrorKind> {
    let extraction = &claim.extraction;
    let mut statement = transaction.prepare_cached(
        "SELECT u.backfill, u.position, u.due, e.id, e.site, e.query, e.version, e.window_start, e.window_end
         FROM extraction AS e INDEXED BY extraction_unit_by_site
         JOIN backfill_unit AS u ON u.backfill = e.backfill AND u.extraction = e.id
         WHERE e.backfill = ?1 AND e.state = 'pending' AND e.lane = 'backfill' AND NOT u.is_cut
           AND e.site = ?2 AND e.query = ?3 AND e.version = ?4
           AND julianday(e.window_end) - julianday(e.window_start) > ?5
           AND NOT EXISTS (SELECT 1 FROM attempt AS a WHERE a.extraction = e.id AND a.outcome IS NULL
                           AND a.submitted_at IS NOT NULL)",
    )?;
    let rows = statement.query_map(
        params![
            unit.backfill,
            extraction.site.as_str(),
            extraction.query.name.as_str(),
            extraction.query.version.number(),
            days.get()
        ],
        |row| {
            let unit = Unit {
                backfill: row.get("backfill")?,
                position: row.get("position")?,
                extraction: row.get("id")?,
                due: Due::from(row.get_ref("due")?.as_str()?),
            };
            Ok((unit, column::extraction(row)?))
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Puts the tiles of a unit's window in its place.
fn replace(
    transaction: &Transaction<'_>,
    unit: &Unit,
    extraction: &Extraction,
    tile: &impl Fn(Window) -> Vec<Window>,
    now: DateTime<Utc>,
) -> Result<Vec<Extraction>, LedgerErrorKind> {
    transaction
        .prepare_cached(
            "UPDATE extraction SET detail = NULL, worker = NULL, lease_until = NULL, changed_at = ?2, backfill = NULL,
                 state = CASE WHEN object_path IS NOT NULL AND object_gone IS NULL THEN 'succeeded' ELSE 'cancelled' END
             WHERE id = ?1",
        )?
        .execute(params![unit.extraction, millis(now)])?;
    transaction
        .prepare_cached(
            "UPDATE backfill_unit SET is_cut = 1 WHERE backfill = ?1 AND position = ?2",
        )?
        .execute(params![unit.backfill, unit.position])?;
    let last: i64 = transaction
        .prepare_cached("SELECT max(position) FROM backfill_unit WHERE backfill = ?1")?
        .query_row([unit.backfill], |row| row.get(0))?;
    let id = BackfillId(unit.backfill);
    let mut parts = Vec::new();
    for (position, window) in (last + 1..).zip(tile(extraction.window)) {
        let part = Extraction {
            window,
            ..extraction.clone()
        };
        let backfill = i64::try_from(unit.backfill).expect("row numbers fit");
        add_unit(
            transaction,
            backfill,
            position,
            &part,
            &unit.due,
            Some(unit.position),
        )?;
        enter(transaction, id, position, millis(now))?;
        parts.push(part);
    }
    Ok(parts)
}
