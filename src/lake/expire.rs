//! Letting go of snapshots that have served their time.

use chrono::Utc;
use chrono::{DateTime, NaiveDate};

use super::{Holdings, LakeError};
use crate::domain::{Extraction, Gone, Mode, Query, Site};
use crate::fail_point::fail_point;
use crate::ledger::{Change, StandingObject};
use crate::objects::{Listed, expired_snapshots};

impl Holdings {
    /// The snapshots of `queries` that have served at `now`, where of each query version at each site those of the
    /// last days, as many as `keep_days` tells, the last of each month and the newest are kept.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn plan_expiry(
        &self,
        queries: impl Iterator<Item = &Query>,
        keep_days: impl Fn(&Query) -> Option<u32>,
        now: DateTime<Utc>,
    ) -> Result<Vec<StandingObject>, LakeError> {
        let sites = self.ledger(|ledger| ledger.sites()).await?;
        let mut expired = Vec::new();
        for query in queries.filter(|query| query.mode == Mode::Snapshot) {
            let Some(keep_days) = keep_days(query) else {
                continue;
            };
            for site in &sites {
                let (key, id) = (site.key.clone(), query.id.clone());
                let standing = self
                    .ledger(move |ledger| ledger.standing_of(&key, &id))
                    .await?;
                expired.extend(served(standing, keep_days, today_at(site, now)));
            }
        }
        Ok(expired)
    }

    /// Lets these snapshots go: marked first, then removed; how many stood until now.
    ///
    /// # Errors
    /// When ledger or storage refuse; the next call goes on.
    pub async fn expire(
        &self,
        expired: &[StandingObject],
        change: &Change,
    ) -> Result<u64, LakeError> {
        let gone: Vec<Extraction> = expired
            .iter()
            .map(|object| object.extraction.clone())
            .collect();
        let marking = change.clone();
        let marked = self
            .ledger(move |ledger| ledger.let_go(&gone, &Gone::Expired, "snapshots", &marking))
            .await?;
        fail_point("after objects were marked");
        self.finish_leaving(change.at).await?;
        Ok(marked)
    }
}

/// Today in the site's own calendar.
pub(super) fn today_at(site: &Site, now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&site.time_zone).date_naive()
}

fn served(standing: Vec<StandingObject>, keep_days: u32, today: NaiveDate) -> Vec<StandingObject> {
    let listed: Vec<Listed> = standing
        .iter()
        .map(|standing| Listed {
            path: standing.object.path.clone(),
            size_bytes: standing.object.size_bytes,
            published_at: standing.extracted_at,
            etag: standing.object.etag.clone(),
            extraction: Some(standing.extraction.clone()),
        })
        .collect();
    let expired = expired_snapshots(&listed, keep_days, today);
    let mut chosen = standing;
    chosen.retain(|standing| {
        expired
            .iter()
            .any(|expired| expired.path == standing.object.path)
    });
    chosen
}
