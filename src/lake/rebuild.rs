//! A ledger that was lost, rebuilt from what the objects tell of themselves.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use super::{Holdings, LakeError};
use crate::domain::{PmsId, PmsType, Site, SiteKey, SiteOverrides, SiteState};
use crate::ledger::{Change, KeyStanding, RecoveredObject};
use crate::objects::{Recovered, Wrong};

/// Objects that one transaction records.
const CHUNK: usize = 500;

/// What a rebuild did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Objects that the ledger did not know.
    pub recorded: u64,
    /// Objects that it knew.
    pub known: u64,
    /// Sites that it did not know: held until somebody pairs them again.
    pub sites: Vec<SiteKey>,
    /// What is wrong with objects that were not recorded, by path.
    pub wrong: BTreeMap<String, Wrong>,
}

impl Holdings {
    /// Records every object of which the ledger has none, from its own footer and bytes. A site that is unknown is
    /// registered as held, in `time_zone`: an object does not tell its GUID, its practice's name or its calendar.
    ///
    /// # Errors
    /// When ledger or storage cannot be used; the next call goes on.
    pub async fn rebuild(&self, time_zone: Tz, change: &Change) -> Result<Rebuilt, LakeError> {
        let (recovered, wrong) = self.store.recover(self.environment).await?;
        let sites = self.register(&recovered, time_zone, change).await?;
        let key = newest_key(&recovered);
        let all = recovered.len() as u64;
        let mut recorded = 0;
        let objects: Vec<RecoveredObject> = recovered.into_iter().map(record_of).collect();
        for chunk in objects.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            recorded += self.ledger(move |ledger| ledger.recover(&chunk)).await?;
        }
        if let Some(key) = key {
            let at = change.at;
            // Another key that is in use already stays in use.
            let _standing: KeyStanding = self
                .ledger(move |ledger| ledger.settle_pseudonym_key(&key, at))
                .await?;
        }
        Ok(Rebuilt {
            recorded,
            known: all - recorded,
            sites,
            wrong,
        })
    }

    async fn register(
        &self,
        recovered: &[Recovered],
        time_zone: Tz,
        change: &Change,
    ) -> Result<Vec<SiteKey>, LakeError> {
        let known = self.ledger(|ledger| ledger.sites()).await?;
        let known: BTreeSet<&SiteKey> = known.iter().map(|site| &site.key).collect();
        let told: BTreeMap<&SiteKey, PmsType> = recovered
            .iter()
            .map(|one| (&one.provenance.extraction.site, one.provenance.pms_type))
            .collect();
        let mut added = Vec::new();
        for (key, pms_type) in told {
            if known.contains(key) {
                continue;
            }
            let (site, change) = (unpaired(key, pms_type, time_zone), change.clone());
            self.ledger(move |ledger| ledger.put_site(&site, &change))
                .await?;
            added.push(key.clone());
        }
        Ok(added)
    }
}

/// The key that the newest objects with pseudonyms were written with.
fn newest_key(recovered: &[Recovered]) -> Option<String> {
    let with_key = recovered
        .iter()
        .filter(|one| one.provenance.pseudonym_key_id.is_some());
    with_key
        .max_by_key(|one| one.published_at)
        .and_then(|one| one.provenance.pseudonym_key_id.clone())
}

fn record_of(recovered: Recovered) -> RecoveredObject {
    let provenance = recovered.provenance;
    RecoveredObject {
        extraction: provenance.extraction,
        object: recovered.object,
        attempt: provenance.attempt,
        fingerprint: provenance.fingerprint,
        withheld: provenance.rows_withheld,
        variant: provenance.variant,
        published_at: recovered.published_at,
    }
}

/// A site of which only the key is known. Keys that we chose are `s` and the PMS id, so that is taken for it; pairing
/// the site again under its key tells the rest.
fn unpaired(key: &SiteKey, pms_type: PmsType, time_zone: Tz) -> Site {
    let text = key.as_str();
    let digits = text
        .strip_prefix('s')
        .filter(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    let pms_id: PmsId = digits
        .unwrap_or(text)
        .parse()
        .expect("a site key has visible characters only");
    Site {
        key: key.clone(),
        pms_type,
        pms_id,
        halo_guid: None,
        practice_name: None,
        link_version: None,
        pms_version: None,
        catalogues: Vec::new(),
        time_zone,
        groups: Vec::new(),
        state: SiteState::Held,
        paused_until: None,
        overrides: SiteOverrides::default(),
    }
}
