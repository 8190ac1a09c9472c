//! Nights planned against a small model of the ledger: what is planned, what is covered, what waits.

use std::collections::BTreeSet;

use chrono::NaiveTime;
use chrono_tz::Australia::{Adelaide, Brisbane, Perth, Sydney};
use proptest::prelude::*;

use super::super::hours::instant;
use super::super::samples::{
    before_a_change, incremental_query, site, snapshot_query, zones_that_differ,
};
use super::super::windows::union;
use super::*;
use crate::domain::{Open, Query, days_over};

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn rules() -> Rules {
    Rules {
        spread: Duration::from_secs(7200),
        quiet_hours: "20:00-07:00".parse().expect("quiet hours"),
        last_start: TimeDelta::minutes(15),
        longest: NonZeroU32::new(35).expect("not zero"),
    }
}

/// What became of an extraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Published,
    Waits,
    Begun,
    GivenUp,
}

/// One query at one site, as the ledger would keep it.
struct Model {
    site: Site,
    timetables: Vec<Timetable>,
    rules: Rules,
    planned_to: Option<NaiveDate>,
    since: Option<NaiveDate>,
    rows: Vec<(Window, Fate)>,
}

impl Model {
    fn new(zone: Tz, cron: &str, mode: Mode) -> Self {
        let mut query = match mode {
            Mode::Snapshot => snapshot_query("patient"),
            Mode::Incremental { .. } => incremental_query("visit"),
        };
        query.cron = Some(cron.to_owned());
        Self {
            site: site("s40123", zone),
            timetables: Timetable::of_all([&query]).expect("followed"),
            rules: rules(),
            planned_to: None,
            since: None,
            rows: Vec::new(),
        }
    }

    fn incremental(zone: Tz) -> Self {
        Self::new(zone, "30 1 * * *", Mode::Incremental { overlap_days: 2 })
    }

    fn windows(&self, fate: Fate) -> Vec<Window> {
        self.rows
            .iter()
            .filter(|row| row.1 == fate)
            .map(|row| row.0)
            .collect()
    }

    fn standings(&self) -> Standings {
        let Some(since) = self.since else {
            return Standings::new();
        };
        let union = union(&self.windows(Fate::Published));
        let covered_to = union
            .iter()
            .find(|window| window.start() <= since && since <= window.end())
            .map_or(since, Window::end);
        let open = |fate, begun| {
            self.windows(fate)
                .into_iter()
                .map(move |window| Open { window, begun })
        };
        let standing = Standing {
            planned_to: self.planned_to,
            covered_to: Some(covered_to),
            covered: union
                .into_iter()
                .filter(|window| window.start() > covered_to)
                .collect(),
            open: open(Fate::Waits, false)
                .chain(open(Fate::Begun, true))
                .collect(),
        };
        let query = self.timetables[0].query.clone();
        Standings::from([(self.site.key.clone(), [(query, standing)].into())])
    }

    fn look(&self, now: DateTime<Utc>) -> Option<Tonight> {
        let mut tonight = nightly(
            std::slice::from_ref(&self.site),
            &self.timetables,
            &self.standings(),
            &self.rules,
            now,
        );
        assert!(tonight.len() <= 1);
        tonight.pop()
    }

    /// Plans and lets every new extraction have this fate; gives the windows planned.
    fn night(&mut self, now: DateTime<Utc>, fate: Fate) -> Vec<String> {
        let Some(tonight) = self.look(now) else {
            return Vec::new();
        };
        self.since.get_or_insert(tonight.from);
        self.planned_to = self.planned_to.max(Some(tonight.to));
        let gone: BTreeSet<_> = tonight.superseded.iter().map(|it| it.window).collect();
        self.rows.retain(|row| !gone.contains(&row.0));
        let windows = tonight.planned.iter().map(|it| it.extraction.window);
        self.rows.retain(|row| {
            !(row.1 == Fate::GivenUp && windows.clone().any(|window| window == row.0))
        });
        self.rows
            .extend(windows.clone().map(|window| (window, fate)));
        windows.map(|window| window.to_string()).collect()
    }
}

/// Noon at every Australian site.
fn noon(day: u64) -> DateTime<Utc> {
    utc("2026-11-18T02:30:00Z") + Days::new(day)
}

#[test]
fn the_first_night_of_a_site_asks_for_the_day_before() {
    let mut model = Model::incremental(Sydney);

    assert_eq!(
        model.night(noon(0), Fate::Published),
        ["2026-11-17..2026-11-18"]
    );
    assert_eq!(model.night(noon(0), Fate::Published), [""; 0]);
    assert_eq!(
        model.night(noon(1), Fate::Published),
        ["2026-11-18..2026-11-19"]
    );
}

#[test]
fn the_first_night_goes_on_where_recent_objects_end() {
    let mut model = Model::incremental(Sydney);
    let standing = |covered_to: &str| Standing {
        covered_to: covered_to.parse().ok(),
        ..Standing::default()
    };
    let first = |model: &Model, standing: Standing| {
        let standings = Standings::from([(
            model.site.key.clone(),
            [(model.timetables[0].query.clone(), standing)].into(),
        )]);
        let sites = std::slice::from_ref(&model.site);
        let tonight = nightly(sites, &model.timetables, &standings, &model.rules, noon(0));
        tonight[0].planned[0].extraction.window.to_string()
    };

    assert_eq!(
        first(&model, standing("2026-11-10")),
        "2026-11-10..2026-11-18"
    );
    assert_eq!(
        first(&model, standing("2020-01-01")),
        "2026-11-17..2026-11-18"
    );
    model.site.state = SiteState::Held;
    assert_eq!(model.look(noon(0)), None);
}

#[test]
fn a_missed_week_becomes_one_window_and_one_snapshot_of_the_day_it_is_taken() {
    let mut visits = Model::incremental(Adelaide);
    let mut patients = Model::new(Adelaide, "0 1 * * *", Mode::Snapshot);
    visits.night(noon(0), Fate::Published);
    patients.night(noon(0), Fate::Published);

    assert_eq!(
        visits.night(noon(8), Fate::Published),
        ["2026-11-18..2026-11-26"]
    );
    assert_eq!(
        patients.night(noon(8), Fate::Published),
        ["2026-11-26..2026-11-27"]
    );
    assert_eq!(visits.look(noon(8)), None);
    assert_eq!(patients.look(noon(8)), None);
}

#[test]
fn a_monthly_snapshot_that_is_caught_up_is_of_the_day_on_which_it_is_taken() {
    let mut lookups = Model::new(Perth, "0 3 1 * *", Mode::Snapshot);

    assert_eq!(
        lookups.night(noon(6), Fate::Published),
        ["2026-11-24..2026-11-25"]
    );
    assert_eq!(lookups.look(noon(9)), None);
    assert_eq!(
        lookups.night(noon(13), Fate::Published),
        ["2026-12-01..2026-12-02"]
    );
}

#[test]
fn what_waits_gives_way_to_the_wider_window_and_what_was_begun_does_not() {
    let mut model = Model::incremental(Sydney);
    model.night(noon(0), Fate::Waits);

    let tonight = model.look(noon(1)).expect("due");
    assert_eq!(tonight.superseded.len(), 1);
    assert_eq!(
        tonight.planned[0].extraction.window.to_string(),
        "2026-11-17..2026-11-19"
    );
    assert_eq!(tonight.planned[0].due, Due::CatchUp);

    model.night(noon(1), Fate::Begun);
    let tonight = model.look(noon(2)).expect("due");
    assert_eq!(tonight.superseded, []);
    assert_eq!(
        tonight.planned[0].extraction.window.to_string(),
        "2026-11-19..2026-11-20"
    );
}

#[test]
fn a_year_that_was_missed_is_cut_at_the_longest_window() {
    let mut model = Model::incremental(Sydney);
    model.night(noon(0), Fate::Published);

    let windows = model.night(noon(100), Fate::Published);

    assert_eq!(
        windows,
        [
            "2026-11-18..2026-12-23",
            "2026-12-23..2027-01-27",
            "2027-01-27..2027-02-26"
        ]
    );
}

#[test]
fn a_weekly_query_asks_for_its_week_on_schedule() {
    let mut model = Model::new(Sydney, "30 1 * * 0", Mode::Incremental { overlap_days: 0 });
    model.rules.spread = Duration::ZERO;
    model.night(noon(4), Fate::Published);

    // Sunday 29 November at 02:00.
    let tonight = model.look(utc("2026-11-28T15:00:00Z")).expect("due");

    assert_eq!(
        tonight.planned[0].extraction.window.to_string(),
        "2026-11-22..2026-11-29"
    );
    assert_eq!(tonight.planned[0].due, Due::Scheduled);
}

#[test]
fn nothing_begins_outside_quiet_hours() {
    let model = Model::incremental(Brisbane);

    let tonight = model.look(noon(0)).expect("due");

    // 20:00 in Brisbane.
    assert_eq!(tonight.planned[0].not_before, utc("2026-11-18T10:00:00Z"));
}

#[test]
fn queries_that_a_site_switched_off_and_sites_that_are_not_active_are_not_planned() {
    let mut model = Model::incremental(Brisbane);
    let visit: crate::domain::QueryName = "visit".parse().expect("a name");
    model.site.overrides.queries_off.insert(visit.clone());
    assert_eq!(model.look(noon(0)), None);

    model.site.overrides.queries_off.remove(&visit);
    assert!(model.look(noon(0)).is_some());
    for state in [
        SiteState::Held,
        SiteState::Paused,
        SiteState::IdentityReview,
    ] {
        model.site.state = state;
        assert_eq!(model.look(noon(0)), None);
    }
}

#[test]
fn the_delay_moves_the_start_and_never_the_window() {
    let sites: Vec<Site> = (0..50)
        .map(|number| site(&format!("s{number}"), Sydney))
        .collect();
    let mut query = incremental_query("visit");
    query.cron = Some("30 23 * * *".to_owned());
    let timetables = Timetable::of_all([&query]).expect("followed");
    // 02:00 on 19 November: whoever begins after midnight still asks for the days before the 18th.
    let now = utc("2026-11-18T15:00:00Z");

    let tonight = nightly(&sites, &timetables, &Standings::new(), &rules(), now);

    let windows: BTreeSet<String> = tonight
        .iter()
        .map(|it| it.planned[0].extraction.window.to_string())
        .collect();
    let starts: BTreeSet<_> = tonight.iter().map(|it| it.planned[0].not_before).collect();
    assert_eq!(
        windows,
        BTreeSet::from(["2026-11-17..2026-11-18".to_owned()])
    );
    assert!(starts.len() > 40);
    assert!(
        starts.iter().all(
            |start| (utc("2026-11-18T12:30:00Z")..utc("2026-11-18T14:30:00Z")).contains(start)
        )
    );
}

#[test]
fn a_site_of_short_hours_begins_in_their_first_half_and_never_when_it_is_closed() {
    let mut query = incremental_query("visit");
    let timetable = |query: &Query| Timetable::of(query).expect("followed").expect("a cron");
    for (cron, hours, from, to) in [
        ("30 2 * * *", "01:30-05:00", "02:30", "03:38"),
        ("40 23 * * *", "00:00-06:00", "00:00", "02:00"),
        ("50 4 * * *", "01:00-05:00", "01:00", "02:53"),
    ] {
        query.cron = Some(cron.to_owned());
        let timetable = timetable(&query);
        let starts: BTreeSet<String> = (0..200)
            .map(|number| {
                let mut site = site(&format!("s{number}"), Brisbane);
                site.overrides.quiet_hours = hours.parse().ok();
                let occurrence = timetable
                    .coming(Brisbane, noon(0))
                    .next()
                    .expect("it comes");
                let start = rules().due_at(&site, &timetable, occurrence);
                start.with_timezone(&Brisbane).format("%H:%M").to_string()
            })
            .collect();

        assert!(
            starts.first().is_some_and(|first| first.as_str() >= from),
            "{cron}: {starts:?}"
        );
        assert!(
            starts.last().is_some_and(|last| last.as_str() <= to),
            "{cron}: {starts:?}"
        );
        assert!(starts.len() > 30, "{cron}: {starts:?}");
    }
}

#[test]
fn what_comes_is_what_will_be_planned() {
    let mut model = Model::incremental(Adelaide);
    model.night(noon(0), Fate::Published);
    let standings = model.standings();
    let standing = &standings[&model.site.key][&model.timetables[0].query];

    let nights: Vec<Coming> = coming(
        &model.site,
        &model.timetables[0],
        standing,
        &model.rules,
        noon(0),
    )
    .take(3)
    .collect();

    for night in nights {
        assert_eq!(model.look(night.start - TimeDelta::seconds(1)), None);
        assert_eq!(
            model.night(night.start, Fate::Published),
            [night.window.to_string()]
        );
    }
}

/// Noon of a day at sites of a zone, or the first noon after it where that day was left out.
fn noon_at(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).expect("a time");
    day.iter_days()
        .find_map(|day| instant(zone, day, noon))
        .expect("not every day is left out")
}

/// Looks now and again, and publishes whatever is planned.
fn look_at(zone: Tz, cron: &str, times: &[DateTime<Utc>]) -> Result<(), TestCaseError> {
    let mut model = Model::new(zone, cron, Mode::Incremental { overlap_days: 1 });
    for now in times {
        model.night(*now, Fate::Published);
        prop_assert_eq!(model.look(*now), None, "planning twice adds something");
        // Three days: one that is not over, one whose night may be to come, and one that may have been left out.
        let lately = now.with_timezone(&zone).date_naive() - Days::new(3);
        let planned_to = model.planned_to.expect("a night was planned");
        prop_assert!(
            cron.ends_with("1,4") || planned_to >= lately,
            "{zone}: {now} is planned to {planned_to} only"
        );
    }

    let follow = |pair: &[(Window, Fate)]| pair[0].0.end() == pair[1].0.start();
    prop_assert!(
        model.rows.windows(2).all(follow),
        "{zone}: {:?}",
        model.rows
    );
    let now = times[times.len() - 1];
    for (window, _) in &model.rows {
        prop_assert_eq!(days_over(*window, now, zone), Some(*window));
    }
    Ok(())
}

#[test]
fn nights_tile_the_days_around_the_changes_of_every_zone_that_a_site_may_have() {
    let zones = zones_that_differ();
    assert!(zones.len() > 50, "{} zones", zones.len());
    for (zone, changes) in zones {
        for change in changes {
            let first = noon_at(zone, change - Days::new(2));
            let times: Vec<_> = (0..16).map(|n| first + TimeDelta::hours(7 * n)).collect();
            for cron in ["30 1 * * *", "0 0 * * *"] {
                look_at(zone, cron, &times).unwrap_or_else(|error| panic!("{zone}: {error}"));
            }
        }
    }
}

proptest! {
    // A case is weeks of looks; every way in which clocks are changed now is looked at above.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Around a change of the clocks in any zone, looked at every few minutes or hours.
    #[test]
    fn nights_tile_the_days_without_gap_or_overlap(
        (zone, first) in before_a_change(),
        cron in prop::sample::select(vec!["30 1 * * *", "15 2 * * *", "0 0 * * *", "59 23 * * *", "0 3 * * 1,4"]),
        pauses in prop::collection::vec(7_i64..1500, 20..60),
    ) {
        let mut now = noon_at(zone, first);
        let mut times = Vec::new();
        for pause in pauses {
            times.push(now);
            now += TimeDelta::minutes(pause);
        }
        look_at(zone, cron, &times)?;
    }

    /// Whatever happens to single nights, one good one leaves every day covered exactly once.
    #[test]
    fn after_bad_nights_a_good_one_covers_every_day_once(
        (zone, first) in before_a_change(),
        fates in prop::collection::vec(
            (1_u64..4, prop::sample::select(vec![Fate::Published, Fate::Waits, Fate::Begun, Fate::GivenUp]),
             prop::sample::select(vec![Fate::Published, Fate::GivenUp])),
            1..12,
        ),
    ) {
        let mut model = Model::incremental(zone);
        let mut day = 0;
        for (nights, fate, later) in fates {
            // What was begun before ends now, one way or the other.
            for row in model.rows.iter_mut().filter(|row| row.1 == Fate::Begun) {
                row.1 = later;
            }
            let now = noon_at(zone, first + Days::new(day));
            model.night(now, fate);
            prop_assert_eq!(model.look(now), None, "planning twice adds something");
            day += nights;
        }
        for row in model.rows.iter_mut().filter(|row| row.1 == Fate::Begun) {
            row.1 = Fate::GivenUp;
        }
        // The day after, because the last one may have been left out, and so looked at already.
        model.night(noon_at(zone, first + Days::new(day + 1)), Fate::Published);

        let published = model.windows(Fate::Published);
        let days: u64 = published.iter().map(Window::days).sum();
        let union = union(&published);
        prop_assert_eq!(union.len(), 1);
        prop_assert_eq!(union[0].days(), days, "a day is covered twice");
        prop_assert_eq!(Some(union[0].start()), model.since);
        prop_assert_eq!(Some(union[0].end()), model.planned_to);
        prop_assert_eq!(model.windows(Fate::Waits), []);
    }
}
