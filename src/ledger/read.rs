//! Reading back: extractions, attempts, what is covered, and the counts for `status`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, named_params, params};

use crate::domain::{
    AttemptNumber, Due, Extraction, ExtractionState, FailureClass, Gone, HaloGuid, Lane,
    ObjectRecord, Proof, QueryId, QueryName, RemoteQueryId, SiteKey, VariantName, Window,
    stored_text,
};

use super::column::{
    self, duration, identity, instant, optional_instant, optional_text, query_id, text,
};
use super::{Ledger, LedgerError};

/// An extraction as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ExtractionRow {
    /// Which one.
    pub extraction: Extraction,
    /// Where it stands.
    pub state: ExtractionState,
    /// Why it was planned.
    pub due: Due,
    /// Who asked.
    pub lane: Lane,
    /// Higher goes first within its lane.
    pub priority: i32,
    /// It does not start before this.
    pub not_before: DateTime<Utc>,
    /// It is a unit of a backfill that does not run now.
    pub halted: bool,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
    /// Since when it is in its state.
    pub changed_at: DateTime<Utc>,
    /// Who has it, while it runs.
    pub worker: Option<String>,
    /// Until when, unless renewed.
    pub lease_until: Option<DateTime<Utc>>,
    /// Attempts so far, with those that were compacted away.
    pub attempts: u32,
    /// Row counts of the object that stands.
    pub proof: Option<Proof>,
    /// The object that stands; kept while a newer one is asked for.
    pub object: Option<ObjectRecord>,
    /// Why the object that was published no longer stands.
    pub gone: Option<Gone>,
    /// The variant that gave that object; `None` for the query's own statement.
    pub variant: Option<VariantName>,
    /// When the object was published.
    pub extracted_at: Option<DateTime<Utc>>,
}

stored_text! {
    /// How an attempt ended.
    pub enum AttemptOutcome {
        /// The object is published.
        Succeeded = "succeeded",
        /// It failed; see its class and message.
        Failed = "failed",
        /// The worker ended between posting the query and hearing its id.
        Interrupted = "interrupted",
        /// Somebody called it off.
        Cancelled = "cancelled",
    }
}

/// An attempt as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AttemptRow {
    /// Its number, from 1.
    pub number: AttemptNumber,
    /// Who carried it out last.
    pub worker: String,
    /// When it was first claimed.
    pub started_at: DateTime<Utc>,
    /// How often it was taken up again.
    pub resumed: u32,
    /// The site's id that it asked.
    pub halo_guid: Option<HaloGuid>,
    /// When its query was about to be posted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Its remote query.
    pub remote: Option<RemoteQueryId>,
    /// The variant that it posted; `None` for the query's own statement.
    pub variant: Option<VariantName>,
    /// When it ended; `None` while it is open.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<AttemptOutcome>,
    /// How it failed.
    pub failure: Option<FailureClass>,
    /// What people are told about the failure.
    pub message: Option<String>,
    /// Pages fetched.
    pub pages: Option<u32>,
    /// Bytes of the pages as they came.
    pub size_bytes: Option<u64>,
    /// How long the practice's server worked.
    pub remote_duration: Option<Duration>,
    /// How long the attempt took.
    pub elapsed: Option<Duration>,
}

/// Which extractions to read; what is `None` does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtractionFilter {
    /// Of this site.
    pub site: Option<SiteKey>,
    /// Of this query, in any version.
    pub query: Option<QueryName>,
    /// In the state of this name: `failed`.
    pub state: Option<String>,
    /// Whose window overlaps this one.
    pub within: Option<Window>,
    /// At most this many, newest window first.
    pub limit: Option<u32>,
}

/// The fleet at a glance.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// One row per query version and state that occurs.
    pub rows: Vec<SummaryRow>,
}

/// How many extractions of a query version are in a state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SummaryRow {
    /// The query.
    pub query: QueryId,
    /// Name of the state: `pending`.
    pub state: String,
    /// How many.
    pub extractions: u64,
    /// Rows of the objects that stand.
    pub rows: u64,
    /// Bytes of the objects that stand.
    pub size_bytes: u64,
}

pub(super) const SELECT: &str = "SELECT extraction.*, attempts_before + (SELECT count(*) FROM attempt WHERE attempt.extraction = extraction.id) AS attempts,
        (backfill IS NOT NULL AND NOT EXISTS (SELECT 1 FROM backfill AS b WHERE b.id = extraction.backfill AND b.state = 'running'))
            AS halted
    FROM extraction";

/// Asked by way of the extractions, by state: what waits and what runs have an index each.
pub(super) const OPEN_REMOTE: &str = "SELECT a.remote_id
    FROM (SELECT id FROM extraction WHERE state = 'pending' UNION ALL SELECT id FROM extraction WHERE state = 'running') AS e
    JOIN attempt AS a ON a.extraction = e.id WHERE a.outcome IS NULL AND a.remote_id IS NOT NULL";

impl Ledger {
    /// The extraction as it stands; `None` if it was never planned.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn extraction(
        &self,
        extraction: &Extraction,
    ) -> Result<Option<ExtractionRow>, LedgerError> {
        self.read("read an extraction", |transaction| {
            let sql = format!(
                "{SELECT} WHERE ({}) = (?1, ?2, ?3, ?4, ?5)",
                column::IDENTITY
            );
            Ok(transaction
                .prepare_cached(&sql)?
                .query_row(identity(extraction), extraction_row)
                .optional()?)
        })
    }

    /// The extractions that pass the filter, newest window first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn extractions(
        &self,
        filter: &ExtractionFilter,
    ) -> Result<Vec<ExtractionRow>, LedgerError> {
        self.read("read extractions", |transaction| {
            let sql = format!(
                "{SELECT} WHERE (:site IS NULL OR site = :site) AND (:query IS NULL OR query = :query)
                     AND (:state IS NULL OR state = :state)
                     AND (:from IS NULL OR (window_start < :to AND window_end > :from))
                 ORDER BY window_start DESC, query, version, site LIMIT :limit"
            );
            let mut statement = transaction.prepare_cached(&sql)?;
            let rows = statement.query_map(
                named_params! {
                    ":site": filter.site.as_ref().map(SiteKey::as_str),
                    ":query": filter.query.as_ref().map(QueryName::as_str),
                    ":state": filter.state,
                    ":from": filter.within.map(|window| window.start().to_string()),
                    ":to": filter.within.map(|window| window.end().to_string()),
                    ":limit": filter.limit.map_or(-1, i64::from),
                },
                extraction_row,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The remote queries of attempts that are open: their results may still be fetched.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn open_remote_queries(&self) -> Result<Vec<RemoteQueryId>, LedgerError> {
        self.read("read open remote queries", |transaction| {
            let mut statement = transaction.prepare_cached(OPEN_REMOTE)?;
            let found = statement.query_map([], |row| text(row, "remote_id"))?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// All attempts at an extraction, by number.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn attempts(&self, extraction: &Extraction) -> Result<Vec<AttemptRow>, LedgerError> {
        self.read("read attempts", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT attempt.* FROM attempt JOIN extraction ON extraction.id = attempt.extraction
                 WHERE (site, query, version, window_start, window_end) = (?1, ?2, ?3, ?4, ?5) ORDER BY number",
            )?;
            let rows = statement.query_map(identity(extraction), attempt_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The windows of a query version for which a site's object stands, or has served its time, oldest first, each
    /// with the time at which it was extracted. They may overlap.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn coverage(
        &self,
        site: &SiteKey,
        query: &QueryId,
    ) -> Result<Vec<(Window, DateTime<Utc>)>, LedgerError> {
        self.read("read the coverage", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT window_start, window_end, extracted_at FROM extraction
                 WHERE site = ?1 AND query = ?2 AND version = ?3 AND object_path IS NOT NULL
                   AND object_gone IS NOT 'forgotten'
                 ORDER BY window_start, window_end",
            )?;
            let rows = statement.query_map(
                params![site.as_str(), query.name.as_str(), query.version.number()],
                |row| Ok((column::window(row)?, column::instant(row, "extracted_at")?)),
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Counts per query version and state, for `status`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn summary(&self) -> Result<Summary, LedgerError> {
        self.read("summarise", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT query, version, state, count(*) AS extractions,
                        coalesce(sum(object_rows) FILTER (WHERE object_gone IS NULL), 0) AS rows,
                        coalesce(sum(object_bytes) FILTER (WHERE object_gone IS NULL), 0) AS bytes
                 FROM extraction GROUP BY query, version, state ORDER BY query, version, state",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(SummaryRow {
                    query: query_id(row)?,
                    state: row.get("state")?,
                    extractions: row.get("extractions")?,
                    rows: row.get("rows")?,
                    size_bytes: row.get("bytes")?,
                })
            })?;
            Ok(Summary {
                rows: rows.collect::<Result<_, _>>()?,
            })
        })
    }
}

pub(super) fn extraction_row(row: &Row<'_>) -> rusqlite::Result<ExtractionRow> {
    let state: String = row.get("state")?;
    let detail: Option<String> = row.get("detail")?;
    Ok(ExtractionRow {
        extraction: column::extraction(row)?,
        state: ExtractionState::from_parts(&state, detail.as_deref()),
        due: Due::from(row.get_ref("due")?.as_str()?),
        lane: Lane::from(row.get_ref("lane")?.as_str()?),
        priority: row.get("priority")?,
        not_before: instant(row, "not_before")?,
        halted: row.get("halted")?,
        planned_at: instant(row, "planned_at")?,
        changed_at: instant(row, "changed_at")?,
        worker: row.get("worker")?,
        lease_until: optional_instant(row, "lease_until")?,
        attempts: row.get("attempts")?,
        proof: proof(row)?,
        object: object(row)?,
        gone: gone(row)?,
        variant: optional_text(row, "object_variant")?,
        extracted_at: optional_instant(row, "extracted_at")?,
    })
}

fn gone(row: &Row<'_>) -> rusqlite::Result<Option<Gone>> {
    let text: Option<String> = row.get("object_gone")?;
    Ok(text.map(|text| Gone::from(text.as_str())))
}

pub(super) fn proof(row: &Row<'_>) -> rusqlite::Result<Option<Proof>> {
    let Some(declared) = row.get("proof_declared")? else {
        return Ok(None);
    };
    Ok(Some(Proof {
        declared,
        pages: row.get("proof_pages")?,
        batches: row.get("proof_batches")?,
        footer: row.get("proof_footer")?,
        withheld: row.get("proof_withheld")?,
    }))
}

/// The object that stands; what was published and is gone does not.
fn object(row: &Row<'_>) -> rusqlite::Result<Option<ObjectRecord>> {
    let standing: Option<String> = row.get("object_path")?;
    match (standing, gone(row)?) {
        (Some(_), None) => published(row).map(Some),
        _ => Ok(None),
    }
}

/// The object that was published, whether it still stands or not.
pub(super) fn published(row: &Row<'_>) -> rusqlite::Result<ObjectRecord> {
    Ok(ObjectRecord {
        path: row.get("object_path")?,
        size_bytes: row.get("object_bytes")?,
        rows: row.get("object_rows")?,
        sha256: text(row, "object_sha256")?,
        etag: row.get("object_etag")?,
    })
}

pub(super) fn attempt_row(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    let outcome: Option<String> = row.get("outcome")?;
    Ok(AttemptRow {
        number: AttemptNumber(row.get("number")?),
        worker: row.get("worker")?,
        started_at: instant(row, "started_at")?,
        resumed: row.get("resumed")?,
        halo_guid: optional_text(row, "halo_guid")?,
        submitted_at: optional_instant(row, "submitted_at")?,
        remote: optional_text(row, "remote_id")?,
        variant: optional_text(row, "variant")?,
        ended_at: optional_instant(row, "ended_at")?,
        outcome: outcome.map(|text| AttemptOutcome::from(text.as_str())),
        failure: optional_text(row, "failure_class")?,
        message: row.get("message")?,
        pages: row.get("pages")?,
        size_bytes: row.get("bytes")?,
        remote_duration: duration(row, "remote_ms")?,
        elapsed: duration(row, "duration_ms")?,
    })
}
