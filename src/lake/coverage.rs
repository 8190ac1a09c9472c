//! The denominator: for each site, query and day whether data is due, whether it is there, and if not, why.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};

use super::expire::today_at;
use crate::domain::{Due, ExtractionState, Gone, Mode, Query, Site, SiteState};
use crate::ledger::ExtractionRow;
use crate::objects::CoverageRow;

/// A day counts as late so many hours after it has ended, unless its query says otherwise.
const FRESH_HOURS: i64 = 24;

/// One row for each day from `from` that the extractions of `query` at `site` are about, up to the last that is due.
///
/// `extractions` are those whose windows reach into these days, by window. Days before the first of them are not told:
/// nobody asked for them.
pub(super) fn coverage(
    site: &Site,
    query: &Query,
    extractions: &[&ExtractionRow],
    from: NaiveDate,
    now: DateTime<Utc>,
) -> Vec<CoverageRow> {
    let Some(first) = extractions
        .iter()
        .map(|row| row.extraction.window.start())
        .min()
    else {
        return Vec::new();
    };
    let today = today_at(site, now);
    let last = match query.mode {
        Mode::Snapshot => today,
        Mode::Incremental { .. } => today - Days::new(1),
    };
    let since = extractions
        .iter()
        .map(|row| today_at(site, row.planned_at))
        .min()
        .unwrap_or(today);
    let days = from.max(first).iter_days().take_while(|day| *day <= last);
    days.filter_map(|day| {
        let covering: Vec<&ExtractionRow> = extractions
            .iter()
            .copied()
            .filter(|row| {
                let window = row.extraction.window;
                window.start() <= day && day < window.end()
            })
            .collect();
        let runs_nightly = matches!(query.mode, Mode::Incremental { .. })
            && site.state != SiteState::Withdrawn
            && day >= since - Days::new(1);
        let expected = runs_nightly || !covering.is_empty();
        expected.then(|| day_of(site, query, day, &covering, now))
    })
    .collect()
}

fn day_of(
    site: &Site,
    query: &Query,
    day: NaiveDate,
    covering: &[&ExtractionRow],
    now: DateTime<Utc>,
) -> CoverageRow {
    // What was merged was extracted before: the extractions that it is of tell more.
    let newest = covering
        .iter()
        .filter(|row| is_there(row))
        .max_by_key(|row| (row.due != Due::Compacted, row.extracted_at));
    let deadline = deadline(site, query, day);
    let held = matches!(
        site.state,
        SiteState::Held | SiteState::Paused | SiteState::IdentityReview
    );
    CoverageRow {
        site: site.key.clone(),
        query: query.id.clone(),
        date: day,
        expected: true,
        arrived: newest.is_some(),
        late: match newest {
            // Asked for only after the deadline, it is history that was fetched, not a night that came late.
            Some(row) => {
                row.planned_at <= deadline && row.extracted_at.is_some_and(|at| at > deadline)
            }
            None => now > deadline,
        },
        held: newest.is_none() && held,
        rows: newest.and_then(|row| row.proof).map(|proof| proof.footer),
        reason: match newest {
            Some(row) => row
                .gone
                .as_ref()
                .filter(|gone| **gone == Gone::Expired)
                .map(ToString::to_string),
            None => Some(why_absent(site, covering)),
        },
    }
}

/// Whether it was published, and its rows were not removed because its practice left.
fn is_there(row: &ExtractionRow) -> bool {
    row.extracted_at.is_some() && row.gone != Some(Gone::Forgotten)
}

fn why_absent(site: &Site, covering: &[&ExtractionRow]) -> String {
    let newest = covering.iter().max_by_key(|row| row.changed_at);
    match newest.map(|row| &row.state) {
        Some(state @ (ExtractionState::Failed(_) | ExtractionState::Running(_))) => {
            state.to_string()
        }
        _ if site.state != SiteState::Active => format!("the site is {}", site.state),
        Some(state) => state.to_string(),
        None => "not planned".to_owned(),
    }
}

/// When a day counts as late: some hours after it has ended in the site's own calendar.
fn deadline(site: &Site, query: &Query, day: NaiveDate) -> DateTime<Utc> {
    let hours = query
        .freshness
        .map_or(TimeDelta::hours(FRESH_HOURS), |fresh| {
            TimeDelta::from_std(fresh).unwrap_or(TimeDelta::hours(FRESH_HOURS))
        });
    let midnight = (day + Days::new(1)).and_time(NaiveTime::MIN);
    let ended = site
        .time_zone
        .from_local_datetime(&midnight)
        .earliest()
        .map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc));
    ended + hours
}
