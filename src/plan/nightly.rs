//! Planning the nights: what is due at each site by its own calendar, and why.
//!
//! A query is due at a site once its cron has come round there and the site's stable delay has passed. The window
//! follows from the cron's date alone, never from the delay nor from when the planner looks.
//!
//! - An incremental query is asked for all days before that date which no object covers yet. What was missed is
//!   merged into one window (cut only at days that are covered, and at the longest window); an extraction that
//!   still waits for its first attempt gives way to the wider one.
//! - A snapshot is asked for once, however many were missed: dated by its cron when it is taken in time, else by
//!   the day on which it is caught up, because its rows are those of that day.
//! - The first night of a site goes on where its objects end. Where there are none, or they end long ago, it asks
//!   for the day before: history belongs to a backfill.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::domain::{
    Due, Extraction, Lane, Mode, Planned, QuietHours, Site, SiteState, Standing, Standings,
    Tonight, Window,
};

use super::hours::{closing, opening};
use super::spread::delay;
use super::timetable::{Occurrence, Timetable};
use super::windows::{gaps, tile};

/// Later than this after its time, an extraction is caught up rather than on schedule.
const LATE: TimeDelta = TimeDelta::hours(1);

/// A site opens within this of any time, on the days on which the clocks are changed too.
const OPENS_WITHIN: Duration = Duration::from_secs(26 * 3600);

/// A snapshot that is taken within this time of its cron carries the cron's date.
const SAME_NIGHT: TimeDelta = TimeDelta::hours(24);

/// Settings that planning the nights depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Over how much time the sites' starts are spread.
    pub spread: Duration,
    /// When extraction may run, at sites that do not say otherwise.
    pub quiet_hours: QuietHours,
    /// Nothing begins when less than this is left of the quiet hours.
    pub last_start: TimeDelta,
    /// Longest window, in days.
    pub longest: NonZeroU32,
}

impl Rules {
    /// The quiet hours of a site.
    #[must_use]
    pub fn hours_of(&self, site: &Site) -> QuietHours {
        site.overrides.quiet_hours.unwrap_or(self.quiet_hours)
    }

    /// When a query is due at a site that comes round at this occurrence: when the site is open, and later by the
    /// delay that spreads the fleet. That delay takes half of the hours that are left at most, so that a night
    /// which begins last has as much time again before the site closes.
    #[must_use]
    pub fn due_at(
        &self,
        site: &Site,
        timetable: &Timetable,
        occurrence: Occurrence,
    ) -> DateTime<Utc> {
        let open = self.begin(site, occurrence.at);
        let room = closing(self.hours_of(site), site.time_zone, open)
            .and_then(|closing| ((closing - open - self.last_start) / 2).to_std().ok())
            .unwrap_or(self.spread);
        open + delay(&site.key, &timetable.query.name, self.spread.min(room))
    }

    /// The first instant from `from` on at which something may begin at a site.
    #[must_use]
    pub fn begin(&self, site: &Site, from: DateTime<Utc>) -> DateTime<Utc> {
        opening(self.hours_of(site), site.time_zone, from, self.last_start)
    }
}

/// A night to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coming {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// What it asks for, if all before it goes well.
    pub window: Window,
}

/// The nights to come of a query at a site, as far as can be told now.
pub fn coming<'a>(
    site: &'a Site,
    timetable: &'a Timetable,
    standing: &'a Standing,
    rules: &'a Rules,
    now: DateTime<Utc>,
) -> impl Iterator<Item = Coming> + 'a {
    let night = Night {
        site,
        timetable,
        rules,
        now,
    };
    let planned_to = standing.planned_to;
    let mut asked_to = None;
    timetable
        .coming(site.time_zone, now - rules.spread - OPENS_WITHIN)
        .filter_map(move |occurrence| {
            let start = rules.due_at(site, timetable, occurrence);
            if start <= now {
                return None;
            }
            if timetable.mode == Mode::Snapshot {
                return Some(Coming {
                    start,
                    window: Window::day(occurrence.day),
                });
            }
            let to = occurrence.day;
            let from = asked_to
                .or(planned_to)
                .unwrap_or_else(|| night.first_day(to, standing));
            asked_to = Some(to);
            Window::new(from, to).map(|window| Coming { start, window })
        })
}

/// Whether the query runs at the site by itself.
#[must_use]
pub fn is_wanted(site: &Site, timetable: &Timetable) -> bool {
    site.state == SiteState::Active
        && site.pms_type == timetable.pms
        && site.overrides.allows(&timetable.query.name)
}

/// What is due at `now` and not planned yet, in the order of sites and queries.
#[must_use]
pub fn nightly(
    sites: &[Site],
    timetables: &[Timetable],
    standings: &Standings,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Vec<Tonight> {
    let mut calendar: HashMap<(Tz, usize), Vec<Occurrence>> = HashMap::new();
    let mut tonight = Vec::new();
    for site in sites {
        let of_site = standings.get(&site.key);
        for (index, timetable) in timetables.iter().enumerate() {
            if !is_wanted(site, timetable) {
                continue;
            }
            let recent = calendar.entry((site.time_zone, index)).or_insert_with(|| {
                timetable.recent(site.time_zone, now, rules.spread + OPENS_WITHIN)
            });
            let standing = of_site.and_then(|of_site| of_site.get(&timetable.query));
            let night = Night {
                site,
                timetable,
                rules,
                now,
            };
            tonight.extend(night.plan(recent, standing));
        }
    }
    tonight
}

/// One query at one site at one moment.
struct Night<'a> {
    site: &'a Site,
    timetable: &'a Timetable,
    rules: &'a Rules,
    now: DateTime<Utc>,
}

impl Night<'_> {
    fn plan(&self, recent: &[Occurrence], standing: Option<&Standing>) -> Option<Tonight> {
        let (newest, due_at) = recent
            .iter()
            .map(|it| self.rules.due_at(self.site, self.timetable, *it))
            .enumerate()
            .find(|(_, due_at)| *due_at <= self.now)?;
        let (occurrence, before) = (recent[newest], recent.get(newest + 1));
        let nothing = Standing::default();
        let standing = standing.unwrap_or(&nothing);
        match self.timetable.mode {
            Mode::Snapshot => self.snapshot(occurrence, due_at, standing),
            Mode::Incremental { .. } => self.incremental(occurrence, before, due_at, standing),
        }
    }

    fn snapshot(
        &self,
        occurrence: Occurrence,
        due_at: DateTime<Utc>,
        standing: &Standing,
    ) -> Option<Tonight> {
        if standing.planned_to.is_some_and(|to| to > occurrence.day) {
            return None;
        }
        let date = if self.now - occurrence.at < SAME_NIGHT {
            occurrence.day
        } else {
            self.now.with_timezone(&self.site.time_zone).date_naive()
        };
        let window = Window::day(date);
        let due = self.due(due_at);
        Some(self.tonight(date, window.end(), &[window], due_at, due, standing))
    }

    fn incremental(
        &self,
        occurrence: Occurrence,
        before: Option<&Occurrence>,
        due_at: DateTime<Utc>,
        standing: &Standing,
    ) -> Option<Tonight> {
        let to = occurrence.day;
        if standing
            .planned_to
            .is_some_and(|planned_to| planned_to >= to)
        {
            return None;
        }
        let from = self.first_day(to, standing);
        let whole = Window::new(from, to)?;
        let taken: Vec<Window> = standing
            .open
            .iter()
            .filter(|open| open.begun)
            .map(|open| open.window)
            .chain(standing.covered.iter().copied())
            .collect();
        let windows: Vec<Window> = gaps(whole, &taken)
            .into_iter()
            .flat_map(|gap| tile(gap, self.rules.longest))
            .collect();
        let usual = before.map_or(to - Days::new(1), |before| before.day);
        let due = if windows.first()?.start() < usual && standing.planned_to.is_some() {
            Due::CatchUp
        } else {
            self.due(due_at)
        };
        Some(self.tonight(from, to, &windows, due_at, due, standing))
    }

    /// Where this night goes on.
    fn first_day(&self, to: NaiveDate, standing: &Standing) -> NaiveDate {
        let yesterday = to - Days::new(1);
        match (standing.planned_to, standing.covered_to) {
            (Some(_), Some(covered_to)) => covered_to,
            (None, Some(covered_to))
                if to - covered_to <= TimeDelta::days(self.rules.longest.get().into()) =>
            {
                covered_to
            }
            _ => yesterday,
        }
    }

    fn due(&self, due_at: DateTime<Utc>) -> Due {
        if self.now - due_at < LATE {
            Due::Scheduled
        } else {
            Due::CatchUp
        }
    }

    fn tonight(
        &self,
        from: NaiveDate,
        to: NaiveDate,
        windows: &[Window],
        due_at: DateTime<Utc>,
        due: Due,
        standing: &Standing,
    ) -> Tonight {
        let may_begin = self.rules.begin(self.site, self.now);
        // The time that it was due keeps its place in the queue.
        let not_before = if may_begin > self.now {
            may_begin
        } else {
            due_at
        };
        let extraction = |window| Extraction {
            site: self.site.key.clone(),
            query: self.timetable.query.clone(),
            window,
        };
        Tonight {
            site: self.site.key.clone(),
            query: self.timetable.query.clone(),
            from,
            to,
            planned: windows
                .iter()
                .map(|window| Planned {
                    extraction: extraction(*window),
                    lane: Lane::Nightly,
                    priority: 0,
                    due: due.clone(),
                    not_before,
                })
                .collect(),
            superseded: standing
                .open
                .iter()
                .filter(|open| !open.begun && !windows.contains(&open.window))
                .map(|open| extraction(open.window))
                .collect(),
        }
    }
}

#[cfg(test)]
#[path = "nightly_tests.rs"]
mod tests;
