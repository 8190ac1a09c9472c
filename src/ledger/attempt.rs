//! The journal of an attempt: posted, known by its remote id, succeeded or failed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rusqlite::{Transaction, params};

use crate::domain::{
    FailureClass, HaloGuid, ObjectRecord, Proof, RemoteQueryId, Retry, Step, Waiting,
};

use super::column::{duration_millis, millis};
use super::lease::{back_to_pending, set_step};
use super::posted::posted;
use super::{Claim, Ledger, LedgerError, LedgerErrorKind, backfill, night, reach, setback};

/// Whether a call found its claim still holding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a worker that lost its claim must stop"]
pub enum Fenced {
    /// It holds, and the call was recorded.
    Recorded,
    /// The lease ran out and another worker has the extraction, or it was cancelled: nothing was recorded.
    Lost,
}

/// Whether a query may be posted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a query that was not journalled must not be posted"]
pub enum Submission {
    /// It is journalled: post it.
    Journalled,
    /// The claim does not hold any more.
    Lost,
    /// The site's budget of this month is spent: nothing was journalled.
    BudgetSpent,
}

/// What an attempt cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct AttemptCost {
    /// Pages fetched.
    pub pages: u32,
    /// Bytes of the pages as they came.
    pub size_bytes: u64,
    /// How long the practice's server worked.
    pub remote: Duration,
    /// How long the attempt took from its claim.
    pub elapsed: Duration,
}

impl Ledger {
    /// Journals that the query is about to be posted to `halo_guid`, unless `budget` other queries were posted to the
    /// site in this calendar month (UTC), immediate ones included. Call it before the POST.
    ///
    /// Counted in the transaction that journals, so that two workers never both take the last one. A query that
    /// one attempt posts again, because the site moved, counts once.
    ///
    /// # Errors
    /// When the ledger cannot be written; then the query must not be posted.
    pub fn begin_submit(
        &self,
        claim: &Claim,
        halo_guid: HaloGuid,
        budget: Option<u32>,
        now: DateTime<Utc>,
    ) -> Result<Submission, LedgerError> {
        let mut spent = false;
        let fenced = self.fenced("journal a submission", claim, |transaction| {
            if let Some(budget) = budget {
                let site = &claim.extraction.site;
                spent = posted(transaction, site, Some(claim), now)? >= budget;
                if spent {
                    return Ok(());
                }
            }
            transaction
                .prepare_cached(
                    "UPDATE attempt SET halo_guid = ?3, submitted_at = ?4 WHERE extraction = ?1 AND number = ?2",
                )?
                .execute(params![
                    claim.id,
                    claim.attempt.0,
                    halo_guid.to_string(),
                    millis(now)
                ])?;
            set_step(transaction, claim.id, &Step::Submitting)
        })?;
        Ok(match fenced {
            Fenced::Lost => Submission::Lost,
            Fenced::Recorded if spent => Submission::BudgetSpent,
            Fenced::Recorded => Submission::Journalled,
        })
    }

    /// Records the remote query's id as soon as it is known.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_remote(
        &self,
        claim: &Claim,
        remote: RemoteQueryId,
        now: DateTime<Utc>,
    ) -> Result<Fenced, LedgerError> {
        self.fenced("record a remote query", claim, |transaction| {
            transaction
                .prepare_cached(
                    "UPDATE attempt SET remote_id = ?3, remote_at = ?4 WHERE extraction = ?1 AND number = ?2",
                )?
                .execute(params![
                    claim.id,
                    claim.attempt.0,
                    remote.to_string(),
                    millis(now)
                ])?;
            set_step(transaction, claim.id, &Step::Polling)
        })
    }

    /// Records how far the attempt is, for whoever watches.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_progress(&self, claim: &Claim, step: &Step) -> Result<Fenced, LedgerError> {
        self.fenced_without_wait("record progress", claim, |transaction| {
            set_step(transaction, claim.id, step)
        })
    }

    /// Records the published object with its proof, and ends the claim.
    ///
    /// # Errors
    /// When the four counts or the object's rows differ, or the ledger cannot be written. The object then
    /// lies in storage unrecorded, and the rerun publishes it again in the same place.
    pub fn succeed(
        &self,
        claim: &Claim,
        proof: &Proof,
        object: &ObjectRecord,
        cost: AttemptCost,
        now: DateTime<Utc>,
    ) -> Result<Fenced, LedgerError> {
        self.fenced("record a success", claim, |transaction| {
            let rows = proof.rows().map_err(LedgerErrorKind::BrokenProof)?;
            if object.rows != rows {
                return Err(LedgerErrorKind::OtherRows {
                    object: object.rows,
                    proof: rows,
                });
            }
            record_object(transaction, claim, proof, object, now)?;
            extend_reach(transaction, claim, now)?;
            setback::clear(transaction, claim.id)?;
            night::advance(transaction, &claim.extraction, now)?;
            let end = End {
                outcome: "succeeded",
                class: None,
                message: None,
                cost,
            };
            close_attempt(transaction, claim, &end, now)?;
            backfill::settle_covered(transaction, claim.id, now)?;
            backfill::forget_disproved(transaction, &claim.extraction)?;
            backfill::unit_ended(transaction, claim.id, backfill::UnitEnd::Over, now)
        })
    }

    /// Records a failed attempt and ends the claim: the extraction waits for its next attempt, or has failed
    /// when `retry` is never. An object that stands is kept.
    ///
    /// `message` is for people and must be free of row values and secrets.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn fail(
        &self,
        claim: &Claim,
        class: FailureClass,
        message: &str,
        retry: Retry,
        cost: AttemptCost,
        now: DateTime<Utc>,
    ) -> Result<Fenced, LedgerError> {
        self.fenced("record a failure", claim, |transaction| {
            match retry {
                Retry::Now => {
                    back_to_pending(transaction, claim.id, &waiting_after(class), now, now)?;
                }
                Retry::Later(pause) => {
                    let until = now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1));
                    back_to_pending(transaction, claim.id, &waiting_after(class), until, now)?;
                }
                Retry::Never => give_up(transaction, claim, class, now)?,
            }
            if class == FailureClass::Gone {
                count_lost_result(transaction, claim)?;
            }
            let end = End {
                outcome: "failed",
                class: Some(class),
                message: Some(message),
                cost,
            };
            close_attempt(transaction, claim, &end, now)?;
            if retry == Retry::Never {
                backfill::unit_ended(transaction, claim.id, backfill::UnitEnd::Failed, now)?;
            }
            Ok(())
        })
    }
}

/// Closes the attempt as failed, whatever becomes of its extraction.
pub(super) fn close_failed(
    transaction: &Transaction<'_>,
    claim: &Claim,
    class: FailureClass,
    message: &str,
    cost: AttemptCost,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    let end = End {
        outcome: "failed",
        class: Some(class),
        message: Some(message),
        cost,
    };
    close_attempt(transaction, claim, &end, now)
}

/// What an extraction waits for after a failure of this class.
fn waiting_after(class: FailureClass) -> Waiting {
    match class {
        FailureClass::Site => Waiting::SiteOffline,
        FailureClass::Limit => Waiting::RateLimited,
        _ => Waiting::BackingOff,
    }
}

fn record_object(
    transaction: &Transaction<'_>,
    claim: &Claim,
    proof: &Proof,
    object: &ObjectRecord,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached(
            "UPDATE extraction SET state = 'succeeded', detail = NULL, worker = NULL, lease_until = NULL,
                 changed_at = ?2, extracted_at = ?2, object_path = ?3, object_bytes = ?4, object_rows = ?5,
                 object_sha256 = ?6, proof_declared = ?7, proof_pages = ?8, proof_batches = ?9, proof_footer = ?10,
                 proof_withheld = ?11, object_etag = ?12, object_attempt = ?13, object_gone = NULL,
                 object_removed_at = NULL, merge = NULL,
                 object_variant = (SELECT variant FROM attempt WHERE extraction = ?1 AND number = ?13)
             WHERE id = ?1",
        )?
        .execute(params![
            claim.id,
            millis(now),
            object.path,
            object.size_bytes,
            object.rows,
            object.sha256.to_string(),
            proof.declared,
            proof.pages,
            proof.batches,
            proof.footer,
            proof.withheld,
            object.etag,
            claim.attempt.0,
        ])?;
    Ok(())
}

fn extend_reach(
    transaction: &Transaction<'_>,
    claim: &Claim,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    let extraction = &claim.extraction;
    let zone: String = transaction
        .prepare_cached("SELECT time_zone FROM site WHERE key = ?1")?
        .query_row([extraction.site.as_str()], |row| row.get(0))?;
    // Days that were not over are not reached; a snapshot of today reaches to today.
    let today = zone.parse::<Tz>().map_or(now.date_naive(), |zone| {
        now.with_timezone(&zone).date_naive()
    });
    let covered_to = extraction.window.end().min(today);
    reach::extend(transaction, extraction, covered_to, now)?;
    Ok(())
}

fn give_up(
    transaction: &Transaction<'_>,
    claim: &Claim,
    class: FailureClass,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached(
            "UPDATE extraction SET state = 'failed', detail = ?2, worker = NULL, lease_until = NULL, changed_at = ?3
             WHERE id = ?1",
        )?
        .execute(params![claim.id, class.to_string(), millis(now)])?;
    Ok(())
}

fn count_lost_result(transaction: &Transaction<'_>, claim: &Claim) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached("UPDATE extraction SET results_lost = results_lost + 1 WHERE id = ?1")?
        .execute([claim.id])?;
    Ok(())
}

/// How an attempt ended.
struct End<'a> {
    outcome: &'static str,
    class: Option<FailureClass>,
    message: Option<&'a str>,
    cost: AttemptCost,
}

fn close_attempt(
    transaction: &Transaction<'_>,
    claim: &Claim,
    end: &End<'_>,
    now: DateTime<Utc>,
) -> Result<(), LedgerErrorKind> {
    transaction
        .prepare_cached(
            "UPDATE attempt SET ended_at = ?3, outcome = ?4, failure_class = ?5, message = ?6, pages = ?7, bytes = ?8,
                                remote_ms = ?9, duration_ms = ?10
             WHERE extraction = ?1 AND number = ?2",
        )?
        .execute(params![
            claim.id,
            claim.attempt.0,
            millis(now),
            end.outcome,
            end.class.map(|class| class.to_string()),
            end.message,
            end.cost.pages,
            end.cost.size_bytes,
            duration_millis(end.cost.remote),
            duration_millis(end.cost.elapsed),
        ])?;
    Ok(())
}
