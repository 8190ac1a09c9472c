//! A ledger from nothing: what storage tells of each object is recorded as if it had been published by us.

use chrono::{DateTime, Utc};
use rusqlite::{Transaction, params};

use crate::domain::{AttemptNumber, Due, Extraction, Fingerprint, Lane, ObjectRecord, VariantName};

use super::column::{identity, millis};
use super::{Ledger, LedgerError, LedgerErrorKind};

/// An object as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveredObject {
    /// What it holds.
    pub extraction: Extraction,
    /// The file.
    pub object: ObjectRecord,
    /// The attempt that published it.
    pub attempt: AttemptNumber,
    /// What the query's text meant.
    pub fingerprint: Fingerprint,
    /// Rows that the practice kept back.
    pub withheld: Option<u64>,
    /// The variant of the query that was asked.
    pub variant: Option<VariantName>,
    /// When it became visible.
    pub published_at: DateTime<Utc>,
}

impl Ledger {
    /// Records objects that stand in storage and of which the ledger has none; how many. What it has stays as it is.
    ///
    /// Of the four counts two are told by the object, the rows declared and those of its footer; the caller has seen
    /// that they are equal.
    ///
    /// # Errors
    /// When a site is not registered, or the ledger cannot be written; then nothing of these was recorded.
    pub fn recover(&self, objects: &[RecoveredObject]) -> Result<u64, LedgerError> {
        self.write("record what storage tells", |transaction| {
            let mut recorded = 0;
            for object in objects {
                freeze(transaction, object)?;
                if record(transaction, object)? {
                    extend_reach(transaction, object)?;
                    recorded += 1;
                }
            }
            Ok(recorded)
        })
    }
}

fn record(transaction: &Transaction<'_>, found: &RecoveredObject) -> Result<bool, LedgerErrorKind> {
    let (site, query, version, start, end) = identity(&found.extraction);
    let object = &found.object;
    // The numbers of attempts go on after the one that the object tells.
    let changed = transaction
        .prepare_cached(
            "INSERT INTO extraction (site, query, version, window_start, window_end, state, due, lane, priority,
                 not_before, planned_at, changed_at, extracted_at, object_path, object_bytes, object_rows,
                 object_sha256, object_etag, object_attempt, attempts_before, proof_declared, proof_pages,
                 proof_batches, proof_footer, proof_withheld, object_variant)
             VALUES (?1, ?2, ?3, ?4, ?5, 'succeeded', ?6, ?7, 0, ?8, ?8, ?8, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14,
                 ?11, ?11, ?11, ?11, ?15, ?16)
             ON CONFLICT DO UPDATE SET state = 'succeeded', detail = NULL, changed_at = excluded.changed_at,
                 extracted_at = excluded.extracted_at, object_path = excluded.object_path,
                 object_bytes = excluded.object_bytes, object_rows = excluded.object_rows,
                 object_sha256 = excluded.object_sha256, object_etag = excluded.object_etag,
                 object_attempt = excluded.object_attempt, proof_declared = excluded.proof_declared,
                 proof_pages = excluded.proof_pages, proof_batches = excluded.proof_batches,
                 proof_footer = excluded.proof_footer, proof_withheld = excluded.proof_withheld, object_variant = excluded.object_variant
             WHERE extraction.object_path IS NULL AND extraction.state IN ('pending', 'failed', 'cancelled')",
        )?
        .execute(params![
            site,
            query,
            version,
            start,
            end,
            Due::Recovered.to_string(),
            Lane::Manual.to_string(),
            millis(found.published_at),
            object.path,
            object.size_bytes,
            object.rows,
            object.sha256.to_string(),
            object.etag,
            found.attempt.0,
            found.withheld,
            found.variant.as_ref().map(ToString::to_string),
        ])?;
    Ok(changed == 1)
}

fn freeze(transaction: &Transaction<'_>, found: &RecoveredObject) -> rusqlite::Result<()> {
    let query = &found.extraction.query;
    transaction
        .prepare_cached(
            "INSERT INTO query_version (query, version, fingerprint, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            query.name.as_str(),
            query.version.number(),
            found.fingerprint.to_string(),
            millis(found.published_at),
        ])?;
    Ok(())
}

fn extend_reach(transaction: &Transaction<'_>, found: &RecoveredObject) -> rusqlite::Result<()> {
    let extraction = &found.extraction;
    transaction
        .prepare_cached(
            "INSERT INTO reach (site, query, version, covered_to, extracted_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET covered_to = max(covered_to, excluded.covered_to),
                                       extracted_at = max(extracted_at, excluded.extracted_at)",
        )?
        .execute(params![
            extraction.site.as_str(),
            extraction.query.name.as_str(),
            extraction.query.version.number(),
            extraction.window.end().to_string(),
            millis(found.published_at),
        ])?;
    Ok(())
}
