//! Sites in the ledger without a pairing for each: thousands of them in seconds.

use std::error::Error;
use std::path::Path;

use halo_extract::domain::{Environment, PmsId, PmsType, Site, SiteKey, SiteOverrides, SiteState};
use halo_extract::ledger::{Change, Ledger};
use serde::Deserialize;

#[derive(Deserialize)]
struct Ready {
    sites: Vec<ReadySite>,
}

#[derive(Deserialize)]
struct ReadySite {
    pms_id: String,
    halo_guid: String,
    practice_name: String,
    time_zone: String,
}

/// Registers the sites of a ready line as active in the ledger of `home`.
pub(crate) fn register(ready: &Path, home: &Path) -> Result<(), Box<dyn Error>> {
    let ready: Ready = serde_json::from_slice(&std::fs::read(ready)?)?;
    let ledger = Ledger::open(&home.join("ledger.sqlite"), Environment::Simulator)?;
    let change = Change {
        actor: "benchmark".to_owned(),
        action: "activate".to_owned(),
        reason: "a fleet to measure".to_owned(),
        at: "2026-11-20T00:00:00Z".parse()?,
    };
    for site in &ready.sites {
        let pms_id: PmsId = site.pms_id.parse()?;
        let site = Site {
            key: SiteKey::from_pms_id(&pms_id),
            pms_type: PmsType::BestPractice,
            pms_id,
            halo_guid: Some(site.halo_guid.parse()?),
            practice_name: Some(site.practice_name.clone()),
            link_version: None,
            pms_version: None,
            catalogues: Vec::new(),
            time_zone: site.time_zone.parse()?,
            groups: Vec::new(),
            state: SiteState::Active,
            paused_until: None,
            overrides: SiteOverrides::default(),
        };
        let _put = ledger.put_site(&site, &change)?;
    }
    println!("{{\"sites\":{}}}", ready.sites.len());
    Ok(())
}
