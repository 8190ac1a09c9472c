//! The chain of the audit: how a row is bound to the one before it, and where a chain is broken. Pure.
//!
//! The hash of a row is SHA-256 over the 32 bytes of the hash before it and the bytes of its text, so that a copy
//! outside the ledger can be checked with any tool; `docs/audit.md` has a script of a few lines.

use serde::{Deserialize, Serialize};
use sha2::Digest;

use crate::domain::Sha256;

use super::AuditEntry;

/// The end of the chain. Noted elsewhere, it proves later that nothing up to it was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AuditHead {
    /// Number of the last row; 0 while there is none.
    pub seq: u64,
    /// Hash of the last row; zeros while there is none.
    pub hash: Sha256,
}

/// What the first row follows.
pub(super) const NOTHING_YET: AuditHead = AuditHead {
    seq: 0,
    hash: Sha256([0; 32]),
};

/// A row as it is stored and exported. The hashes stay texts: one that no longer parses was edited too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRow {
    /// Number of the row, from 1 and without gaps.
    pub seq: u64,
    /// The text that is hashed: an [`AuditEntry`] as JSON.
    pub entry: String,
    /// Hash of the row before, as 64 hex digits; zeros for the first.
    pub previous: String,
    /// Hash of this row, as 64 hex digits.
    pub hash: String,
}

/// Where the audit is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
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
    #[error(
        "the audit ends with row {found}, and the head kept beside it says row {head} with another hash: rows are missing, added or rewritten"
    )]
    Cut {
        /// Number of the last row in the table.
        found: u64,
        /// Number that the head says.
        head: u64,
    },
    /// The registry says something else than the audit led to.
    #[error(
        "{what} of site {site} is not what the audit led to: it was changed without this program"
    )]
    Unexplained {
        /// Key of the site.
        site: String,
        /// Which field of it; `registration` for a site that one of the two does not have.
        what: String,
    },
    /// A row that was exported is another one now.
    #[error("audit row {seq} is not the one that was exported: it was rewritten")]
    Rewritten {
        /// Number of the row.
        seq: u64,
    },
    /// A row that was exported is not there.
    #[error("audit row {seq} was exported and is missing")]
    Missing {
        /// Number of the row.
        seq: u64,
    },
    /// No row has a hash that was noted.
    #[error("no audit row has the hash {hash}: the row that had it was rewritten or removed")]
    Unknown {
        /// The hash, as it was noted.
        hash: Sha256,
    },
}

/// A walk along a chain from its first row.
#[derive(Debug)]
pub(super) struct Walk {
    last: AuditHead,
}

impl Walk {
    pub(super) fn new() -> Self {
        Self { last: NOTHING_YET }
    }

    /// What is wrong with the next row; nothing, as a rule.
    pub(super) fn step(&mut self, row: &AuditRow) -> Vec<AuditFault> {
        let seq = row.seq;
        let mut faults = Vec::new();
        if !row.follows(self.last) {
            let after = self.last.seq;
            faults.push(AuditFault::Broken { seq, after });
        }
        if !row.is_untouched() {
            faults.push(AuditFault::Edited { seq });
        }
        let hash = row.hash.parse().unwrap_or(NOTHING_YET.hash);
        self.last = AuditHead { seq, hash };
        faults
    }

    /// The row that was walked last.
    pub(super) fn last(&self) -> AuditHead {
        self.last
    }
}

impl AuditRow {
    /// The row's text as an entry; `None` if it was edited beyond reading.
    #[must_use]
    pub fn read(&self) -> Option<AuditEntry> {
        serde_json::from_str(&self.entry).ok()
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
        hash.is_ok_and(|hash| hash.to_string() == self.hash)
            && self.read().is_some_and(|entry| entry.seq == self.seq)
    }
}

/// The hash of a row: over the hash before it and its text.
pub(super) fn link(previous: Sha256, entry: &str) -> Sha256 {
    let mut digest = sha2::Sha256::new();
    digest.update(previous.0);
    digest.update(entry.as_bytes());
    Sha256(digest.finalize().into())
}

/// Where rows that were exported do not form a chain of their own: an anchor that was edited proves nothing.
#[must_use]
pub fn broken_export(rows: &[AuditRow]) -> Vec<AuditFault> {
    let mut walk = Walk::new();
    rows.iter().flat_map(|row| walk.step(row)).collect()
}
