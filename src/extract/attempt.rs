//! One attempt: from a claim to a published and recorded object.

use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike, Months, Utc};
use tokio_util::sync::CancellationToken;

use crate::convert::{Converter, DEFAULT_BATCH_ROWS};
use crate::domain::{Extraction, HaloGuid, Query, RemoteQueryId, Site, Step, VariantName};
use crate::fail_point::fail_point;
use crate::ledger::{
    AttemptCost, Claim, Confirmation, Fenced, Freeze, LedgerError, Resume, Submission, Turn,
};
use crate::objects::{Provenance, object_path};
use crate::plan::hours::closing;
use crate::privacy::Deidentifier;
use crate::remote::{Patience, RemoteResult};

use super::engine::Engine;
use super::error::AttemptError;
use super::identity::may_have_moved;
use super::kept_pages::{KeptPages, on_disk};
use super::pipeline::{self, Ready, Target};
use super::progress::{Observer, Progress, Published};
use super::provenance::provenance;
use super::statement::bound;
use super::variant::is_refusal;
use super::withheld::count_withheld;

/// How an attempt ended, as far as it could know.
pub(super) enum AttemptEnd {
    /// Published and recorded.
    Published(Published),
    /// Another worker has the extraction now.
    Lost,
    /// Failed. `alive` tells that the remote query `remote` lives on and is worth going on with.
    Failed {
        error: AttemptError,
        cost: AttemptCost,
        alive: bool,
        remote: Option<RemoteQueryId>,
    },
}

/// What an attempt knows of its work while it goes.
pub(super) struct Attempt<'a> {
    pub(super) engine: &'a Engine,
    pub(super) claim: &'a Claim,
    pub(super) observer: &'a Observer,
    pub(super) cancel: &'a CancellationToken,
    began: Instant,
    remote: Option<RemoteQueryId>,
    cost: AttemptCost,
}

/// A worker whose claim was lost must stop.
fn held(fenced: Fenced) -> Result<(), AttemptError> {
    match fenced {
        Fenced::Recorded => Ok(()),
        Fenced::Lost => Err(AttemptError::Lost),
    }
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        claim: &'a Claim,
        observer: &'a Observer,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self {
            engine,
            claim,
            observer,
            cancel,
            began: Instant::now(),
            remote: None,
            cost: AttemptCost::default(),
        }
    }

    /// Carries the attempt out.
    pub(super) async fn run(mut self) -> AttemptEnd {
        let end = self.extract().await;
        self.cost.elapsed = self.began.elapsed();
        match end {
            Ok(published) => AttemptEnd::Published(published),
            Err(AttemptError::Lost) => AttemptEnd::Lost,
            Err(error) => {
                let error = error.after_losses(self.extraction(), self.claim.results_lost);
                let alive = self.remote.is_some() && !error.ends_remote_query();
                AttemptEnd::Failed {
                    error,
                    cost: self.cost,
                    alive,
                    remote: self.remote,
                }
            }
        }
    }

    async fn extract(&mut self) -> Result<Published, AttemptError> {
        let (site, confirmed, query) = self.site_and_query().await?;
        let posted = match &self.claim.resume {
            Some(resume) => resume.clone(),
            None => {
                let variant = self.choose(&site, query).await?;
                self.submit_where_it_is(&site, confirmed.as_ref(), query, variant)
                    .await?
            }
        };
        self.remote = Some(posted.remote);
        match self.finish(&site, query, &posted).await {
            Err(refused) if may_have_moved(&refused) => {
                Err(self.left_behind(&site, posted.halo_guid, refused).await)
            }
            finished => finished,
        }
    }

    /// What a refusal of the site means while its query is at work: where it has moved, the result stays behind
    /// under the former GUID; where it has not, it lives on and is asked for again later.
    async fn left_behind(
        &self,
        site: &Site,
        guid: HaloGuid,
        refused: AttemptError,
    ) -> AttemptError {
        let followed = site.halo_guid.is_some_and(|known| known != guid);
        if followed {
            return AttemptError::LeftBehind(site.key.clone());
        }
        match self.engine.find_again(site, guid, refused).await {
            Ok(_elsewhere) => AttemptError::LeftBehind(site.key.clone()),
            Err(error) => error,
        }
    }

    /// Has the result of the posted query, proves it and publishes it.
    async fn finish(
        &mut self,
        site: &Site,
        query: &Query,
        posted: &Resume,
    ) -> Result<Published, AttemptError> {
        let (guid, remote) = (posted.halo_guid, posted.remote);
        self.step(Step::Polling);
        let result = match self.result(guid, remote).await {
            Err(AttemptError::Remote(refusal))
                if !query.variants.is_empty() && is_refusal(&refusal) =>
            {
                return Err(self
                    .turn(guid, query, posted.variant.as_ref(), refusal)
                    .await);
            }
            waited => waited?,
        };
        self.cost.pages = u32::try_from(result.pages.len()).unwrap_or(u32::MAX);
        self.cost.remote = result.sql_duration.unwrap_or_default();
        if query.withheld.is_some() {
            self.queue_time(site)?;
        }
        let withheld = count_withheld(self.engine, guid, query, self.extraction()).await?;
        self.begin_fetching().await?;
        let provenance = provenance(
            self.engine,
            self.claim,
            site,
            query,
            posted,
            result.rows,
            withheld,
        );
        let ready = self.stage(guid, &result, site, query, &provenance).await?;
        self.publish(ready).await
    }

    /// The site, what its database last called itself, and the query if its text is still the one that this version
    /// stands for.
    async fn site_and_query(
        &self,
    ) -> Result<(Site, Option<Confirmation>, &'a Query), AttemptError> {
        let of = self.extraction().clone();
        let query = self
            .engine
            .catalog
            .get(&of.query)
            .ok_or_else(|| AttemptError::NoQuery(of.query.clone()))?;
        let (fingerprint, now) = (query.fingerprint.clone(), self.engine.now());
        let (site, confirmed, frozen) = self
            .engine
            .ledger(move |ledger| {
                Ok::<_, LedgerError>((
                    ledger.site(&of.site)?,
                    ledger.confirmation(&of.site)?,
                    ledger.freeze(&of.query, &fingerprint, now)?,
                ))
            })
            .await?;
        let site = site.ok_or_else(|| AttemptError::NotPaired(self.extraction().site.clone()))?;
        match frozen {
            Freeze::New | Freeze::Same => Ok((site, confirmed, query)),
            Freeze::Changed(frozen) => Err(AttemptError::Edited {
                query: query.id.clone(),
                now: query.fingerprint.clone(),
                frozen: frozen.fingerprint,
            }),
        }
    }

    /// Posts the query to the GUID that stands for the practice now.
    async fn submit_where_it_is(
        &self,
        site: &Site,
        confirmed: Option<&Confirmation>,
        query: &Query,
        variant: Option<VariantName>,
    ) -> Result<Resume, AttemptError> {
        let known = site
            .halo_guid
            .ok_or_else(|| AttemptError::NotPaired(site.key.clone()))?;
        let asked = variant.as_ref();
        let submit = async |guid| {
            // Once the database there is known to be the practice's.
            self.engine.confirm(site, guid, confirmed).await?;
            self.submit(site, guid, query, asked).await
        };
        let (halo_guid, remote) = match submit(known).await {
            Err(refused) if may_have_moved(&refused) => {
                let guid = self.engine.find_again(site, known, refused).await?;
                (guid, submit(guid).await?)
            }
            submitted => (known, submitted?),
        };
        Ok(Resume {
            halo_guid,
            remote,
            variant,
        })
    }

    /// Posts the query: journalled before, its remote id recorded at once.
    async fn submit(
        &self,
        site: &Site,
        guid: HaloGuid,
        query: &Query,
        variant: Option<&VariantName>,
    ) -> Result<RemoteQueryId, AttemptError> {
        let sql = query.statement(variant).ok_or_else(|| {
            AttemptError::Internal("the ledger names a variant that the query has not".to_owned())
        })?;
        self.note_variant(query, variant).await?;
        let statement = bound(sql, query, self.extraction().window, self.queue_time(site)?);
        let (claim, now) = (self.claim.clone(), self.engine.now());
        let budget = self.engine.limits.queries_per_month(&site.overrides);
        let submission = self
            .engine
            .ledger(move |ledger| ledger.begin_submit(&claim, guid, budget, now))
            .await?;
        match submission {
            Submission::Journalled => {}
            Submission::Lost => return Err(AttemptError::Lost),
            Submission::BudgetSpent => return Err(self.budget_spent(budget, now)),
        }
        self.step(Step::Submitting);
        let remote = self.engine.client.submit(guid, &statement).await?;
        let (claim, now) = (self.claim.clone(), self.engine.now());
        held(
            self.engine
                .ledger(move |ledger| ledger.record_remote(&claim, remote, now))
                .await?,
        )?;
        tracing::info!(extraction = %self.extraction(), attempt = self.claim.attempt.0, remote_query = %remote, "submitted");
        Ok(remote)
    }

    /// How long a query may wait at the practice now: never beyond the end of its quiet hours.
    fn queue_time(&self, site: &Site) -> Result<Duration, AttemptError> {
        let most = self.engine.halo.max_time_in_queue;
        let Some(rules) = &self.engine.quiet else {
            return Ok(most);
        };
        let now = self.engine.now();
        let until = rules.begin(site, now);
        if until > now {
            return Err(AttemptError::OutsideHours {
                site: site.key.clone(),
                until,
            });
        }
        let left = closing(rules.hours_of(site), site.time_zone, now)
            .and_then(|closing| (closing - now).to_std().ok());
        Ok(left.map_or(most, |left| most.min(left)))
    }

    fn budget_spent(&self, budget: Option<u32>, now: DateTime<Utc>) -> AttemptError {
        AttemptError::BudgetSpent {
            site: self.extraction().site.clone(),
            queries: budget.unwrap_or_default(),
            until: next_month(now),
        }
    }

    /// What the remote query promises, from the API or, once that holds it no longer, from the spool: a result
    /// that is kept whole needs no second query.
    async fn result(
        &self,
        guid: HaloGuid,
        remote: RemoteQueryId,
    ) -> Result<RemoteResult, AttemptError> {
        match self.wait(guid, remote).await {
            Err(error) if error.is_gone() => {
                let spool = &self.engine.spool;
                let kept = on_disk(spool, move |spool| spool.whole_result(remote)).await;
                kept.ok_or(error)
            }
            waited => waited,
        }
    }

    async fn wait(
        &self,
        guid: HaloGuid,
        remote: RemoteQueryId,
    ) -> Result<RemoteResult, AttemptError> {
        let patience = Patience {
            just_posted: self.claim.resume.is_none(),
            poll_first: self.engine.halo.poll_first,
            poll_most: self.engine.halo.poll_longest,
            deadline: self.engine.halo.query_deadline,
        };
        Ok(self
            .engine
            .client
            .wait(guid, remote, &patience, self.cancel)
            .await?)
    }

    async fn stage(
        &mut self,
        guid: HaloGuid,
        result: &RemoteResult,
        site: &Site,
        query: &Query,
        provenance: &Provenance,
    ) -> Result<Ready, AttemptError> {
        let window = self.extraction().window;
        let key = self.engine.pseudonym_key.as_ref();
        let converter = Converter::new(&query.id, &query.contract, DEFAULT_BATCH_ROWS);
        let deidentifier = Deidentifier::new(
            &query.contract,
            &converter.schema(),
            key,
            &site.key,
            window.end(),
        )?;
        let path = object_path(self.engine.environment, self.extraction());
        let target = Target {
            store: &self.engine.store,
            path: &path,
            provenance,
            extracted_at: self.engine.now(),
        };
        let pages = KeptPages::new(
            &self.engine.client,
            guid,
            provenance.remote_query_id,
            self.claim.resume.is_none(),
            result,
            &self.engine.spool,
            self.cancel.clone(),
        )
        .await;
        let total = result.pages.len() as u64;
        let page_done = |done| (self.observer)(self.extraction(), Progress::Pages { done, total });
        let ready =
            pipeline::stage_result(result, pages, converter, deidentifier, target, page_done)
                .await?;
        self.cost.size_bytes = ready.bytes;
        Ok(ready)
    }

    /// Publishes what is proven complete and records it. Once begun this runs to its end: a crash between the
    /// two is mended by the rerun, which publishes the same object in the same place.
    async fn publish(&mut self, ready: Ready) -> Result<Published, AttemptError> {
        let checked = match ready.proof.rows() {
            Ok(rows) => self.may_replace(rows).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = checked {
            ready.staged.abort().await;
            return Err(error);
        }
        let turn = match self.begin_publishing().await {
            Ok(turn) => turn,
            Err(error) => {
                ready.staged.abort().await;
                return Err(error);
            }
        };
        let object = match ready.staged.publish().await {
            Ok(object) => object,
            Err(error) => {
                ready.pages.keep_what_waits().await;
                return Err(error.into());
            }
        };
        fail_point("between publish and record");
        self.cost.elapsed = self.began.elapsed();
        let (claim, proof, cost, now) = (
            self.claim.clone(),
            ready.proof,
            self.cost,
            self.engine.now(),
        );
        let record = object.clone();
        let recorded = self
            .engine
            .ledger(move |ledger| ledger.succeed(&claim, &proof, &record, cost, now));
        held(recorded.await?)?;
        drop(turn);
        ready.pages.remove().await;
        Ok(Published {
            object,
            proof,
            cost,
        })
    }

    /// Old data stands until new data is complete, and nothing is not silently taken for new data.
    async fn may_replace(&self, rows: u64) -> Result<(), AttemptError> {
        if rows > 0 || self.engine.allow_empty {
            return Ok(());
        }
        let extraction = self.extraction().clone();
        let row = self
            .engine
            .ledger(move |ledger| ledger.extraction(&extraction))
            .await?;
        match row.and_then(|row| row.object) {
            Some(object) if object.rows > 0 => Err(AttemptError::WouldEmpty {
                extraction: self.extraction().clone(),
                standing: object.rows,
            }),
            _ => Ok(()),
        }
    }

    /// Whether the result is fetched and published before anybody could read in the ledger how far it is.
    fn is_brief(&self) -> bool {
        self.cost.pages <= 1
    }

    async fn begin_fetching(&self) -> Result<(), AttemptError> {
        self.step(Step::Fetching);
        if self.is_brief() {
            return Ok(());
        }
        self.record_step(Step::Fetching).await
    }

    /// From here on nobody else may have the extraction, and as long as the turn lasts nobody removes its object.
    async fn begin_publishing(&self) -> Result<Turn, AttemptError> {
        self.step(Step::Publishing);
        let (claim, is_brief) = (self.claim.clone(), self.is_brief());
        let turn = self.engine.turn_to_publish().await?;
        let fenced = self.engine.ledger(move |ledger| {
            if is_brief {
                ledger.holds(&claim)
            } else {
                ledger.record_progress(&claim, &Step::Publishing)
            }
        });
        held(fenced.await?)?;
        Ok(turn)
    }

    async fn record_step(&self, step: Step) -> Result<(), AttemptError> {
        let claim = self.claim.clone();
        held(
            self.engine
                .ledger(move |ledger| ledger.record_progress(&claim, &step))
                .await?,
        )
    }

    fn step(&self, step: Step) {
        (self.observer)(self.extraction(), Progress::Step(step));
    }

    fn extraction(&self) -> &Extraction {
        &self.claim.extraction
    }
}

/// The first instant of the month after that of `now`.
fn next_month(now: DateTime<Utc>) -> DateTime<Utc> {
    let first = now.date_naive().with_day(1);
    first
        .and_then(|first| first.checked_add_months(Months::new(1)))
        .and_then(|first| first.and_hms_opt(0, 0, 0))
        .expect("every month has a first day, and every day a midnight")
        .and_utc()
}
