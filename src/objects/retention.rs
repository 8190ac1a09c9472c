//! Which snapshots have served: a pure rule, carried out by whoever asks.
//!
//! Only for snapshots, where each day says all. An incremental object is never superseded: every window is
//! part of the history.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use super::list::Listed;
use crate::domain::{QueryId, SiteKey};

/// The snapshots of `listed` that may be removed on `today`, by path.
///
/// Kept are those of the last `keep_days` days, the last one of each month, and the newest one however old it
/// is, of each query version at each site. What is not an object of ours is never among them.
#[must_use]
pub fn expired_snapshots<'a>(
    listed: impl IntoIterator<Item = &'a Listed>,
    keep_days: u32,
    today: NaiveDate,
) -> Vec<&'a Listed> {
    let first_kept = today
        .checked_sub_days(Days::new(keep_days.into()))
        .unwrap_or(NaiveDate::MIN);
    let mut series: BTreeMap<(&SiteKey, &QueryId), BTreeMap<NaiveDate, &Listed>> = BTreeMap::new();
    for object in listed {
        if let Some(extraction) = &object.extraction {
            let key = (&extraction.site, &extraction.query);
            series
                .entry(key)
                .or_default()
                .insert(extraction.window.start(), object);
        }
    }
    let mut expired: Vec<&Listed> = series
        .values()
        .flat_map(|days| {
            let ends = month_ends(days.keys().copied());
            let old = days
                .iter()
                .filter(move |(day, _)| **day < first_kept && !ends.contains(day));
            old.map(|(_, object)| *object)
        })
        .collect();
    expired.sort_by(|one, other| one.path.cmp(&other.path));
    expired
}

/// The last of the days in each month; the newest of all is one of them.
fn month_ends(days: impl Iterator<Item = NaiveDate>) -> BTreeSet<NaiveDate> {
    let last: BTreeMap<(i32, u32), NaiveDate> =
        days.map(|day| ((day.year(), day.month()), day)).collect();
    last.into_values().collect()
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Environment, Extraction, Window};
    use crate::objects::object_path;

    fn snapshot(site: &str, day: NaiveDate) -> Listed {
        let extraction = Extraction {
            site: site.parse().expect("a key"),
            query: "roster@v1".parse().expect("an id"),
            window: Window::day(day),
        };
        Listed {
            path: object_path(Environment::Production, &extraction),
            size_bytes: 1,
            published_at: Utc::now(),
            etag: None,
            extraction: Some(extraction),
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn recent_days_month_ends_and_the_newest_are_kept() {
        let days = [
            "2026-09-29",
            "2026-09-30",
            "2026-10-05",
            "2026-10-20",
            "2026-11-10",
            "2026-11-18",
        ];
        let mut listed: Vec<Listed> = days.iter().map(|text| snapshot("s1", day(text))).collect();
        listed.push(snapshot("s2", day("2025-01-03")));

        let expired = expired_snapshots(&listed, 7, day("2026-11-19"));

        assert_eq!(expired, [&listed[0], &listed[2], &listed[4]]);
    }

    #[test]
    fn a_file_of_somebody_else_never_expires() {
        let foreign = Listed {
            extraction: None,
            ..snapshot("s1", day("2020-01-01"))
        };

        assert_eq!(
            expired_snapshots([&foreign], 0, day("2026-11-19")),
            [&foreign; 0]
        );
    }

    proptest! {
        #[test]
        fn carried_out_twice_it_removes_nothing_more_and_something_always_stays(
            offsets in prop::collection::btree_set(0_u64..800, 1..60),
            keep_days in 0_u32..100,
        ) {
            let today = day("2026-11-19");
            let listed: Vec<Listed> =
                offsets.iter().map(|back| snapshot("s1", today - Days::new(*back))).collect();

            let expired = expired_snapshots(&listed, keep_days, today);
            let left: Vec<Listed> =
                listed.iter().filter(|one| !expired.contains(one)).cloned().collect();

            prop_assert!(!left.is_empty());
            prop_assert!(expired_snapshots(&left, keep_days, today).is_empty());
        }
    }
}
