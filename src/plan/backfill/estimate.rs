//! What a backfill will cost, as ranges, from what the same query took before.
//!
//! Rows and bytes grow with the days of a window. How long a practice's server works does not follow so simply: a
//! statement that scans a table takes as long for a day as for a month. The least is therefore that each unit takes
//! as long as a query took before, the most that it grows with the days; the truth lies between.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Mode, Query, QueryId, SiteKey};

use super::units::Unit;

/// What a query took: one attempt, or the sum of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// How many attempts.
    pub attempts: u64,
    /// Days of their windows.
    pub days: u64,
    /// Rows of their objects.
    pub rows: u64,
    /// Bytes of their objects.
    pub size_bytes: u64,
    /// How long the practice's server worked.
    pub remote: Duration,
    /// How long they took from claim to end.
    pub elapsed: Duration,
}

/// Where an estimate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Attempts at the same site.
    Site,
    /// Attempts at other sites; this one has none.
    OtherSites,
    /// Nothing: the query never succeeded anywhere.
    None,
}

/// From the least to the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Hardly less.
    pub least: f64,
    /// Hardly more.
    pub most: f64,
}

/// What the units of a query at a site will cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueryCost {
    /// At this site.
    pub site: SiteKey,
    /// Of this query.
    pub query: QueryId,
    /// Queries that are posted.
    pub units: u64,
    /// Days of their windows.
    pub days: u64,
    /// Where the rest comes from.
    pub basis: Basis,
    /// Attempts that it comes from.
    pub attempts: u64,
    /// Rows; absent without a basis.
    pub rows: Option<Range>,
    /// Bytes of the objects; absent without a basis.
    pub size_bytes: Option<Range>,
    /// Minutes that the practice's server works; absent without a basis.
    pub server_minutes: Option<Range>,
    /// Minutes from the first claim to the last end, one after the other; absent without a basis.
    pub elapsed_minutes: Option<Range>,
}

/// What a whole backfill will cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// By site and query.
    pub queries: Vec<QueryCost>,
    /// Queries that are posted; those that are cut because they take too long come on top.
    pub units: u64,
    /// Units of which nothing is known, so that they are in no range below.
    pub unknown_units: u64,
    /// Rows of the others.
    pub rows: Range,
    /// Bytes of the others.
    pub size_bytes: Range,
    /// Minutes of all practice servers together, of the others.
    pub server_minutes: Range,
    /// Minutes until the last of the others ends, if nothing else is at work and the hours allow it.
    pub finish_minutes: Range,
    /// The site whose units exceed what its budget leaves this month, with both numbers; they wait for the next.
    pub over_budget: Vec<(SiteKey, u64, u64)>,
}

/// How much is done at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Units over all sites.
    pub at_once: NonZeroU32,
    /// Units at one site.
    pub per_site: NonZeroU32,
}

/// Estimates the cost of `units`. `past` gives what a query took at a site, or at all sites for `None`; `budget` what
/// the month leaves of a site's queries, or `None` for no limit.
pub fn estimate<E>(
    units: &[Unit],
    queries: &[Query],
    pace: Pace,
    mut past: impl FnMut(Option<&SiteKey>, &QueryId) -> Result<Vec<Past>, E>,
    mut budget: impl FnMut(&SiteKey) -> Result<Option<u64>, E>,
) -> Result<Estimate, E> {
    let mut costs = Vec::new();
    for ((site, query), (count, days)) in grouped(units) {
        let own = past(Some(site), query)?;
        let (basis, samples) = if own.is_empty() {
            let others = past(None, query)?;
            (
                if others.is_empty() {
                    Basis::None
                } else {
                    Basis::OtherSites
                },
                others,
            )
        } else {
            (Basis::Site, own)
        };
        let overlap = queries
            .iter()
            .find(|known| known.id == *query)
            .map_or(0, overlap_days);
        costs.push(cost(site, query, (count, days), basis, &samples, overlap));
    }
    let mut over_budget = Vec::new();
    let mut by_site: BTreeMap<&SiteKey, u64> = BTreeMap::new();
    for cost in &costs {
        *by_site.entry(&cost.site).or_default() += cost.units;
    }
    for (site, wanted) in by_site {
        if let Some(allowed) = budget(site)?.filter(|left| *left < wanted) {
            over_budget.push((site.clone(), wanted, allowed));
        }
    }
    Ok(total(costs, over_budget, pace))
}

fn overlap_days(query: &Query) -> u64 {
    match query.mode {
        Mode::Incremental { overlap_days } => overlap_days.into(),
        Mode::Snapshot => 0,
    }
}

/// Number of units and days by site and query.
fn grouped(units: &[Unit]) -> BTreeMap<(&SiteKey, &QueryId), (u64, u64)> {
    let mut found: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    for unit in units {
        let key = (&unit.extraction.site, &unit.extraction.query);
        let entry = found.entry(key).or_default();
        entry.0 += 1;
        entry.1 += unit.extraction.window.days();
    }
    found
}

fn cost(
    site: &SiteKey,
    query: &QueryId,
    (units, days): (u64, u64),
    basis: Basis,
    past: &[Past],
    overlap: u64,
) -> QueryCost {
    let known = !past.is_empty();
    // The statement sees the overlap before each window too.
    let seen = (days + units * overlap) as f64;
    let per_day = |of: &dyn Fn(&Past) -> f64| {
        spread(past, |it| {
            of(it) / (it.days + it.attempts * overlap).max(1) as f64
        })
        .times(seen)
    };
    let time = |of: &dyn Fn(&Past) -> Duration| {
        let each = spread(past, |it| of(it).as_secs_f64() / it.attempts.max(1) as f64);
        let flat = each.times(units as f64 / 60.0);
        let grown = per_day(&|it| of(it).as_secs_f64() / 60.0);
        Range {
            least: flat.least.min(grown.least),
            most: flat.most.max(grown.most),
        }
    };
    QueryCost {
        site: site.clone(),
        query: query.clone(),
        units,
        days,
        basis,
        attempts: past.iter().map(|it| it.attempts).sum(),
        rows: known.then(|| per_day(&|it| it.rows as f64)),
        size_bytes: known.then(|| per_day(&|it| it.size_bytes as f64)),
        server_minutes: known.then(|| time(&|it| it.remote)),
        elapsed_minutes: known.then(|| time(&|it| it.elapsed)),
    }
}

/// The middle half of what a figure was; all of it where there are few.
fn spread(past: &[Past], figure: impl Fn(&Past) -> f64) -> Range {
    let mut values: Vec<f64> = past.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    let (Some(last), few) = (values.len().checked_sub(1), values.len() < 8) else {
        return Range::default();
    };
    let (low, high) = if few {
        (0, last)
    } else {
        (last / 4, last - last / 4)
    };
    Range {
        least: values[low],
        most: values[high],
    }
}

fn total(queries: Vec<QueryCost>, over_budget: Vec<(SiteKey, u64, u64)>, pace: Pace) -> Estimate {
    let sum = |of: &dyn Fn(&QueryCost) -> Option<Range>| {
        queries
            .iter()
            .filter_map(of)
            .fold(Range::default(), Range::plus)
    };
    let mut sites: BTreeMap<&SiteKey, Range> = BTreeMap::new();
    for cost in &queries {
        let entry = sites.entry(&cost.site).or_default();
        *entry = entry.plus(cost.elapsed_minutes.unwrap_or_default());
    }
    // The longest site cannot be shortened by workers, the whole not by sites.
    let longest = |of: &dyn Fn(&Range) -> f64| sites.values().map(of).fold(0.0, f64::max);
    let all = sum(&|cost| cost.elapsed_minutes);
    let (at_once, per_site) = (
        f64::from(pace.at_once.get()),
        f64::from(pace.per_site.get()),
    );
    let finish = |all: f64, longest: f64| (all / at_once).max(longest / per_site);
    Estimate {
        units: queries.iter().map(|cost| cost.units).sum(),
        unknown_units: queries
            .iter()
            .filter(|cost| cost.basis == Basis::None)
            .map(|cost| cost.units)
            .sum(),
        rows: sum(&|cost| cost.rows),
        size_bytes: sum(&|cost| cost.size_bytes),
        server_minutes: sum(&|cost| cost.server_minutes),
        finish_minutes: Range {
            least: finish(all.least, longest(&|range| range.least)),
            most: finish(all.most, longest(&|range| range.most)),
        },
        over_budget,
        queries,
    }
}

impl Range {
    fn times(self, factor: f64) -> Self {
        Self {
            least: self.least * factor,
            most: self.most * factor,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            least: self.least + other.least,
            most: self.most + other.most,
        }
    }
}
