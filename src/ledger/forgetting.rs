//! Forgetting a site that was withdrawn: what is to go is written down before anything goes, so that a forgetting
//! that was interrupted is finished by the next call with the same list.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{Gone, Sha256, SiteKey, SiteState};

use super::column::{instant, millis, text};
use super::{Change, Ledger, LedgerError, LedgerErrorKind, audit, merge};

/// A forgetting that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgetting {
    /// Its number in this ledger, from 1.
    pub number: u64,
    /// Whose data.
    pub site: SiteKey,
    /// Who began it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub began_at: DateTime<Utc>,
}

/// An object of a site that is forgotten, for the receipt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ForgottenObject {
    /// Path below the storage root.
    pub path: String,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// Rows in it; `None` where the file could not say.
    pub rows: Option<u64>,
    /// Digest of its bytes.
    pub sha256: Sha256,
}

/// Whether a forgetting may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "what may not begin must not remove anything"]
pub enum Begun {
    /// It has begun.
    Now(Forgetting),
    /// The site is not withdrawn.
    NotWithdrawn(SiteState),
}

impl Ledger {
    /// The forgetting of a site that has begun and not ended.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn forgetting(&self, site: &SiteKey) -> Result<Option<Forgetting>, LedgerError> {
        self.read("read what is being forgotten", |transaction| {
            Ok(at_work(transaction, site)?)
        })
    }

    /// Begins to forget a withdrawn site: writes down `objects`, marks what stands of it as gone and calls off what
    /// is pending, with an audit entry.
    ///
    /// # Errors
    /// When the site is not registered, or the ledger cannot be written.
    pub fn begin_forgetting(
        &self,
        site: &SiteKey,
        objects: &[ForgottenObject],
        change: &Change,
    ) -> Result<Begun, LedgerError> {
        self.write("begin to forget a site", |transaction| {
            let state: Option<SiteState> = transaction
                .query_row(
                    "SELECT state FROM site WHERE key = ?1",
                    [site.as_str()],
                    |row| text(row, "state"),
                )
                .optional()?;
            match state {
                None => return Err(LedgerErrorKind::UnknownSite(site.clone())),
                Some(SiteState::Withdrawn) => {}
                Some(state) => return Ok(Begun::NotWithdrawn(state)),
            }
            if let Some(forgetting) = at_work(transaction, site)? {
                return Ok(Begun::Now(forgetting));
            }
            let forgetting = write_down(transaction, site, objects, change)?;
            Ok(Begun::Now(forgetting))
        })
    }

    /// What was written down at the beginning, by path.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn forgotten_objects(&self, number: u64) -> Result<Vec<ForgottenObject>, LedgerError> {
        self.read("read what is being forgotten", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT path, bytes, rows, sha256 FROM forgotten_object WHERE forgetting = ?1 ORDER BY path",
            )?;
            let rows = statement.query_map([number], |row| {
                Ok(ForgottenObject {
                    path: row.get("path")?,
                    size_bytes: row.get("bytes")?,
                    rows: row.get("rows")?,
                    sha256: text(row, "sha256")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Ends a forgetting: its objects are no longer in storage, and its receipt is where `receipt` says. With an
    /// audit entry that holds the receipt's digest.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn end_forgetting(
        &self,
        forgetting: &Forgetting,
        receipt: &str,
        sha256: Sha256,
        change: &Change,
    ) -> Result<(), LedgerError> {
        self.write("end the forgetting of a site", |transaction| {
            transaction.execute(
                "UPDATE forgetting SET done_at = ?2 WHERE id = ?1",
                params![forgetting.number, millis(change.at)],
            )?;
            transaction.execute(
                "UPDATE extraction SET object_removed_at = ?2
                 WHERE site = ?1 AND object_gone IS NOT NULL AND object_removed_at IS NULL",
                params![forgetting.site.as_str(), millis(change.at)],
            )?;
            let changes = BTreeMap::from([
                ("receipt".to_owned(), [None, Some(receipt.to_owned())]),
                (
                    "receipt sha256".to_owned(),
                    [None, Some(sha256.to_string())],
                ),
            ]);
            audit::append(transaction, change, forgetting.site.as_str(), changes)
        })
    }
}

fn at_work(transaction: &Transaction<'_>, site: &SiteKey) -> rusqlite::Result<Option<Forgetting>> {
    transaction
        .prepare_cached("SELECT * FROM forgetting WHERE site = ?1 AND done_at IS NULL")?
        .query_row([site.as_str()], |row| {
            Ok(Forgetting {
                number: row.get("id")?,
                site: text(row, "site")?,
                actor: row.get("actor")?,
                reason: row.get("reason")?,
                began_at: instant(row, "began_at")?,
            })
        })
        .optional()
}

fn write_down(
    transaction: &Transaction<'_>,
    site: &SiteKey,
    objects: &[ForgottenObject],
    change: &Change,
) -> Result<Forgetting, LedgerErrorKind> {
    transaction.execute(
        "INSERT INTO forgetting (site, actor, reason, began_at) VALUES (?1, ?2, ?3, ?4)",
        params![
            site.as_str(),
            change.actor,
            change.reason,
            millis(change.at)
        ],
    )?;
    let number = transaction.last_insert_rowid();
    let mut insert = transaction.prepare_cached(
        "INSERT INTO forgotten_object (forgetting, path, bytes, rows, sha256) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for object in objects {
        insert.execute(params![
            number,
            object.path,
            object.size_bytes,
            object.rows,
            object.sha256.to_string()
        ])?;
    }
    // Also what has expired or was merged counts as never extracted if the practice comes back one day.
    transaction.execute(
        "UPDATE extraction SET object_gone = ?2 WHERE site = ?1 AND object_path IS NOT NULL",
        params![site.as_str(), Gone::Forgotten.to_string()],
    )?;
    transaction.execute(
        "UPDATE extraction SET state = 'cancelled', detail = NULL, worker = NULL, lease_until = NULL, changed_at = ?2
         WHERE site = ?1",
        params![site.as_str(), millis(change.at)],
    )?;
    merge::give_up_at(transaction, site.as_str())?;
    transaction.execute("DELETE FROM reach WHERE site = ?1", [site.as_str()])?;
    transaction.execute(
        "UPDATE attempt SET outcome = 'cancelled', ended_at = ?2
         WHERE outcome IS NULL AND extraction IN (SELECT id FROM extraction WHERE site = ?1)",
        params![site.as_str(), millis(change.at)],
    )?;
    let counted = [None, Some(objects.len().to_string())];
    let changes = BTreeMap::from([("objects to forget".to_owned(), counted)]);
    audit::append(transaction, change, site.as_str(), changes)?;
    Ok(at_work(transaction, site)?.expect("it was inserted above"))
}
