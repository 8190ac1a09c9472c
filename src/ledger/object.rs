//! Objects that stand, by what they hold and page by page; and how they leave: marked as gone first, removed
//! from storage then, noted as removed last. What a crash leaves between is found by [`Ledger::leaving`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::types::Value;
use rusqlite::{Row, ToSql, Transaction, params};

use crate::domain::{
    AttemptNumber, Due, Extraction, Gone, Lane, ObjectRecord, Proof, QueryName, SiteKey,
    VariantName, Window,
};

use super::column::{self, identity, instant, millis};
use super::{Change, Ledger, LedgerError, LedgerErrorKind, audit, read};

/// An object that was published, was recorded, and has not left since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingObject {
    /// Its number in this ledger: pages follow it, and it means nothing elsewhere.
    pub number: u64,
    /// What it holds.
    pub extraction: Extraction,
    /// The object as it was published.
    pub object: ObjectRecord,
    /// The attempt that published it.
    pub attempt: AttemptNumber,
    /// The four counts that were equal.
    pub proof: Proof,
    /// When it was published.
    pub extracted_at: DateTime<Utc>,
}

/// Which objects to read; what is `None` does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectFilter {
    /// Of this site.
    pub site: Option<SiteKey>,
    /// Of this query, in any version.
    pub query: Option<QueryName>,
    /// Whose window overlaps this one.
    pub within: Option<Window>,
    /// Published at this instant or later.
    pub since: Option<DateTime<Utc>>,
}

/// An object that is to be removed from storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeavingObject {
    /// Its number in this ledger.
    pub number: u64,
    /// Where it lay, below the storage root.
    pub path: String,
}

/// An object that no attempt of this ledger published: it was merged of others, or found in storage.
pub(super) struct Given<'a> {
    pub(super) extraction: &'a Extraction,
    pub(super) object: &'a ObjectRecord,
    /// Its number among the attempts.
    pub(super) attempt: AttemptNumber,
    /// Attempts to count that this ledger knows nothing else of.
    pub(super) attempts_before: u32,
    pub(super) withheld: Option<u64>,
    pub(super) variant: Option<&'a VariantName>,
    /// Why there is such an extraction.
    pub(super) due: Due,
    pub(super) published_at: DateTime<Utc>,
}

pub(super) const STANDING: &str =
    "SELECT e.* FROM extraction AS e WHERE e.object_path IS NOT NULL AND e.object_gone IS NULL";

/// What an [`ObjectFilter`] restricts, by its [`ObjectFilter::parameters`].
const FILTERED: &str =
    "AND (:site IS NULL OR e.site = :site) AND (:query IS NULL OR e.query = :query)
     AND (:from IS NULL OR (e.window_start < :to AND e.window_end > :from))
     AND (:since IS NULL OR e.extracted_at >= :since)";

impl ObjectFilter {
    fn parameters(&self) -> [(&'static str, Value); 5] {
        let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
        let within = self.within;
        [
            (":site", text(self.site.as_ref().map(ToString::to_string))),
            (":query", text(self.query.as_ref().map(ToString::to_string))),
            (
                ":from",
                text(within.map(|window| window.start().to_string())),
            ),
            (":to", text(within.map(|window| window.end().to_string()))),
            (
                ":since",
                self.since
                    .map_or(Value::Null, |since| Value::Integer(millis(since))),
            ),
        ]
    }
}

impl Ledger {
    /// The objects that stand of these extractions, in no order. What is unknown or has none is left out.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn standing(&self, extractions: &[Extraction]) -> Result<Vec<StandingObject>, LedgerError> {
        self.read("read what was published", |transaction| {
            let mut statement = transaction.prepare_cached(&format!(
                "{STANDING} AND e.site = ?1 AND e.query = ?2 AND e.version = ?3 AND e.window_start = ?4
                 AND e.window_end = ?5"
            ))?;
            let mut found = Vec::new();
            for extraction in extractions {
                let rows = statement.query_map(identity(extraction), standing_object)?;
                for row in rows {
                    found.push(row?);
                }
            }
            Ok(found)
        })
    }

    /// At most `most` objects that stand and pass the filter, by number from after `number`: the next page begins
    /// after the last one's.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn standing_after(
        &self,
        number: u64,
        most: u32,
        filter: &ObjectFilter,
    ) -> Result<Vec<StandingObject>, LedgerError> {
        self.read("read what was published", |transaction| {
            let mut statement = transaction.prepare_cached(&format!(
                "{STANDING} {FILTERED} AND e.id > :after ORDER BY e.id LIMIT :most"
            ))?;
            let mut parameters = filter.parameters().to_vec();
            parameters.push((":after", number_value(number)));
            parameters.push((":most", number_value(most.into())));
            let rows = statement.query_map(named(&parameters).as_slice(), standing_object)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many objects stand and pass the filter.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn count_standing(&self, filter: &ObjectFilter) -> Result<u64, LedgerError> {
        self.read("count what was published", |transaction| {
            let sql = format!("SELECT count(*) FROM ({STANDING} {FILTERED})");
            let mut statement = transaction.prepare_cached(&sql)?;
            Ok(statement.query_row(named(&filter.parameters()).as_slice(), |row| row.get(0))?)
        })
    }

    /// Marks objects as gone, with one audit entry for all of them; how many stood until now. What a worker has at
    /// this moment is left as it is, and so is what is gone already.
    ///
    /// Only afterwards are they removed from storage: see [`Ledger::leaving`].
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn let_go(
        &self,
        extractions: &[Extraction],
        gone: &Gone,
        subject: &str,
        change: &Change,
    ) -> Result<u64, LedgerError> {
        self.write("mark objects as gone", |transaction| {
            let mut marked = 0;
            for extraction in extractions {
                marked += mark(transaction, extraction, gone)?;
            }
            if marked > 0 {
                let counted = [None, Some(marked.to_string())];
                let changes = BTreeMap::from([(format!("objects {gone}"), counted)]);
                audit::append(transaction, change, subject, changes)?;
            }
            Ok(marked)
        })
    }

    /// At most `most` objects that are marked as gone and not yet noted as removed, by number from after `number`.
    /// Without those of a merge of which readers were not told yet.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn leaving(&self, number: u64, most: u32) -> Result<Vec<LeavingObject>, LedgerError> {
        self.read("read what is to be removed", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT id, object_path FROM extraction AS e
                 WHERE object_gone IS NOT NULL AND object_removed_at IS NULL AND state <> 'running' AND id > ?1
                   AND NOT EXISTS (SELECT 1 FROM merge WHERE merge.id = e.merge AND merge.done_at IS NULL)
                 ORDER BY id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![number, most], |row| {
                Ok(LeavingObject {
                    number: row.get("id")?,
                    path: row.get("object_path")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Notes that objects that were leaving are no longer in storage.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note_removed(&self, numbers: &[u64], now: DateTime<Utc>) -> Result<(), LedgerError> {
        self.write("note what was removed", |transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE extraction SET object_removed_at = ?2 WHERE id = ?1 AND object_gone IS NOT NULL",
            )?;
            for number in numbers {
                statement.execute(params![number, millis(now)])?;
            }
            Ok(())
        })
    }
}

fn number_value(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn named<'a>(parameters: &'a [(&'static str, Value)]) -> Vec<(&'static str, &'a dyn ToSql)> {
    let borrowed = parameters
        .iter()
        .map(|(name, value)| (*name, value as &dyn ToSql));
    borrowed.collect()
}

/// Records a given object as its extraction's. `if_known` ends the statement where the extraction is known already:
/// what becomes of its state, and when it is left as it is. Whether anything was recorded.
pub(super) fn record_given(
    transaction: &Transaction<'_>,
    given: &Given<'_>,
    if_known: &str,
) -> rusqlite::Result<bool> {
    let (site, query, version, start, end) = identity(given.extraction);
    let object = given.object;
    let recorded = transaction
        .prepare_cached(&format!(
            "INSERT INTO extraction (site, query, version, window_start, window_end, state, due, lane, priority,
                 not_before, planned_at, changed_at, extracted_at, object_path, object_bytes, object_rows,
                 object_sha256, object_etag, object_attempt, attempts_before, proof_declared, proof_pages,
                 proof_batches, proof_footer, proof_withheld, object_variant)
             VALUES (?1, ?2, ?3, ?4, ?5, 'succeeded', ?6, ?7, 0, ?8, ?8, ?8, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
                 ?11, ?11, ?11, ?11, ?16, ?17)
             ON CONFLICT DO UPDATE SET
                 changed_at = excluded.changed_at, extracted_at = excluded.extracted_at,
                 object_path = excluded.object_path, object_bytes = excluded.object_bytes,
                 object_rows = excluded.object_rows, object_sha256 = excluded.object_sha256,
                 object_etag = excluded.object_etag, object_attempt = excluded.object_attempt,
                 proof_declared = excluded.proof_declared, proof_pages = excluded.proof_pages,
                 proof_batches = excluded.proof_batches, proof_footer = excluded.proof_footer,
                 proof_withheld = excluded.proof_withheld, object_variant = excluded.object_variant,
                 object_gone = NULL, object_removed_at = NULL, merge = NULL, {if_known}",
        ))?
        .execute(params![
            site,
            query,
            version,
            start,
            end,
            given.due.to_string(),
            Lane::Manual.to_string(),
            millis(given.published_at),
            object.path,
            object.size_bytes,
            object.rows,
            object.sha256.to_string(),
            object.etag,
            given.attempt.0,
            given.attempts_before,
            given.withheld,
            given.variant.map(ToString::to_string),
        ])?;
    Ok(recorded == 1)
}

pub(super) fn mark(
    transaction: &Transaction<'_>,
    extraction: &Extraction,
    gone: &Gone,
) -> Result<u64, LedgerErrorKind> {
    let (site, query, version, start, end) = identity(extraction);
    let marked = transaction
        .prepare_cached(
            "UPDATE extraction SET object_gone = ?6, object_removed_at = NULL
             WHERE site = ?1 AND query = ?2 AND version = ?3 AND window_start = ?4 AND window_end = ?5
               AND state <> 'running' AND object_path IS NOT NULL AND object_gone IS NULL",
        )?
        .execute(params![site, query, version, start, end, gone.to_string()])?;
    Ok(marked as u64)
}

pub(super) fn standing_object(row: &Row<'_>) -> rusqlite::Result<StandingObject> {
    let attempt: Option<u32> = row.get("object_attempt")?;
    let proof = read::proof(row)?;
    Ok(StandingObject {
        number: row.get("id")?,
        extraction: column::extraction(row)?,
        object: read::published(row)?,
        attempt: AttemptNumber(attempt.unwrap_or_default()),
        proof: proof.ok_or_else(|| {
            column::unreadable(row, "proof_declared", "an object without its counts".into())
        })?,
        extracted_at: instant(row, "extracted_at")?,
    })
}
