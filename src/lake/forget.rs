//! Forgetting a site that was withdrawn: its objects, its manifests and its lines in the tables go, a receipt stays.

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use super::{Holdings, LakeError};
use crate::catalog::Catalog;
use crate::domain::{Environment, Sha256, SiteKey, SiteState};
use crate::fail_point::fail_point;
use crate::ledger::{Begun, Change, Forgetting, ForgottenObject};
use crate::objects::{Listed, StorageErrorKind};

/// Version of the receipt's form.
const FORMAT: u32 = 1;
/// Files whose digests are computed at once.
const AT_ONCE: usize = 4;

/// What was removed, when, by whom and why: kept in storage and told by the audit. Names no practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receipt {
    format: u32,
    environment: Environment,
    /// Whose data.
    pub site: SiteKey,
    actor: String,
    reason: String,
    began_at: DateTime<Utc>,
    /// The objects that were removed.
    pub objects: Vec<ForgottenObject>,
}

/// A site's data is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// What the receipt says.
    pub receipt: Receipt,
    /// Where it lies, below the storage root.
    pub path: String,
    /// Digest of its bytes.
    pub sha256: Sha256,
}

/// Why a site is not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// Its state does not allow it.
    #[error("the site is {0}; only the data of a withdrawn site is removed")]
    NotWithdrawn(SiteState),
    /// Ledger or storage refused.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

impl Holdings {
    /// What forgetting the site would remove: everything below its folders, whether it is recorded or not. Of what is
    /// not, the digest is computed.
    ///
    /// # Errors
    /// When ledger or storage cannot be read.
    pub async fn plan_forgetting(&self, site: &SiteKey) -> Result<Vec<ForgottenObject>, LakeError> {
        let files = self.store.objects_of(self.environment, site).await?;
        let listed: Vec<Listed> = files.into_values().collect();
        let records = self.records(&listed).await?;
        let mut objects: Vec<ForgottenObject> = futures::stream::iter(listed)
            .map(|listed| {
                let record = records.get(&listed.path);
                async move {
                    match record {
                        Some(record) => Ok(ForgottenObject {
                            path: listed.path,
                            size_bytes: record.object.size_bytes,
                            rows: Some(record.object.rows),
                            sha256: record.object.sha256,
                        }),
                        None => self.unrecorded(listed).await,
                    }
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        objects.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(objects)
    }

    async fn unrecorded(&self, listed: Listed) -> Result<ForgottenObject, LakeError> {
        let rows = match self.store.read_footer(&listed.path).await {
            Ok(footer) => Some(footer.rows),
            Err(error) if matches!(error.kind, StorageErrorKind::Foreign(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(ForgottenObject {
            sha256: self.store.digest(&listed.path).await?,
            path: listed.path,
            size_bytes: listed.size_bytes,
            rows,
        })
    }

    /// Forgets a withdrawn site, or goes on with a forgetting that was interrupted: writes down what is there, removes
    /// it, writes the receipt, tells readers anew, and notes that it is done.
    ///
    /// # Errors
    /// When the site is not withdrawn, or ledger or storage refuse; the next call goes on.
    pub async fn forget(
        &self,
        site: &SiteKey,
        catalog: &Catalog,
        change: &Change,
    ) -> Result<Forgotten, ForgetError> {
        let turn = self.turn().await?;
        let forgetting = match self.forgetting(site).await? {
            Some(begun) => begun,
            None => self.begin_forgetting(site, change).await?,
        };
        fail_point("after a forgetting was written down");
        let number = forgetting.number;
        let objects = self
            .ledger(move |ledger| ledger.forgotten_objects(number))
            .await?;
        let there = self
            .store
            .objects_of(self.environment, site)
            .await
            .map_err(LakeError::from)?;
        let paths = objects.iter().map(|object| object.path.clone());
        self.remove_all(paths.chain(there.into_keys())).await?;
        let manifests = self.store.manifests_of(self.environment, site).await;
        self.remove_all(manifests.map_err(LakeError::from)?).await?;
        drop(turn);
        let forgotten = self.write_receipt(forgetting.clone(), objects).await?;
        fail_point("after a receipt was written");
        self.tell_readers(catalog, change.at).await?;
        let (path, sha256, change) = (forgotten.path.clone(), forgotten.sha256, change.clone());
        self.ledger(move |ledger| ledger.end_forgetting(&forgetting, &path, sha256, &change))
            .await?;
        Ok(forgotten)
    }

    /// The forgetting of the site that was begun and not ended.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn forgetting(&self, site: &SiteKey) -> Result<Option<Forgetting>, LakeError> {
        let site = site.clone();
        self.ledger(move |ledger| ledger.forgetting(&site)).await
    }

    async fn begin_forgetting(
        &self,
        site: &SiteKey,
        change: &Change,
    ) -> Result<Forgetting, ForgetError> {
        let objects = self.plan_forgetting(site).await?;
        let (site, change) = (site.clone(), change.clone());
        let begun = self
            .ledger(move |ledger| ledger.begin_forgetting(&site, &objects, &change))
            .await?;
        match begun {
            Begun::Now(forgetting) => Ok(forgetting),
            Begun::NotWithdrawn(state) => Err(ForgetError::NotWithdrawn(state)),
        }
    }

    async fn write_receipt(
        &self,
        forgetting: Forgetting,
        objects: Vec<ForgottenObject>,
    ) -> Result<Forgotten, LakeError> {
        let began = forgetting.began_at.format("%Y%m%dT%H%M%S%3fZ");
        let name = format!("{}_{began}.json", forgetting.site);
        let receipt = Receipt {
            format: FORMAT,
            environment: self.environment,
            site: forgetting.site,
            actor: forgetting.actor,
            reason: forgetting.reason,
            began_at: forgetting.began_at,
            objects,
        };
        let written = self
            .store
            .write_receipt(self.environment, &name, &receipt)
            .await?;
        Ok(Forgotten {
            receipt,
            path: written.path,
            sha256: written.sha256,
        })
    }
}
