//! `backfill plan`: what would be asked, why, and what it costs; saved, and nothing asked.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::{NaiveDate, Utc};
use clap::Args;
use serde::Serialize;

use crate::domain::{Due, Extraction, FailureLimit, Reprocess, Window};
use crate::ledger::NewBackfill;
use crate::plan::backfill::{BackfillAsked, Basis, Estimate, Left, QueryCost, Range, Unit};

use super::super::context::Context;
use super::super::exit_code::ExitCode;
use super::super::output::{self, Format, Row};
use super::super::report::{Failure, remark};
use super::super::selection::Selection;
use super::made::Made;
use super::target::DIGEST_SHOWN;

/// Show exactly what a backfill would ask, why, and what it costs; saves the plan and asks nothing
#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    selection: Selection,
    /// First day
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// First day after the last; all days that are over if absent
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// What is asked beside what is missing: none, failed, stale-version or completed, each with those before it
    #[arg(long, value_name = "WHAT", default_value = "failed")]
    reprocess: Reprocess,
    /// Longest window, whatever sites are known to manage
    #[arg(long, value_name = "DAYS")]
    max_days: Option<NonZeroU32>,
    /// Begin with the oldest days instead of the newest
    #[arg(long)]
    oldest_first: bool,
    /// How many units may fail before it stops, `5` or `10%`; the setting backfill.max_failures if absent
    #[arg(long, value_name = "N|N%")]
    max_failures: Option<FailureLimit>,
    /// Of its units among those of other backfills; higher goes first
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    priority: i32,
    /// List each unit instead of each site and query
    #[arg(long)]
    units: bool,
}

impl Plan {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let catalog = context.catalog(&config)?;
        let ledger = context.ledger(&config)?;
        let sites = self.selection.active_sites(&ledger)?;
        let queries = self.selection.queries(&catalog)?;
        let now = Utc::now();
        let asked = BackfillAsked {
            sites: sites.into_iter().map(|site| site.key).collect(),
            queries: queries.into_iter().map(|query| query.id).collect(),
            range: self.range(now.date_naive())?,
            reprocess: self.reprocess,
            max_days: self.max_days,
            usual_days: config.backfill.window_days,
            oldest_first: self.oldest_first,
            as_of: now,
        };
        let made = Made::of(asked, &catalog, &ledger)?;
        let estimate = made.estimate(&ledger, config.limits, now)?;
        if made.units.is_empty() {
            tell_left(&made.left);
            remark("nothing is to be done, so nothing was saved");
            return self.print(context, None, &made, &estimate);
        }
        let digest = made.digest();
        let encode = |error| Failure::new(ExitCode::Failed, error);
        let units: Vec<(Extraction, Due)> = made
            .units
            .iter()
            .map(|unit| (unit.extraction.clone(), unit.due.clone()))
            .collect();
        let plan = NewBackfill {
            digest: &digest,
            asked: &serde_json::to_string(&made.kept).map_err(encode)?,
            estimate: &serde_json::to_string(&estimate).map_err(encode)?,
            most_failed: self.max_failures.unwrap_or(config.backfill.max_failures),
            priority: self.priority,
            units: &units,
        };
        let id = ledger
            .save_backfill(&plan, now)
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        self.print(context, Some((id.0, &digest)), &made, &estimate)?;
        tell_left(&made.left);
        tell_cost(&estimate);
        remark(&format!(
            "saved as backfill {id}, digest {}; nothing was asked yet\nnext: halo-extract backfill start {id}",
            &digest[..DIGEST_SHOWN]
        ));
        Ok(())
    }

    fn range(&self, today: NaiveDate) -> Result<Window, Failure> {
        // Sites that are ahead of UTC have one more day over at most; it is left to the nights.
        let to = self.to.unwrap_or(today);
        Window::new(self.from, to).ok_or_else(|| {
            Failure::new(ExitCode::Usage, format!("the range from {} to {to} is empty", self.from))
                .next("--to is the first day after the range: one day is --from 2026-11-18 --to 2026-11-19")
        })
    }

    fn print(
        &self,
        context: &Context,
        saved: Option<(u64, &str)>,
        made: &Made,
        estimate: &Estimate,
    ) -> Result<(), Failure> {
        let format = context.format();
        match format {
            Format::Table if made.units.is_empty() => Ok(()),
            Format::Table if self.units => {
                let rows: Vec<UnitLine> = made.units.iter().map(UnitLine::of).collect();
                output::rows(format, &rows)
            }
            Format::Table => {
                let rows: Vec<CostLine> = estimate
                    .queries
                    .iter()
                    .map(|cost| CostLine::of(cost, &made.units))
                    .collect();
                output::rows(format, &rows)
            }
            Format::Json | Format::Jsonl => {
                let document = Document {
                    id: saved.map(|(id, _)| id),
                    digest: saved.map(|(_, digest)| digest),
                    range: made.kept.asked.range,
                    units: made.units.iter().map(UnitLine::of).collect(),
                    left: made.left.iter().map(LeftLine::of).collect(),
                    estimate,
                };
                output::document(format, &document)
            }
        }
    }
}

/// Days that are left, summed over sites: a fleet has the same reasons many times.
fn tell_left(left: &[Left]) {
    let mut sums: BTreeMap<(String, String), (usize, u64)> = BTreeMap::new();
    for it in left {
        let sum = sums
            .entry((it.query.to_string(), it.why.to_string()))
            .or_default();
        sum.0 += 1;
        sum.1 += it.days;
    }
    for ((query, why), (sites, days)) in sums {
        remark(&format!(
            "left: {query} at {sites} sites, {days} days: {why}"
        ));
    }
}

fn tell_cost(estimate: &Estimate) {
    let Estimate {
        units,
        unknown_units,
        ..
    } = estimate;
    let mut text = format!("{units} queries");
    if unknown_units < units {
        text.push_str(&format!(
            ", {} rows, {}, {} minutes on the practices' servers in all, done {} minutes after the start if the hours allow",
            whole(estimate.rows),
            sizes(estimate.size_bytes),
            minutes(estimate.server_minutes),
            minutes(estimate.finish_minutes),
        ));
    }
    if *unknown_units > 0 {
        text.push_str(&format!(
            "; of {unknown_units} nothing is known, because their queries never succeeded anywhere"
        ));
    }
    remark(&text);
    for (site, wanted, allowed) in &estimate.over_budget {
        remark(&format!(
            "{site}: the budget leaves {allowed} of {wanted} queries this month; the others wait for the first of the next"
        ));
    }
}

fn whole(range: Range) -> String {
    between(format!("{:.0}", range.least), format!("{:.0}", range.most))
}

fn sizes(range: Range) -> String {
    between(
        output::size(range.least as u64),
        output::size(range.most as u64),
    )
}

fn minutes(range: Range) -> String {
    between(format!("{:.1}", range.least), format!("{:.1}", range.most))
}

fn between(least: String, most: String) -> String {
    if least == most {
        least
    } else {
        format!("{least} to {most}")
    }
}

/// What `backfill plan` prints as JSON. Part of the documented JSON.
#[derive(Serialize)]
struct Document<'a> {
    id: Option<u64>,
    digest: Option<&'a str>,
    range: Window,
    units: Vec<UnitLine>,
    left: Vec<LeftLine>,
    estimate: &'a Estimate,
}

/// A unit. Part of the documented JSON.
#[derive(Serialize)]
struct UnitLine {
    site: String,
    query: String,
    window: String,
    reason: String,
}

impl UnitLine {
    fn of(unit: &Unit) -> Self {
        Self {
            site: unit.extraction.site.to_string(),
            query: unit.extraction.query.to_string(),
            window: unit.extraction.window.to_string(),
            reason: unit.due.to_string(),
        }
    }
}

impl Row for UnitLine {
    const HEADINGS: &'static [&'static str] = &["SITE", "QUERY", "WINDOW", "REASON"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.site.clone(),
            self.query.clone(),
            self.window.clone(),
            self.reason.clone(),
        ]
    }
}

/// Days that are left. Part of the documented JSON.
#[derive(Serialize)]
struct LeftLine {
    site: String,
    query: String,
    days: u64,
    why: String,
}

impl LeftLine {
    fn of(left: &Left) -> Self {
        Self {
            site: left.site.to_string(),
            query: left.query.to_string(),
            days: left.days,
            why: left.why.to_string(),
        }
    }
}

/// A site and query of the plan, for people.
#[derive(Serialize)]
struct CostLine {
    site: String,
    query: String,
    units: u64,
    days: u64,
    reasons: String,
    rows: String,
    size: String,
    server_minutes: String,
    from: String,
}

impl CostLine {
    fn of(cost: &QueryCost, units: &[Unit]) -> Self {
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for unit in units {
            if unit.extraction.site == cost.site && unit.extraction.query == cost.query {
                *reasons.entry(unit.due.to_string()).or_default() += 1;
            }
        }
        let reasons: Vec<String> = reasons
            .into_iter()
            .map(|(due, count)| format!("{count} {due}"))
            .collect();
        let or_unknown = |range: Option<Range>, show: fn(Range) -> String| {
            range.map_or_else(|| "?".to_owned(), show)
        };
        Self {
            site: cost.site.to_string(),
            query: cost.query.to_string(),
            units: cost.units,
            days: cost.days,
            reasons: reasons.join(", "),
            rows: or_unknown(cost.rows, whole),
            size: or_unknown(cost.size_bytes, sizes),
            server_minutes: or_unknown(cost.server_minutes, minutes),
            from: match cost.basis {
                Basis::Site => format!("{} here", cost.attempts),
                Basis::OtherSites => format!("{} at other sites", cost.attempts),
                Basis::None => "no history".to_owned(),
            },
        }
    }
}

impl Row for CostLine {
    const HEADINGS: &'static [&'static str] = &[
        "SITE",
        "QUERY",
        ">UNITS",
        ">DAYS",
        "REASONS",
        ">ROWS",
        ">SIZE",
        ">MINUTES",
        "KNOWN FROM",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.site.clone(),
            self.query.clone(),
            self.units.to_string(),
            self.days.to_string(),
            self.reasons.clone(),
            self.rows.clone(),
            self.size.clone(),
            self.server_minutes.clone(),
            self.from.clone(),
        ]
    }
}
