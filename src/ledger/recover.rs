//! A ledger from nothing: what storage tells of each object is recorded as if it had been published by us.

use chrono::{DateTime, Utc};
use rusqlite::{Transaction, params};

use crate::domain::{AttemptNumber, Due, Extraction, Fingerprint, ObjectRecord, VariantName};

use super::column::millis;
use super::object::{Given, record_given};
use super::{Ledger, LedgerError, reach};

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
                    let extraction = &object.extraction;
                    let covered_to = extraction.window.end();
                    reach::extend(transaction, extraction, covered_to, object.published_at)?;
                    recorded += 1;
                }
            }
            Ok(recorded)
        })
    }
}

fn record(transaction: &Transaction<'_>, found: &RecoveredObject) -> rusqlite::Result<bool> {
    let given = Given {
        extraction: &found.extraction,
        object: &found.object,
        attempt: found.attempt,
        // The numbers of attempts go on after the one that the object tells.
        attempts_before: found.attempt.0,
        withheld: found.withheld,
        variant: found.variant.as_ref(),
        due: Due::Recovered,
        published_at: found.published_at,
    };
    record_given(
        transaction,
        &given,
        "state = 'succeeded', detail = NULL
         WHERE extraction.object_path IS NULL AND extraction.state IN ('pending', 'failed', 'cancelled')",
    )
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
