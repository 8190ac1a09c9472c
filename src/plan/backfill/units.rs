//! Which windows of a query a site still needs, cut to a size that its server manages.

use std::cmp::Reverse;
use std::num::NonZeroU32;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Due, Extraction, Mode, Query, QueryId, Reprocess, Site, SiteKey, SiteState, Window,
};

use super::super::windows::{gaps, overlap, tile, union};

/// What an operator asks to be rebuilt. Kept with the plan, so that it can be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillAsked {
    /// Of these sites.
    pub sites: Vec<SiteKey>,
    /// These query versions.
    pub queries: Vec<QueryId>,
    /// These days.
    pub range: Window,
    /// What is asked beside what is missing.
    pub reprocess: Reprocess,
    /// Longest window, whatever is known of a site; `None` for `usual_days` or what a site is known to manage.
    pub max_days: Option<NonZeroU32>,
    /// Longest window where nothing is known of a site.
    pub usual_days: NonZeroU32,
    /// Whether the oldest days come first.
    pub oldest_first: bool,
    /// When it was asked: days that are not over then at a site are not planned.
    pub as_of: DateTime<Utc>,
}

/// What the ledger knows of a query version at a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Windows whose object stands or has served its time, with the time of extraction.
    pub covered: Vec<(Window, DateTime<Utc>)>,
    /// The same of older versions of the query.
    pub older: Vec<(Window, DateTime<Utc>)>,
    /// Windows whose extraction failed.
    pub failed: Vec<Window>,
    /// Windows whose extraction waits or is at work.
    pub under_way: Vec<Window>,
    /// The longest window that the site is known to manage.
    pub workable_days: Option<NonZeroU32>,
}

/// One extraction of a backfill, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// What to extract.
    pub extraction: Extraction,
    /// Because of this.
    pub due: Due,
}

/// The units of a query at a site, and the days of the range that it leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitsOf {
    /// Ascending, none overlapping another unless their objects stand already.
    pub units: Vec<Unit>,
    /// Why the other days are left, each with their number.
    pub left: Vec<Left>,
}

/// Days of the range that are not planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// At this site.
    pub site: SiteKey,
    /// Of this query.
    pub query: QueryId,
    /// Because of this.
    pub why: LeftWhy,
    /// How many; all of the range where nothing of the query can be planned.
    pub days: u64,
}

/// Why days are not planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LeftWhy {
    /// An object covers them.
    #[error("covered already")]
    Covered,
    /// Another plan has them.
    #[error("waiting or at work already")]
    UnderWay,
    /// Their extraction failed, and failed ones are not asked for.
    #[error("failed before; --reprocess failed asks for them")]
    Failed,
    /// An object of an older version covers them, and that is enough.
    #[error("covered by an older version only; --reprocess stale-version asks for them")]
    StaleVersion,
    /// They are not over at the site.
    #[error("not over at the site")]
    NotOver,
    /// A snapshot shows the rows of now.
    #[error("a snapshot shows the rows of now, so the past cannot be asked for")]
    Snapshot,
    /// Only active sites are extracted from.
    #[error("the site is {0}; activate it first")]
    NotActive(SiteState),
    /// The query is for another practice management system.
    #[error("the query is for another practice management system")]
    OtherSystem,
    /// The site has the query switched off.
    #[error("the query is switched off at this site")]
    SwitchedOff,
}

/// Plans one query at one site.
#[must_use]
pub fn units_of(asked: &BackfillAsked, site: &Site, query: &Query, standing: &Standing) -> UnitsOf {
    match refusal(site, query) {
        Some(why) => UnitsOf {
            units: Vec::new(),
            left: vec![left(site, query, why, asked.range.days())],
        },
        None => Days::of(asked, site, standing).plan(asked, site, query, standing),
    }
}

fn refusal(site: &Site, query: &Query) -> Option<LeftWhy> {
    if site.state != SiteState::Active {
        Some(LeftWhy::NotActive(site.state))
    } else if site.pms_type != query.pms {
        Some(LeftWhy::OtherSystem)
    } else if !site.overrides.allows(&query.id.name) {
        Some(LeftWhy::SwitchedOff)
    } else if query.mode == Mode::Snapshot {
        Some(LeftWhy::Snapshot)
    } else {
        None
    }
}

fn left(site: &Site, query: &Query, why: LeftWhy, days: u64) -> Left {
    Left {
        site: site.key.clone(),
        query: query.id.clone(),
        why,
        days,
    }
}

/// The days of the range by what the ledger knows of them; each day is in one set only.
struct Days {
    /// Those of the range that are over at the site.
    over: Option<Window>,
    covered: Vec<Window>,
    under_way: Vec<Window>,
    failed: Vec<Window>,
    stale: Vec<Window>,
    missing: Vec<Window>,
}

impl Days {
    fn of(asked: &BackfillAsked, site: &Site, standing: &Standing) -> Self {
        let zone = site.time_zone;
        let today = asked.as_of.with_timezone(&zone).date_naive();
        let over = Window::new(asked.range.start(), asked.range.end().min(today));
        let Some(whole) = over else {
            return Self {
                over,
                covered: Vec::new(),
                under_way: Vec::new(),
                failed: Vec::new(),
                stale: Vec::new(),
                missing: Vec::new(),
            };
        };
        let under_way = within(&[whole], &standing.under_way);
        let rest = outside(whole, &under_way);
        let covered = within(&rest, &complete(&standing.covered, zone));
        let rest = without(&rest, &covered);
        let failed = within(&rest, &standing.failed);
        let rest = without(&rest, &failed);
        let stale = within(&rest, &complete(&standing.older, zone));
        let missing = without(&rest, &stale);
        Self {
            over,
            covered,
            under_way,
            failed,
            stale,
            missing,
        }
    }

    fn plan(
        &self,
        asked: &BackfillAsked,
        site: &Site,
        query: &Query,
        standing: &Standing,
    ) -> UnitsOf {
        let mut wanted = self.missing.clone();
        let mut outcome = UnitsOf::default();
        let mut leave = |why, windows: &[Window]| {
            let days: u64 = windows.iter().map(Window::days).sum();
            if days > 0 {
                outcome.left.push(left(site, query, why, days));
            }
        };
        leave(LeftWhy::UnderWay, &self.under_way);
        let levels = [
            (Reprocess::Failed, LeftWhy::Failed, &self.failed),
            (Reprocess::StaleVersion, LeftWhy::StaleVersion, &self.stale),
        ];
        for (level, why, windows) in levels {
            if asked.reprocess >= level {
                wanted.extend(windows);
            } else {
                leave(why, windows);
            }
        }
        if asked.reprocess < Reprocess::Completed {
            leave(LeftWhy::Covered, &self.covered);
        }
        let not_over = asked.range.days() - self.over.map_or(0, |over| over.days());
        if not_over > 0 {
            outcome
                .left
                .push(left(site, query, LeftWhy::NotOver, not_over));
        }
        let unit = |window, due| Unit {
            extraction: Extraction {
                site: site.key.clone(),
                query: query.id.clone(),
                window,
            },
            due,
        };
        let size = asked.max_days.unwrap_or_else(|| {
            let workable = standing.workable_days.unwrap_or(asked.usual_days);
            workable.min(asked.usual_days)
        });
        let new = union(&wanted).into_iter().flat_map(|run| tile(run, size));
        outcome.units = new.map(|window| unit(window, self.due(window))).collect();
        if asked.reprocess == Reprocess::Completed {
            // In their own windows, so that each object is replaced and none stands beside its successor.
            let again = self.standing_windows(standing);
            outcome
                .units
                .extend(again.map(|window| unit(window, Due::AskedAgain)));
        }
        outcome.units.sort_by_key(|unit| unit.extraction.window);
        outcome.units.dedup_by_key(|unit| unit.extraction.window);
        outcome
    }

    /// The strongest reason that a day of the window gives.
    fn due(&self, window: Window) -> Due {
        let touches = |set: &[Window]| set.iter().any(|it| overlap(*it, window).is_some());
        if touches(&self.failed) {
            Due::Failed
        } else if touches(&self.missing) {
            Due::Missing
        } else {
            Due::StaleVersion
        }
    }

    /// Windows with an object that have days of the range and of nothing that is under way.
    fn standing_windows(&self, standing: &Standing) -> impl Iterator<Item = Window> {
        let over = self.over;
        let busy = standing.under_way.clone();
        standing
            .covered
            .clone()
            .into_iter()
            .map(|(window, _)| window)
            .filter(move |window| over.is_some_and(|over| overlap(over, *window).is_some()))
            .filter(move |window| busy.iter().all(|it| overlap(*it, *window).is_none()))
    }
}

/// The days that the objects cover: those that were over at the site when they were extracted.
fn complete(windows: &[(Window, DateTime<Utc>)], zone: Tz) -> Vec<Window> {
    let over = |(window, at): &(Window, DateTime<Utc>)| {
        let today: NaiveDate = at.with_timezone(&zone).date_naive();
        Window::new(window.start(), window.end().min(today))
    };
    windows.iter().filter_map(over).collect()
}

/// The days of `sets` that `windows` have, ascending.
fn within(sets: &[Window], windows: &[Window]) -> Vec<Window> {
    let windows = union(windows);
    let pairs = sets
        .iter()
        .flat_map(|set| windows.iter().filter_map(|window| overlap(*set, *window)));
    union(&pairs.collect::<Vec<_>>())
}

fn outside(whole: Window, windows: &[Window]) -> Vec<Window> {
    gaps(whole, windows)
}

/// The days of `sets` that `windows` have not, ascending.
fn without(sets: &[Window], windows: &[Window]) -> Vec<Window> {
    sets.iter().flat_map(|set| gaps(*set, windows)).collect()
}

/// Puts the units of all sites and queries in the order in which they are carried out: by day, then site and query,
/// so that every site has its newest (or oldest) days soon and no site waits for another.
pub fn in_order(units: &mut [Unit], oldest_first: bool) {
    let place = |unit: &Unit| {
        (
            unit.extraction.site.clone(),
            unit.extraction.query.clone(),
            unit.extraction.window,
        )
    };
    if oldest_first {
        units.sort_by_cached_key(|unit| (unit.extraction.window.start(), place(unit)));
    } else {
        units.sort_by_cached_key(|unit| (Reverse(unit.extraction.window.end()), place(unit)));
    }
}
