//! The right practice: a site that refuses us is looked up again before anything is changed.
//!
//! A new GUID under the same practice name is a move to another server: the registry follows, and the attempt
//! goes on. Another name, or several claimants, may be another practice: the site is put under review, and
//! nothing is extracted from it until a person has decided.

use crate::domain::{HaloGuid, Site, SiteEvent, SiteState, transition};
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
            Identity::Moved(remote) => {
                let guid = remote.guid;
                self.change_site(
                    followed(site, *remote),
                    "follow",
                    "same practice name under a new GUID",
                )
                .await?;
                Ok(guid)
            }
            Identity::Doubtful(_) | Identity::Ambiguous(_) => {
                let state = transition(site.state, SiteEvent::NameChanged)
                    .unwrap_or(SiteState::IdentityReview);
                let reviewed = Site {
                    state,
                    ..site.clone()
                };
                self.change_site(
                    reviewed,
                    "review",
                    "the id now leads to another practice name, or to several",
                )
                .await?;
                Err(AttemptError::OtherPractice(site.key.clone()))
            }
        }
    }

    async fn change_site(
        &self,
        site: Site,
        action: &str,
        reason: &str,
    ) -> Result<(), AttemptError> {
        let change = Change {
            actor: ACTOR.to_owned(),
            action: action.to_owned(),
            reason: reason.to_owned(),
            at: self.now(),
        };
        tracing::warn!(site = %site.key, action, reason, "the site's identity changed");
        self.ledger(move |ledger| ledger.put_site(&site, &change))
            .await?;
        Ok(())
    }
}

fn followed(site: &Site, remote: RemoteSite) -> Site {
    Site {
        halo_guid: Some(remote.guid),
        link_version: remote.link_version,
        pms_version: remote.pms_version,
        catalogues: remote.catalogues,
        ..site.clone()
    }
}
