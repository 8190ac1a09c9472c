use std::collections::BTreeSet;
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use proptest::prelude::*;

use super::super::samples::{incremental_query, site, snapshot_query};
use super::super::windows::halves;
use super::*;
use crate::domain::{Due, Extraction, Query, Reprocess, Site, SiteState, Window};

fn brisbane() -> Site {
    site("s1", chrono_tz::Australia::Brisbane)
}

fn visit() -> Query {
    incremental_query("visit")
}

fn window(text: &str) -> Window {
    text.parse().expect("a window")
}

fn days(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("not zero")
}

fn noon(date: &str) -> DateTime<Utc> {
    format!("{date}T02:00:00Z").parse().expect("a time")
}

fn asked(range: &str) -> BackfillAsked {
    BackfillAsked {
        sites: vec![brisbane().key],
        queries: vec![visit().id],
        range: window(range),
        reprocess: Reprocess::Failed,
        max_days: None,
        usual_days: days(30),
        oldest_first: false,
        as_of: noon("2027-06-01"),
    }
}

fn planned(asked: &BackfillAsked, standing: &Standing) -> Vec<(String, Due)> {
    units_of(asked, &brisbane(), &visit(), standing)
        .units
        .into_iter()
        .map(|unit| (unit.extraction.window.to_string(), unit.due))
        .collect()
}

fn text(pairs: &[(&str, Due)]) -> Vec<(String, Due)> {
    pairs
        .iter()
        .map(|(window, due)| ((*window).to_owned(), due.clone()))
        .collect()
}

#[test]
fn small_gaps_that_touch_become_one_unit_and_long_ones_are_split() {
    let late = noon("2027-05-01");
    let standing = Standing {
        covered: vec![(window("2026-11-10..2026-11-12"), late)],
        failed: vec![
            window("2026-11-12..2026-11-13"),
            window("2026-11-13..2026-11-14"),
        ],
        ..Standing::default()
    };

    assert_eq!(
        planned(&asked("2026-11-08..2027-01-01"), &standing),
        text(&[
            ("2026-11-08..2026-11-10", Due::Missing),
            ("2026-11-12..2026-12-12", Due::Failed),
            ("2026-12-12..2027-01-01", Due::Missing),
        ])
    );
}

#[test]
fn the_size_that_a_site_managed_is_kept_to_unless_the_operator_names_another() {
    let standing = Standing {
        workable_days: Some(days(4)),
        ..Standing::default()
    };
    let mut asked = asked("2026-11-01..2026-11-11");

    let sizes = |asked: &BackfillAsked| {
        let units = units_of(asked, &brisbane(), &visit(), &standing).units;
        let sizes = units.iter().map(|unit| unit.extraction.window.days());
        sizes.collect::<Vec<_>>()
    };
    assert_eq!(sizes(&asked), [4, 4, 2]);
    asked.max_days = Some(days(5));
    assert_eq!(sizes(&asked), [5, 5]);
}

#[test]
fn each_choice_of_what_to_ask_again_includes_those_before_it() {
    let late = noon("2027-05-01");
    let standing = Standing {
        covered: vec![(window("2026-11-01..2026-11-02"), late)],
        older: vec![(window("2026-11-01..2026-11-06"), late)],
        failed: vec![window("2026-11-02..2026-11-04")],
        ..Standing::default()
    };
    let mut asked = asked("2026-11-01..2026-11-08");
    let days_of = |asked: &BackfillAsked| {
        planned(asked, &standing)
            .into_iter()
            .map(|(window, _)| window)
            .collect::<Vec<_>>()
    };

    asked.reprocess = Reprocess::None;
    assert_eq!(days_of(&asked), ["2026-11-06..2026-11-08"]);
    asked.reprocess = Reprocess::Failed;
    assert_eq!(
        days_of(&asked),
        ["2026-11-02..2026-11-04", "2026-11-06..2026-11-08"]
    );
    asked.reprocess = Reprocess::StaleVersion;
    assert_eq!(days_of(&asked), ["2026-11-02..2026-11-08"]);
    asked.reprocess = Reprocess::Completed;
    assert_eq!(
        days_of(&asked),
        ["2026-11-01..2026-11-02", "2026-11-02..2026-11-08"]
    );
}

#[test]
fn an_object_that_stands_is_asked_for_again_in_its_own_window() {
    let late = noon("2027-05-01");
    let standing = Standing {
        covered: vec![
            (window("2026-10-20..2026-11-03"), late),
            (window("2026-11-03..2026-11-05"), late),
            (window("2026-12-01..2026-12-02"), late),
        ],
        ..Standing::default()
    };
    let mut asked = asked("2026-11-01..2026-11-05");
    asked.reprocess = Reprocess::Completed;

    assert_eq!(
        planned(&asked, &standing),
        text(&[
            ("2026-10-20..2026-11-03", Due::AskedAgain),
            ("2026-11-03..2026-11-05", Due::AskedAgain),
        ])
    );
}

#[test]
fn what_is_left_is_told_with_its_reason_and_its_days() {
    let standing = Standing {
        covered: vec![(window("2026-11-01..2026-11-03"), noon("2026-11-02"))],
        under_way: vec![window("2026-11-05..2026-11-06")],
        ..Standing::default()
    };
    let mut asked = asked("2026-11-01..2026-11-12");
    asked.as_of = noon("2026-11-08");

    let outcome = units_of(&asked, &brisbane(), &visit(), &standing);

    let left: Vec<_> = outcome
        .left
        .iter()
        .map(|left| (left.why, left.days))
        .collect();
    assert_eq!(
        left,
        [
            (LeftWhy::UnderWay, 1),
            (LeftWhy::Covered, 1),
            (LeftWhy::NotOver, 4)
        ]
    );
    // The second of November was not over when its object was made.
    assert_eq!(
        outcome.units[0].extraction.window,
        window("2026-11-02..2026-11-05")
    );
    assert_eq!(
        outcome.units[1].extraction.window,
        window("2026-11-06..2026-11-08")
    );
}

#[test]
fn snapshots_and_sites_that_are_not_active_are_told_and_not_planned() {
    let mut held = brisbane();
    held.state = SiteState::Held;
    let asked = asked("2026-11-01..2026-11-12");
    let nothing = Standing::default();

    let snapshot = units_of(&asked, &brisbane(), &snapshot_query("patient"), &nothing);
    let held = units_of(&asked, &held, &visit(), &nothing);

    assert_eq!(
        (snapshot.units.len(), snapshot.left[0].why),
        (0, LeftWhy::Snapshot)
    );
    let why = LeftWhy::NotActive(SiteState::Held);
    assert_eq!((held.units.len(), held.left[0].why), (0, why));
}

fn unit(text: &str, due: Due) -> Unit {
    Unit {
        extraction: text.parse().expect("an extraction"),
        due,
    }
}

#[test]
fn the_newest_days_of_every_site_come_first_unless_the_oldest_are_wanted() {
    let names = [
        "s1/visit@v1/2026-11-01..2026-11-03",
        "s1/visit@v1/2026-11-03..2026-11-05",
        "s2/visit@v1/2026-11-01..2026-11-03",
        "s2/visit@v1/2026-11-03..2026-11-05",
    ];
    let mut units: Vec<Unit> = names.map(|name| unit(name, Due::Missing)).into();
    let order = |units: &[Unit]| -> Vec<String> {
        units
            .iter()
            .map(|unit| unit.extraction.to_string())
            .collect()
    };

    in_order(&mut units, false);
    assert_eq!(order(&units), [names[1], names[3], names[0], names[2]]);
    in_order(&mut units, true);
    assert_eq!(order(&units), [names[0], names[2], names[1], names[3]]);
}

#[test]
fn what_differs_is_told_by_site_and_query_and_by_text() {
    let texts = [(visit().id, visit().fingerprint)];
    let edited = [(visit().id, "b".repeat(64).parse().expect("a fingerprint"))];
    let then = [
        unit("s1/visit@v1/2026-11-01..2026-11-03", Due::Missing),
        unit("s1/visit@v1/2026-11-03..2026-11-05", Due::Missing),
    ];
    let now = [unit("s1/visit@v1/2026-11-03..2026-11-05", Due::Missing)];
    let left = [Left {
        site: brisbane().key,
        query: visit().id,
        why: LeftWhy::Covered,
        days: 2,
    }];

    assert_eq!(differences((&texts, &then), (&texts, &then, &left)), []);
    let found = differences((&texts, &then), (&edited, &now, &left));
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "visit@v1 was edited since",
            "s1 visit@v1: 1 units fewer and 0 more would be planned now (2 days: covered already)"
        ]
    );
}

fn past(days: u64, rows: u64, remote_s: u64) -> Past {
    Past {
        attempts: 1,
        days,
        rows,
        size_bytes: rows * 10,
        remote: Duration::from_secs(remote_s),
        elapsed: Duration::from_secs(2 * remote_s),
    }
}

fn estimated(past: &[Past], others: &[Past], budget: Option<u64>) -> Estimate {
    let asked = asked("2026-01-01..2026-03-02");
    let units = units_of(&asked, &brisbane(), &visit(), &Standing::default()).units;
    let pace = Pace {
        at_once: days(4),
        per_site: days(1),
    };
    let outcome = estimate::<Infallible>(
        &units,
        &[visit()],
        pace,
        |site, _| Ok(if site.is_some() { past } else { others }.to_vec()),
        |_| Ok(budget),
    );
    match outcome {
        Ok(estimate) => estimate,
    }
}

#[test]
fn rows_grow_with_the_days_that_the_statement_sees_and_time_is_a_range() {
    // Sixty days in two units; each sees two days of overlap more: 64 days, and the samples 3 each.
    let estimate = estimated(&[past(1, 30, 6), past(1, 60, 12)], &[], None);

    assert_eq!((estimate.units, estimate.unknown_units), (2, 0));
    assert_eq!(
        estimate.rows,
        Range {
            least: 640.0,
            most: 1280.0
        }
    );
    // At least two queries of six seconds; at most twelve seconds for each three days.
    assert_eq!(
        estimate.server_minutes,
        Range {
            least: 0.2,
            most: 64.0 * 4.0 / 60.0
        }
    );
    // One site, so its units go one after the other.
    assert_eq!(estimate.finish_minutes.least, 0.4);
    assert_eq!(estimate.queries[0].basis, Basis::Site);
}

#[test]
fn without_history_of_the_site_that_of_others_is_used_and_without_any_nothing_is_invented() {
    let others = estimated(&[], &[past(1, 30, 6)], None);
    assert_eq!(others.queries[0].basis, Basis::OtherSites);
    assert_eq!(others.rows.least, 640.0);

    let none = estimated(&[], &[], None);
    assert_eq!(none.queries[0].basis, Basis::None);
    assert_eq!((none.queries[0].rows, none.unknown_units), (None, 2));
    assert_eq!(none.rows, Range::default());
}

#[test]
fn what_the_budget_of_the_month_does_not_allow_is_told() {
    assert_eq!(estimated(&[], &[], Some(2)).over_budget, []);
    let site = brisbane().key;
    assert_eq!(estimated(&[], &[], Some(1)).over_budget, [(site, 2, 1)]);
}

/// Windows around the turn of a leap year, all over when the plan is made.
fn any_window() -> impl Strategy<Value = Window> {
    let origin = NaiveDate::from_ymd_opt(2026, 12, 20).expect("a date");
    (0_u64..90, 1_u64..30).prop_map(move |(from, length)| {
        let start = origin + Days::new(from);
        Window::new(start, start + Days::new(length)).expect("a window")
    })
}

fn any_windows() -> impl Strategy<Value = Vec<Window>> {
    prop::collection::vec(any_window(), 0..5)
}

fn any_standing() -> impl Strategy<Value = Standing> {
    let extracted = || (any_window(), 0_i64..200);
    let covered = || prop::collection::vec(extracted(), 0..5);
    (
        covered(),
        covered(),
        any_windows(),
        any_windows(),
        0_u32..20,
    )
        .prop_map(|(covered, older, failed, under_way, workable)| {
            let at = |(window, day): (Window, i64)| {
                (window, noon("2026-12-20") + chrono::TimeDelta::days(day))
            };
            Standing {
                covered: covered.into_iter().map(at).collect(),
                older: older.into_iter().map(at).collect(),
                failed,
                under_way,
                workable_days: NonZeroU32::new(workable),
            }
        })
}

/// The naive model: a set of days.
fn each_day(windows: impl IntoIterator<Item = Window>) -> Vec<NaiveDate> {
    windows
        .into_iter()
        .flat_map(|window| {
            window
                .start()
                .iter_days()
                .take_while(move |day| *day < window.end())
        })
        .collect()
}

/// The days of objects that were over, in Brisbane, when they were made.
fn covered_days(windows: &[(Window, DateTime<Utc>)]) -> BTreeSet<NaiveDate> {
    windows
        .iter()
        .flat_map(|(window, at)| {
            let today = at
                .with_timezone(&chrono_tz::Australia::Brisbane)
                .date_naive();
            each_day([*window])
                .into_iter()
                .filter(move |day| *day < today)
        })
        .collect()
}

proptest! {
    #[test]
    fn units_tile_the_range_without_what_is_covered_or_under_way(
        range in any_window(),
        standing in any_standing(),
        max_days in 0_u32..12,
        level in 0_usize..3,
    ) {
        let asked = BackfillAsked {
            range,
            max_days: NonZeroU32::new(max_days),
            reprocess: Reprocess::ALL[level],
            ..asked("2026-01-01..2026-01-02")
        };

        let outcome = units_of(&asked, &brisbane(), &visit(), &standing);

        let got = each_day(outcome.units.iter().map(|unit| unit.extraction.window));
        let (covered, stale) = (covered_days(&standing.covered), covered_days(&standing.older));
        let busy: BTreeSet<_> = each_day(standing.under_way.iter().copied()).into_iter().collect();
        let failed: BTreeSet<_> = each_day(standing.failed.iter().copied()).into_iter().collect();
        let wanted: Vec<NaiveDate> = each_day([range])
            .into_iter()
            .filter(|day| !covered.contains(day) && !busy.contains(day))
            .filter(|day| match asked.reprocess {
                Reprocess::None => !failed.contains(day) && !stale.contains(day),
                Reprocess::Failed => failed.contains(day) || !stale.contains(day),
                _ => true,
            })
            .collect();
        // A list, not a set: a day that two units had would be in it twice.
        prop_assert_eq!(&got, &wanted);
        let told: u64 = outcome.left.iter().map(|left| left.days).sum();
        prop_assert_eq!(told + got.len() as u64, range.days());
        let most = asked.max_days.or(standing.workable_days.map(|most| most.min(days(30)))).unwrap_or(days(30));
        prop_assert!(outcome.units.iter().all(|unit| unit.extraction.window.days() <= u64::from(most.get())));
    }

    #[test]
    fn planning_twice_gives_the_same_digest_and_other_units_another(
        range in any_window(),
        standing in any_standing(),
    ) {
        let first = BackfillAsked { range, ..asked("2026-01-01..2026-01-02") };
        let later = BackfillAsked { as_of: first.as_of + chrono::TimeDelta::hours(3), ..first.clone() };
        let texts = [(visit().id, visit().fingerprint)];
        let plan = |asked: &BackfillAsked| {
            let mut units = units_of(asked, &brisbane(), &visit(), &standing).units;
            in_order(&mut units, asked.oldest_first);
            units
        };

        let units = plan(&first);
        prop_assert_eq!(digest(&first, &texts, &units), digest(&later, &texts, &plan(&later)));
        if let Some((_, fewer)) = units.split_first() {
            prop_assert_ne!(digest(&first, &texts, &units), digest(&first, &texts, fewer));
        }
    }

    #[test]
    fn halving_ends_in_single_days_that_are_those_of_the_window(whole in any_window()) {
        let mut open = vec![whole];
        let mut single = Vec::new();
        let mut cuts = 0;
        while let Some(window) = open.pop() {
            match halves(window) {
                Some((first, second)) => {
                    cuts += 1;
                    open.extend([second, first]);
                }
                None => single.push(window),
            }
        }

        prop_assert_eq!(each_day(single), each_day([whole]));
        prop_assert_eq!(cuts + 1, whole.days());
    }

    #[test]
    fn after_its_units_are_done_a_plan_has_nothing_left(range in any_window(), standing in any_standing()) {
        let asked = BackfillAsked {
            range,
            reprocess: Reprocess::StaleVersion,
            ..asked("2026-01-01..2026-01-02")
        };
        let units = units_of(&asked, &brisbane(), &visit(), &standing).units;

        let mut done = standing;
        let extracted = |Unit { extraction: Extraction { window, .. }, .. }| (window, asked.as_of);
        done.covered.extend(units.into_iter().map(extracted));

        prop_assert_eq!(units_of(&asked, &brisbane(), &visit(), &done).units, []);
    }
}
