//! Roll-outs: groups of which some sites were activated first.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use crate::domain::SiteKey;

use super::column::{instant, json_value, millis};
use super::{Ledger, LedgerError};

/// A group of which some sites were activated first, to see a complete night of theirs before the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// The group.
    pub group: String,
    /// The sites that go first.
    pub canaries: Vec<SiteKey>,
    /// When they were activated.
    pub since: DateTime<Utc>,
}

impl Ledger {
    /// The roll-out of a group that has begun and not ended.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn rollout(&self, group: &str) -> Result<Option<Rollout>, LedgerError> {
        self.read("read a roll-out", |transaction| {
            Ok(transaction
                .prepare_cached("SELECT canaries, since FROM rollout WHERE group_name = ?1")?
                .query_row([group], |row| {
                    Ok(Rollout {
                        group: group.to_owned(),
                        canaries: json_value(row, "canaries")?,
                        since: instant(row, "since")?,
                    })
                })
                .optional()?)
        })
    }

    /// Remembers that a roll-out has begun; replaces an earlier one of the group.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn begin_rollout(&self, rollout: &Rollout) -> Result<(), LedgerError> {
        let canaries = serde_json::to_string(&rollout.canaries).expect("texts are JSON");
        self.write("begin a roll-out", |transaction| {
            transaction.execute(
                "INSERT INTO rollout (group_name, canaries, since) VALUES (?1, ?2, ?3)
                 ON CONFLICT (group_name) DO UPDATE SET canaries = excluded.canaries, since = excluded.since",
                params![rollout.group, canaries, millis(rollout.since)],
            )?;
            Ok(())
        })
    }

    /// Forgets the roll-out of a group: the others follow, or it is called off.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn end_rollout(&self, group: &str) -> Result<(), LedgerError> {
        self.write("end a roll-out", |transaction| {
            transaction.execute("DELETE FROM rollout WHERE group_name = ?1", [group])?;
            Ok(())
        })
    }
}
