//! Planning what an operator names: these sites, these queries, this range or date.

use std::num::NonZeroU32;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::{
    Due, Extraction, Lane, Mode, Planned, Query, QueryId, Site, SiteKey, SiteState, Window,
};

use super::windows::tile;

/// What an operator asks for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Of these sites.
    pub sites: &'a [Site],
    /// These queries, in the versions given.
    pub queries: &'a [Query],
    /// Days for incremental queries; yesterday at each site if absent.
    pub range: Option<Window>,
    /// Longest window; the whole range is one window if absent.
    pub max_days: Option<NonZeroU32>,
    /// Day of snapshots; today at each site if absent.
    pub snapshot_date: Option<NaiveDate>,
}

/// What is to be done for an operator, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnDemand {
    /// In the order of sites, queries, windows.
    pub planned: Vec<Planned>,
    /// What was asked for and cannot be done, to be shown.
    pub skipped: Vec<Skipped>,
    /// Planned although the window's last day is not over at the site, to be shown: later changes of that day
    /// are not in the object, and the window does not count as covered.
    pub unfinished: Vec<Extraction>,
}

/// A query that is not planned for a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// At this site.
    pub site: SiteKey,
    /// This query.
    pub query: QueryId,
    /// Because of this.
    pub why: SkippedWhy,
}

/// Why a query is not planned for a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SkippedWhy {
    /// Only active sites are extracted from.
    #[error("the site is {0}; activate it first")]
    NotActive(SiteState),
    /// The query is written for another practice management system.
    #[error("the query is for another practice management system")]
    OtherSystem,
    /// The site has the query switched off.
    #[error("the query is switched off at this site")]
    SwitchedOff,
    /// A snapshot shows the rows of now, which are not those of a day to come.
    #[error(
        "{date} has not begun at the site, where it is {today} now; ask for a snapshot of today"
    )]
    NotBegun {
        /// The day asked for.
        date: NaiveDate,
        /// The date at the site.
        today: NaiveDate,
    },
}

/// Plans what was asked, to start at once in the manual lane.
#[must_use]
pub fn on_demand(asked: &Asked<'_>, now: DateTime<Utc>) -> OnDemand {
    let mut outcome = OnDemand::default();
    for site in asked.sites {
        for query in asked.queries {
            match windows_for(site, query, asked, now) {
                Ok(windows) => {
                    for planned in windows
                        .into_iter()
                        .map(|window| manual(site, query, window, now))
                    {
                        if is_unfinished(site, query, &planned.extraction, now) {
                            outcome.unfinished.push(planned.extraction.clone());
                        }
                        outcome.planned.push(planned);
                    }
                }
                Err(why) => outcome.skipped.push(Skipped {
                    site: site.key.clone(),
                    query: query.id.clone(),
                    why,
                }),
            }
        }
    }
    outcome
}

fn is_unfinished(site: &Site, query: &Query, extraction: &Extraction, now: DateTime<Utc>) -> bool {
    matches!(query.mode, Mode::Incremental { .. }) && extraction.window.end() > today_at(site, now)
}

fn today_at(site: &Site, now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&site.time_zone).date_naive()
}

fn windows_for(
    site: &Site,
    query: &Query,
    asked: &Asked<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<Window>, SkippedWhy> {
    if site.state != SiteState::Active {
        return Err(SkippedWhy::NotActive(site.state));
    }
    if site.pms_type != query.pms {
        return Err(SkippedWhy::OtherSystem);
    }
    if !site.overrides.allows(&query.id.name) {
        return Err(SkippedWhy::SwitchedOff);
    }
    let today = today_at(site, now);
    match query.mode {
        Mode::Snapshot => snapshot(asked.snapshot_date.unwrap_or(today), today),
        Mode::Incremental { .. } => Ok(incremental(asked, today)),
    }
}

fn snapshot(date: NaiveDate, today: NaiveDate) -> Result<Vec<Window>, SkippedWhy> {
    if date > today {
        return Err(SkippedWhy::NotBegun { date, today });
    }
    Ok(vec![Window::day(date)])
}

fn incremental(asked: &Asked<'_>, today: NaiveDate) -> Vec<Window> {
    let yesterday = today.pred_opt().map(Window::day);
    let Some(range) = asked.range.or(yesterday) else {
        return Vec::new();
    };
    match asked.max_days {
        Some(days) => tile(range, days),
        None => vec![range],
    }
}

fn manual(site: &Site, query: &Query, window: Window, now: DateTime<Utc>) -> Planned {
    Planned {
        extraction: Extraction {
            site: site.key.clone(),
            query: query.id.clone(),
            window,
        },
        lane: Lane::Manual,
        priority: 0,
        due: Due::Requested,
        not_before: now,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{incremental_query, site, snapshot_query};
    use super::*;

    /// 00:30 on 19 November in Sydney, 23:30 on 18 November in Brisbane.
    fn now() -> DateTime<Utc> {
        "2026-11-18T13:30:00Z".parse().expect("a time")
    }

    fn asked<'a>(sites: &'a [Site], queries: &'a [Query]) -> Asked<'a> {
        Asked {
            sites,
            queries,
            range: None,
            max_days: None,
            snapshot_date: None,
        }
    }

    fn planned(asked: &Asked<'_>) -> Vec<String> {
        let outcome = on_demand(asked, now());
        assert_eq!(outcome.skipped, []);
        outcome
            .planned
            .iter()
            .map(|item| item.extraction.to_string())
            .collect()
    }

    #[test]
    fn without_dates_the_days_are_those_of_each_sites_calendar() {
        let sites = [
            site("s1", chrono_tz::Australia::Sydney),
            site("s2", chrono_tz::Australia::Brisbane),
        ];
        let queries = [incremental_query("visit"), snapshot_query("patient")];

        assert_eq!(
            planned(&asked(&sites, &queries)),
            [
                "s1/visit@v1/2026-11-18..2026-11-19",
                "s1/patient@v1/2026-11-19..2026-11-20",
                "s2/visit@v1/2026-11-17..2026-11-18",
                "s2/patient@v1/2026-11-18..2026-11-19",
            ]
        );
    }

    #[test]
    fn a_range_is_one_window_unless_a_longest_one_is_named() {
        let sites = [site("s1", chrono_tz::Australia::Sydney)];
        let queries = [incremental_query("visit")];
        let mut asked = asked(&sites, &queries);
        asked.range = Some("2026-11-01..2026-11-11".parse().expect("a window"));

        assert_eq!(planned(&asked), ["s1/visit@v1/2026-11-01..2026-11-11"]);
        asked.max_days = NonZeroU32::new(7);
        assert_eq!(
            planned(&asked),
            [
                "s1/visit@v1/2026-11-01..2026-11-08",
                "s1/visit@v1/2026-11-08..2026-11-11"
            ]
        );
    }

    #[test]
    fn a_window_whose_last_day_is_not_over_is_planned_and_told() {
        let sites = [site("s2", chrono_tz::Australia::Brisbane)];
        let queries = [incremental_query("visit")];
        let mut asked = asked(&sites, &queries);

        asked.range = Some("2026-11-17..2026-11-18".parse().expect("a window"));
        assert_eq!(on_demand(&asked, now()).unfinished, []);

        asked.range = Some("2026-11-17..2026-11-19".parse().expect("a window"));
        let outcome = on_demand(&asked, now());
        assert_eq!(outcome.planned.len(), 1);
        assert_eq!(outcome.unfinished, [outcome.planned[0].extraction.clone()]);
    }

    #[test]
    fn a_snapshot_of_a_day_to_come_is_not_planned() {
        let sites = [site("s2", chrono_tz::Australia::Brisbane)];
        let queries = [snapshot_query("patient")];
        let mut asked = asked(&sites, &queries);
        asked.snapshot_date = "2026-11-19".parse().ok();

        let outcome = on_demand(&asked, now());

        assert_eq!(outcome.planned, []);
        assert_eq!(
            outcome.skipped[0].why.to_string(),
            "2026-11-19 has not begun at the site, where it is 2026-11-18 now; ask for a snapshot of today"
        );
    }

    #[test]
    fn a_query_that_a_site_has_switched_off_is_told_and_not_planned() {
        let mut site = site("s1", chrono_tz::Australia::Sydney);
        site.overrides
            .queries_off
            .insert("visit".parse().expect("a name"));
        let (sites, queries) = (
            [site],
            [incremental_query("visit"), snapshot_query("patient")],
        );

        let outcome = on_demand(&asked(&sites, &queries), now());

        assert_eq!(outcome.planned.len(), 1);
        assert_eq!(outcome.skipped.len(), 1);
        assert_eq!(outcome.skipped[0].why, SkippedWhy::SwitchedOff);
    }

    #[test]
    fn sites_that_are_not_active_or_run_another_system_are_told() {
        let mut held = site("s1", chrono_tz::Australia::Sydney);
        held.state = SiteState::Held;
        let mut dental = site("s2", chrono_tz::Australia::Sydney);
        dental.pms_type = crate::domain::PmsType::D4w;
        let (sites, queries) = ([held, dental], [incremental_query("visit")]);

        let outcome = on_demand(&asked(&sites, &queries), now());

        assert_eq!(outcome.planned, []);
        let why: Vec<_> = outcome.skipped.iter().map(|skipped| skipped.why).collect();
        assert_eq!(
            why,
            [
                SkippedWhy::NotActive(SiteState::Held),
                SkippedWhy::OtherSystem
            ]
        );
    }
}
