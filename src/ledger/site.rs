//! The registry of sites, and the history of the GUID and name that each had.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rusqlite::{ErrorCode, OptionalExtension, Row, Transaction, params};

use crate::domain::{HaloGuid, Site, SiteKey, SiteState};

use super::column::{instant, json_value, millis, optional_text, text};
use super::{Change, Ledger, LedgerError, LedgerErrorKind, audit, confirmation, work};

/// What [`Ledger::put_site`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SitePut {
    /// The site is new in the registry.
    Added,
    /// Something about it changed.
    Changed,
    /// It stood there exactly so; nothing was written, not even to the audit.
    Same,
}

/// A GUID and practice name that a site had, and since when.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SiteIdentity {
    /// When it became so.
    pub since: DateTime<Utc>,
    /// The API's id of it then.
    pub halo_guid: Option<HaloGuid>,
    /// The practice's name then.
    pub practice_name: Option<String>,
}

impl Ledger {
    /// Puts a site into the registry or replaces it, with its audit entry in the same transaction. The withdrawal
    /// of a site also calls off what is open of it, so that a worker that has some of it can no longer record it.
    ///
    /// # Errors
    /// When the practice id is registered under another key, or the ledger cannot be written.
    pub fn put_site(&self, site: &Site, change: &Change) -> Result<SitePut, LedgerError> {
        self.write("record a site", |transaction| {
            let before = find(transaction, &site.key)?;
            put(transaction, before.as_ref(), site, change)
        })
    }

    /// Changes a site as it stands at this moment, so that nothing that another process changed is undone; tells
    /// whether anything changed.
    ///
    /// # Errors
    /// When there is no such site, or the ledger cannot be written.
    pub fn change_site(
        &self,
        key: &SiteKey,
        change: &Change,
        edit: impl FnOnce(&mut Site),
    ) -> Result<bool, LedgerError> {
        self.write("change a site", |transaction| {
            let before =
                find(transaction, key)?.ok_or_else(|| LedgerErrorKind::UnknownSite(key.clone()))?;
            let mut site = before.clone();
            edit(&mut site);
            put(transaction, Some(&before), &site, change).map(|put| put != SitePut::Same)
        })
    }

    /// The site of this key, if it is registered.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn site(&self, key: &SiteKey) -> Result<Option<Site>, LedgerError> {
        self.read("read a site", |transaction| Ok(find(transaction, key)?))
    }

    /// All sites, by key.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn sites(&self) -> Result<Vec<Site>, LedgerError> {
        self.read("read the sites", |transaction| Ok(all(transaction)?))
    }

    /// The GUIDs and names that a site had, oldest first; the last one holds now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn site_identities(&self, key: &SiteKey) -> Result<Vec<SiteIdentity>, LedgerError> {
        self.read("read a site's history", |transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT since, halo_guid, practice_name FROM site_identity WHERE site = ?1 ORDER BY since, rowid",
            )?;
            let rows = statement.query_map([key.as_str()], |row| {
                Ok(SiteIdentity {
                    since: instant(row, "since")?,
                    halo_guid: optional_text(row, "halo_guid")?,
                    practice_name: row.get("practice_name")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

pub(super) fn all(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<Site>> {
    let mut statement = transaction.prepare_cached("SELECT * FROM site ORDER BY key")?;
    let rows = statement.query_map([], from_row)?;
    rows.collect()
}

/// Writes a site with its traces; nothing if it stands there exactly so.
fn put(
    transaction: &Transaction<'_>,
    before: Option<&Site>,
    site: &Site,
    change: &Change,
) -> Result<SitePut, LedgerErrorKind> {
    if before == Some(site) {
        return Ok(SitePut::Same);
    }
    upsert(transaction, site)?;
    keep_identity(transaction, before, site, change.at)?;
    if let Some(before) = before {
        confirmation::doubt_after(transaction, before, site)?;
    }
    let mut changes = differences(before, site);
    let ends = site.state == SiteState::Withdrawn
        && before.is_some_and(|site| site.state != SiteState::Withdrawn);
    if ends {
        let open = work::cancel_all(transaction, &site.key, change.at)?;
        let count = |count: usize| (count > 0).then(|| count.to_string());
        if open > 0 {
            changes.insert("open_extractions".to_owned(), [count(open), None]);
        }
    }
    audit::append(transaction, change, site.key.as_str(), changes)?;
    Ok(match before {
        None => SitePut::Added,
        Some(_) => SitePut::Changed,
    })
}

fn find(transaction: &Transaction<'_>, key: &SiteKey) -> rusqlite::Result<Option<Site>> {
    transaction
        .prepare_cached("SELECT * FROM site WHERE key = ?1")?
        .query_row([key.as_str()], from_row)
        .optional()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Site> {
    Ok(Site {
        key: text(row, "key")?,
        pms_type: text(row, "pms_type")?,
        pms_id: text(row, "pms_id")?,
        halo_guid: optional_text(row, "halo_guid")?,
        practice_name: row.get("practice_name")?,
        link_version: row.get("link_version")?,
        pms_version: row.get("pms_version")?,
        catalogues: json_value(row, "catalogues")?,
        time_zone: text::<Tz>(row, "time_zone")?,
        groups: json_value(row, "groups")?,
        state: text(row, "state")?,
        paused_until: optional_text(row, "paused_until")?,
        overrides: json_value(row, "overrides")?,
    })
}

fn upsert(transaction: &Transaction<'_>, site: &Site) -> Result<(), LedgerErrorKind> {
    let written = transaction.execute(
        "INSERT INTO site (key, pms_type, pms_id, halo_guid, practice_name, link_version, pms_version,
                           catalogues, time_zone, groups, state, overrides, paused_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (key) DO UPDATE SET
             pms_type = excluded.pms_type, pms_id = excluded.pms_id, halo_guid = excluded.halo_guid,
             practice_name = excluded.practice_name, link_version = excluded.link_version,
             pms_version = excluded.pms_version, catalogues = excluded.catalogues,
             time_zone = excluded.time_zone, groups = excluded.groups, state = excluded.state,
             overrides = excluded.overrides, paused_until = excluded.paused_until",
        params![
            site.key.as_str(),
            site.pms_type.to_string(),
            site.pms_id.as_str(),
            site.halo_guid.map(|guid| guid.to_string()),
            site.practice_name,
            site.link_version,
            site.pms_version,
            json(&site.catalogues),
            site.time_zone.name(),
            json(&site.groups),
            site.state.to_string(),
            json(&site.overrides),
            site.paused_until.map(|until| until.to_string()),
        ],
    );
    match written {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Err(LedgerErrorKind::SiteTwice(site.key.clone()))
        }
        Err(error) => Err(error.into()),
    }
}

fn keep_identity(
    transaction: &Transaction<'_>,
    before: Option<&Site>,
    site: &Site,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let identity = |site: &Site| (site.halo_guid, site.practice_name.clone());
    if before.map(identity) == Some(identity(site)) {
        return Ok(());
    }
    transaction.execute(
        "INSERT INTO site_identity (site, since, halo_guid, practice_name) VALUES (?1, ?2, ?3, ?4)",
        params![
            site.key.as_str(),
            millis(at),
            site.halo_guid.map(|guid| guid.to_string()),
            site.practice_name,
        ],
    )?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("lists and settings are JSON")
}

/// Field → value before and after, for the fields that differ.
fn differences(before: Option<&Site>, after: &Site) -> BTreeMap<String, [Option<String>; 2]> {
    let old = before.map(fields).unwrap_or_default();
    fields(after)
        .into_iter()
        .filter_map(|(name, new)| {
            let old = old.get(name).cloned().flatten();
            (old != new).then(|| (name.to_owned(), [old, new]))
        })
        .collect()
}

/// The fields of a site as the audit names and writes them.
pub(super) fn fields(site: &Site) -> BTreeMap<&'static str, Option<String>> {
    BTreeMap::from([
        ("pms_type", Some(site.pms_type.to_string())),
        ("pms_id", Some(site.pms_id.to_string())),
        ("halo_guid", site.halo_guid.map(|guid| guid.to_string())),
        ("practice_name", site.practice_name.clone()),
        ("link_version", site.link_version.clone()),
        ("pms_version", site.pms_version.clone()),
        ("catalogues", Some(json(&site.catalogues))),
        ("time_zone", Some(site.time_zone.name().to_owned())),
        ("groups", Some(json(&site.groups))),
        ("state", Some(site.state.to_string())),
        (
            "paused_until",
            site.paused_until.map(|until| until.to_string()),
        ),
        ("overrides", Some(json(&site.overrides))),
    ])
}
