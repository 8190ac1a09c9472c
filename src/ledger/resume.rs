//! Pauses that end by themselves.

use chrono::{DateTime, Utc};

use crate::domain::{SiteEvent, SiteKey, transition};

use super::{Change, Ledger, LedgerError};

/// Who the audit names for a pause that ended by its date.
const ACTOR: &str = "schedule";

impl Ledger {
    /// Activates the sites whose pause is over, each with its audit entry; tells which. A second call finds none.
    ///
    /// # Errors
    /// When the ledger cannot be read or written; sites that were activated before stay so.
    pub fn resume_paused(&self, now: DateTime<Utc>) -> Result<Vec<SiteKey>, LedgerError> {
        let mut resumed = Vec::new();
        let over = self
            .sites()?
            .into_iter()
            .filter(|site| site.pause_is_over(now));
        for site in over {
            let reason = site
                .paused_until
                .map(|until| format!("the pause ended on {until}"))
                .unwrap_or_default();
            let change = Change {
                actor: ACTOR.to_owned(),
                action: "resume".to_owned(),
                reason,
                at: now,
            };
            let key = site.key.clone();
            let changed = self.change_site(&key, &change, |site| {
                // Looked at again under the write lock: somebody may have held it meanwhile.
                if site.pause_is_over(now)
                    && let Ok(state) = transition(site.state, SiteEvent::Activate)
                {
                    site.stand(state);
                }
            })?;
            if changed {
                resumed.push(key);
            }
        }
        Ok(resumed)
    }
}
