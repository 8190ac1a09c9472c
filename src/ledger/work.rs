//! Taking work in: planning, asking again, calling off.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{ErrorCode, OptionalExtension, Params, Transaction, params};

use crate::domain::{Extraction, ExtractionState, Lane, Planned, SiteKey, Waiting};

use super::column::{identity, millis};
use super::{Change, Ledger, LedgerError, LedgerErrorKind, audit, backfill};

/// Planned extractions that one transaction takes in: it holds the write lock for a few tens of milliseconds.
const PLAN_CHUNK: usize = 2_000;

pub(super) const FIND: &str = "SELECT id, state, detail FROM extraction
     WHERE site = ?1 AND query = ?2 AND version = ?3 AND window_start = ?4 AND window_end = ?5";

/// What planning changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanOutcome {
    /// New in the ledger, pending.
    pub added: Vec<Extraction>,
    /// In the ledger already, with the state each has; nothing was changed about them.
    pub already: Vec<(Extraction, ExtractionState)>,
}

/// What asking again did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a running extraction is not run again"]
pub enum Requested {
    /// It is pending and may start at once. An object that stands is kept until a new one replaces it.
    Pending,
    /// A worker has it at this moment; nothing was changed.
    Running,
}

/// What calling off did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a finished extraction is not cancelled"]
pub enum Cancelled {
    /// It will not run; a worker that has it will find its claim lost.
    Cancelled,
    /// It was finished already; nothing was changed.
    Finished,
}

impl Ledger {
    /// Takes planned extractions in. One that is there already stays as it is, so planning twice, or by
    /// several processes, changes nothing.
    ///
    /// A long plan is taken in by several transactions; after a failure the same call goes on.
    ///
    /// # Errors
    /// When a site is not registered, or the ledger cannot be written.
    pub fn plan(
        &self,
        planned: &[Planned],
        now: DateTime<Utc>,
    ) -> Result<PlanOutcome, LedgerError> {
        let mut outcome = PlanOutcome::default();
        for chunk in planned.chunks(PLAN_CHUNK) {
            self.write("record a plan", |transaction| {
                for item in chunk {
                    match plan_one(transaction, item, now)? {
                        None => outcome.added.push(item.extraction.clone()),
                        Some(state) => outcome.already.push((item.extraction.clone(), state)),
                    }
                }
                Ok(())
            })?;
        }
        Ok(outcome)
    }

    /// Makes a finished or waiting extraction pending at once, because somebody asks for it again.
    ///
    /// One that waits goes on where it was; for one that is finished, lost results count anew.
    ///
    /// # Errors
    /// When it was never planned, or the ledger cannot be written.
    pub fn request_again(
        &self,
        extraction: &Extraction,
        now: DateTime<Utc>,
    ) -> Result<Requested, LedgerError> {
        self.write("ask for an extraction again", |transaction| {
            let (id, state) = find(transaction, extraction)?;
            if matches!(state, ExtractionState::Running(_)) {
                return Ok(Requested::Running);
            }
            transaction.execute(
                // Whoever asks by name does not wait for the backfill that it was a unit of.
                "UPDATE extraction SET results_lost = iif(state = 'pending', results_lost, 0),
                     state = 'pending', detail = ?2, not_before = ?3, changed_at = ?3,
                     lane = CASE lane WHEN 'backfill' THEN 'manual' ELSE lane END, backfill = NULL
                 WHERE id = ?1",
                params![id, Waiting::Worker.to_string(), millis(now)],
            )?;
            Ok(Requested::Pending)
        })
    }

    /// Calls an extraction off, with its audit entry in the same transaction.
    ///
    /// # Errors
    /// When it was never planned, or the ledger cannot be written.
    pub fn cancel(
        &self,
        extraction: &Extraction,
        change: &Change,
    ) -> Result<Cancelled, LedgerError> {
        self.write("cancel an extraction", |transaction| {
            let (id, state) = find(transaction, extraction)?;
            if !matches!(
                state,
                ExtractionState::Pending(_) | ExtractionState::Running(_)
            ) {
                return Ok(Cancelled::Finished);
            }
            cancel_row(transaction, id, change.at)?;
            let changes = BTreeMap::from([(
                "state".to_owned(),
                [
                    Some(state.to_string()),
                    Some(ExtractionState::Cancelled.to_string()),
                ],
            )]);
            audit::append(transaction, change, &extraction.to_string(), changes)?;
            Ok(Cancelled::Cancelled)
        })
    }
}

/// Adds one extraction; gives its state if it was there.
fn plan_one(
    transaction: &Transaction<'_>,
    item: &Planned,
    now: DateTime<Utc>,
) -> Result<Option<ExtractionState>, LedgerErrorKind> {
    let added = enter(transaction, item, &Waiting::Worker, now)?;
    if added.is_some() {
        return Ok(None);
    }
    if item.lane != Lane::Backfill {
        take_from_backfill(transaction, item)?;
    }
    find(transaction, &item.extraction).map(|(_, state)| Some(state))
}

/// Adds a pending extraction; its row, or `None` if there is one already.
///
/// It asks for no `RETURNING` and no update on a conflict: with either, SQLite keeps a copy of every page that the
/// statement touches, to undo it alone, and that was an eighth of planning a night.
pub(super) fn enter(
    transaction: &Transaction<'_>,
    item: &Planned,
    waiting: &Waiting,
    now: DateTime<Utc>,
) -> Result<Option<i64>, LedgerErrorKind> {
    let added = transaction
        .prepare_cached(
            "INSERT INTO extraction (site, query, version, window_start, window_end, state, detail, due, lane,
                                     priority, not_before, planned_at, changed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6, ?7, ?8, ?9, ?10, ?11, ?11)
             ON CONFLICT (site, query, version, window_start, window_end) DO NOTHING",
        )?
        .execute(pending(item, waiting, now))
        .map_err(|error| {
            if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
                LedgerErrorKind::UnknownSite(item.extraction.site.clone())
            } else {
                error.into()
            }
        })?;
    Ok((added > 0).then(|| transaction.last_insert_rowid()))
}

/// What is stored of a planned extraction that waits, by position: the five of its identity, then why it waits, why it
/// is due, lane, priority, when it may start, and the time.
pub(super) fn pending(item: &Planned, waiting: &Waiting, now: DateTime<Utc>) -> impl Params {
    let (site, query, version, start, end) = identity(&item.extraction);
    (
        site,
        query,
        version,
        start,
        end,
        waiting.to_string(),
        item.due.to_string(),
        item.lane.to_string(),
        item.priority,
        millis(item.not_before),
        millis(now),
    )
}

/// Calls off whatever is open of a site; tells how much that was.
pub(super) fn cancel_all(
    transaction: &Transaction<'_>,
    site: &SiteKey,
    at: DateTime<Utc>,
) -> Result<usize, LedgerErrorKind> {
    // By state, because each has an index of its own.
    let mut open = transaction.prepare_cached(
        "SELECT id FROM extraction WHERE site = ?1 AND state = 'pending'
         UNION ALL SELECT id FROM extraction WHERE site = ?1 AND state = 'running'",
    )?;
    let ids: Vec<i64> = open
        .query_map([site.as_str()], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in &ids {
        cancel_row(transaction, *id, at)?;
        backfill::unit_ended(transaction, *id, backfill::UnitEnd::Over, at)?;
    }
    Ok(ids.len())
}

/// What a backfill has waiting becomes the night's or the operator's, so that it does not wait for the backfill's turn.
pub(super) fn take_from_backfill(
    transaction: &Transaction<'_>,
    item: &Planned,
) -> Result<(), LedgerErrorKind> {
    let (site, query, version, start, end) = identity(&item.extraction);
    transaction
        .prepare_cached(
            "UPDATE extraction SET lane = ?6, priority = ?7, due = ?8, backfill = NULL,
                 not_before = max(not_before, ?9)
             WHERE (site, query, version, window_start, window_end) = (?1, ?2, ?3, ?4, ?5)
               AND lane = 'backfill' AND state = 'pending'",
        )?
        .execute(params![
            site,
            query,
            version,
            start,
            end,
            item.lane.to_string(),
            item.priority,
            item.due.to_string(),
            millis(item.not_before),
        ])?;
    Ok(())
}

pub(super) fn cancel_row(
    transaction: &Transaction<'_>,
    id: i64,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE extraction SET state = 'cancelled', detail = NULL, worker = NULL, lease_until = NULL, changed_at = ?2
         WHERE id = ?1",
        params![id, millis(at)],
    )?;
    transaction.execute(
        "UPDATE attempt SET outcome = 'cancelled', ended_at = ?2 WHERE extraction = ?1 AND outcome IS NULL",
        params![id, millis(at)],
    )?;
    Ok(())
}

/// Row number and state of an extraction that must be there.
pub(super) fn find(
    transaction: &Transaction<'_>,
    extraction: &Extraction,
) -> Result<(i64, ExtractionState), LedgerErrorKind> {
    transaction
        .prepare_cached(FIND)?
        .query_row(identity(extraction), |row| {
            let state: String = row.get("state")?;
            let detail: Option<String> = row.get("detail")?;
            Ok((
                row.get("id")?,
                ExtractionState::from_parts(&state, detail.as_deref()),
            ))
        })
        .optional()?
        .ok_or_else(|| LedgerErrorKind::UnknownExtraction(extraction.clone()))
}
