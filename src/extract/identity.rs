//! The right practice: a site that refuses us is looked up again before anything is changed.
//!
//! A new GUID under the same practice name is a move to another server: the registry follows, and the attempt
//! goes on. Another name, several claimants, or a GUID that another site of ours has may be another practice: the
//! site is put under review, and nothing is extracted from it until a person has decided.

use crate::domain::{HaloGuid, Site, SiteEvent, SiteKey, SiteState, transition};
use crate::ledger::Change;
use crate::remote::{Cause, Identity, KnownSite, RemoteSite, reconsider};

use super::engine::Engine;
use super::error::AttemptError;

/// Who the audit names for what this program decides by itself.
const ACTOR: &str = "halo-extract";

/// Whether an error may mean that another GUID stands for the practice now.
pub(super) fn may_have_moved(error: &AttemptError) -> bool {
    matches!(error, AttemptError::Remote(error) if error.cause() == Cause::SiteRefused)
}

impl Engine {
    /// The GUID under which `site` is to be asked from now on, after `guid` was refused.
    ///
    /// # Errors
    /// With `refused` itself if the site has not moved, or with a doubt that a person must settle.
    pub(super) async fn find_again(
        &self,
        site: &Site,
        guid: HaloGuid,
        refused: AttemptError,
    ) -> Result<HaloGuid, AttemptError> {
        let known = KnownSite {
            pms_id: &site.pms_id,
            guid,
            practice_name: site.practice_name.as_deref(),
        };
        let Ok(found) = self.client.find_sites(&site.pms_id, site.pms_type).await else {
            return Err(refused);
        };
        match reconsider(known, &found) {
            Identity::Unchanged | Identity::Missing => Err(refused),
            Identity::Moved(remote) if !self.has_another(site, remote.guid).await? => {
                let guid = remote.guid;
                self.change_site(
                    &site.key,
                    "follow",
                    "same practice name under a new GUID",
                    |site| follow(site, *remote),
                )
                .await?;
                Ok(guid)
            }
            Identity::Moved(_) | Identity::Doubtful(_) | Identity::Ambiguous(_) => {
                self.change_site(
                    &site.key,
                    "review",
                    "the id now leads to another practice name, to several, or to a site that we have",
                    |site| {
                        if let Ok(state) = transition(site.state, SiteEvent::NameChanged) {
                            site.stand(state);
                        }
                    },
                )
                .await?;
                Err(AttemptError::OtherPractice(site.key.clone()))
            }
        }
    }

    /// Whether the GUID belongs to another site of ours: after a merger two ids may lead to one database.
    async fn has_another(&self, site: &Site, guid: HaloGuid) -> Result<bool, AttemptError> {
        let sites = self.ledger(|ledger| ledger.sites()).await?;
        Ok(sites.iter().any(|other| {
            other.key != site.key
                && other.halo_guid == Some(guid)
                && other.state != SiteState::Withdrawn
        }))
    }

    /// Changes the site as it stands now, in the name of this program.
    pub(super) async fn change_site(
        &self,
        key: &SiteKey,
        action: &str,
        reason: &str,
        edit: impl FnOnce(&mut Site) + Send + 'static,
    ) -> Result<(), AttemptError> {
        let change = Change {
            actor: ACTOR.to_owned(),
            action: action.to_owned(),
            reason: reason.to_owned(),
            at: self.now(),
        };
        tracing::warn!(site = %key, action, reason, "the site's identity changed");
        let key = key.clone();
        self.ledger(move |ledger| ledger.change_site(&key, &change, edit))
            .await?;
        Ok(())
    }
}

fn follow(site: &mut Site, remote: RemoteSite) {
    site.halo_guid = Some(remote.guid);
    site.link_version = remote.link_version;
    site.pms_version = remote.pms_version;
    site.catalogues = remote.catalogues;
}
