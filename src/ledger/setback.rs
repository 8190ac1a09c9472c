//! What last stood in the way of an extraction, kept in the words that people are told.
//!
//! An attempt that stays open, because its answer can still be had, has no failure of its own to show; this is
//! where its obstacle is told. Nothing here decides anything.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::domain::{Extraction, FailureClass};

use super::column::{self, identity, instant, millis, text};
use super::{Claim, Fenced, Ledger, LedgerError};

/// What stood in the way of an extraction. Free of row values and secrets.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Setback {
    /// When.
    pub at: DateTime<Utc>,
    /// Its kind.
    pub class: FailureClass,
    /// Who can mend it: `the practice`.
    pub who: String,
    /// What happened.
    pub what: String,
    /// Why, as far as is known.
    pub why: Option<String>,
    /// What to do about it.
    pub next: Option<String>,
}

impl Ledger {
    /// Keeps what stands in the way of a claimed extraction, instead of what stood there before.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_setback(&self, claim: &Claim, setback: &Setback) -> Result<Fenced, LedgerError> {
        self.fenced("record a setback", claim, |transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO setback (extraction, at, class, who, what, why, next) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                     ON CONFLICT (extraction) DO UPDATE SET at = excluded.at, class = excluded.class, who = excluded.who,
                         what = excluded.what, why = excluded.why, next = excluded.next",
                )?
                .execute(params![
                    claim.id,
                    millis(setback.at),
                    setback.class.to_string(),
                    setback.who,
                    setback.what,
                    setback.why,
                    setback.next,
                ])?;
            Ok(())
        })
    }

    /// What last stood in the way of an extraction since it last succeeded, if anything.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn setback(&self, extraction: &Extraction) -> Result<Option<Setback>, LedgerError> {
        self.read("read a setback", |transaction| {
            let sql = format!(
                "SELECT * FROM setback WHERE extraction = (SELECT id FROM extraction WHERE ({}) = (?1, ?2, ?3, ?4, ?5))",
                column::IDENTITY
            );
            Ok(transaction
                .prepare_cached(&sql)?
                .query_row(identity(extraction), from_row)
                .optional()?)
        })
    }
}

/// Takes away what stood in the way of an extraction that succeeded.
pub(super) fn clear(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM setback WHERE extraction = ?1")?
        .execute([id])?;
    Ok(())
}

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Setback> {
    Ok(Setback {
        at: instant(row, "at")?,
        class: text(row, "class")?,
        who: row.get("who")?,
        what: row.get("what")?,
        why: row.get("why")?,
        next: row.get("next")?,
    })
}
