//! Merging: several objects of one query at one site become one.
//!
//! Four steps, each of which a crash may follow: the merge is *noted* with the digest of the new object before that is
//! visible; *recorded* once it is, in one transaction with the mark that the others are gone; *done* once readers were
//! told; and only then do the others leave, see [`Ledger::leaving`]. Nobody was asked for the rows, so a merge is no
//! attempt; its number follows those of the attempts, and the object's footer tells it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::domain::{AttemptNumber, Due, Extraction, Gone, ObjectRecord, VariantName};

use super::column::{self, IDENTITY, identity, instant, millis, optional_text, text};
use super::object::{Given, record_given};
use super::{Change, Ledger, LedgerError, LedgerErrorKind, StandingObject, audit};

/// A merge that is about to make an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMerge {
    /// What the new object holds: the days of all that are merged.
    pub extraction: Extraction,
    /// Its number, from [`Ledger::next_attempt`].
    pub attempt: AttemptNumber,
    /// The new object. Not visible yet.
    pub object: ObjectRecord,
    /// Rows that the practice kept back, over all of them.
    pub withheld: Option<u64>,
    /// The variant that all of them were asked by.
    pub variant: Option<VariantName>,
}

/// A merge that was noted and is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenMerge {
    /// Its number in this ledger.
    pub number: u64,
    /// When it was noted.
    pub began_at: DateTime<Utc>,
    /// What was noted.
    pub merge: NewMerge,
}

impl Ledger {
    /// The number that the next attempt at an extraction would have, from 1; a merge takes it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn next_attempt(&self, extraction: &Extraction) -> Result<AttemptNumber, LedgerError> {
        self.read("number a merge", |transaction| {
            Ok(next_attempt(transaction, extraction)?)
        })
    }

    /// Notes that `members` are about to become one object, with an audit entry. `None` if one of them is no longer
    /// what it was, or somebody is extracting it or the days of the new one, or has since the merge got its number:
    /// then nothing is noted. Have the turn to remove from here until the merge is recorded.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note_merge(
        &self,
        merge: &NewMerge,
        members: &[StandingObject],
        change: &Change,
    ) -> Result<Option<OpenMerge>, LedgerError> {
        self.write("note a merge", |transaction| {
            if is_at_work(transaction, &merge.extraction)?
                || next_attempt(transaction, &merge.extraction)? != merge.attempt
                || !stand(transaction, members)?
            {
                return Ok(None);
            }
            let number = insert(transaction, merge, change.at)?;
            let mut join =
                transaction.prepare_cached("UPDATE extraction SET merge = ?2 WHERE id = ?1")?;
            // The object that the new one replaces at its own path does not leave.
            for member in members
                .iter()
                .filter(|member| member.extraction != merge.extraction)
            {
                join.execute(params![member.number, number])?;
            }
            let counted = [None, Some(members.len().to_string())];
            let changes = BTreeMap::from([("objects merged".to_owned(), counted)]);
            audit::append(transaction, change, &merge.extraction.to_string(), changes)?;
            Ok(Some(OpenMerge {
                number,
                began_at: change.at,
                merge: merge.clone(),
            }))
        })
    }

    /// The merges that were noted and are not done, in order.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn open_merges(&self) -> Result<Vec<OpenMerge>, LedgerError> {
        self.read("read what is being merged", |transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT * FROM merge WHERE done_at IS NULL ORDER BY id")?;
            let rows = statement.query_map([], open_merge)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Records the new object, which is visible, and marks the others as gone, also one that a worker has at this
    /// moment: if that succeeds it stands again beside the new one, if not its rows are in the new one. May be repeated. Nothing is recorded of a merge that is not noted.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_merge(
        &self,
        open: &OpenMerge,
        etag: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        self.write("record a merged object", |transaction| {
            let noted: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM merge WHERE id = ?1)",
                [open.number],
                |row| row.get(0),
            )?;
            if !noted {
                return Ok(());
            }
            record(transaction, &open.merge, etag, now)?;
            transaction.execute(
                "UPDATE extraction SET object_gone = ?2, object_removed_at = NULL
                 WHERE merge = ?1 AND object_gone IS NULL",
                params![open.number, Gone::Compacted.to_string()],
            )?;
            Ok(())
        })
    }

    /// Notes that readers were told of a recorded merge: the others may leave.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn close_merge(&self, number: u64, now: DateTime<Utc>) -> Result<(), LedgerError> {
        self.write("end a merge", |transaction| {
            transaction.execute(
                "UPDATE merge SET done_at = ?2 WHERE id = ?1",
                params![number, millis(now)],
            )?;
            Ok(())
        })
    }

    /// Forgets a merge whose object never appeared.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn give_up_merge(&self, number: u64) -> Result<(), LedgerError> {
        self.write("give up a merge", |transaction| {
            transaction.execute(
                "UPDATE extraction SET merge = NULL WHERE merge = ?1",
                [number],
            )?;
            transaction.execute(
                "DELETE FROM merge WHERE id = ?1 AND done_at IS NULL",
                [number],
            )?;
            Ok(())
        })
    }

    /// The paths whose rows went into an object that was recorded at `since` or later, by the object's extraction.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn replaced_since(
        &self,
        since: DateTime<Utc>,
    ) -> Result<BTreeMap<Extraction, Vec<String>>, LedgerError> {
        self.read("read what was merged", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT m.site, m.query, m.version, m.window_start, m.window_end, e.object_path
                 FROM merge AS m JOIN extraction AS e ON e.merge = m.id
                 WHERE (m.done_at IS NULL OR m.done_at >= ?1) AND e.object_gone = ?2
                 ORDER BY e.object_path",
            )?;
            let mut rows = statement.query(params![millis(since), Gone::Compacted.to_string()])?;
            let mut replaced: BTreeMap<Extraction, Vec<String>> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let paths = replaced.entry(column::extraction(row)?).or_default();
                paths.push(row.get("object_path")?);
            }
            Ok(replaced)
        })
    }
}

/// Takes back what was noted of merges at a site whose data is removed.
pub(super) fn give_up_at(transaction: &Transaction<'_>, site: &str) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE extraction SET merge = NULL
         WHERE merge IN (SELECT id FROM merge WHERE site = ?1 AND done_at IS NULL)",
        [site],
    )?;
    transaction.execute(
        "DELETE FROM merge WHERE site = ?1 AND done_at IS NULL",
        [site],
    )?;
    Ok(())
}

fn next_attempt(
    transaction: &Transaction<'_>,
    extraction: &Extraction,
) -> rusqlite::Result<AttemptNumber> {
    let last: Option<u32> = transaction
        .prepare_cached(
            "SELECT max(attempts_before, coalesce(object_attempt, 0),
                        coalesce((SELECT max(number) FROM attempt WHERE extraction = id), 0))
             FROM extraction
             WHERE site = ?1 AND query = ?2 AND version = ?3 AND window_start = ?4 AND window_end = ?5",
        )?
        .query_row(identity(extraction), |row| row.get(0))
        .optional()?;
    Ok(AttemptNumber(last.unwrap_or_default() + 1))
}

/// Whether somebody is extracting, or about to extract, exactly these days.
fn is_at_work(transaction: &Transaction<'_>, extraction: &Extraction) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM extraction
             WHERE site = ?1 AND query = ?2 AND version = ?3 AND window_start = ?4 AND window_end = ?5
               AND state IN ('pending', 'running'))",
        )?
        .query_row(identity(extraction), |row| row.get(0))
}

/// Whether all of them stand as they were read, free of workers and of other merges.
fn stand(transaction: &Transaction<'_>, members: &[StandingObject]) -> rusqlite::Result<bool> {
    let mut statement = transaction.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM extraction AS e
         WHERE id = ?1 AND object_sha256 = ?2 AND object_gone IS NULL AND state NOT IN ('pending', 'running')
           AND NOT EXISTS (SELECT 1 FROM merge WHERE merge.id = e.merge AND merge.done_at IS NULL))",
    )?;
    for member in members {
        let digest = member.object.sha256.to_string();
        let stands: bool = statement.query_row(params![member.number, digest], |row| row.get(0))?;
        if !stands {
            return Ok(false);
        }
    }
    Ok(true)
}

fn insert(
    transaction: &Transaction<'_>,
    merge: &NewMerge,
    now: DateTime<Utc>,
) -> Result<u64, LedgerErrorKind> {
    let (site, query, version, start, end) = identity(&merge.extraction);
    let object = &merge.object;
    transaction
        .prepare_cached(&format!(
            "INSERT INTO merge ({IDENTITY}, attempt, path, bytes, rows, sha256, withheld, variant, began_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        ))?
        .execute(params![
            site,
            query,
            version,
            start,
            end,
            merge.attempt.0,
            object.path,
            object.size_bytes,
            object.rows,
            object.sha256.to_string(),
            merge.withheld,
            merge.variant.as_ref().map(ToString::to_string),
            millis(now),
        ])?;
    Ok(transaction.last_insert_rowid().unsigned_abs())
}

fn open_merge(row: &Row<'_>) -> rusqlite::Result<OpenMerge> {
    Ok(OpenMerge {
        number: row.get("id")?,
        began_at: instant(row, "began_at")?,
        merge: NewMerge {
            extraction: column::extraction(row)?,
            attempt: AttemptNumber(row.get("attempt")?),
            object: ObjectRecord {
                path: row.get("path")?,
                size_bytes: row.get("bytes")?,
                rows: row.get("rows")?,
                sha256: text(row, "sha256")?,
                etag: None,
            },
            withheld: row.get("withheld")?,
            variant: optional_text(row, "variant")?,
        },
    })
}

/// The extraction of the new object: added, or where its days were asked for once without success, given the object.
fn record(
    transaction: &Transaction<'_>,
    merge: &NewMerge,
    etag: Option<&str>,
    now: DateTime<Utc>,
) -> rusqlite::Result<bool> {
    let object = ObjectRecord {
        etag: etag.map(str::to_owned),
        ..merge.object.clone()
    };
    let given = Given {
        extraction: &merge.extraction,
        object: &object,
        attempt: merge.attempt,
        attempts_before: 0,
        withheld: merge.withheld,
        variant: merge.variant.as_ref(),
        due: Due::Compacted,
        published_at: now,
    };
    record_given(
        transaction,
        &given,
        "state = CASE WHEN state IN ('pending', 'running') THEN state ELSE 'succeeded' END,
         detail = CASE WHEN state IN ('pending', 'running') THEN detail END",
    )
}
