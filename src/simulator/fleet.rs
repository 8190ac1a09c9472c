//! The practices of a simulator: loaded from a folder or generated, and their nights.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Days, MappedLocalTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

use super::cloud::Cloud;
use super::data::{Folder, LoadError};
use super::engine::{Database, SqlError};
use super::link::{Link, Urgency};
use super::practice::Practice;
use super::settings::{Settings, Source};
use super::site::{Profile, Site};

/// Why there are no practices to simulate.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The folder does not hold a practice's tables.
    #[error(transparent)]
    Folder(#[from] LoadError),
    /// The embedded database refused what it was given.
    #[error("the database of practice {pms_id} could not be filled")]
    Database {
        /// The practice.
        pms_id: String,
        /// The database's answer.
        source: SqlError,
    },
    /// Nothing was asked for.
    #[error("there are no practices to simulate; ask for at least one")]
    Empty,
}

/// Practices with what makes them live on.
pub(super) struct Fleet {
    /// By rising PMS id.
    pub(super) sites: Vec<Arc<Site>>,
    /// The site each of these belongs to, by index.
    pub(super) lives: Vec<(usize, Practice)>,
}

/// The catalogue that unqualified names mean.
const DEFAULT_CATALOGUE: &str = "BPSPatients";
const FIRST_PMS_ID: usize = 40_001;

/// What a practice from a folder says of itself; a folder has only tables.
const PMS_VERSION: &str = "1.13.0.1045";
const LINK_VERSION: &str = "26.713.10445";
const TIME_ZONE: Tz = Tz::Australia__Sydney;

impl Fleet {
    /// Loads or generates the practices. Blocks.
    ///
    /// # Errors
    /// When the folder or the database refuses.
    pub(super) fn assemble(settings: &Settings, now: DateTime<Utc>) -> Result<Fleet, FleetError> {
        let fleet = match &settings.source {
            Source::Folder { dir, practices } => from_folder(settings, dir, *practices, now)?,
            Source::Generated {
                practices,
                patients,
            } => generated(settings, *practices, *patients, now)?,
        };
        if fleet.sites.is_empty() {
            Err(FleetError::Empty)
        } else {
            Ok(fleet)
        }
    }
}

fn from_folder(
    settings: &Settings,
    dir: &Path,
    practices: usize,
    now: DateTime<Utc>,
) -> Result<Fleet, FleetError> {
    let folder = Folder::open(dir, DEFAULT_CATALOGUE)?;
    let mut sites = Vec::new();
    if folder.sites().is_empty() {
        let link = Arc::new(Link::new(loaded(&folder, None, &FIRST_PMS_ID.to_string())?));
        for index in 0..practices.max(1) {
            let profile = plain_profile((FIRST_PMS_ID + index).to_string(), link.catalogues());
            sites.push(site(settings, profile, link.clone(), now));
        }
    }
    for pms_id in folder.sites() {
        let link = Arc::new(Link::new(loaded(&folder, Some(pms_id), pms_id)?));
        let profile = plain_profile(pms_id.clone(), link.catalogues());
        sites.push(site(settings, profile, link, now));
    }
    Ok(Fleet {
        sites,
        lives: Vec::new(),
    })
}

fn loaded(folder: &Folder, site: Option<&str>, pms_id: &str) -> Result<Database, FleetError> {
    let mut database = empty_database(pms_id)?;
    folder.fill(site, &mut database)?;
    Ok(database)
}

fn generated(
    settings: &Settings,
    count: usize,
    patients: usize,
    now: DateTime<Utc>,
) -> Result<Fleet, FleetError> {
    let mut fleet = Fleet {
        sites: Vec::new(),
        lives: Vec::new(),
    };
    for index in 0..count {
        let zone = zone_of(super::practice::Identity::new(settings.seed, index).time_zone);
        let practice = Practice::generate(
            settings.seed,
            index,
            patients,
            now.with_timezone(&zone).date_naive(),
        );
        let identity = practice.identity();
        let mut database = empty_database(&identity.pms_id)?;
        practice
            .fill(&mut database)
            .map_err(failed(&identity.pms_id))?;
        let link = Arc::new(Link::new(database));
        let profile = Profile {
            pms_id: identity.pms_id.clone(),
            practice_name: identity.name.clone(),
            time_zone: zone,
            pms_version: identity.pms_version.to_owned(),
            link_version: identity.link_version.to_owned(),
            catalogues: link.catalogues(),
        };
        fleet.sites.push(site(settings, profile, link, now));
        fleet.lives.push((index, practice));
    }
    Ok(fleet)
}

fn empty_database(pms_id: &str) -> Result<Database, FleetError> {
    Database::in_memory(DEFAULT_CATALOGUE).map_err(failed(pms_id))
}

fn failed(pms_id: &str) -> impl FnOnce(SqlError) -> FleetError {
    let pms_id = pms_id.to_owned();
    move |source| FleetError::Database { pms_id, source }
}

fn plain_profile(pms_id: String, catalogues: Vec<String>) -> Profile {
    Profile {
        practice_name: format!("Practice {pms_id}"),
        pms_id,
        time_zone: TIME_ZONE,
        pms_version: PMS_VERSION.to_owned(),
        link_version: LINK_VERSION.to_owned(),
        catalogues,
    }
}

fn site(settings: &Settings, profile: Profile, link: Arc<Link>, now: DateTime<Utc>) -> Arc<Site> {
    let site = Site::new(
        profile,
        link,
        settings.seed,
        now,
        settings.limits.pairing_code,
    );
    if settings.paired {
        site.pair(site.first_guid());
    }
    Arc::new(site)
}

fn zone_of(name: &str) -> Tz {
    name.parse().expect("generated practices name IANA zones")
}

/// Lets a generated practice live on: at each local midnight the day that ended is written to its database.
pub(super) async fn live(cloud: Arc<Cloud>, site: Arc<Site>, practice: Practice) {
    let zone = site.profile.time_zone;
    let mut day = practice.today();
    let practice = Arc::new(Mutex::new(practice));
    loop {
        tokio::select! {
            () = cloud.clock.sleep_until(midnight_after(day, zone)) => {}
            () = cloud.shutdown.cancelled() => return,
        }
        day = cloud.clock.now().with_timezone(&zone).date_naive();
        let turn = site.link.turn(Urgency::Patient).await;
        let living = practice.clone();
        let written = site.link.edit(&turn, move |database| {
            let night = living
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .advance(day);
            night.apply(database)
        });
        if let Err(error) = written.await {
            tracing::error!(
                site = site.pms_id(),
                number = error.number,
                "the practice's day could not be written"
            );
            return;
        }
    }
}

/// The instant at which the day after `day` begins; the first one that exists where clocks change then.
fn midnight_after(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let next = day
        .checked_add_days(Days::new(1))
        .unwrap_or(NaiveDate::MAX)
        .and_time(NaiveTime::MIN);
    match next.and_local_timezone(zone) {
        MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
            instant.to_utc()
        }
        // No Australian zone changes its clocks at midnight; an hour later exists everywhere.
        MappedLocalTime::None => next.and_utc() + chrono::TimeDelta::hours(1),
    }
}
