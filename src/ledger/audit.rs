//! The audit: who changed what, when and why, in a chain that shows any later edit.
//!
//! Each row is one JSON text and a SHA-256 over it and the hash of the row before. The hash of the last row
//! is also kept beside the table, so that cutting the tail shows as well. This finds edits by hand and
//! accidents; whoever rewrites the whole chain and its head is found by comparing with what was noted
//! elsewhere ([`AuditAnchor`]), and a site that was changed past the audit by comparing the two.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::domain::{Sha256, SiteKey, SiteState};

use super::anchor::{Seen, Told};
use super::chain::{AuditFault, AuditHead, AuditRow, NOTHING_YET, Walk, link};
use super::column::{self, text};
use super::{Ledger, LedgerError, LedgerErrorKind, site};

/// Who changes something, what they call it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who: a person or the name of a process.
    pub actor: String,
    /// The verb, as the command line has it: `activate`.
    pub action: String,
    /// Why, in the actor's words. Never a code, key or row value.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// One row of the audit. The fields stand in alphabetical order: that is the order in which they are hashed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AuditEntry {
    /// The verb.
    pub action: String,
    /// Who did it.
    pub actor: String,
    /// When, UTC with milliseconds.
    pub at: String,
    /// Field → value before and after.
    pub changes: BTreeMap<String, [Option<String>; 2]>,
    /// Why.
    pub reason: String,
    /// Number of the row, from 1 and without gaps.
    pub seq: u64,
    /// What was changed: a site key, an extraction.
    pub subject: String,
}

/// What was noted outside the ledger, to compare the audit with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditAnchor {
    /// The hash of a row, as an earlier export or check told it.
    Hash(Sha256),
    /// The rows of an earlier export, which form a chain of their own.
    Rows(Vec<AuditRow>),
}

/// What a check of the audit found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AuditVerdict {
    /// The last row, as the chain has it.
    pub head: AuditHead,
    /// Each place where the audit is broken; empty means that it is whole.
    pub faults: Vec<AuditFault>,
}

impl Ledger {
    /// Adds a row to the audit for something that happened outside the ledger, for example objects that
    /// were removed.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_audit(
        &self,
        change: &Change,
        subject: &str,
        changes: BTreeMap<String, [Option<String>; 2]>,
    ) -> Result<(), LedgerError> {
        self.write("add to the audit", |transaction| {
            append(transaction, change, subject, changes)
        })
    }

    /// The last `count` rows of the audit, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn audit_tail(&self, count: u32) -> Result<Vec<AuditEntry>, LedgerError> {
        self.read("read the audit", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT * FROM (SELECT seq, entry FROM audit ORDER BY seq DESC LIMIT ?1) ORDER BY seq",
            )?;
            let rows = statement.query_map([count], entry)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// At most `most` rows after row `after`, as they are stored; from 0 for the first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn audit_rows(&self, after: u64, most: u32) -> Result<Vec<AuditRow>, LedgerError> {
        self.read("read the audit", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT seq, entry, previous, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let rows = statement.query_map(params![after, most], stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The entries about a subject, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn audit_about(&self, subject: &str) -> Result<Vec<AuditEntry>, LedgerError> {
        self.read("read the audit", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT seq, entry FROM audit WHERE entry ->> 'subject' = ?1 ORDER BY seq",
            )?;
            let rows = statement.query_map([subject], entry)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Walks the whole chain, compares it with what was noted elsewhere and with the registry of sites, and
    /// tells each place where the audit is broken.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn audit_verify(&self, anchor: Option<&AuditAnchor>) -> Result<AuditVerdict, LedgerError> {
        self.read("verify the audit", |transaction| {
            verify(transaction, anchor)
        })
    }

    /// The end of the chain, to be noted outside the ledger.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn audit_head(&self) -> Result<AuditHead, LedgerError> {
        self.read("read the audit", |transaction| Ok(head(transaction)?))
    }
}

/// Adds one row to the chain within the caller's transaction: the change and its trace stand or fall together.
pub(super) fn append(
    transaction: &Transaction<'_>,
    change: &Change,
    subject: &str,
    changes: BTreeMap<String, [Option<String>; 2]>,
) -> Result<(), LedgerErrorKind> {
    let before = head(transaction)?;
    let entry = AuditEntry {
        action: change.action.clone(),
        actor: change.actor.clone(),
        at: change.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        changes,
        reason: change.reason.clone(),
        seq: before.seq + 1,
        subject: subject.to_owned(),
    };
    let text = serde_json::to_string(&entry).expect("an entry holds texts and a number");
    let hash = link(before.hash, &text);
    transaction.execute(
        "INSERT INTO audit (seq, entry, previous, hash) VALUES (?1, ?2, ?3, ?4)",
        params![entry.seq, text, before.hash.to_string(), hash.to_string()],
    )?;
    set_head(
        transaction,
        AuditHead {
            seq: entry.seq,
            hash,
        },
    )?;
    Ok(())
}

/// When each of `sites` became active last; one of which the audit does not tell it is left out. Reads back from the
/// newest row until all are found.
pub(super) fn activated(
    transaction: &Transaction<'_>,
    sites: &[SiteKey],
) -> rusqlite::Result<BTreeMap<SiteKey, DateTime<Utc>>> {
    let mut wanted: BTreeSet<_> = sites.iter().collect();
    let mut statement = transaction.prepare_cached(
        "SELECT entry ->> 'subject' AS site, entry ->> 'at' AS at FROM audit
         WHERE entry ->> '$.changes.state[1]' = ?1 ORDER BY seq DESC",
    )?;
    let mut rows = statement.query([SiteState::Active.to_string()])?;
    let mut activated = BTreeMap::new();
    while !wanted.is_empty()
        && let Some(row) = rows.next()?
    {
        let site: SiteKey = text(row, "site")?;
        if wanted.remove(&site) {
            activated.insert(site, text(row, "at")?);
        }
    }
    Ok(activated)
}

fn head(transaction: &Transaction<'_>) -> rusqlite::Result<AuditHead> {
    let stored = transaction
        .query_row(
            "SELECT seq.value AS seq, hash.value AS hash FROM property AS seq, property AS hash
             WHERE seq.name = 'audit_seq' AND hash.name = 'audit_hash'",
            [],
            |row| {
                Ok(AuditHead {
                    seq: text(row, "seq")?,
                    hash: text(row, "hash")?,
                })
            },
        )
        .optional()?;
    Ok(stored.unwrap_or(NOTHING_YET))
}

fn set_head(transaction: &Transaction<'_>, head: AuditHead) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO property (name, value) VALUES ('audit_seq', ?1), ('audit_hash', ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [head.seq.to_string(), head.hash.to_string()],
    )?;
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let text = row.get_ref("entry")?.as_str()?;
    serde_json::from_str(text).map_err(|error| column::unreadable(row, "entry", error.into()))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        // A number below 0 can only have been written by hand; as 0 it follows nothing.
        seq: u64::try_from(row.get::<_, i64>("seq")?).unwrap_or(0),
        entry: row.get("entry")?,
        previous: row.get("previous")?,
        hash: row.get("hash")?,
    })
}

fn verify(
    transaction: &Transaction<'_>,
    anchor: Option<&AuditAnchor>,
) -> Result<AuditVerdict, LedgerErrorKind> {
    let mut statement =
        transaction.prepare("SELECT seq, entry, previous, hash FROM audit ORDER BY seq")?;
    let mut walk = Walk::new();
    let mut faults = Vec::new();
    let mut seen = anchor.map(Seen::new);
    let mut told = Told::default();
    for row in statement.query_map([], stored)? {
        let row = row?;
        faults.extend(walk.step(&row));
        if let Some(seen) = &mut seen {
            faults.extend(seen.row(&row));
        }
        if let Some(entry) = row.read() {
            told.entry(entry);
        }
    }
    let (last, head) = (walk.last(), head(transaction).unwrap_or(NOTHING_YET));
    if head != last {
        faults.push(AuditFault::Cut {
            found: last.seq,
            head: head.seq,
        });
    }
    faults.extend(seen.map(Seen::end).unwrap_or_default());
    // What a broken chain tells of the sites proves nothing about them.
    if faults.is_empty() {
        faults.extend(told.against(&site::all(transaction)?));
    }
    Ok(AuditVerdict { head: last, faults })
}
