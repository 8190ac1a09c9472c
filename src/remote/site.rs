//! A site as the API tells it, and its reading.
//!
//! Not our registry's site: that is `domain::Site`. The spec marks no property as required, several exist
//! twice (current and deprecated), and words may be added, so every field here is optional or open.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::domain::{HaloGuid, PmsType};

use super::wire::{Checked, Fault, Item, Loose};

/// One practice database as the API tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSite {
    /// The API's id of it.
    pub guid: HaloGuid,
    /// The system it runs, if it is one we know.
    pub pms_type: Option<PmsType>,
    /// Its id in that system.
    pub pms_id: Option<String>,
    /// The practice's name.
    pub practice_name: Option<String>,
    /// Version of the practice management system.
    pub pms_version: Option<String>,
    /// Version of the agent at the practice.
    pub link_version: Option<String>,
    /// Databases a query may name, the default one first.
    pub catalogues: Vec<String>,
    /// Whether the agent is in touch.
    pub availability: Availability,
    /// Where the agent's installation stands.
    pub status: SiteStatus,
    /// Whether queries go to this one of several agents with the same id, where the API still tells it.
    pub authoritative: Option<bool>,
    /// The practice server's clock when it last spoke, where the API still tells it.
    pub clock: Option<DateTime<Utc>>,
    /// When it last spoke, where the API still tells it.
    pub heartbeat: Option<DateTime<Utc>>,
}

/// Whether the agent at the practice is in touch with the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// Heard within the last heartbeat.
    Online,
    /// It closed its connection.
    Offline,
    /// Silent for about two minutes.
    Unreachable,
    /// Not told, or a word we do not know.
    Unknown,
}

/// Where the agent's installation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteStatus {
    /// Being set up.
    Initialising,
    /// In use; the only status in which queries make sense.
    Active,
    /// Taken out by the API's owner.
    Removed,
    /// Taken off the practice's server.
    Uninstalled,
    /// Not told, or a word we do not know.
    Unknown,
}

impl RemoteSite {
    /// Whether a query sent now has a chance: in use and in touch, as far as the API tells.
    #[must_use]
    pub fn can_be_asked(&self) -> bool {
        let in_use = matches!(self.status, SiteStatus::Active | SiteStatus::Unknown);
        let in_touch = matches!(
            self.availability,
            Availability::Online | Availability::Unknown
        );
        in_use && in_touch
    }
}

/// How the query parameter `practiceManagementName` spells a system; the site object spells it otherwise.
pub(crate) fn pms_name(pms_type: PmsType) -> &'static str {
    match pms_type {
        PmsType::BestPractice => "Best Practice",
        PmsType::Zedmed => "Zedmed",
        PmsType::D4w => "D4w",
    }
}

/// The site object on the wire (spec, schema `SiteForIntegrator`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SiteBody {
    id: Loose,
    pms_type: Loose,
    availability: Loose,
    status: Loose,
    halo_link_version: Loose,
    catalogue: Option<Checked<Catalogue>>,
    practice_metadata: Option<PracticeBody>,
    name: Loose,
    practice_management_site_id: Loose,
    practice_management_name: Loose,
    practice_management_version: Loose,
    authoritative: Option<bool>,
    #[serde(rename = "clientTimestampUTC")]
    client_timestamp: Loose,
    #[serde(rename = "heartbeatTimestampUTC")]
    heartbeat_timestamp: Loose,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct CatalogueBody {
    name: Loose,
    is_default: Option<bool>,
}

/// A database that a query may name.
struct Catalogue {
    name: String,
    is_default: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PracticeBody {
    pms_type: Loose,
    practice_name: Loose,
    practice_management_site_id: Loose,
    practice_management_version: Loose,
}

/// The answer to a site search.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct SitesBody {
    pub(crate) sites: Option<Checked<RemoteSite>>,
}

impl Item for RemoteSite {
    type Body = SiteBody;

    fn of(body: SiteBody) -> Result<Option<Self>, Fault> {
        body.into_site().map(Some).ok_or("a site has no id")
    }
}

impl Item for Catalogue {
    type Body = CatalogueBody;

    fn of(body: CatalogueBody) -> Result<Option<Self>, Fault> {
        let is_default = body.is_default == Some(true);
        let name = body.name.text();
        Ok(name.map(|name| Self { name, is_default }))
    }
}

impl SiteBody {
    /// The site, or `None` when it has no id that we could ask by.
    pub(crate) fn into_site(self) -> Option<RemoteSite> {
        let guid = self.id.text()?.parse().ok()?;
        let practice = self.practice_metadata.unwrap_or_default();
        let mut catalogues = self.catalogue.unwrap_or_default().into_items().ok()?;
        catalogues.sort_by_key(|catalogue| !catalogue.is_default);
        let pms_type = [
            self.pms_type,
            practice.pms_type,
            self.practice_management_name,
        ];
        Some(RemoteSite {
            guid,
            pms_type: pms_type
                .into_iter()
                .find_map(Loose::text)
                .and_then(|name| read_pms_type(&name)),
            pms_id: practice
                .practice_management_site_id
                .or(self.practice_management_site_id)
                .text(),
            practice_name: practice.practice_name.or(self.name).text(),
            pms_version: practice
                .practice_management_version
                .or(self.practice_management_version)
                .text(),
            link_version: self.halo_link_version.text(),
            catalogues: catalogues
                .into_iter()
                .map(|catalogue| catalogue.name)
                .collect(),
            availability: read_availability(self.availability.text().as_deref()),
            status: read_status(self.status.text().as_deref()),
            authoritative: self.authoritative,
            clock: read_time(self.client_timestamp),
            heartbeat: read_time(self.heartbeat_timestamp),
        })
    }
}

/// Both spellings of each system, the query parameter's and the site object's.
fn read_pms_type(name: &str) -> Option<PmsType> {
    let plain = name.replace(' ', "").to_ascii_lowercase();
    match plain.as_str() {
        "bestpractice" => Some(PmsType::BestPractice),
        "zedmed" => Some(PmsType::Zedmed),
        "d4w" => Some(PmsType::D4w),
        _ => None,
    }
}

fn read_availability(word: Option<&str>) -> Availability {
    match word {
        Some("online") => Availability::Online,
        Some("offline") => Availability::Offline,
        // A release note of 2022 used the other word for the same thing.
        Some("unreachable" | "unavailable") => Availability::Unreachable,
        _ => Availability::Unknown,
    }
}

fn read_status(word: Option<&str>) -> SiteStatus {
    match word {
        Some("initialising") => SiteStatus::Initialising,
        Some("active") => SiteStatus::Active,
        Some("removed") => SiteStatus::Removed,
        Some("uninstalled") => SiteStatus::Uninstalled,
        _ => SiteStatus::Unknown,
    }
}

fn read_time(text: Loose) -> Option<DateTime<Utc>> {
    let text = text.text()?;
    DateTime::parse_from_rfc3339(&text)
        .ok()
        .map(|time| time.with_timezone(&Utc))
}
