//! What each practice's database called itself when it was asked, so that it is asked only after a change.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::{HaloGuid, Site, SiteKey};

use super::column::{millis, optional_text};
use super::{Ledger, LedgerError, LedgerErrorKind};

/// What a practice's database last called itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Confirmation {
    /// Under which GUID it was asked; `None` once something about the site changed, so that it is asked anew.
    pub halo_guid: Option<HaloGuid>,
    /// The name that it told; `None` where it does not tell.
    pub practice_name: Option<String>,
}

impl Ledger {
    /// What the site's database last called itself; `None` if it was never asked.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn confirmation(&self, site: &SiteKey) -> Result<Option<Confirmation>, LedgerError> {
        self.read("read what a database called itself", |transaction| {
            Ok(transaction
                .prepare_cached(
                    "SELECT halo_guid, practice_name FROM site_confirmation WHERE site = ?1",
                )?
                .query_row([site.as_str()], |row| {
                    Ok(Confirmation {
                        halo_guid: optional_text(row, "halo_guid")?,
                        practice_name: row.get("practice_name")?,
                    })
                })
                .optional()?)
        })
    }

    /// Remembers what the site's database called itself under `halo_guid`.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_confirmation(
        &self,
        site: &SiteKey,
        halo_guid: HaloGuid,
        practice_name: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        self.write("record what a database called itself", |transaction| {
            transaction.execute(
                "INSERT INTO site_confirmation (site, halo_guid, practice_name, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (site) DO UPDATE SET halo_guid = excluded.halo_guid,
                     practice_name = excluded.practice_name, since = excluded.since",
                params![
                    site.as_str(),
                    halo_guid.to_string(),
                    practice_name,
                    millis(now)
                ],
            )?;
            Ok(())
        })
    }
}

/// Has the database asked anew if the site changed in a way that may mean another database.
pub(super) fn doubt_after(
    transaction: &Transaction<'_>,
    before: &Site,
    site: &Site,
) -> Result<(), LedgerErrorKind> {
    let identity = |site: &Site| {
        (
            site.halo_guid,
            site.practice_name.clone(),
            site.pms_version.clone(),
        )
    };
    if identity(before) != identity(site) {
        transaction.execute(
            "UPDATE site_confirmation SET halo_guid = NULL WHERE site = ?1",
            [site.key.as_str()],
        )?;
    }
    Ok(())
}
