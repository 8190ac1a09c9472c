//! Merging the many small objects of a month that is over into one per site and query.
//!
//! A merged object covers exactly the days of those it is made of: where a day is missing there is one before it and one
//! after it, so that no window ever claims a day that nobody extracted. Snapshots are never merged: of them the newest
//! says all. The order of steps is that of `ledger/merge.rs`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use futures::{StreamExt, TryStreamExt};

use super::expire::today_at;
use super::night::manifests;
use super::refresh::NIGHT;
use super::{Holdings, LakeError};
use crate::domain::{AttemptNumber, Extraction, Mode, Query, Site, Window, days_over};
use crate::fail_point::fail_point;
use crate::ledger::{Change, NewMerge, OpenMerge, StandingObject};
use crate::objects::{Merge, MergeSource, StorageError, StorageErrorKind};

/// Footers that are read at once.
const AT_ONCE: usize = 16;

/// A month of the calendar, written `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(NaiveDate);

/// A text that is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month; write it as `2026-10`")]
pub struct MonthError(String);

/// Objects that become one.
#[derive(Debug, Clone)]
pub struct Compaction {
    /// What the new object holds.
    pub extraction: Extraction,
    /// Where it will lie.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// The objects, by window.
    pub members: Vec<StandingObject>,
}

/// What was merged, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Objects that were made.
    pub made: u64,
    /// Objects that went into them.
    pub merged: u64,
    /// What was left as it is, and why.
    pub left: Vec<(Extraction, String)>,
}

impl Month {
    /// The month of a date.
    #[must_use]
    pub fn of(date: NaiveDate) -> Self {
        Self(date.with_day(1).unwrap_or(date))
    }

    /// The first day after it.
    fn end(self) -> NaiveDate {
        self.0
            .checked_add_months(Months::new(1))
            .unwrap_or(NaiveDate::MAX)
    }

    fn holds(self, window: Window) -> bool {
        self.0 <= window.start() && window.end() <= self.end()
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let month = Self(
            format!("{text}-01")
                .parse()
                .map_err(|_| MonthError(text.to_owned()))?,
        );
        (month.to_string() == text)
            .then_some(month)
            .ok_or_else(|| MonthError(text.to_owned()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

impl Holdings {
    /// What could be merged at `now`, of `queries` at `sites`: in each month that is over there, or only in `month`.
    /// Snapshots and what was merged already are left out.
    ///
    /// # Errors
    /// When ledger or storage cannot be read, or an object of the ledger is not there or not ours: `output verify` tells
    /// all of those.
    pub async fn plan_compaction(
        &self,
        queries: impl Iterator<Item = &Query>,
        sites: &[Site],
        month: Option<Month>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Compaction>, LakeError> {
        let mut planned = Vec::new();
        for query in queries.filter(|query| query.mode != Mode::Snapshot) {
            for site in sites {
                let (key, id) = (site.key.clone(), query.id.clone());
                let standing = self
                    .ledger(move |ledger| ledger.standing_of(&key, &id))
                    .await?;
                for run in runs(&standing, site.time_zone, today_at(site, now), month) {
                    planned.extend(self.plan_run(run, &standing).await?);
                }
            }
        }
        Ok(planned)
    }

    /// Reads what the objects of a run say of themselves, and parts those that do not go with each other.
    async fn plan_run(
        &self,
        run: Vec<StandingObject>,
        standing: &[StandingObject],
    ) -> Result<Vec<Compaction>, LakeError> {
        let sources = self.sources(&run).await?;
        let read: Vec<(StandingObject, MergeSource)> = run.into_iter().zip(sources).collect();
        let mut planned = Vec::new();
        for group in read.chunk_by(|(_, one), (_, next)| one.goes_with(next)) {
            let (members, sources): (Vec<StandingObject>, Vec<MergeSource>) =
                group.iter().cloned().unzip();
            let extraction = whole(&members);
            if members.len() > 1 && is_free(extraction.window, &members, &sources, standing) {
                let merge = Merge::of(sources, extraction, AttemptNumber(1));
                planned.push(Compaction {
                    extraction: merge.provenance.extraction.clone(),
                    path: merge.path(),
                    rows: merge.provenance.rows_declared,
                    members,
                });
            }
        }
        Ok(planned)
    }

    async fn sources(&self, members: &[StandingObject]) -> Result<Vec<MergeSource>, StorageError> {
        futures::stream::iter(members)
            .map(|member| self.store.merge_source(&member.object))
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Merges what was planned, one after the other: what was changed meanwhile or cannot be read is left, and told.
    ///
    /// # Errors
    /// When ledger or storage refuse; the next call goes on.
    pub async fn compact(
        &self,
        planned: Vec<Compaction>,
        change: &Change,
    ) -> Result<Compacted, LakeError> {
        self.finish_merging(change.at).await?;
        self.finish_leaving(change.at).await?;
        let mut compacted = Compacted::default();
        for compaction in planned {
            match self.merge(&compaction, change).await {
                Ok(true) => {
                    compacted.made += 1;
                    compacted.merged += compaction.members.len() as u64;
                }
                Ok(false) => {
                    let why = "it is being extracted, or was changed meanwhile; the same command later merges it";
                    compacted.left.push((compaction.extraction, why.to_owned()));
                }
                Err(LakeError::Storage(error)) if is_of_the_object(&error) => {
                    compacted
                        .left
                        .push((compaction.extraction, error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(compacted)
    }

    /// Whether the objects became one. They did not where one of them is no longer what it was.
    async fn merge(&self, compaction: &Compaction, change: &Change) -> Result<bool, LakeError> {
        let members: Vec<Extraction> = compaction
            .members
            .iter()
            .map(|member| member.extraction.clone())
            .collect();
        let standing = self.ledger(move |ledger| ledger.standing(&members)).await?;
        if standing != compaction.members {
            return Ok(false);
        }
        let sources = self.sources(&compaction.members).await?;
        if !sources.iter().all(|source| source.goes_with(&sources[0])) {
            return Ok(false);
        }
        let extraction = compaction.extraction.clone();
        let attempt = self
            .ledger(move |ledger| ledger.next_attempt(&extraction))
            .await?;
        let merge = Merge::of(sources, compaction.extraction.clone(), attempt);
        let staged = self.store.stage_merged(&merge).await?;
        let new = NewMerge {
            extraction: merge.provenance.extraction.clone(),
            attempt,
            object: staged.object().clone(),
            withheld: merge.provenance.rows_withheld,
            variant: merge.provenance.variant.clone(),
        };
        let (members, noting) = (compaction.members.clone(), change.clone());
        let noting = self.ledger(move |ledger| {
            let turn = ledger.turn_to_remove()?;
            let noted = ledger.note_merge(&new, &members, &noting)?;
            Ok(noted.map(|open| (open, turn)))
        });
        let (open, turn) = match noting.await {
            Ok(Some(noted)) => noted,
            Ok(None) => {
                staged.abort().await;
                return Ok(false);
            }
            Err(error) => {
                staged.abort().await;
                return Err(error);
            }
        };
        fail_point("after a merge was noted");
        let object = staged.publish().await?;
        fail_point("after a merged object was published");
        self.finish_merge(open, object.etag, Utc::now()).await?;
        drop(turn);
        self.finish_leaving(change.at).await?;
        Ok(true)
    }

    /// Ends the merges that an earlier call was killed over: goes on where the new object is visible, and forgets the
    /// others. None is at work while this has its turn.
    ///
    /// # Errors
    /// When ledger or storage refuse; the next call goes on.
    pub async fn finish_merging(&self, now: DateTime<Utc>) -> Result<(), LakeError> {
        let _turn = self.turn().await?;
        for open in self.ledger(|ledger| ledger.open_merges()).await? {
            let object = &open.merge.object;
            match self.store.listed_at(&object.path).await? {
                Some(listed) if self.store.digest(&object.path).await? == object.sha256 => {
                    self.finish_merge(open, listed.etag, now).await?;
                }
                _ => {
                    let number = open.number;
                    self.ledger(move |ledger| ledger.give_up_merge(number))
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Records a merged object that is visible, tells those who follow the manifests, and lets the others go.
    async fn finish_merge(
        &self,
        open: OpenMerge,
        etag: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<(), LakeError> {
        let (number, extraction) = (open.number, open.merge.extraction.clone());
        self.ledger(move |ledger| ledger.record_merge(&open, etag.as_deref(), now))
            .await?;
        fail_point("after a merge was recorded");
        self.tell_of_merge(&extraction, now).await?;
        self.ledger(move |ledger| ledger.close_merge(number, now))
            .await
    }

    /// Writes the manifest of the night in which something was merged.
    async fn tell_of_merge(
        &self,
        extraction: &Extraction,
        now: DateTime<Utc>,
    ) -> Result<(), LakeError> {
        let (key, query) = (extraction.site.clone(), extraction.query.clone());
        let (published, replaced, site) = self
            .ledger(move |ledger| {
                let mut published = ledger.published_since(&key, now - NIGHT)?;
                published.retain(|object| object.extraction.query == query);
                Ok((
                    published,
                    ledger.replaced_since(now - NIGHT)?,
                    ledger.site(&key)?,
                ))
            })
            .await?;
        let zone = site.map_or(Tz::UTC, |site| site.time_zone);
        // The ledger keeps milliseconds.
        let changed_since = now - chrono::TimeDelta::milliseconds(1);
        let manifests = manifests(
            self.environment,
            &published,
            &replaced,
            zone,
            changed_since,
            now,
        );
        Ok(self.store.write_manifests(&manifests).await?)
    }
}

/// Objects that touch or overlap, within one month that is over at the site, two or more at a time.
fn runs(
    standing: &[StandingObject],
    zone: Tz,
    today: NaiveDate,
    wanted: Option<Month>,
) -> Vec<Vec<StandingObject>> {
    let mut by_month: BTreeMap<Month, Vec<&StandingObject>> = BTreeMap::new();
    for object in standing {
        let window = object.extraction.window;
        let month = Month::of(window.start());
        let complete = days_over(window, object.extracted_at, zone) == Some(window);
        let is_wanted = wanted.is_none_or(|wanted| wanted == month);
        if is_wanted && month.holds(window) && month.end() <= today && complete {
            by_month.entry(month).or_default().push(object);
        }
    }
    let mut found: Vec<Vec<StandingObject>> = Vec::new();
    for mut objects in by_month.into_values() {
        objects.sort_by_key(|object| object.extraction.window);
        let mut reach = NaiveDate::MIN;
        for object in objects {
            let window = object.extraction.window;
            match found.last_mut() {
                Some(run) if window.start() <= reach => run.push(object.clone()),
                _ => found.push(vec![object.clone()]),
            }
            reach = reach.max(window.end());
        }
    }
    found.retain(|run| run.len() > 1);
    found
}

/// The extraction that all of these together are: they touch or overlap.
fn whole(members: &[StandingObject]) -> Extraction {
    let windows = || members.iter().map(|member| member.extraction.window);
    let start = windows().map(|window| window.start()).min();
    let end = windows().map(|window| window.end()).max();
    let window = start
        .zip(end)
        .and_then(|(start, end)| Window::new(start, end));
    Extraction {
        window: window.expect("there are members, and no window is empty"),
        ..members[0].extraction.clone()
    }
}

/// Whether a merged object of `window` would not take the place of one that was extracted as such.
fn is_free(
    window: Window,
    members: &[StandingObject],
    sources: &[MergeSource],
    standing: &[StandingObject],
) -> bool {
    let there = standing
        .iter()
        .find(|object| object.extraction.window == window);
    there.is_none_or(|there| {
        let mut pairs = members.iter().zip(sources);
        pairs.any(|(member, source)| member.number == there.number && source.is_merged())
    })
}

/// A fault of one object, which others need not wait for.
fn is_of_the_object(error: &StorageError) -> bool {
    matches!(
        error.kind,
        StorageErrorKind::Foreign(_) | StorageErrorKind::Missing
    )
}
