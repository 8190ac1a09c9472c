//! The audit: who changed what, when and why, in a chain that shows any later edit.
//!
//! Each row is one JSON text and a SHA-256 over it and the hash of the row before. The hash of the last row
//! is also kept beside the table, so that cutting the tail shows as well. This finds edits by hand and
//! accidents; whoever rewrites the whole chain and its head is found by comparing with a head noted
//! elsewhere ([`Ledger::audit_head`]).

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use sha2::Digest;

use crate::domain::Sha256;

use super::column::{self, text};
use super::{Ledger, LedgerError, LedgerErrorKind};

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

/// The end of the chain. Noted elsewhere, it proves later that nothing up to it was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct AuditHead {
    /// Number of the last row; 0 while there is none.
    pub seq: u64,
    /// Hash of the last row; zeros while there is none.
    pub hash: Sha256,
}

/// What the first row follows.
const NOTHING_YET: AuditHead = AuditHead {
    seq: 0,
    hash: Sha256([0; 32]),
};

/// Where the chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "fault")]
pub enum AuditFault {
    /// The row's text does not give its hash.
    #[error("audit row {seq} was edited")]
    Edited {
        /// Number of the row.
        seq: u64,
    },
    /// The row does not follow the one before it.
    #[error("audit row {seq} does not follow row {after}: rows are missing, moved or rewritten")]
    Broken {
        /// Number of the row.
        seq: u64,
        /// Number of the row before it in the table.
        after: u64,
    },
    /// The chain ends elsewhere than its head says.
    #[error("the audit ends with row {found} and its head says {head}: rows are missing or added")]
    Cut {
        /// Number of the last row in the table.
        found: u64,
        /// Number that the head says.
        head: u64,
    },
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

    /// Walks the whole chain and tells each place where it is broken; empty means that it is whole.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn audit_verify(&self) -> Result<Vec<AuditFault>, LedgerError> {
        self.read("verify the audit", verify)
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

fn link(previous: Sha256, entry: &str) -> Sha256 {
    let mut digest = sha2::Sha256::new();
    digest.update(previous.0);
    digest.update(entry.as_bytes());
    Sha256(digest.finalize().into())
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

/// A row as it is stored. The hashes stay texts: one that no longer parses was edited too.
struct StoredRow {
    seq: u64,
    entry: String,
    previous: String,
    hash: String,
}

impl StoredRow {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            entry: row.get("entry")?,
            previous: row.get("previous")?,
            hash: row.get("hash")?,
        })
    }

    fn follows(&self, last: AuditHead) -> bool {
        self.seq == last.seq + 1 && self.previous == last.hash.to_string()
    }

    /// Whether the hash is that of the text, and the text that of this row.
    fn is_untouched(&self) -> bool {
        let hash = self
            .previous
            .parse()
            .map(|previous| link(previous, &self.entry));
        let told = serde_json::from_str(&self.entry).map(|entry: AuditEntry| entry.seq);
        hash.is_ok_and(|hash| hash.to_string() == self.hash)
            && told.is_ok_and(|seq| seq == self.seq)
    }
}

fn verify(transaction: &Transaction<'_>) -> Result<Vec<AuditFault>, LedgerErrorKind> {
    let mut statement =
        transaction.prepare("SELECT seq, entry, previous, hash FROM audit ORDER BY seq")?;
    let mut faults = Vec::new();
    let mut last = NOTHING_YET;
    for row in statement.query_map([], StoredRow::from_row)? {
        let row = row?;
        let seq = row.seq;
        if !row.follows(last) {
            let after = last.seq;
            faults.push(AuditFault::Broken { seq, after });
        }
        if !row.is_untouched() {
            faults.push(AuditFault::Edited { seq });
        }
        let hash = row.hash.parse().unwrap_or(NOTHING_YET.hash);
        last = AuditHead { seq, hash };
    }
    let head = head(transaction)?;
    if head != last {
        faults.push(AuditFault::Cut {
            found: last.seq,
            head: head.seq,
        });
    }
    Ok(faults)
}
