//! The nights: where each site stands, and taking in what the planner wants tonight.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{
    Arrival, Arrivals, Extraction, ExtractionState, Lane, Open, Planned, QueryId, SiteKey,
    Standing, Standings, Tonight, Waiting, Window, days_over,
};

use super::column::{
    self, identity, instant, millis, optional_instant, query_id, query_id_in, text,
};
use super::work::{cancel_row, enter, find, pending, take_from_backfill};
use super::{Ledger, LedgerError, LedgerErrorKind, audit};

/// Sites and queries that one transaction takes in: it holds the write lock for some tens of milliseconds. Each
/// transaction writes once more what all of them touch, such as the index of what is due.
const CHUNK: usize = 2_000;

/// What came last, and the newest night planned. Not a FULL JOIN of subqueries: SQLite compares each row of one with
/// each of the other then, which takes minutes for a large fleet.
pub(super) const ARRIVALS: &str = "SELECT a.site, a.query, a.version, a.extracted_at, a.since, e.state, e.detail
     FROM (SELECT r.site, r.query, r.version, r.extracted_at, n.since, n.newest
           FROM reach AS r LEFT JOIN nightly AS n USING (site, query, version)
           UNION ALL
           SELECT n.site, n.query, n.version, NULL, n.since, n.newest FROM nightly AS n
           WHERE NOT EXISTS (SELECT 1 FROM reach AS r
                             WHERE r.site = n.site AND r.query = n.query AND r.version = n.version)) AS a
     LEFT JOIN extraction AS e ON e.id = a.newest";

/// What waits and what runs of the nights, by state, because each has an index of its own. Of those that hold what waits
/// the one by site goes through the table as it was planned; the one in the order of claims would jump about in it.
pub(super) const OPEN: &str = "SELECT site, query, version, window_start, window_end,
            EXISTS (SELECT 1 FROM attempt AS a WHERE a.extraction = e.id AND a.outcome IS NULL
                    AND a.submitted_at IS NOT NULL) AS begun
     FROM extraction AS e INDEXED BY extraction_waiting WHERE e.state = 'pending' AND e.lane = 'nightly'
     UNION ALL
     SELECT site, query, version, window_start, window_end, 1 AS begun
     FROM extraction AS e INDEXED BY extraction_running WHERE e.state = 'running' AND e.lane = 'nightly'";

/// Windows that objects cover and that end after a day: of all that a site ever had, what is newer is looked at.
pub(super) const BEYOND: &str = "SELECT window_start, window_end, extracted_at FROM extraction
     WHERE site = ?1 AND query = ?2 AND version = ?3 AND window_end > ?4 AND object_path IS NOT NULL";

/// What taking a night in changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NightOutcome {
    /// Extractions that are due now and were not before.
    pub planned: usize,
    /// Extractions that gave way to a wider window.
    pub superseded: usize,
}

impl Ledger {
    /// Where every site stands with every query version that was planned or extracted there.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn standings(&self) -> Result<Standings, LedgerError> {
        self.read("read where the sites stand", |transaction| {
            let zones = zones(transaction)?;
            let mut standings = frontiers(transaction, &zones)?;
            add_open(transaction, &mut standings)?;
            Ok(standings)
        })
    }

    /// What came last from every site, of every query version that was planned or extracted there.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn arrivals(&self) -> Result<Arrivals, LedgerError> {
        self.read("read what came last", |transaction| {
            let mut statement = transaction.prepare_cached(ARRIVALS)?;
            let mut rows = statement.query([])?;
            let mut arrivals = Arrivals {
                silent_since: silent(transaction)?,
                ..Arrivals::default()
            };
            while let Some(row) = rows.next()? {
                let state: Option<String> = row.get("state")?;
                let detail: Option<String> = row.get("detail")?;
                let arrival = Arrival {
                    extracted_at: optional_instant(row, "extracted_at")?,
                    since: optional_instant(row, "since")?,
                    newest: state
                        .map(|state| ExtractionState::from_parts(&state, detail.as_deref())),
                };
                let of_site = arrivals.came.entry(text(row, "site")?).or_default();
                of_site.insert(query_id(row)?, arrival);
            }
            Ok(arrivals)
        })
    }

    /// Takes in what the planner wants tonight. What another process planned meanwhile, or what a worker began
    /// meanwhile, is left as it is: planning again finds it. So it does what a loss of power undoes, and nobody waits
    /// for the disk here.
    ///
    /// # Errors
    /// When a site is not registered, or the ledger cannot be written.
    pub fn plan_nights(
        &self,
        nights: &[Tonight],
        now: DateTime<Utc>,
    ) -> Result<NightOutcome, LedgerError> {
        let mut outcome = NightOutcome::default();
        for chunk in nights.chunks(CHUNK) {
            self.plan_chunk(chunk, now, &mut outcome)?;
        }
        Ok(outcome)
    }

    fn plan_chunk(
        &self,
        chunk: &[Tonight],
        now: DateTime<Utc>,
        outcome: &mut NightOutcome,
    ) -> Result<(), LedgerError> {
        self.write_without_wait("plan a night", |transaction| {
            let planned_to = planned_to(transaction, chunk)?;
            let is_planned = |night: &Tonight| {
                let key = (night.site.clone(), night.query.clone());
                planned_to.get(&key).is_some_and(|to| *to >= night.to)
            };
            for night in chunk {
                if !is_planned(night) && all_wait(transaction, &night.superseded)? {
                    take_in(transaction, night, now)?;
                    outcome.planned += night.planned.len();
                    outcome.superseded += night.superseded.len();
                }
            }
            Ok(())
        })
    }

    /// Lets all that a site has waiting in a lane, and of which the practice was not asked yet, wait until a later
    /// time, for example until its quiet hours begin. Returns how many.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn put_off_site(
        &self,
        site: &SiteKey,
        lane: &Lane,
        waiting: &Waiting,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<usize, LedgerError> {
        self.write("let a site wait", |transaction| {
            Ok(transaction
                .prepare_cached(
                    "UPDATE extraction SET detail = ?4, not_before = ?3, changed_at = ?5
                     WHERE site = ?1 AND lane = ?2 AND state = 'pending' AND not_before < ?3
                       AND NOT EXISTS (SELECT 1 FROM attempt AS a WHERE a.extraction = extraction.id
                                       AND a.outcome IS NULL AND a.submitted_at IS NOT NULL)",
                )?
                .execute(params![
                    site.as_str(),
                    lane.to_string(),
                    millis(until),
                    waiting.to_string(),
                    millis(now),
                ])?)
        })
    }

    /// Lets what waits for this reason be tried at once, because it may be gone. Returns how many.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn try_again(&self, waiting: &Waiting, now: DateTime<Utc>) -> Result<usize, LedgerError> {
        self.write("try again what waits", |transaction| {
            Ok(transaction.execute(
                "UPDATE extraction SET detail = ?3, not_before = ?2, changed_at = ?2
                 WHERE state = 'pending' AND detail = ?1 AND not_before > ?2",
                params![
                    waiting.to_string(),
                    millis(now),
                    Waiting::Worker.to_string()
                ],
            )?)
        })
    }
}

fn zones(transaction: &Transaction<'_>) -> rusqlite::Result<HashMap<SiteKey, Tz>> {
    let mut statement = transaction.prepare_cached("SELECT key, time_zone FROM site")?;
    let rows = statement.query_map([], |row| Ok((text(row, "key")?, text(row, "time_zone")?)))?;
    rows.collect()
}

/// Active sites of which nothing was ever planned or extracted, and since when they are active.
fn silent(
    transaction: &Transaction<'_>,
) -> Result<BTreeMap<SiteKey, DateTime<Utc>>, LedgerErrorKind> {
    let mut statement = transaction.prepare_cached(
        "SELECT key FROM site WHERE state = 'active'
           AND NOT EXISTS (SELECT 1 FROM nightly AS n WHERE n.site = site.key)
           AND NOT EXISTS (SELECT 1 FROM reach AS r WHERE r.site = site.key)",
    )?;
    let keys: Vec<SiteKey> = statement
        .query_map([], |row| text(row, "key"))?
        .collect::<rusqlite::Result<_>>()?;
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut activated = audit::activated(transaction, &keys)?;
    Ok(keys
        .into_iter()
        .map(|key| {
            let since = activated.remove(&key);
            (key, since.unwrap_or(DateTime::UNIX_EPOCH))
        })
        .collect())
}

/// How far each has come, without what is open. Two reads from first to last and no join, which would look each row
/// of one table up in the other.
fn frontiers(
    transaction: &Transaction<'_>,
    zones: &HashMap<SiteKey, Tz>,
) -> rusqlite::Result<Standings> {
    let mut standings = Standings::new();
    let mut statement = transaction
        .prepare_cached("SELECT site, query, version, planned_to, covered_to FROM nightly")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let of_site = standings.entry(text(row, 0)?).or_default();
        let standing = Standing {
            planned_to: Some(text(row, 3)?),
            covered_to: Some(text(row, 4)?),
            ..Standing::default()
        };
        of_site.insert(query_id_in(row, 1, 2)?, standing);
    }
    let mut statement =
        transaction.prepare_cached("SELECT site, query, version, covered_to FROM reach")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let site: SiteKey = text(row, 0)?;
        let reached: NaiveDate = text(row, 3)?;
        let zone = zones.get(&site);
        let of_site = standings.entry(site).or_default();
        let standing = of_site.entry(query_id_in(row, 1, 2)?).or_default();
        match standing.covered_to {
            None => standing.covered_to = Some(reached),
            Some(covered_to) if reached > covered_to => {
                let (site, query) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
                if let Some(zone) = zone {
                    let key = (site, query, row.get(2)?);
                    standing.covered = beyond(transaction, key, covered_to, *zone)?;
                }
            }
            Some(_) => {}
        }
    }
    Ok(standings)
}

/// What objects cover of the days from `covered_to` on.
fn beyond(
    transaction: &Transaction<'_>,
    (site, query, version): (&str, &str, u32),
    covered_to: NaiveDate,
    zone: Tz,
) -> rusqlite::Result<Vec<Window>> {
    let mut statement = transaction.prepare_cached(BEYOND)?;
    let rows = statement.query_map(
        params![site, query, version, covered_to.to_string()],
        |row| {
            Ok(days_over(
                column::window(row)?,
                instant(row, "extracted_at")?,
                zone,
            ))
        },
    )?;
    rows.filter_map(Result::transpose).collect()
}

fn add_open(
    transaction: &Transaction<'_>,
    standings: &mut Standings,
) -> Result<(), LedgerErrorKind> {
    let mut statement = transaction.prepare_cached(OPEN)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let of_site = standings.entry(text(row, "site")?).or_default();
        of_site.entry(query_id(row)?).or_default().open.push(Open {
            window: column::window(row)?,
            begun: row.get("begun")?,
        });
    }
    Ok(())
}

/// How far the nights of these sites are planned by now. One read for many: they follow each other in the table.
fn planned_to(
    transaction: &Transaction<'_>,
    nights: &[Tonight],
) -> rusqlite::Result<HashMap<(SiteKey, QueryId), NaiveDate>> {
    let sites = || nights.iter().map(|night| &night.site);
    let (Some(first), Some(last)) = (sites().min(), sites().max()) else {
        return Ok(HashMap::new());
    };
    let mut statement = transaction.prepare_cached(
        "SELECT site, query, version, planned_to FROM nightly WHERE site BETWEEN ?1 AND ?2",
    )?;
    let rows = statement.query_map([first.as_str(), last.as_str()], |row| {
        Ok(((text(row, 0)?, query_id_in(row, 1, 2)?), text(row, 3)?))
    })?;
    rows.collect()
}

/// Whether what is to give way still waits.
fn all_wait(transaction: &Transaction<'_>, superseded: &[Extraction]) -> rusqlite::Result<bool> {
    for extraction in superseded {
        if waiting(transaction, extraction)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The row of an extraction that waits and of which the practice was not asked yet.
fn waiting(
    transaction: &Transaction<'_>,
    extraction: &Extraction,
) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached(
            "SELECT id FROM extraction AS e
             WHERE site = ?1 AND query = ?2 AND version = ?3 AND window_start = ?4 AND window_end = ?5
               AND state = 'pending'
               AND NOT EXISTS (SELECT 1 FROM attempt AS a WHERE a.extraction = e.id AND a.outcome IS NULL
                               AND a.submitted_at IS NOT NULL)",
        )?
        .query_row(identity(extraction), |row| row.get(0))
        .optional()
}

fn take_in(
    transaction: &Transaction<'_>,
    night: &Tonight,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    for extraction in &night.superseded {
        if let Some(id) = waiting(transaction, extraction)? {
            cancel_row(transaction, id, now)?;
        }
    }
    let mut newest = None;
    for planned in &night.planned {
        newest = Some(make_due(transaction, planned, now)?);
    }
    let Some(newest) = newest else {
        return Ok(());
    };
    note_planned(transaction, night, newest, now)
}

/// Notes until when the nights of a site are planned. Mostly they were planned before, so that is tried first.
fn note_planned(
    transaction: &Transaction<'_>,
    night: &Tonight,
    newest: i64,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    let site = night.site.as_str();
    let query = night.query.name.as_str();
    let version = night.query.version.number();
    let to = night.to.to_string();
    let known = transaction
        .prepare_cached(
            "UPDATE nightly SET planned_to = ?4, newest = ?5 WHERE site = ?1 AND query = ?2 AND version = ?3",
        )?
        .execute(params![site, query, version, to, newest])?;
    if known == 0 {
        transaction
            .prepare_cached(
                "INSERT INTO nightly (site, query, version, since, planned_to, covered_to, newest)
                 VALUES (?1, ?2, ?3, ?6, ?4, ?7, ?5)",
            )?
            .execute(params![
                site,
                query,
                version,
                to,
                newest,
                millis(now),
                night.from.to_string(),
            ])?;
    }
    Ok(())
}

/// Adds an extraction, or lets a finished one run again, because its days are not covered; its row number.
fn make_due(
    transaction: &Transaction<'_>,
    planned: &Planned,
    now: DateTime<Utc>,
) -> Result<i64, LedgerErrorKind> {
    let waiting = if planned.not_before > now {
        Waiting::QuietHours
    } else {
        Waiting::Worker
    };
    if let Some(row) = enter(transaction, planned, &waiting, now)? {
        return Ok(row);
    }
    if let Some(row) = run_again(transaction, planned, &waiting, now)? {
        return Ok(row);
    }
    take_from_backfill(transaction, planned)?;
    Ok(find(transaction, &planned.extraction)?.0)
}

/// Lets a finished extraction run again; its row number, or `None` if it waits or runs.
fn run_again(
    transaction: &Transaction<'_>,
    planned: &Planned,
    waiting: &Waiting,
    now: DateTime<Utc>,
) -> rusqlite::Result<Option<i64>> {
    // The night's own now, whatever backfill it was a unit of: else it would wait for that one to run.
    transaction
        .prepare_cached(
            "UPDATE extraction SET state = 'pending', detail = ?6, due = ?7, lane = ?8, priority = ?9,
                 not_before = ?10, changed_at = ?11, backfill = NULL, results_lost = 0
             WHERE site = ?1 AND query = ?2 AND version = ?3 AND window_start = ?4 AND window_end = ?5
               AND state IN ('succeeded', 'failed', 'cancelled')
             RETURNING id",
        )?
        .query_row(pending(planned, waiting, now), |row| row.get(0))
        .optional()
}

/// Moves the frontier of a site's nights over what was just extracted, and over what it touches then.
pub(super) fn advance(
    transaction: &Transaction<'_>,
    extraction: &Extraction,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    let (site, query, version, ..) = identity(extraction);
    let frontier: Option<(String, String)> = transaction
        .prepare_cached(
            "SELECT covered_to, time_zone FROM nightly JOIN site ON site.key = nightly.site
             WHERE site = ?1 AND query = ?2 AND version = ?3",
        )?
        .query_row(params![site, query, version], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((Ok(before), Ok(zone))) =
        frontier.map(|(day, zone)| (day.parse::<NaiveDate>(), zone.parse::<Tz>()))
    else {
        return Ok(());
    };
    let mut covered_to = before;
    let touches = days_over(extraction.window, now, zone)
        .is_some_and(|days| days.start() <= covered_to && days.end() > covered_to);
    if !touches {
        return Ok(());
    }
    let mut ahead = beyond(transaction, (site, query, version), covered_to, zone)?;
    ahead.sort_unstable();
    for window in ahead {
        if window.start() <= covered_to {
            covered_to = covered_to.max(window.end());
        }
    }
    transaction
        .prepare_cached(
            "UPDATE nightly SET covered_to = ?4 WHERE site = ?1 AND query = ?2 AND version = ?3",
        )?
        .execute(params![site, query, version, covered_to.to_string()])?;
    Ok(())
}
