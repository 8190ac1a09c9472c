//! How fast a backfill goes, and when it will end.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ledger::BackfillRow;

/// Units an hour, and the instant at which the last will be over if it goes on so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Going {
    pub(super) units_per_hour: f64,
    pub(super) ends_at: DateTime<Utc>,
}

/// The pace of the last hour, or of the time since the start where that is shorter; `None` while nothing was published
/// in it.
pub(super) fn going(row: &BackfillRow, now: DateTime<Utc>) -> Option<Going> {
    let since = (now - row.started_at?).clamp(TimeDelta::seconds(1), TimeDelta::hours(1));
    let done = row.counts.succeeded_lately;
    if done == 0 {
        return None;
    }
    let hours = since.as_seconds_f64() / 3600.0;
    let units_per_hour = done as f64 / hours;
    let left = row.counts.waiting + row.counts.running;
    let seconds = left as f64 / units_per_hour * 3600.0;
    let rest = TimeDelta::try_seconds(seconds as i64)?;
    Some(Going {
        units_per_hour,
        ends_at: now.checked_add_signed(rest)?,
    })
}

/// `120 of 500 units, 310 an hour, ends about 2026-11-24 14:05 UTC`.
pub(super) fn line(row: &BackfillRow, now: DateTime<Utc>) -> String {
    let counts = row.counts;
    let mut line = format!(
        "backfill {}: {} of {} units",
        row.id, counts.succeeded, counts.units
    );
    if counts.failed > 0 {
        line.push_str(&format!(", {} failed", counts.failed));
    }
    if counts.put_off > 0 {
        line.push_str(&format!(", {} wait for later", counts.put_off));
    }
    if let Some(going) = going(row, now).filter(|_| counts.waiting + counts.running > 0) {
        line.push_str(&format!(
            ", {:.0} an hour, ends about {} UTC",
            going.units_per_hour,
            going.ends_at.format("%Y-%m-%d %H:%M")
        ));
    }
    line
}

#[cfg(test)]
mod tests {
    use crate::domain::{BackfillId, BackfillState, FailureLimit};
    use crate::ledger::BackfillCounts;

    use super::*;

    fn row(started: &str, succeeded_lately: u64, waiting: u64) -> BackfillRow {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        BackfillRow {
            id: BackfillId(3),
            digest: "d".to_owned(),
            state: BackfillState::Running,
            reason: None,
            asked: String::new(),
            estimate: String::new(),
            most_failed: FailureLimit::Units(0),
            priority: 0,
            planned_at: at(started),
            started_at: Some(at(started)),
            changed_at: at(started),
            counts: BackfillCounts {
                units: 500,
                succeeded: 120,
                waiting,
                succeeded_lately,
                ..BackfillCounts::default()
            },
        }
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().expect("a time")
    }

    #[test]
    fn the_pace_is_that_of_the_last_hour_or_of_the_time_since_the_start() {
        let long = going(&row("2026-11-23T12:00:00Z", 100, 50), noon()).expect("a pace");
        assert_eq!(long.units_per_hour, 100.0);
        assert_eq!(long.ends_at, noon() + TimeDelta::minutes(30));

        let short = going(&row("2026-11-24T11:45:00Z", 100, 400), noon()).expect("a pace");
        assert_eq!(short.units_per_hour, 400.0);
        assert_eq!(short.ends_at, noon() + TimeDelta::hours(1));
    }

    #[test]
    fn nothing_is_said_of_the_end_while_nothing_was_published() {
        assert_eq!(going(&row("2026-11-24T11:45:00Z", 0, 400), noon()), None);
        assert_eq!(
            line(&row("2026-11-24T11:45:00Z", 0, 380), noon()),
            "backfill 3: 120 of 500 units"
        );
        assert_eq!(
            line(&row("2026-11-23T12:00:00Z", 100, 380), noon()),
            "backfill 3: 120 of 500 units, 100 an hour, ends about 2026-11-24 15:48 UTC"
        );
    }
}
