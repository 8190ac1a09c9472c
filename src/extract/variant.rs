//! Which statement a site is asked: the query's own, or a variant where the practice refuses a table of it.
//!
//! Nothing is asked beforehand: nearly every practice lets the query's own statement run, and each question costs
//! the practice and may be charged. A refusal is told before a row is read, so it is the first probe. Where it came,
//! the other statements are probed without asking for a row, and the first that the server takes is asked from then
//! on. Once in a while the query's own is probed again, for rights come back with an upgrade.

use chrono::TimeDelta;

use crate::catalog::probe;
use crate::domain::{HaloGuid, Query, Site, VariantName};
use crate::ledger::{Fenced, VariantChoice};
use crate::remote::RemoteError;

use super::attempt::Attempt;
use super::error::AttemptError;
use super::statement::bound;

/// How long a variant stands in before the query's own statement is probed again: four probes a month.
const LOOK_AGAIN: TimeDelta = TimeDelta::days(7);

/// SQL Server's numbers for a table, view or column that is not there for us: invalid object name, no right to read
/// the object, no right to read the column. Not 207, a column that is absent: that the opt-out column is absent must
/// close the query, not open another way.
const REFUSALS: [i64; 3] = [208, 229, 230];

/// Whether another statement of the query may be taken where this one was not.
pub(super) fn is_refusal(error: &RemoteError) -> bool {
    error
        .sql_number()
        .is_some_and(|number| REFUSALS.contains(&number))
}

impl Attempt<'_> {
    /// What the site is asked now: a variant, or `None` for the query's own statement.
    pub(super) async fn choose(
        &self,
        site: &Site,
        query: &Query,
    ) -> Result<Option<VariantName>, AttemptError> {
        if query.variants.is_empty() {
            return Ok(None);
        }
        let (key, id) = (site.key.clone(), query.id.clone());
        let choice = self
            .engine
            .ledger(move |ledger| ledger.variant_choice(&key, &id))
            .await?;
        let Some(VariantChoice {
            variant, looked, ..
        }) = choice
        else {
            return Ok(None);
        };
        if let Some(guid) = site.halo_guid
            && self.engine.now() - looked >= LOOK_AGAIN
        {
            match self.probed(guid, query, None).await {
                Ok(()) => {
                    self.remember(query, None, String::new()).await?;
                    return Ok(None);
                }
                Err(AttemptError::Remote(refusal)) if is_refusal(&refusal) => {
                    self.remember(query, Some(&variant), refusal.to_string())
                        .await?;
                }
                // Whatever hinders the probe will hinder the attempt, which knows what to do about it.
                Err(_) => {}
            }
        }
        Ok(Some(variant))
    }

    /// Notes which statement is about to be posted, so that an attempt that is taken up again knows.
    pub(super) async fn note_variant(
        &self,
        query: &Query,
        variant: Option<&VariantName>,
    ) -> Result<(), AttemptError> {
        if query.variants.is_empty() {
            return Ok(());
        }
        let (claim, variant) = (self.claim.clone(), variant.cloned());
        let noted = self
            .engine
            .ledger(move |ledger| ledger.record_variant(&claim, variant.as_ref()))
            .await?;
        match noted {
            Fenced::Recorded => Ok(()),
            Fenced::Lost => Err(AttemptError::Lost),
        }
    }

    /// The site refused the statement that was asked: finds another that it takes, for the next attempt. Returns why
    /// this one failed.
    pub(super) async fn turn(
        &self,
        guid: HaloGuid,
        query: &Query,
        asked: Option<&VariantName>,
        refusal: RemoteError,
    ) -> AttemptError {
        let own = std::iter::once(None);
        let others = own.chain(query.variants.iter().map(|variant| Some(&variant.name)));
        for other in others.filter(|other| *other != asked) {
            match self.probed(guid, query, other).await {
                Ok(()) => {
                    let remembered = self.remember(query, other, refusal.to_string()).await;
                    return remembered.err().unwrap_or_else(|| AttemptError::Turned {
                        query: query.id.clone(),
                        to: other.cloned(),
                        refusal: Box::new(refusal),
                    });
                }
                Err(AttemptError::Remote(error)) if is_refusal(&error) => {}
                Err(error) => return error,
            }
        }
        match self.remember(query, None, String::new()).await {
            Ok(()) => refusal.into(),
            Err(error) => error,
        }
    }

    /// Asks whether the site's server takes a statement of the query, and for none of its rows.
    async fn probed(
        &self,
        guid: HaloGuid,
        query: &Query,
        variant: Option<&VariantName>,
    ) -> Result<(), AttemptError> {
        let sql = query.statement(variant).and_then(probe);
        let sql = sql.expect("the catalog has parsed every statement of a query");
        let window = self.claim.extraction.window;
        let statement = bound(&sql, query, window, self.engine.halo.max_time_in_queue);
        let extraction = &self.claim.extraction;
        let answer = self.engine.ask(&extraction.site, guid, &statement).await;
        let variant = variant.map(VariantName::as_str);
        match answer {
            Ok(_no_rows) => {
                tracing::info!(%extraction, variant, "the site takes the statement");
                Ok(())
            }
            Err(error) => {
                tracing::info!(%extraction, variant, %error, "the site does not take the statement");
                Err(error)
            }
        }
    }

    async fn remember(
        &self,
        query: &Query,
        variant: Option<&VariantName>,
        reason: String,
    ) -> Result<(), AttemptError> {
        let (site, id) = (self.claim.extraction.site.clone(), query.id.clone());
        let (variant, now) = (variant.cloned(), self.engine.now());
        self.engine
            .ledger(move |ledger| match &variant {
                Some(variant) => ledger.choose_variant(&site, &id, variant, &reason, now),
                None => ledger.forget_variant(&site, &id),
            })
            .await?;
        Ok(())
    }
}
