//! The statement of an extraction: the query's text with its window bound as typed parameters.

use std::time::Duration;

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};

use crate::domain::{Mode, Query, Window};
use crate::remote::{Parameter, Statement};

/// First instant that an incremental query looks at: the window's start less the overlap, midnight.
pub(super) const WINDOW_START: &str = "@window_start";
/// First instant after the window, midnight.
pub(super) const WINDOW_END: &str = "@window_end";
/// The day that a snapshot shows.
pub(super) const SNAPSHOT_DATE: &str = "@snapshot_date";

/// What is sent to ask `query` about `window`.
#[must_use]
pub fn statement(query: &Query, window: Window, max_time_in_queue: Duration) -> Statement {
    bound(&query.sql, query, window, max_time_in_queue)
}

/// `sql`, which belongs to `query`, with the parameters of its window.
pub(super) fn bound(
    sql: &str,
    query: &Query,
    window: Window,
    max_time_in_queue: Duration,
) -> Statement {
    let parameters = match query.mode {
        Mode::Incremental { overlap_days } => {
            let from = window
                .start()
                .checked_sub_days(Days::new(overlap_days.into()))
                .unwrap_or(NaiveDate::MIN);
            vec![
                Parameter::date_time(WINDOW_START, midnight(from)),
                Parameter::date_time(WINDOW_END, midnight(window.end())),
            ]
        }
        Mode::Snapshot => vec![Parameter::date(SNAPSHOT_DATE, window.start())],
    };
    Statement {
        text: sql.to_owned(),
        catalogue: query.catalogue.clone(),
        parameters,
        max_time_in_queue,
    }
}

/// Those parameters of a window that a statement names, for one that has no query yet.
#[must_use]
pub fn parameters(sql: &str, window: Window) -> Vec<Parameter> {
    let all = [
        (
            WINDOW_START,
            Parameter::date_time(WINDOW_START, midnight(window.start())),
        ),
        (
            WINDOW_END,
            Parameter::date_time(WINDOW_END, midnight(window.end())),
        ),
        (
            SNAPSHOT_DATE,
            Parameter::date(SNAPSHOT_DATE, window.start()),
        ),
    ];
    let named = all.into_iter().filter(|(name, _)| sql.contains(name));
    named.map(|(_, parameter)| parameter).collect()
}

fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}
