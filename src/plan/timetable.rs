//! When a query's cron comes round at a site.
//!
//! The pattern is read in the site's zone. A time that the clocks leave out comes at the first instant after it,
//! a time that they show twice comes once. Of several occurrences on one day only the first counts, because a
//! day is the smallest window.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;

use crate::domain::{Mode, PmsType, Query, QueryId};

/// What planning needs to know of a query that runs by itself.
#[derive(Debug, Clone)]
pub struct Timetable {
    /// The query, in its current version.
    pub query: QueryId,
    /// The system whose database it asks.
    pub pms: PmsType,
    /// What its windows mean.
    pub mode: Mode,
    /// How old its newest object may grow, if its header says so.
    pub freshness: Option<Duration>,
    cron: Cron,
}

/// A cron pattern that cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error(
    "the cron pattern `{pattern}` of {query} cannot be followed; mend it in the header of its file"
)]
pub struct TimetableError {
    query: QueryId,
    pattern: String,
    #[source]
    source: croner::errors::CronError,
}

/// One time at which a query is due at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// The instant.
    pub at: DateTime<Utc>,
    /// The date at the site then.
    pub day: NaiveDate,
}

impl Timetable {
    /// The timetable of a query; `None` if it has no cron.
    ///
    /// # Errors
    /// When its pattern cannot be followed.
    pub fn of(query: &Query) -> Result<Option<Self>, TimetableError> {
        let Some(pattern) = &query.cron else {
            return Ok(None);
        };
        let cron = Cron::from_str(pattern).map_err(|source| TimetableError {
            query: query.id.clone(),
            pattern: pattern.clone(),
            source,
        })?;
        Ok(Some(Self {
            query: query.id.clone(),
            pms: query.pms,
            mode: query.mode,
            freshness: query.freshness,
            cron,
        }))
    }

    /// The timetables of those queries that have a cron, in their order.
    ///
    /// # Errors
    /// When a pattern cannot be followed.
    pub fn of_all<'a>(
        queries: impl IntoIterator<Item = &'a Query>,
    ) -> Result<Vec<Self>, TimetableError> {
        queries
            .into_iter()
            .filter_map(|query| Self::of(query).transpose())
            .collect()
    }

    /// Days on which it came round at sites of this zone, newest first, from `now` back to the one before the
    /// newest that was at least `delay` ago.
    ///
    /// croner does not look back across a day whose clocks are put forward by three hours or more, as those of Casey
    /// Station were. What it would find there is missing, and comes with the next occurrence.
    pub(super) fn recent(&self, zone: Tz, now: DateTime<Utc>, delay: TimeDelta) -> Vec<Occurrence> {
        let mut days: Vec<Occurrence> = Vec::new();
        let mut enough = false;
        for at in self
            .cron
            .clone()
            .iter_before((now + TimeDelta::seconds(1)).with_timezone(&zone))
        {
            let found = Occurrence {
                at: at.to_utc(),
                day: at.date_naive(),
            };
            if found.at > now {
                continue;
            }
            match days.last_mut() {
                Some(last) if last.day == found.day => *last = found,
                _ if enough => break,
                _ => days.push(found),
            }
            // The one that is long enough ago, and the day before it.
            let ripe = days.iter().position(|day| day.at + delay <= now);
            enough = ripe.is_some_and(|ripe| days.len() > ripe + 1);
        }
        days
    }

    /// The next days on which it comes round at sites of this zone, after `now`.
    pub fn coming(&self, zone: Tz, now: DateTime<Utc>) -> impl Iterator<Item = Occurrence> {
        let mut last = None;
        self.cron
            .clone()
            .iter_after(now.with_timezone(&zone))
            .map(|at| Occurrence {
                at: at.to_utc(),
                day: at.date_naive(),
            })
            .filter(move |found| last.replace(found.day) != Some(found.day))
    }

    /// The last day on which it came round at sites of this zone, at `instant` or before, and the next one after that;
    /// `None` where one of them never comes.
    pub(super) fn around(
        &self,
        zone: Tz,
        instant: DateTime<Utc>,
    ) -> Option<(Occurrence, Occurrence)> {
        let last = *self.recent(zone, instant, TimeDelta::zero()).first()?;
        let next = self
            .coming(zone, instant)
            .find(|next| next.day != last.day)?;
        Some((last, next))
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Australia::{Brisbane, Lord_Howe, Perth, Sydney};
    use proptest::prelude::*;

    use super::super::samples::{before_a_change, has_a_leap, incremental_query};
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn timetable(cron: &str) -> Timetable {
        let mut query = incremental_query("visit");
        query.cron = Some(cron.to_owned());
        Timetable::of(&query).expect("followed").expect("a cron")
    }

    fn coming(cron: &str, zone: Tz, from: &str, count: usize) -> Vec<String> {
        timetable(cron)
            .coming(zone, utc(from))
            .take(count)
            .map(|found| found.at.with_timezone(&zone).format("%d %H:%M").to_string())
            .collect()
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_comes_at_the_first_instant_after_it() {
        // 02:00 → 03:00 in Sydney, 02:00 → 02:30 on Lord Howe, on 4 October 2026.
        let before = "2026-10-02T20:00:00Z";
        assert_eq!(
            coming("30 2 * * *", Sydney, before, 2),
            ["04 03:00", "05 02:30"]
        );
        assert_eq!(
            coming("15 2 * * *", Lord_Howe, before, 2),
            ["04 02:30", "05 02:15"]
        );
        assert_eq!(
            coming("30 2 * * *", Brisbane, before, 2),
            ["04 02:30", "05 02:30"]
        );
    }

    #[test]
    fn a_time_that_the_clocks_show_twice_comes_once() {
        // 03:00 → 02:00 in Sydney on 5 April 2026.
        let before = "2026-04-04T00:00:00Z";
        assert_eq!(
            coming("30 2 * * *", Sydney, before, 2),
            ["05 02:30", "06 02:30"]
        );
        assert_eq!(
            timetable("30 2 * * *")
                .coming(Sydney, utc(before))
                .next()
                .map(|it| it.at),
            Some(utc("2026-04-04T15:30:00Z"))
        );
    }

    #[test]
    fn of_a_pattern_with_several_times_a_day_the_first_counts() {
        assert_eq!(
            coming("*/20 1-3 * * *", Perth, "2026-11-18T00:00:00Z", 3),
            ["19 01:00", "20 01:00", "21 01:00"]
        );
    }

    #[test]
    fn an_instant_lies_between_two_days_on_which_it_comes_round() {
        let around = |pattern: &str, instant: &str| {
            let (last, next) = timetable(pattern).around(Brisbane, utc(instant))?;
            Some((last.at, next.at))
        };
        let some = |last: &str, next: &str| Some((utc(last), utc(next)));

        // 01:30 at Brisbane is 15:30 UTC of the day before; 20 November 2026 is a Friday.
        let weekend = some("2026-11-19T15:30:00Z", "2026-11-22T15:30:00Z");
        for instant in ["2026-11-19T15:30:00Z", "2026-11-22T15:29:59Z"] {
            assert_eq!(around("30 1 * * mon-fri", instant), weekend, "{instant}");
        }
        assert_eq!(
            around("30 1 * * mon-fri", "2026-11-22T15:30:00Z"),
            some("2026-11-22T15:30:00Z", "2026-11-23T15:30:00Z")
        );
        // Between two times of one day, the next one is that of tomorrow.
        assert_eq!(
            around("0 1,13 * * *", "2026-11-18T00:00:00Z"),
            some("2026-11-17T15:00:00Z", "2026-11-18T15:00:00Z")
        );
        assert_eq!(around("0 0 31 2 *", "2026-11-18T00:00:00Z"), None);
    }

    #[test]
    fn a_pattern_that_never_comes_gives_no_occurrence() {
        assert_eq!(
            timetable("0 0 31 2 *").recent(Sydney, utc("2026-11-18T00:00:00Z"), TimeDelta::zero()),
            []
        );
    }

    proptest! {
        /// Looking back finds what looking forward foretold, around both changes of the clock but the largest.
        #[test]
        fn looking_back_and_forward_agree(
            cron in prop::sample::select(vec!["30 1 * * *", "15 2 * * *", "0 0 * * *", "0 3 * * 1", "45 2 1,15 * *", "*/15 1-3 * * *"]),
            (zone, first) in before_a_change(),
            minute in 0_i64..9 * 24 * 60,
            delay in 0_i64..7200,
        ) {
            let month_before = first - chrono::Days::new(31);
            prop_assume!(!has_a_leap(zone, month_before, 31 + 9));
            let now = first.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::minutes(minute);
            let delay = TimeDelta::seconds(delay);
            let timetable = timetable(cron);

            let back = timetable.recent(zone, now, delay);

            let oldest = back.last().expect("each of these comes within a month");
            let start = oldest.at - TimeDelta::seconds(1);
            let mut forward: Vec<_> = timetable.coming(zone, start).take_while(|it| it.at <= now).collect();
            forward.reverse();
            prop_assert_eq!(&back, &forward);
            prop_assert!(back.iter().rev().skip(1).any(|it| it.at + delay <= now));
        }
    }
}
