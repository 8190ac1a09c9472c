//! How fresh a fleet's data is, held against the goal of each query.
//!
//! A site is late with a query when the newest object is older than the goal. The goal is the header's; else the
//! usual one. Where the timetable lets more than a day pass between the run that the object is of and the next one
//! (a weekend, a month), it is that time and half a day, if that is more. A site whose first night was planned less
//! than a goal ago is not late yet; nor is one without any that is active for less.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::domain::{Arrival, Arrivals, ExtractionState, QueryId, Site, SiteKey, SiteState};

use super::nightly::is_wanted;
use super::timetable::Timetable;

/// What runs every day comes round within this, also where the clocks are put back.
const LONGEST_DAY: Duration = Duration::from_secs(27 * 3600);

/// What a night may take beyond the time between two runs.
const HALF_A_DAY: Duration = Duration::from_secs(12 * 3600);

/// How a query stands over the fleet. Each site counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetRow {
    /// Which query version.
    pub query: QueryId,
    /// How old its newest object may grow, at the site that may wait longest; in UTC if it runs at none.
    pub goal: Duration,
    /// Sites that it runs at.
    pub sites: u64,
    /// Of these, such with an object that is young enough.
    pub fresh: u64,
    /// Such without, the active sites among them of which nothing was planned for so long.
    pub late: u64,
    /// Such whose newest extraction was given up.
    pub failed: u64,
    /// Such whose first object is still to come.
    pub first: u64,
    /// Sites that are held, paused or under review, and not among the others.
    pub held: u64,
    /// The site whose newest object is oldest, and when that was extracted.
    pub oldest: Option<(SiteKey, DateTime<Utc>)>,
    /// Sites that miss the goal.
    pub breaches: Vec<Breach>,
}

/// A site that misses the goal of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which site.
    pub site: SiteKey,
    /// Which query.
    pub query: QueryId,
    /// When its newest object was extracted, if there is one.
    pub extracted_at: Option<DateTime<Utc>>,
    /// Why, as the ledger tells it: `failed (contract)`, `pending (site-offline)`, `nothing planned`.
    pub cause: String,
}

/// How every query stands over the fleet at `now`; `usual` is the goal of those that do not say so themselves.
#[must_use]
pub fn fleet(
    sites: &[Site],
    timetables: &[Timetable],
    arrivals: &Arrivals,
    usual: Duration,
    now: DateTime<Utc>,
) -> Vec<FleetRow> {
    timetables
        .iter()
        .map(|timetable| row(sites, timetable, arrivals, usual, now))
        .collect()
}

fn row(
    sites: &[Site],
    timetable: &Timetable,
    arrivals: &Arrivals,
    usual: Duration,
    now: DateTime<Utc>,
) -> FleetRow {
    let mut goals = Goals {
        timetable,
        usual,
        gaps: HashMap::new(),
    };
    let mut row = FleetRow {
        query: timetable.query.clone(),
        goal: Duration::ZERO,
        sites: 0,
        fresh: 0,
        late: 0,
        failed: 0,
        first: 0,
        held: 0,
        oldest: None,
        breaches: Vec::new(),
    };
    for site in sites {
        if is_held(site, timetable) {
            row.held += 1;
        }
        if !is_wanted(site, timetable) {
            continue;
        }
        let nothing = Arrival {
            since: arrivals.silent_since.get(&site.key).copied(),
            ..Arrival::default()
        };
        let arrival = arrivals
            .came
            .get(&site.key)
            .and_then(|of_site| of_site.get(&timetable.query))
            .unwrap_or(&nothing);
        let goal = goals.of(site.time_zone, arrival.counted_from().unwrap_or(now));
        row.goal = row.goal.max(goal);
        row.count(site, arrival, goal, now);
    }
    if row.sites == 0 {
        row.goal = goals.of(Tz::UTC, now);
    }
    row
}

fn is_held(site: &Site, timetable: &Timetable) -> bool {
    matches!(
        site.state,
        SiteState::Held | SiteState::Paused | SiteState::IdentityReview
    ) && site.pms_type == timetable.pms
        && site.overrides.allows(&timetable.query.name)
}

/// The goals of a query, each found once for all that was extracted between the same two runs.
struct Goals<'a> {
    timetable: &'a Timetable,
    usual: Duration,
    /// Of each zone, by the instant at which they begin.
    gaps: HashMap<Tz, BTreeMap<DateTime<Utc>, Gap>>,
}

/// The time between two runs.
struct Gap {
    end: DateTime<Utc>,
    /// How old what was extracted in it may grow.
    goal: Duration,
}

impl Goals<'_> {
    /// How old what was extracted at `instant` may grow.
    fn of(&mut self, zone: Tz, instant: DateTime<Utc>) -> Duration {
        if let Some(goal) = self.timetable.freshness {
            return goal;
        }
        let gaps = self.gaps.entry(zone).or_default();
        if let Some((_, gap)) = gaps.range(..=instant).next_back()
            && instant < gap.end
        {
            return gap.goal;
        }
        let Some((last, next)) = self.timetable.around(zone, instant) else {
            return self.usual;
        };
        let length = (next.at - last.at).to_std().unwrap_or_default();
        let goal = if length > LONGEST_DAY {
            self.usual.max(length + HALF_A_DAY)
        } else {
            self.usual
        };
        gaps.insert(last.at, Gap { end: next.at, goal });
        goal
    }
}

impl FleetRow {
    fn count(&mut self, site: &Site, arrival: &Arrival, goal: Duration, now: DateTime<Utc>) {
        self.sites += 1;
        let is_old = |since: DateTime<Utc>| (now - since).to_std().is_ok_and(|age| age > goal);
        let breach = arrival.counted_from().is_some_and(is_old);
        if let Some(extracted_at) = arrival.extracted_at
            && self
                .oldest
                .as_ref()
                .is_none_or(|oldest| extracted_at < oldest.1)
        {
            self.oldest = Some((site.key.clone(), extracted_at));
        }
        if breach {
            self.breaches.push(Breach {
                site: site.key.clone(),
                query: self.query.clone(),
                extracted_at: arrival.extracted_at,
                cause: cause(arrival),
            });
        }
        match (&arrival.newest, arrival.extracted_at) {
            (Some(ExtractionState::Failed(_)), _) => self.failed += 1,
            _ if breach => self.late += 1,
            (_, None) => self.first += 1,
            (_, Some(_)) => self.fresh += 1,
        }
    }
}

fn cause(arrival: &Arrival) -> String {
    match &arrival.newest {
        Some(
            state @ (ExtractionState::Failed(_)
            | ExtractionState::Pending(_)
            | ExtractionState::Running(_)),
        ) => state.to_string(),
        _ => "nothing planned".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono_tz::Australia::Sydney;

    use super::super::samples::{incremental_query, site};
    use super::*;
    use crate::domain::{FailureClass, Waiting};

    const USUAL: Duration = Duration::from_secs(36 * 3600);

    fn now() -> DateTime<Utc> {
        "2026-11-18T00:00:00Z".parse().expect("a time")
    }

    fn hours_ago(hours: i64) -> DateTime<Utc> {
        now() - chrono::TimeDelta::hours(hours)
    }

    fn row_of(cron: &str, arrivals: &[Arrival]) -> FleetRow {
        row_at(cron, arrivals, now())
    }

    fn row_at(cron: &str, arrivals: &[Arrival], now: DateTime<Utc>) -> FleetRow {
        let mut query = incremental_query("visit");
        query.cron = Some(cron.to_owned());
        let timetables = Timetable::of_all([&query]).expect("followed");
        let sites: Vec<_> = (0..arrivals.len())
            .map(|at| site(&format!("s{at}"), Sydney))
            .collect();
        let came = sites
            .iter()
            .zip(arrivals)
            .map(|(site, arrival)| {
                (
                    site.key.clone(),
                    BTreeMap::from([(query.id.clone(), arrival.clone())]),
                )
            })
            .collect();
        let arrivals = Arrivals {
            came,
            ..Arrivals::default()
        };
        fleet(&sites, &timetables, &arrivals, USUAL, now).remove(0)
    }

    fn came(hours: i64, newest: ExtractionState) -> Arrival {
        Arrival {
            extracted_at: Some(hours_ago(hours)),
            since: Some(hours_ago(500)),
            newest: Some(newest),
        }
    }

    #[test]
    fn each_site_counts_once_and_the_oldest_is_named() {
        let offline = ExtractionState::Pending(Waiting::SiteOffline);
        let row = row_of(
            "30 1 * * *",
            &[
                came(36, ExtractionState::Succeeded),
                came(37, offline),
                came(20, ExtractionState::Failed(FailureClass::Contract)),
                came(90, ExtractionState::Failed(FailureClass::Sql)),
                Arrival {
                    since: Some(hours_ago(5)),
                    ..Arrival::default()
                },
                Arrival {
                    since: Some(hours_ago(40)),
                    ..Arrival::default()
                },
                Arrival::default(),
            ],
        );

        assert_eq!(
            (row.sites, row.fresh, row.late, row.failed, row.first),
            (7, 1, 2, 2, 2)
        );
        assert_eq!(
            row.oldest,
            "s3".parse().ok().map(|site| (site, hours_ago(90)))
        );
        let causes: Vec<_> = row
            .breaches
            .iter()
            .map(|it| (it.site.to_string(), it.cause.as_str()))
            .collect();
        let of = |site: &str, cause| (site.to_owned(), cause);
        assert_eq!(
            causes,
            [
                of("s1", "pending (site-offline)"),
                of("s3", "failed (sql)"),
                of("s5", "nothing planned")
            ]
        );
    }

    #[test]
    fn a_monthly_query_may_grow_as_old_as_its_month_and_half_a_day() {
        let monthly = |hours| row_of("0 3 1 * *", &[came(hours, ExtractionState::Succeeded)]);

        let of_november = Duration::from_secs((30 * 24 + 12) * 3600);
        // From 1 October 03:00 to 1 November 03:00; the clock was put forward between them.
        let of_october = Duration::from_secs((31 * 24 - 1 + 12) * 3600);
        assert_eq!(monthly(1).goal, of_november);
        let (not_late, late) = (monthly(31 * 24), monthly(31 * 24 + 12));
        assert_eq!((not_late.goal, not_late.late), (of_october, 0));
        assert_eq!((late.goal, late.late), (of_october, 1));
    }

    #[test]
    fn a_query_of_working_days_is_not_late_at_the_weekend_but_when_a_working_day_is_missed() {
        // In local time; 20 November 2026 is a Friday.
        let is_late = |extracted: &str, now: &str| {
            let local = |text: &str| {
                chrono::NaiveDateTime::parse_from_str(text, "%d %H:%M %Y-%m")
                    .expect("a time")
                    .and_local_timezone(Sydney)
                    .single()
                    .expect("shown once")
                    .to_utc()
            };
            let arrival = Arrival {
                extracted_at: Some(local(&format!("{extracted} 2026-11"))),
                ..Arrival::default()
            };
            row_at(
                "30 1 * * mon-fri",
                &[arrival],
                local(&format!("{now} 2026-11")),
            )
            .late
                == 1
        };

        for now in ["21 14:00", "22 23:00", "23 02:00", "23 13:40"] {
            assert!(!is_late("20 01:45", now), "of Friday, on {now}");
        }
        for now in ["23 13:50", "24 02:00", "24 12:00"] {
            assert!(is_late("20 01:45", now), "Monday was missed, on {now}");
        }
        for now in ["20 13:50", "21 12:00", "22 12:00", "23 12:00"] {
            assert!(is_late("19 01:45", now), "Friday was missed, on {now}");
        }
        assert!(!is_late("23 01:45", "24 13:40"), "of Monday, on Tuesday");
        assert!(is_late("23 01:45", "24 13:50"), "Tuesday was missed");
    }

    #[test]
    fn a_site_of_which_nothing_was_ever_planned_is_late_once_it_is_active_for_longer_than_the_goal()
    {
        let query = incremental_query("visit");
        let timetables = Timetable::of_all([&query]).expect("followed");
        let sites = [36, 37].map(|hours| site(&format!("s{hours}"), Sydney));
        let arrivals = Arrivals {
            silent_since: [36, 37]
                .into_iter()
                .zip(&sites)
                .map(|(hours, site)| (site.key.clone(), hours_ago(hours)))
                .collect(),
            ..Arrivals::default()
        };

        let row = fleet(&sites, &timetables, &arrivals, USUAL, now()).remove(0);

        assert_eq!((row.sites, row.first, row.late), (2, 1, 1));
        let late = [(sites[1].key.clone(), None, "nothing planned")];
        let breaches: Vec<_> = row
            .breaches
            .iter()
            .map(|it| (it.site.clone(), it.extracted_at, it.cause.as_str()))
            .collect();
        assert_eq!(breaches, late);
    }

    #[test]
    fn a_daily_query_has_the_usual_goal_also_where_that_is_short() {
        let query = incremental_query("visit");
        let timetables = Timetable::of_all([&query]).expect("followed");
        let short = Duration::from_secs(26 * 3600);

        let rows = fleet(
            &[site("s1", Sydney)],
            &timetables,
            &Arrivals::default(),
            short,
            now(),
        );

        assert_eq!(rows[0].goal, short);
    }

    #[test]
    fn held_sites_are_told_apart() {
        let query = incremental_query("visit");
        let timetables = Timetable::of_all([&query]).expect("followed");
        let mut held = site("s1", Sydney);
        held.state = SiteState::Held;
        let mut gone = site("s2", Sydney);
        gone.state = SiteState::Withdrawn;

        let rows = fleet(
            &[held, gone],
            &timetables,
            &Arrivals::default(),
            USUAL,
            now(),
        );

        assert_eq!((rows[0].sites, rows[0].held, rows[0].goal), (0, 1, USUAL));
    }
}
