//! Leases: a worker claims one extraction for a while, renews it while it works, and gives it back.
//!
//! A lease that ran out may be claimed by another worker. The fence of the extraction grows with each claim,
//! and every later call shows the fence it was given, so the worker that lost its lease cannot write.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, named_params, params};

use crate::domain::{
    AttemptNumber, Extraction, HaloGuid, Lane, RemoteQueryId, Step, VariantName, Waiting,
};

use super::column::{self, duration_millis, millis, optional_text};
use super::{Fenced, Ledger, LedgerError, LedgerErrorKind, backfill};

/// What a worker is ready to take.
#[derive(Clone, Copy)]
pub struct ClaimRequest<'a> {
    /// Name of the worker, for people.
    pub worker: &'a str,
    /// The time.
    pub now: DateTime<Utc>,
    /// How long the claim holds unless it is renewed.
    pub lease: Duration,
    /// Extractions that may be at work at one site, unless the site itself says otherwise.
    pub per_site_limit: u32,
    /// Lanes in the order in which they are looked through; a lane that is absent is not.
    pub lanes: &'a [Lane],
    /// Only extractions that it says yes to, or any. Asked for each that could be claimed, in order.
    pub only: Option<&'a dyn Fn(&Extraction) -> bool>,
}

impl ClaimRequest<'_> {
    pub(super) fn wants(&self, extraction: &Extraction) -> bool {
        self.only.is_none_or(|wanted| wanted(extraction))
    }
}

/// An extraction that a worker has, until its lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What to extract.
    pub extraction: Extraction,
    /// The attempt that the worker carries out.
    pub attempt: AttemptNumber,
    /// Grows with each claim of the extraction.
    pub fence: u64,
    /// How often the attempt was taken up again after an interruption; a worker that dies of it shows here.
    pub resumed: u32,
    /// The remote query of the attempt, if one was posted before the interruption: go on with it.
    pub resume: Option<Resume>,
    /// How often the service no longer held the result since somebody or the schedule asked for the extraction.
    pub results_lost: u32,
    pub(super) id: i64,
}

/// The remote query of an interrupted attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The API's id of the site when the query was posted; the query is to be asked for under this one.
    pub halo_guid: HaloGuid,
    /// The query.
    pub remote: RemoteQueryId,
    /// The variant that was posted; `None` for the query's own statement.
    pub variant: Option<VariantName>,
}

impl Ledger {
    /// Claims the next extraction that is due at an active site, or whose worker's lease ran out.
    ///
    /// An attempt that was interrupted is taken up again under its number, with its remote query. If it was
    /// interrupted between posting and hearing the remote id, nobody knows that id: that attempt is closed
    /// as interrupted and the next number begins.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn claim(&self, request: &ClaimRequest<'_>) -> Result<Option<Claim>, LedgerError> {
        self.write_without_wait("claim an extraction", |transaction| {
            let Some(candidate) = candidate(transaction, request)? else {
                return Ok(None);
            };
            lease(transaction, &candidate, request)?;
            let attempt = continue_or_begin(transaction, candidate.id, request)?;
            if attempt.resume.is_some() {
                set_step(transaction, candidate.id, &Step::Polling)?;
            }
            Ok(Some(Claim {
                extraction: candidate.extraction,
                attempt: attempt.number,
                fence: candidate.fence,
                resumed: attempt.resumed,
                resume: attempt.resume,
                results_lost: candidate.results_lost,
                id: candidate.id,
            }))
        })
    }

    /// Whether the claim still holds; nothing is written.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn holds(&self, claim: &Claim) -> Result<Fenced, LedgerError> {
        self.read("look at a claim", |transaction| {
            if_held(transaction, claim, |_| Ok(()))
        })
    }

    /// Prolongs a claim to `lease` from now.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn renew(
        &self,
        claim: &Claim,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Fenced, LedgerError> {
        self.fenced_without_wait("renew a claim", claim, |transaction| {
            transaction
                .prepare_cached("UPDATE extraction SET lease_until = ?2 WHERE id = ?1")?
                .execute(params![claim.id, millis(now) + duration_millis(lease)])?;
            Ok(())
        })
    }

    /// Gives a claim back unfinished, for example at shutdown: the attempt stays open and is taken up again.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn release(&self, claim: &Claim, now: DateTime<Utc>) -> Result<Fenced, LedgerError> {
        self.put_off(claim, &Waiting::Interrupted, now, now)
    }

    /// Gives back every claim of a worker that is known to be dead, so that nobody waits for its leases to run
    /// out. Returns how many.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn release_worker(&self, worker: &str, now: DateTime<Utc>) -> Result<usize, LedgerError> {
        self.write("give the claims of a dead worker back", |transaction| {
            Ok(transaction
                .prepare_cached(
                    "UPDATE extraction SET state = 'pending', detail = ?2, not_before = ?3, changed_at = ?3,
                                           worker = NULL, lease_until = NULL
                     WHERE state = 'running' AND worker = ?1",
                )?
                .execute(params![worker, Waiting::Interrupted.to_string(), millis(now)])?)
        })
    }

    /// Gives a claim back until later, because the site or the budget does not allow it now. Not a failure:
    /// the attempt stays open.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn put_off(
        &self,
        claim: &Claim,
        waiting: &Waiting,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Fenced, LedgerError> {
        self.fenced("give a claim back", claim, |transaction| {
            back_to_pending(transaction, claim.id, waiting, until, now)
        })
    }

    /// Runs `body` in a write transaction if the claim still holds.
    pub(super) fn fenced(
        &self,
        doing: &'static str,
        claim: &Claim,
        body: impl FnOnce(&Transaction<'_>) -> Result<(), LedgerErrorKind>,
    ) -> Result<Fenced, LedgerError> {
        self.write(doing, |transaction| if_held(transaction, claim, body))
    }

    /// As [`fenced`](Self::fenced), without waiting for the disk.
    pub(super) fn fenced_without_wait(
        &self,
        doing: &'static str,
        claim: &Claim,
        body: impl FnOnce(&Transaction<'_>) -> Result<(), LedgerErrorKind>,
    ) -> Result<Fenced, LedgerError> {
        self.write_without_wait(doing, |transaction| if_held(transaction, claim, body))
    }
}

fn if_held(
    transaction: &Transaction<'_>,
    claim: &Claim,
    body: impl FnOnce(&Transaction<'_>) -> Result<(), LedgerErrorKind>,
) -> Result<Fenced, LedgerErrorKind> {
    let holds: bool = transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM extraction WHERE id = ?1 AND fence = ?2 AND state = 'running')",
        )?
        .query_row(params![claim.id, claim.fence], |row| row.get(0))?;
    if !holds {
        return Ok(Fenced::Lost);
    }
    body(transaction)?;
    Ok(Fenced::Recorded)
}

/// Ends the lease and lets the extraction wait.
pub(super) fn back_to_pending(
    transaction: &Transaction<'_>,
    id: i64,
    waiting: &Waiting,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached(
            "UPDATE extraction SET state = 'pending', detail = ?2, not_before = ?3, changed_at = ?4,
                                   worker = NULL, lease_until = NULL
             WHERE id = ?1",
        )?
        .execute(params![id, waiting.to_string(), millis(until), millis(now)])?;
    Ok(())
}

pub(super) fn set_step(
    transaction: &Transaction<'_>,
    id: i64,
    step: &Step,
) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached("UPDATE extraction SET detail = ?2 WHERE id = ?1")?
        .execute(params![id, step.to_string()])?;
    Ok(())
}

/// An extraction that may be claimed.
pub(super) struct Candidate {
    id: i64,
    pub(super) extraction: Extraction,
    fence: u64,
    results_lost: u32,
}

impl Candidate {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            extraction: column::extraction(row)?,
            fence: row.get::<_, u64>("fence")? + 1,
            results_lost: row.get("results_lost")?,
        })
    }
}

fn candidate(
    transaction: &Transaction<'_>,
    request: &ClaimRequest<'_>,
) -> Result<Option<Candidate>, LedgerErrorKind> {
    for lane in request.lanes {
        // What was begun comes first: its remote query is paid for, and its result is kept for a day only.
        let mut found = first(transaction, request, lane, EXPIRED)?;
        if found.is_none() {
            found = match lane {
                Lane::Backfill => backfill::due_unit(transaction, request)?,
                _ => first(transaction, request, lane, DUE)?,
            };
        }
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The units of a backfill are claimed only while it runs.
const NOT_HALTED: &str = "(e.backfill IS NULL
    OR EXISTS (SELECT 1 FROM backfill AS b WHERE b.id = e.backfill AND b.state = 'running'))";

const EXPIRED: &str = "e.state = 'running' AND e.lease_until <= :now";
const DUE: &str = "e.state = 'pending' AND e.not_before <= :now";

/// A backfill leaves its site to a night that is due there: where one query runs at a time, a worker that is free
/// for backfills only would otherwise take the place again and again.
pub(super) const NO_NIGHT_DUE: &str = "NOT EXISTS (SELECT 1 FROM extraction AS n
    WHERE n.site = e.site AND n.state = 'pending' AND n.lane = 'nightly' AND n.not_before <= :now)";

/// Sites at which as much is at work as may be.
pub(super) const BUSY: &str = "SELECT r.site FROM extraction AS r JOIN site AS s ON s.key = r.site
    WHERE r.state = 'running' AND r.lease_until > :now
    GROUP BY r.site HAVING count(*) >= coalesce(s.overrides ->> 'extractions_at_once', :limit)";

/// The first that is ready, wanted, and at an active site with room.
///
/// Walks an index in the order of claiming and stops at the first that will do, so that a claim costs the same
/// however many wait. The sites without room are counted once, not for each row that is passed over.
fn first(
    transaction: &Transaction<'_>,
    request: &ClaimRequest<'_>,
    lane: &Lane,
    ready: &str,
) -> Result<Option<Candidate>, LedgerErrorKind> {
    let mut statement = transaction.prepare_cached(&first_sql(ready))?;
    let mut rows = statement.query(named_params! {
        ":now": millis(request.now),
        ":lane": lane.to_string(),
        ":limit": request.per_site_limit,
    })?;
    while let Some(row) = rows.next()? {
        let found = Candidate::read(row)?;
        if request.wants(&found.extraction) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn first_sql(ready: &str) -> String {
    format!(
        "SELECT {identity}, e.id, e.fence, e.results_lost FROM extraction AS e
         WHERE {ready} AND e.lane = :lane AND {NOT_HALTED} AND e.site NOT IN ({BUSY})
           AND EXISTS (SELECT 1 FROM site WHERE site.key = e.site AND site.state = 'active')
         ORDER BY e.priority DESC, e.not_before, e.id",
        identity = column::IDENTITY,
    )
}

fn lease(
    transaction: &Transaction<'_>,
    candidate: &Candidate,
    request: &ClaimRequest<'_>,
) -> Result<(), LedgerErrorKind> {
    let now = millis(request.now);
    transaction
        .prepare_cached(
            "UPDATE extraction SET state = 'running', detail = ?2, worker = ?3, lease_until = ?4, fence = ?5,
                                   changed_at = ?6
             WHERE id = ?1",
        )?
        .execute(params![
            candidate.id,
            Step::Claimed.to_string(),
            request.worker,
            now + duration_millis(request.lease),
            candidate.fence,
            now,
        ])?;
    Ok(())
}

struct OpenAttempt {
    number: AttemptNumber,
    resumed: u32,
    resume: Option<Resume>,
}

fn continue_or_begin(
    transaction: &Transaction<'_>,
    id: i64,
    request: &ClaimRequest<'_>,
) -> Result<OpenAttempt, LedgerErrorKind> {
    let open = transaction
        .prepare_cached(
            "SELECT number, resumed, halo_guid, remote_id, submitted_at, variant FROM attempt
             WHERE extraction = ?1 AND outcome IS NULL",
        )?
        .query_row([id], |row| {
            let guid = optional_text(row, "halo_guid")?;
            let remote = optional_text(row, "remote_id")?;
            let submitted: Option<i64> = row.get("submitted_at")?;
            let variant = optional_text(row, "variant")?;
            let attempt = OpenAttempt {
                number: AttemptNumber(row.get("number")?),
                resumed: row.get::<_, u32>("resumed")? + 1,
                resume: guid.zip(remote).map(|(halo_guid, remote)| Resume {
                    halo_guid,
                    remote,
                    variant,
                }),
            };
            Ok((attempt, submitted.is_some()))
        })
        .optional()?;
    match open {
        Some((attempt, submitted)) if submitted && attempt.resume.is_none() => {
            close_as_interrupted(transaction, id, request.now)?;
            begin(transaction, id, request)
        }
        Some((attempt, _)) => take_up(transaction, id, attempt, request),
        None => begin(transaction, id, request),
    }
}

fn take_up(
    transaction: &Transaction<'_>,
    id: i64,
    attempt: OpenAttempt,
    request: &ClaimRequest<'_>,
) -> Result<OpenAttempt, LedgerErrorKind> {
    transaction
        .prepare_cached(
            "UPDATE attempt SET resumed = ?3, worker = ?4 WHERE extraction = ?1 AND number = ?2",
        )?
        .execute(params![
            id,
            attempt.number.0,
            attempt.resumed,
            request.worker
        ])?;
    Ok(attempt)
}

fn begin(
    transaction: &Transaction<'_>,
    id: i64,
    request: &ClaimRequest<'_>,
) -> Result<OpenAttempt, LedgerErrorKind> {
    let number: u32 = transaction
        .prepare_cached(
            "SELECT max(attempts_before, coalesce(object_attempt, 0),
                        coalesce((SELECT max(number) FROM attempt WHERE extraction = id), 0)) + 1
             FROM extraction WHERE id = ?1",
        )?
        .query_row([id], |row| row.get(0))?;
    transaction
        .prepare_cached(
            "INSERT INTO attempt (extraction, number, worker, started_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![id, number, request.worker, millis(request.now)])?;
    Ok(OpenAttempt {
        number: AttemptNumber(number),
        resumed: 0,
        resume: None,
    })
}

fn close_as_interrupted(
    transaction: &Transaction<'_>,
    id: i64,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached("UPDATE attempt SET outcome = 'interrupted', ended_at = ?2 WHERE extraction = ?1 AND outcome IS NULL")?
        .execute(params![id, millis(now)])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::domain::Environment;

    /// What SQLite means to do for a claim, step by step.
    fn steps(ready: &str) -> Vec<String> {
        explained(&first_sql(ready))
    }

    /// What SQLite means to do for a statement; values decide nothing, so none is given.
    fn explained(sql: &str) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ledger.sqlite");
        let ledger = Ledger::open(&path, Environment::Simulator).expect("a ledger");
        let explained = format!("EXPLAIN QUERY PLAN {sql}");
        let steps = ledger.read("explain a claim", |transaction| {
            let mut statement = transaction.prepare(&explained)?;
            let mut steps = Vec::new();
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                steps.push(row.get("detail")?);
            }
            Ok(steps)
        });
        steps.expect("a plan")
    }

    #[test]
    fn a_claim_walks_what_waits_in_order_and_sorts_nothing() {
        let steps = steps(DUE);

        assert!(
            steps[0].contains("USING INDEX extraction_pending"),
            "{steps:?}"
        );
        let sorts = |step: &String| step.contains("TEMP B-TREE FOR ORDER BY");
        assert!(!steps.iter().any(sorts), "{steps:?}");
    }

    #[test]
    fn a_claim_is_planned_once_and_not_again_for_each_time_of_day() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ledger.sqlite");
        let ledger = Ledger::open(&path, Environment::Simulator).expect("a ledger");

        let planned_again = ledger.read("claim twice", |transaction| {
            let mut statement = transaction.prepare(&first_sql(DUE))?;
            for now in [0, 1_790_000_000_000_i64] {
                let values = named_params! {":now": now, ":lane": "nightly", ":limit": 1};
                let mut rows = statement.query(values)?;
                assert!(rows.next()?.is_none(), "nothing is planned");
            }
            Ok(statement.get_status(StatementStatus::RePrepare))
        });

        assert_eq!(planned_again.expect("a ledger"), 0);
    }

    #[test]
    fn a_claim_finds_what_runs_without_walking_what_waits() {
        for ready in [DUE, EXPIRED] {
            let walks_all = |step: &String| step.starts_with("SCAN") && !step.contains("INDEX");
            let steps = steps(ready);
            assert!(!steps.iter().any(walks_all), "{steps:?}");
        }
    }
}
