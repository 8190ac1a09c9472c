//! Where a site stands with a query, for whoever plans its next night.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::{ExtractionState, QueryId, SiteKey, Window};

/// How far a query version has come at a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The first day that no night has planned yet; `None` if none was ever planned.
    pub planned_to: Option<NaiveDate>,
    /// The first day that is not covered without a gap since the first night; before the first night, the first
    /// day after all objects. `None` if there is no object.
    pub covered_to: Option<NaiveDate>,
    /// What objects cover beyond that.
    pub covered: Vec<Window>,
    /// Nightly extractions that are neither published nor given up.
    pub open: Vec<Open>,
}

/// A nightly extraction that is neither published nor given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// Of these days.
    pub window: Window,
    /// A worker has it, or the practice was asked and the answer may still be had.
    pub begun: bool,
}

/// Where the sites stand, by site and query version; what is absent was never planned and has no object.
pub type Standings = BTreeMap<SiteKey, BTreeMap<QueryId, Standing>>;

/// What came last of a query version from a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrival {
    /// When its newest object was extracted.
    pub extracted_at: Option<DateTime<Utc>>,
    /// When its first night was planned.
    pub since: Option<DateTime<Utc>>,
    /// How the extraction of its newest night stands.
    pub newest: Option<ExtractionState>,
}

impl Arrival {
    /// From when its age counts: the newest object, else the first night.
    #[must_use]
    pub fn counted_from(&self) -> Option<DateTime<Utc>> {
        self.extracted_at.or(self.since)
    }
}

/// A cause of lateness that somebody was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// When it was first seen.
    pub since: DateTime<Utc>,
    /// How many sites were told.
    pub sites: u64,
}

/// What came last from the sites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// By site and query version.
    pub came: BTreeMap<SiteKey, BTreeMap<QueryId, Arrival>>,
    /// Sites that are active and of which nothing was ever planned or extracted, and since when they are active.
    pub silent_since: BTreeMap<SiteKey, DateTime<Utc>>,
}

/// The days of a window that were over when its object was extracted: later changes of the others are not in it.
#[must_use]
pub fn days_over(
    window: Window,
    extracted_at: DateTime<Utc>,
    zone: chrono_tz::Tz,
) -> Option<Window> {
    let today = extracted_at.with_timezone(&zone).date_naive();
    Window::new(window.start(), window.end().min(today))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_covers_the_days_that_were_over_at_the_site() {
        let window: Window = "2026-11-17..2026-11-20".parse().expect("a window");
        let over = |instant: &str| {
            let at = instant.parse().expect("a time");
            days_over(window, at, chrono_tz::Australia::Sydney).map(|days| days.to_string())
        };

        assert_eq!(
            over("2026-11-19T13:00:00Z").as_deref(),
            Some("2026-11-17..2026-11-20")
        );
        assert_eq!(
            over("2026-11-19T12:59:59Z").as_deref(),
            Some("2026-11-17..2026-11-19")
        );
        assert_eq!(over("2026-11-16T20:00:00Z"), None);
    }
}
