//! Quiet hours as instants: when a site opens, and when it closes, over both changes of the clock.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::domain::QuietHours;

/// Clocks are put forward by at most this much anywhere, but where a whole day was left out.
const LONGEST_GAP: TimeDelta = TimeDelta::hours(3);

/// A site opens within this of any time, on the days on which the clocks are changed too.
pub(super) const OPENS_WITHIN: TimeDelta = TimeDelta::hours(28);

/// The first instant from `from` on at which work may begin: within the hours, and with more than `reserve`
/// left of them unless they have just begun.
#[must_use]
pub fn opening(
    hours: QuietHours,
    zone: Tz,
    from: DateTime<Utc>,
    reserve: TimeDelta,
) -> DateTime<Utc> {
    match closing(hours, zone, from) {
        None => from,
        Some(closing) if is_open(hours, zone, from) && closing - from > reserve => from,
        Some(_) => next(zone, from, hours.start()),
    }
}

/// The first instant after `from` at which the hours end; `None` if they are the whole day.
#[must_use]
pub fn closing(hours: QuietHours, zone: Tz, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (hours.start() != hours.end()).then(|| next(zone, from, hours.end()))
}

/// Whether the instant is within the hours.
#[must_use]
pub fn is_open(hours: QuietHours, zone: Tz, at: DateTime<Utc>) -> bool {
    hours.contains(at.with_timezone(&zone).time())
}

/// The first instant after `after` at which the clocks of the zone show `time`, or would if they were not put
/// forward over it.
fn next(zone: Tz, after: DateTime<Utc>, time: NaiveTime) -> DateTime<Utc> {
    let today = after.with_timezone(&zone).date_naive();
    today
        .iter_days()
        .take(3)
        .filter_map(|day| instant(zone, day, time))
        .find(|instant| *instant > after)
        .expect("every time of day comes within two days")
}

/// The instant of a local time: the first of two, and the end of the gap for one that is left out.
pub(super) fn instant(zone: Tz, day: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
    let local = day.and_time(time);
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
        // Clocks are moved at whole minutes, so the first minute that exists again is the end of the gap.
        LocalResult::None => (1..=LONGEST_GAP.num_minutes())
            .find_map(|minutes| {
                let later = local + TimeDelta::minutes(minutes);
                zone.from_local_datetime(&later).earliest()
            })
            .map(|at| at.to_utc()),
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Australia::{Brisbane, Lord_Howe, Sydney};
    use proptest::prelude::*;

    use super::super::samples::before_a_change;
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn hours(text: &str) -> QuietHours {
        text.parse().expect("quiet hours")
    }

    fn opens(text: &str, zone: Tz, from: &str) -> String {
        let reserve = TimeDelta::minutes(15);
        opening(hours(text), zone, utc(from), reserve)
            .with_timezone(&zone)
            .format("%d %H:%M")
            .to_string()
    }

    #[test]
    fn within_the_hours_work_begins_at_once_and_else_when_they_begin() {
        // 22:00, 12:00 and 06:50 in Brisbane.
        assert_eq!(
            opens("20:00-07:00", Brisbane, "2026-11-18T12:00:00Z"),
            "18 22:00"
        );
        assert_eq!(
            opens("20:00-07:00", Brisbane, "2026-11-18T02:00:00Z"),
            "18 20:00"
        );
        assert_eq!(
            opens("20:00-07:00", Brisbane, "2026-11-18T20:50:00Z"),
            "19 20:00"
        );
        assert_eq!(
            opens("00:00-00:00", Brisbane, "2026-11-18T02:00:00Z"),
            "18 12:00"
        );
    }

    #[test]
    fn hours_that_begin_in_the_hour_left_out_begin_after_it() {
        // Sydney goes from 02:00 to 03:00 on 4 October 2026, Lord Howe from 02:00 to 02:30.
        let before = "2026-10-03T15:00:00Z";
        assert_eq!(opens("02:30-06:00", Sydney, before), "04 03:00");
        assert_eq!(
            opens("02:15-06:00", Lord_Howe, "2026-10-03T14:00:00Z"),
            "04 02:30"
        );
    }

    #[test]
    fn hours_that_begin_in_the_hour_shown_twice_begin_the_first_time() {
        // Sydney goes from 03:00 back to 02:00 on 5 April 2026, at 16:00 UTC.
        let at = opening(
            hours("02:30-06:00"),
            Sydney,
            utc("2026-04-04T14:00:00Z"),
            TimeDelta::zero(),
        );
        assert_eq!(at, utc("2026-04-04T15:30:00Z"));
    }

    #[test]
    fn closing_is_the_next_end() {
        let at = closing(hours("20:00-07:00"), Brisbane, utc("2026-11-18T12:00:00Z"));
        assert_eq!(at, Some(utc("2026-11-18T21:00:00Z")));
        assert_eq!(
            closing(QuietHours::ALWAYS, Brisbane, utc("2026-11-18T12:00:00Z")),
            None
        );
    }

    proptest! {
        #[test]
        fn work_begins_within_the_hours_and_within_a_day(
            (zone, first) in before_a_change(),
            minute in 0_i64..9 * 24 * 60,
            start in 0_u32..24 * 4,
            end in 0_u32..24 * 4,
        ) {
            let clock = |quarter: u32| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
            let hours = hours(&format!("{}-{}", clock(start), clock(end)));
            let from = first.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(minute);

            let at = opening(hours, zone, from, TimeDelta::minutes(15));

            prop_assert!(at >= from);
            prop_assert!(at - from <= OPENS_WITHIN, "{zone}: {from} → {at}");
            // Hours that lie wholly in the hour left out have no instant of their own that night.
            let left_out = instant(zone, at.with_timezone(&zone).date_naive(), hours.start()) == Some(at)
                && at.with_timezone(&zone).time() != hours.start();
            prop_assert!(left_out || is_open(hours, zone, at));
        }
    }
}
