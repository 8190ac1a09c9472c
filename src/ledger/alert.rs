//! Which causes of lateness were told and are not over, so that a restart tells nothing twice.

use std::collections::BTreeMap;

use rusqlite::params;

use crate::domain::Alert;

use super::column::{instant, millis};
use super::{Ledger, LedgerError};

impl Ledger {
    /// The causes that were told and are not over.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn alerts(&self) -> Result<BTreeMap<String, Alert>, LedgerError> {
        self.read("read the alerts", |transaction| {
            let mut statement =
                transaction.prepare_cached("SELECT cause, since, sites FROM alert")?;
            let rows = statement.query_map([], |row| {
                let alert = Alert {
                    since: instant(row, "since")?,
                    sites: row.get("sites")?,
                };
                Ok((row.get("cause")?, alert))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Remembers what was told of a cause; `None` when it is over.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn keep_alert(&self, cause: &str, alert: Option<&Alert>) -> Result<(), LedgerError> {
        self.write("remember an alert", |transaction| {
            match alert {
                Some(alert) => transaction
                    .prepare_cached(
                        "INSERT INTO alert (cause, since, sites) VALUES (?1, ?2, ?3)
                         ON CONFLICT DO UPDATE SET since = excluded.since, sites = excluded.sites",
                    )?
                    .execute(params![cause, millis(alert.since), alert.sites])?,
                None => transaction
                    .prepare_cached("DELETE FROM alert WHERE cause = ?1")?
                    .execute([cause])?,
            };
            Ok(())
        })
    }
}
