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

use super::hours::{OPENS_WITHIN, closing, opening};
use super::spread::delay;
use super::timetable::{Occurrence, Timetable};
use super::windows::{gaps, tile};

/// Later than this after its time, an extraction is caught up rather than on schedule.
const LATE: TimeDelta = TimeDelta::hours(1);

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
        Turn::of(self, Place::of(self, site), occurrence).due_at(site, timetable)
    }

    /// The first instant from `from` on at which something may begin at a site.
    #[must_use]
    pub fn begin(&self, site: &Site, from: DateTime<Utc>) -> DateTime<Utc> {
        Place::of(self, site).begin(self, from)
    }
}

/// What the calendar of a site follows from: the same for many of a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    zone: Tz,
    hours: QuietHours,
}

impl Place {
    fn of(rules: &Rules, site: &Site) -> Self {
        Self {
            zone: site.time_zone,
            hours: rules.hours_of(site),
        }
    }

    fn begin(&self, rules: &Rules, from: DateTime<Utc>) -> DateTime<Utc> {
        opening(self.hours, self.zone, from, rules.last_start)
    }
}

/// An occurrence, and how the sites of one place follow it.
#[derive(Debug, Clone, Copy)]
struct Turn {
    occurrence: Occurrence,
    open: DateTime<Utc>,
    spread: Duration,
}

impl Turn {
    fn of(rules: &Rules, place: Place, occurrence: Occurrence) -> Self {
        let open = place.begin(rules, occurrence.at);
        let room = closing(place.hours, place.zone, open)
            .and_then(|closing| ((closing - open - rules.last_start) / 2).to_std().ok())
            .unwrap_or(rules.spread);
        Self {
            occurrence,
            open,
            spread: rules.spread.min(room),
        }
    }

    fn due_at(&self, site: &Site, timetable: &Timetable) -> DateTime<Utc> {
        self.open + delay(&site.key, &timetable.query.name, self.spread)
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
        may_begin: rules.begin(site, now),
    };
    let planned_to = standing.planned_to;
    let mut asked_to = None;
    timetable
        .coming(site.time_zone, now - OPENS_WITHIN - rules.spread)
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
    let mut calendar: HashMap<(Place, usize), Vec<Turn>> = HashMap::new();
    let mut beginnings: HashMap<Place, DateTime<Utc>> = HashMap::new();
    let mut tonight = Vec::new();
    let longest_delay = OPENS_WITHIN + TimeDelta::from_std(rules.spread).unwrap_or_default();
    for site in sites {
        let place = Place::of(rules, site);
        let of_site = standings.get(&site.key);
        let may_begin = *beginnings
            .entry(place)
            .or_insert_with(|| place.begin(rules, now));
        for (index, timetable) in timetables.iter().enumerate() {
            if !is_wanted(site, timetable) {
                continue;
            }
            let turns = calendar.entry((place, index)).or_insert_with(|| {
                let recent = timetable.recent(place.zone, now, longest_delay);
                let turn = |occurrence| Turn::of(rules, place, occurrence);
                recent.into_iter().map(turn).collect()
            });
            let night = Night {
                site,
                timetable,
                rules,
                now,
                may_begin,
            };
            let standing = of_site.and_then(|of_site| of_site.get(&timetable.query));
            tonight.extend(night.plan(turns, standing));
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
    /// When something may begin at the site from now on.
    may_begin: DateTime<Utc>,
}

impl Night<'_> {
    fn plan(&self, turns: &[Turn], standing: Option<&Standing>) -> Option<Tonight> {
        let nothing = Standing::default();
        let standing = standing.unwrap_or(&nothing);
        if self.is_planned(turns.first()?.occurrence, standing) {
            return None;
        }
        let (newest, due_at) = turns
            .iter()
            .map(|turn| turn.due_at(self.site, self.timetable))
            .enumerate()
            .find(|(_, due_at)| *due_at <= self.now)?;
        let (occurrence, before) = (turns[newest].occurrence, turns.get(newest + 1));
        if self.is_planned(occurrence, standing) {
            return None;
        }
        match self.timetable.mode {
            Mode::Snapshot => Some(self.snapshot(occurrence, due_at, standing)),
            Mode::Incremental { .. } => {
                let before = before.map(|turn| turn.occurrence);
                self.incremental(occurrence, before, due_at, standing)
            }
        }
    }

    /// Whether what this occurrence asks for was planned, and so all before it.
    fn is_planned(&self, occurrence: Occurrence, standing: &Standing) -> bool {
        standing
            .planned_to
            .is_some_and(|planned_to| match self.timetable.mode {
                Mode::Snapshot => planned_to > occurrence.day,
                Mode::Incremental { .. } => planned_to >= occurrence.day,
            })
    }

    fn snapshot(
        &self,
        occurrence: Occurrence,
        due_at: DateTime<Utc>,
        standing: &Standing,
    ) -> Tonight {
        let date = if self.now - occurrence.at < SAME_NIGHT {
            occurrence.day
        } else {
            self.now.with_timezone(&self.site.time_zone).date_naive()
        };
        let window = Window::day(date);
        let due = self.due(due_at);
        self.tonight(date, window.end(), &[window], due_at, due, standing)
    }

    fn incremental(
        &self,
        occurrence: Occurrence,
        before: Option<Occurrence>,
        due_at: DateTime<Utc>,
        standing: &Standing,
    ) -> Option<Tonight> {
        let to = occurrence.day;
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
        // The time that it was due keeps its place in the queue.
        let not_before = if self.may_begin > self.now {
            self.may_begin
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
