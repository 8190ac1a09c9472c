//! `status`: how the fleet stands, from the ledger alone.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde::Serialize;

use crate::ledger::{Ledger, LedgerError};
use crate::plan::{self, Breach, FleetRow};

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Row};
use super::report::{Failure, remark};
use super::serve::timetables;

/// Show per query how many sites are fresh, late, failed and held
///
/// A site is late with a query when its newest object is older than the query's goal (`freshness` in its
/// header, else schedule.freshness, or longer where its cron skips days).
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Exit with 6 if a site misses a goal, and name it
    #[arg(long)]
    check: bool,
    /// Show instead how many extractions there are per query and state
    #[arg(long, conflicts_with_all = ["check", "drift"])]
    counts: bool,
    /// Show instead which columns do not fit their contracts, at how many sites, under which PMS versions
    #[arg(long, conflicts_with = "check")]
    drift: bool,
}

impl Status {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        if self.drift {
            return drift(context, &ledger).map(|()| ExitCode::Ok);
        }
        if self.counts {
            let summary = ledger.summary().map_err(failed)?;
            return output::rows(context.format(), &summary.rows).map(|()| ExitCode::Ok);
        }
        let timetables = timetables(&context.catalog(&config)?)?;
        let (sites, arrivals) = (
            ledger.sites().map_err(failed)?,
            ledger.arrivals().map_err(failed)?,
        );
        let now = Utc::now();
        let fleet = plan::fleet(
            &sites,
            &timetables,
            &arrivals,
            config.schedule.freshness,
            now,
        );
        let rows: Vec<FleetLine> = fleet.iter().map(|row| FleetLine::of(row, now)).collect();
        output::rows(context.format(), &rows)?;
        let breaches: Vec<&Breach> = fleet.iter().flat_map(|row| &row.breaches).collect();
        if !self.check || breaches.is_empty() {
            return Ok(ExitCode::Ok);
        }
        for breach in &breaches {
            remark(&explain(breach, now));
        }
        Ok(ExitCode::Late)
    }
}

fn failed(error: LedgerError) -> Failure {
    Failure::new(ExitCode::Failed, error)
}

fn drift(context: &Context, ledger: &Ledger) -> Result<(), Failure> {
    let drifts = ledger.drift().map_err(failed)?;
    output::rows(context.format(), &drifts)?;
    if drifts.is_empty() {
        remark(
            "no extraction stands failed because of its contract or of a column that a site does not have",
        );
    }
    Ok(())
}

fn explain(breach: &Breach, now: DateTime<Utc>) -> String {
    let Breach { site, query, .. } = breach;
    let since = breach.extracted_at.map_or_else(
        || "has no object yet".to_owned(),
        |at| format!("has no newer object than {} old", hours(now - at)),
    );
    format!("late: {site} {query} {since}: {}", breach.cause)
}

fn hours(age: TimeDelta) -> String {
    format!("{} h", age.num_hours())
}

/// One line of `status`. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct FleetLine {
    query: String,
    goal_hours: u64,
    sites: u64,
    fresh: u64,
    late: u64,
    failed: u64,
    first: u64,
    held: u64,
    oldest_site: Option<String>,
    oldest_extracted_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    oldest_hours: Option<String>,
}

impl FleetLine {
    fn of(row: &FleetRow, now: DateTime<Utc>) -> Self {
        let (site, at) = row.oldest.clone().unzip();
        Self {
            query: row.query.to_string(),
            goal_hours: row.goal.as_secs() / 3600,
            sites: row.sites,
            fresh: row.fresh,
            late: row.late,
            failed: row.failed,
            first: row.first,
            held: row.held,
            oldest_site: site.map(|site| site.to_string()),
            oldest_extracted_at: at,
            oldest_hours: at.map(|at| hours(now - at)),
        }
    }
}

impl Row for FleetLine {
    const HEADINGS: &'static [&'static str] = &[
        "QUERY", ">GOAL", ">SITES", ">FRESH", ">LATE", ">FAILED", ">FIRST", ">HELD", ">OLDEST",
        "AT",
    ];

    fn cells(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        let counts = [
            self.sites,
            self.fresh,
            self.late,
            self.failed,
            self.first,
            self.held,
        ];
        [self.query.clone(), format!("{} h", self.goal_hours)]
            .into_iter()
            .chain(counts.map(|count| count.to_string()))
            .chain([
                self.oldest_hours.clone().unwrap_or_else(dash),
                self.oldest_site.clone().unwrap_or_else(dash),
            ])
            .collect()
    }
}

impl Row for crate::ledger::SummaryRow {
    const HEADINGS: &'static [&'static str] = &["QUERY", "STATE", ">EXTRACTIONS", ">ROWS", ">SIZE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.query.to_string(),
            self.state.clone(),
            self.extractions.to_string(),
            self.rows.to_string(),
            output::size(self.size_bytes),
        ]
    }
}

impl Row for crate::ledger::Drift {
    const HEADINGS: &'static [&'static str] = &["QUERY", "COLUMN", "WHAT", "SITES", "PMS VERSIONS"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.query.to_string(),
            self.column.clone(),
            self.reason.clone(),
            format!("{} of {}", self.sites.len(), self.of_sites),
            versions(&self.pms_versions),
        ]
    }
}

/// `all best-practice 1.12.1`, or each version with its number of sites.
fn versions(sites: &BTreeMap<String, u64>) -> String {
    match sites.keys().collect::<Vec<_>>().as_slice() {
        [only] => format!("all {only}"),
        _ => sites
            .iter()
            .map(|(version, sites)| format!("{version} ({sites})"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}
