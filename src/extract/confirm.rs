//! The right database: before the first extraction after any change, the practice's own database is asked once
//! what it calls itself.
//!
//! The API's word for who answers under a GUID comes from the agent at the practice; a restored backup or a
//! wrong database behind that agent would not show there. A name that is not the practice's puts the site under
//! review. A database that does not tell (no such table, no right to read it) is not held against the practice.

use serde::Deserialize;

use crate::domain::{
    HaloGuid, PmsType, SAME_PRACTICE, Site, SiteEvent, SiteKey, similarity, transition,
};
use crate::ledger::Confirmation;
use crate::remote::{Cause, Statement};

use super::engine::Engine;
use super::error::AttemptError;

/// Best Practice keeps its name in a table of its own.
const WHO_ARE_YOU: &str = "SELECT TOP 10 PRACTICENAME AS practice_name FROM PRACTICE";

#[derive(Deserialize)]
struct Practice {
    practice_name: Option<String>,
}

impl Engine {
    /// Asks the database that answers for `site` under `guid` what it calls itself, unless it was asked since
    /// the site last changed; `before` is what it said then.
    ///
    /// # Errors
    /// When it is another practice's, which is put under review, or it cannot be asked now.
    pub(super) async fn confirm(
        &self,
        site: &Site,
        guid: HaloGuid,
        before: Option<&Confirmation>,
    ) -> Result<(), AttemptError> {
        if site.pms_type != PmsType::BestPractice
            || before.and_then(|before| before.halo_guid) == Some(guid)
        {
            return Ok(());
        }
        let told = self.who_answers(&site.key, guid).await?;
        let expected = [
            site.practice_name.as_deref(),
            before.and_then(|it| it.practice_name.as_deref()),
        ];
        let known = told
            .iter()
            .find(|name| is_expected(name, &expected))
            .or(told.first());
        let (key, name, now) = (site.key.clone(), known.cloned(), self.now());
        let recorded = name.clone();
        self.ledger(move |ledger| ledger.record_confirmation(&key, guid, recorded.as_deref(), now))
            .await?;
        match name {
            Some(name) if !is_expected(&name, &expected) => {
                self.review(site).await?;
                Err(AttemptError::OtherDatabase(site.key.clone()))
            }
            Some(_) => Ok(()),
            None => {
                tracing::info!(site = %site.key, "the database does not tell the practice's name");
                Ok(())
            }
        }
    }

    /// The names that the database gives; none where it does not tell.
    async fn who_answers(
        &self,
        site: &SiteKey,
        guid: HaloGuid,
    ) -> Result<Vec<String>, AttemptError> {
        let statement = Statement {
            text: WHO_ARE_YOU.to_owned(),
            catalogue: None,
            parameters: Vec::new(),
            max_time_in_queue: self.halo.max_time_in_queue,
        };
        let answer = match self.ask(site, guid, &statement).await {
            Ok(answer) => answer,
            Err(AttemptError::Remote(error)) if error.cause() == Cause::SqlFailed => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let rows: Vec<Practice> = serde_json::from_slice(answer.body.as_ref()).unwrap_or_default();
        Ok(rows
            .into_iter()
            .filter_map(|row| row.practice_name)
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect())
    }

    async fn review(&self, site: &Site) -> Result<(), AttemptError> {
        self.change_site(
            &site.key,
            "review",
            "the database calls itself otherwise than the practice on record",
            |site| {
                if let Ok(state) = transition(site.state, SiteEvent::NameChanged) {
                    site.stand(state);
                }
            },
        )
        .await
    }
}

/// Whether a name that the database gives is one that is known of the practice; any is, where none is known.
fn is_expected(told: &str, known: &[Option<&str>]) -> bool {
    let mut names = known.iter().flatten().peekable();
    names.peek().is_none() || names.any(|name| similarity(name, told) >= SAME_PRACTICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_expected_if_the_registry_or_the_database_had_it_before() {
        let registry = Some("Red Gum Medical Centre");
        let before = Some("Red Gum Super Clinic Rooms");

        assert!(is_expected("RED GUM MEDICAL CENTER", &[registry, None]));
        assert!(is_expected(
            "Red Gum Super Clinic Rooms",
            &[registry, before]
        ));
        assert!(!is_expected("Kurrajong Doctors", &[registry, before]));
        assert!(is_expected("Kurrajong Doctors", &[None, None]));
    }
}
