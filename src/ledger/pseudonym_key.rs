//! Which pseudonym key this installation writes with: an accidental change must not pass unseen.
//!
//! Only the key's id is here, never the key.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{QueryId, QueryVersion, SiteKey};

use super::column::{instant, millis, text};
use super::{Change, Ledger, LedgerError, audit};

/// The key in use, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedKey {
    /// Id of the key, 8 hex digits.
    pub id: String,
    /// When it was first used.
    pub since: DateTime<Utc>,
}

/// Whether a key is the one that this installation writes with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "another key must not be used"]
pub enum KeyStanding {
    /// No key was recorded before; this one is from now on.
    First,
    /// It is the recorded one.
    Same,
    /// Another one is recorded.
    Other(RecordedKey),
}

/// Objects of one query version at one site that were published under the key in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedObjects {
    /// The site.
    pub site: SiteKey,
    /// The query.
    pub query: QueryId,
    /// How many objects.
    pub objects: u64,
}

impl Ledger {
    /// The key in use; `None` while none was recorded.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn pseudonym_key(&self) -> Result<Option<RecordedKey>, LedgerError> {
        self.read("read the pseudonym key's id", |transaction| {
            Ok(newest(transaction)?)
        })
    }

    /// Records the id of the first key that is used, and tells whether a later one is the same.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn settle_pseudonym_key(
        &self,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<KeyStanding, LedgerError> {
        self.write("record the pseudonym key's id", |transaction| {
            Ok(match newest(transaction)? {
                None => {
                    add(transaction, id, now)?;
                    KeyStanding::First
                }
                Some(recorded) if recorded.id == id => KeyStanding::Same,
                Some(recorded) => KeyStanding::Other(recorded),
            })
        })
    }

    /// Records that another key is used from now on, and audits it.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn rotate_pseudonym_key(&self, id: &str, change: &Change) -> Result<(), LedgerError> {
        self.write("record a new pseudonym key", |transaction| {
            let before = newest(transaction)?.map(|recorded| recorded.id);
            add(transaction, id, change.at)?;
            let changes = BTreeMap::from([("id".to_owned(), [before, Some(id.to_owned())])]);
            audit::append(transaction, change, "pseudonym key", changes)
        })
    }

    /// Objects that stand and were published under the key in use, by site and query. Before the first
    /// rotation these are all that stand.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn keyed_objects(&self) -> Result<Vec<KeyedObjects>, LedgerError> {
        self.read("count the objects of a pseudonym key", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT site, query, version, count(*) AS objects FROM extraction
                 WHERE object_path IS NOT NULL AND object_gone IS NULL
                   AND extracted_at >= (SELECT CASE WHEN count(*) > 1 THEN max(since) ELSE 0 END FROM pseudonym_key)
                 GROUP BY site, query, version ORDER BY site, query, version",
            )?;
            let rows = statement.query_map([], |row| {
                let version: u32 = row.get("version")?;
                let version = QueryVersion::new(version).ok_or(
                    rusqlite::Error::IntegralValueOutOfRange(2, i64::from(version)),
                )?;
                Ok(KeyedObjects {
                    site: text(row, "site")?,
                    query: QueryId {
                        name: text(row, "query")?,
                        version,
                    },
                    objects: row.get("objects")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn newest(transaction: &Transaction<'_>) -> rusqlite::Result<Option<RecordedKey>> {
    transaction
        .prepare_cached("SELECT id, since FROM pseudonym_key ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| {
            Ok(RecordedKey {
                id: row.get("id")?,
                since: instant(row, "since")?,
            })
        })
        .optional()
}

fn add(transaction: &Transaction<'_>, id: &str, now: DateTime<Utc>) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO pseudonym_key (id, since) VALUES (?1, ?2)",
        params![id, millis(now)],
    )?;
    Ok(())
}
