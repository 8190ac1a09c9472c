//! After each night: the lake tells its readers what is in it. Only what differs is written.

use chrono::{DateTime, Days, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::mpsc::{self, Sender};

use super::coverage::coverage;
use super::expire::today_at;
use super::night::manifests;
use super::{Holdings, LakeError};
use crate::catalog::Catalog;
use crate::catalog::dictionary::Dictionary;
use crate::domain::{Site, Window};
use crate::ledger::{AttemptAt, AttemptOutcome, ExtractionRow};
use crate::objects::{CoverageRow, RunRow, Staged, StorageError};

/// How far back `coverage.parquet` and `runs.parquet` reach.
const HISTORY_DAYS: u64 = 92;
/// A night and its noon-to-noon slack: what was published in it is read whole.
pub(super) const NIGHT: TimeDelta = TimeDelta::hours(36);
/// Workers of other processes may have recorded a little before they committed.
const SLACK: TimeDelta = TimeDelta::minutes(10);
/// An upload that is older than this is a crash's.
const ABANDONED: TimeDelta = TimeDelta::days(1);
/// Sites whose manifests are written at once.
const SITES_AT_ONCE: usize = 4;
/// Manifests of a site whose text is in memory at once.
const WRITTEN_TOGETHER: usize = 64;
/// Extractions whose attempts are read in one go.
const PAGE: u32 = 1_000;

/// What a refresh did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Manifests that were written.
    pub manifests: u64,
    /// Rows of the coverage table.
    pub coverage_rows: u64,
    /// Rows of the runs table.
    pub run_rows: u64,
}

impl Holdings {
    /// Ends what crashes left behind: uploads that nobody completes, merges and removals that were begun. Call it before a
    /// night; how many uploads there were.
    ///
    /// # Errors
    /// When ledger or storage refuse.
    pub async fn sweep(&self, now: DateTime<Utc>) -> Result<u64, LakeError> {
        let swept = self.store.sweep(self.environment, now - ABANDONED).await?;
        self.finish_merging(now).await?;
        self.finish_leaving(now).await?;
        Ok(swept)
    }

    /// Tells readers what is in the lake: views, dictionary, README, coverage, runs, and the manifests of the nights
    /// in which something was published since the last time.
    ///
    /// # Errors
    /// When ledger or storage refuse; the next call does it again.
    pub async fn refresh(
        &self,
        catalog: &Catalog,
        now: DateTime<Utc>,
    ) -> Result<Refreshed, LakeError> {
        let told = self.ledger(|ledger| ledger.told_until()).await?;
        // They wait for the disk, or the network, together.
        let (manifests, tables) = tokio::try_join!(
            self.write_manifests(told, now),
            self.tell_readers(catalog, now)
        )?;
        self.ledger(move |ledger| ledger.note_told(now)).await?;
        Ok(Refreshed {
            manifests,
            ..tables
        })
    }

    /// Views, dictionary, README and tables, without manifests.
    pub(super) async fn tell_readers(
        &self,
        catalog: &Catalog,
        now: DateTime<Utc>,
    ) -> Result<Refreshed, LakeError> {
        let ((), (), coverage_rows, run_rows) = tokio::try_join!(
            self.write_views(catalog),
            self.write_dictionary(catalog),
            self.write_coverage(catalog, now),
            self.write_runs(now)
        )?;
        Ok(Refreshed {
            manifests: 0,
            coverage_rows,
            run_rows,
        })
    }

    async fn write_views(&self, catalog: &Catalog) -> Result<(), LakeError> {
        let queries = catalog.queries();
        let lake = self.store.survey(self.environment, queries).await?;
        Ok(self.store.write_views(&lake).await?)
    }

    async fn write_dictionary(&self, catalog: &Catalog) -> Result<(), LakeError> {
        let dictionary = Dictionary::of(catalog);
        let mut json =
            serde_json::to_string_pretty(&dictionary).expect("a dictionary has text keys only");
        json.push('\n');
        let written = self
            .store
            .write_dictionary(self.environment, json, dictionary.to_markdown());
        Ok(written.await?)
    }

    async fn write_manifests(
        &self,
        told: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<u64, LakeError> {
        let changed_since = told.map_or(DateTime::UNIX_EPOCH, |told| told - SLACK);
        let since = told.map_or(DateTime::UNIX_EPOCH, |_| changed_since - NIGHT);
        let (replaced, sites) = self
            .ledger(move |ledger| Ok((ledger.replaced_since(since)?, ledger.sites()?)))
            .await?;
        // A few sites at a time: what is in memory does not grow with the fleet.
        let counts = futures::stream::iter(sites).map(|site| {
            let replaced = &replaced;
            async move {
                let key = site.key.clone();
                let published = self
                    .ledger(move |ledger| ledger.published_since(&key, since))
                    .await?;
                let manifests = manifests(
                    self.environment,
                    &published,
                    replaced,
                    site.time_zone,
                    changed_since,
                    now,
                );
                for some in manifests.chunks(WRITTEN_TOGETHER) {
                    self.store.write_manifests(some).await?;
                }
                Ok::<_, LakeError>(manifests.len() as u64)
            }
        });
        counts
            .buffer_unordered(SITES_AT_ONCE)
            .try_fold(0, async |sum, count| Ok(sum + count))
            .await
    }

    async fn write_coverage(
        &self,
        catalog: &Catalog,
        now: DateTime<Utc>,
    ) -> Result<u64, LakeError> {
        let sites = self.ledger(|ledger| ledger.sites()).await?;
        let (to_table, rows) = mpsc::channel(2);
        let staging = self.store.stage_coverage(self.environment, rows);
        let feeding = self.feed_coverage(catalog, &sites, now, to_table);
        let (staged, fed) = tokio::join!(staging, feeding);
        publish(staged, fed).await
    }

    async fn feed_coverage(
        &self,
        catalog: &Catalog,
        sites: &[Site],
        now: DateTime<Utc>,
        to_table: Sender<Vec<CoverageRow>>,
    ) -> Result<(), LakeError> {
        for site in sites {
            let today = today_at(site, now);
            let from = today - Days::new(HISTORY_DAYS);
            let within = Window::new(from, today + Days::new(1)).expect("some days");
            let key = site.key.clone();
            let extractions = self
                .ledger(move |ledger| ledger.extractions_at(&key, within))
                .await?;
            let mut rows = Vec::new();
            for of_query in by_query(&extractions) {
                if let Some(query) = catalog.get(&of_query[0].extraction.query) {
                    rows.extend(coverage(site, query, &of_query, from, now));
                }
            }
            // The table gave up; its own error says why.
            if !rows.is_empty() && to_table.send(rows).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn write_runs(&self, now: DateTime<Utc>) -> Result<u64, LakeError> {
        let (to_table, rows) = mpsc::channel(2);
        let staging = self.store.stage_runs(self.environment, rows);
        let feeding = self.feed_runs(now - Days::new(HISTORY_DAYS), to_table);
        let (staged, fed) = tokio::join!(staging, feeding);
        publish(staged, fed).await
    }

    async fn feed_runs(
        &self,
        since: DateTime<Utc>,
        to_table: Sender<Vec<RunRow>>,
    ) -> Result<(), LakeError> {
        let mut after = Some(0);
        while let Some(from) = after {
            let (attempts, last) = self
                .ledger(move |ledger| ledger.attempts_since(since, from, PAGE))
                .await?;
            let rows: Vec<RunRow> = attempts.into_iter().map(run_row).collect();
            if !rows.is_empty() && to_table.send(rows).await.is_err() {
                return Ok(());
            }
            after = last;
        }
        Ok(())
    }
}

/// Publishes a table whose rows have all come; its number of rows.
async fn publish(
    staged: Result<Staged, StorageError>,
    fed: Result<(), LakeError>,
) -> Result<u64, LakeError> {
    let staged = staged?;
    match fed {
        Ok(()) => Ok(staged.publish().await?.rows),
        Err(error) => {
            staged.abort().await;
            Err(error)
        }
    }
}

/// The extractions of each query version, which come one after the other.
fn by_query(extractions: &[ExtractionRow]) -> impl Iterator<Item = Vec<&ExtractionRow>> {
    extractions
        .chunk_by(|one, next| one.extraction.query == next.extraction.query)
        .map(|rows| rows.iter().collect())
}

fn run_row(at: AttemptAt) -> RunRow {
    let AttemptAt {
        extraction,
        attempt,
        rows,
        object_bytes,
    } = at;
    let outcome = attempt.outcome.as_ref().map(AttemptOutcome::to_string);
    RunRow {
        extraction,
        attempt: attempt.number,
        outcome: outcome.unwrap_or_else(|| "open".to_owned()),
        failure: attempt.failure,
        started_at: attempt.started_at,
        finished_at: attempt.ended_at,
        rows,
        size_bytes: object_bytes,
        pages: attempt.pages,
        remote_query_id: attempt.remote,
    }
}
