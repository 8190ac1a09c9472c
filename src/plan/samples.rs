//! Sites and queries for the tests of this folder.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

use crate::domain::{
    Class, Column, Contract, Mode, PmsType, Query, Site, SiteOverrides, SiteState, SqlType,
};

pub(super) fn site(key: &str, time_zone: Tz) -> Site {
    Site {
        key: key.parse().expect("a site key"),
        pms_type: PmsType::BestPractice,
        pms_id: key.trim_start_matches('s').parse().expect("a PMS id"),
        halo_guid: None,
        practice_name: None,
        link_version: None,
        pms_version: None,
        catalogues: Vec::new(),
        time_zone,
        groups: Vec::new(),
        state: SiteState::Active,
        paused_until: None,
        overrides: SiteOverrides::default(),
    }
}

pub(super) fn incremental_query(name: &str) -> Query {
    query(name, Mode::Incremental { overlap_days: 2 })
}

pub(super) fn snapshot_query(name: &str) -> Query {
    query(name, Mode::Snapshot)
}

fn query(name: &str, mode: Mode) -> Query {
    Query {
        id: format!("{name}@v1").parse().expect("a query id"),
        file: format!("queries/{name}/v1.sql").into(),
        purpose: "For tests.".to_owned(),
        owner: "nobody".to_owned(),
        pms: PmsType::BestPractice,
        catalogue: None,
        mode,
        watermark: None,
        key: Vec::new(),
        cron: Some("30 1 * * *".to_owned()),
        freshness: None,
        measures: Vec::new(),
        opt_out: None,
        withheld: None,
        cost: None,
        contract: Contract {
            columns: vec![Column {
                name: "record_id".to_owned(),
                sql_type: SqlType::Int,
                nullable: false,
                class: Class::Operational,
                rule: None,
                trim: false,
                offset: false,
                description: None,
            }],
        },
        sql: "SELECT 1 AS record_id".to_owned(),
        variants: Vec::new(),
        fingerprint: "a".repeat(64).parse().expect("a fingerprint"),
    }
}

/// A zone, of all that a site may have, and a day at most a week before the clocks are changed there: at midnight, by
/// half an hour, by a whole day, or never.
pub(super) fn before_a_change() -> impl Strategy<Value = (Tz, NaiveDate)> {
    let zone = prop::sample::select(&TZ_VARIANTS[..]);
    (zone, any::<prop::sample::Index>(), 0_u64..8).prop_map(|(zone, which, days)| {
        let changes: Vec<NaiveDate> = changes(zone, 1990, 2030).into_keys().collect();
        let change = if changes.is_empty() {
            first_of(2026)
        } else {
            *which.get(&changes)
        };
        (zone, change - Days::new(days))
    })
}

/// Whether the clocks of a zone are moved by three hours or more at once within these days.
pub(super) fn has_a_leap(zone: Tz, from: NaiveDate, days: usize) -> bool {
    from.iter_days().take(days).any(|day| {
        let moved = offset(zone, day + Days::new(1)) - offset(zone, day);
        moved.abs() >= 3 * 3600
    })
}

/// One zone for each way in which the clocks of any zone are changed from 2025 to 2028, with the first days of two of
/// the changes, if there are any.
pub(super) fn zones_that_differ() -> Vec<(Tz, Vec<NaiveDate>)> {
    let mut by_changes: BTreeMap<(i32, BTreeMap<NaiveDate, i32>), Tz> = BTreeMap::new();
    for zone in TZ_VARIANTS {
        let key = (offset(zone, first_of(2025)), changes(zone, 2025, 2028));
        by_changes.entry(key).or_insert(zone);
    }
    by_changes
        .into_iter()
        .map(|((_, changes), zone)| (zone, changes.into_keys().take(2).collect()))
        .collect()
}

/// Days (UTC) on which the clocks of a zone are changed, with the seconds that they are ahead of UTC afterwards.
fn changes(zone: Tz, from: i32, to: i32) -> BTreeMap<NaiveDate, i32> {
    let weeks = first_of(from).iter_weeks();
    weeks
        .take_while(|week| *week < first_of(to))
        .filter(|week| offset(zone, *week) != offset(zone, *week + Days::new(7)))
        .filter_map(|week| {
            week.iter_days()
                .take(7)
                .map(|day| (day, offset(zone, day + Days::new(1))))
                .find(|(_, after)| *after != offset(zone, week))
        })
        .collect()
}

fn offset(zone: Tz, day: NaiveDate) -> i32 {
    let midnight = day.and_time(NaiveTime::MIN);
    zone.offset_from_utc_datetime(&midnight)
        .fix()
        .local_minus_utc()
}

fn first_of(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).expect("a date")
}
