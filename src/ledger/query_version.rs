//! Frozen query versions: once a version has run, its meaning may not change.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{Fingerprint, QueryId};

use super::column::{instant, millis, text};
use super::{Ledger, LedgerError};

/// What the ledger keeps of a version that has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrozenVersion {
    /// Identity of its meaning when it first ran.
    pub fingerprint: Fingerprint,
    /// When it first ran.
    pub since: DateTime<Utc>,
}

/// Whether a version may run as its file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a changed version must not run"]
pub enum Freeze {
    /// It never ran before and is frozen from now on.
    New,
    /// It means what it meant when it first ran.
    Same,
    /// The file was edited after the version had run: a new version must be added instead.
    Changed(FrozenVersion),
}

impl Ledger {
    /// Freezes a version with what it means when it first runs, and tells whether it still is the one that ran.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn freeze(
        &self,
        id: &QueryId,
        fingerprint: &Fingerprint,
        now: DateTime<Utc>,
    ) -> Result<Freeze, LedgerError> {
        // Each attempt asks, and all but the first find it frozen: those write nothing.
        if let Some(frozen) = self.frozen(id)? {
            return Ok(same_or_changed(fingerprint, frozen));
        }
        self.write("freeze a query version", |transaction| {
            let added = transaction
                .prepare_cached(
                    "INSERT INTO query_version (query, version, fingerprint, since)
                     VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    id.name.as_str(),
                    id.version.number(),
                    fingerprint.to_string(),
                    millis(now),
                ])?;
            if added == 1 {
                return Ok(Freeze::New);
            }
            let frozen = find(transaction, id)?;
            Ok(frozen.map_or(Freeze::Same, |frozen| same_or_changed(fingerprint, frozen)))
        })
    }

    /// What is frozen of a version; `None` if it never ran.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn frozen(&self, id: &QueryId) -> Result<Option<FrozenVersion>, LedgerError> {
        self.read("read a query version", |transaction| {
            Ok(find(transaction, id)?)
        })
    }
}

fn same_or_changed(fingerprint: &Fingerprint, frozen: FrozenVersion) -> Freeze {
    if frozen.fingerprint == *fingerprint {
        Freeze::Same
    } else {
        Freeze::Changed(frozen)
    }
}

fn find(transaction: &Transaction<'_>, id: &QueryId) -> rusqlite::Result<Option<FrozenVersion>> {
    transaction
        .prepare_cached(
            "SELECT fingerprint, since FROM query_version WHERE query = ?1 AND version = ?2",
        )?
        .query_row(params![id.name.as_str(), id.version.number()], |row| {
            Ok(FrozenVersion {
                fingerprint: text(row, "fingerprint")?,
                since: instant(row, "since")?,
            })
        })
        .optional()
}
