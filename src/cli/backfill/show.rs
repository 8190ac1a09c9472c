//! `backfill list` and `backfill show`: how backfills stand, from the ledger alone.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use crate::domain::{BackfillState, ExtractionState};
use crate::ledger::{BackfillCounts, BackfillRow, UnitRow};

use super::super::context::Context;
use super::super::exit_code::ExitCode;
use super::super::output::{self, Format, Row};
use super::super::report::{Failure, remark};
use super::follow::read;
use super::made::Kept;
use super::pace::{going, line};
use super::target::{DIGEST_SHOWN, find};

/// How often `--follow` looks.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// List the backfills, the newest first
#[derive(Debug, Args)]
pub(crate) struct List {}

/// Show how a backfill stands, with its pace and why units failed or wait
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its number, or the beginning of its digest
    #[arg(value_name = "ID|DIGEST")]
    backfill: String,
    /// Say how it goes until it does not run any more
    #[arg(long)]
    follow: bool,
    /// List each unit instead of each site and query
    #[arg(long)]
    units: bool,
}

impl List {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let rows: Vec<Summary> = ledger
            .backfills(Utc::now())
            .map_err(|error| Failure::new(ExitCode::Failed, error))?
            .iter()
            .map(|row| Summary::of(row, Utc::now()))
            .collect();
        output::rows(context.format(), &rows)
    }
}

impl Show {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let failed = |error| Failure::new(ExitCode::Failed, error);
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let id = find(&ledger, &self.backfill)?.id;
        let mut row = read(&ledger, id)?;
        let mut said = String::new();
        while self.follow && row.state == BackfillState::Running {
            ledger.settle_backfill(id, Utc::now()).map_err(failed)?;
            let says = line(&row, Utc::now());
            if says != said {
                remark(&says);
                said = says;
            }
            context.block_on(async { tokio::time::sleep(LOOK_AGAIN).await })?;
            row = read(&ledger, id)?;
        }
        let units = ledger.backfill_units(id).map_err(failed)?;
        self.print(context, &row, &units)
    }

    fn print(
        &self,
        context: &Context,
        row: &BackfillRow,
        units: &[UnitRow],
    ) -> Result<(), Failure> {
        let format = context.format();
        let lines: Vec<UnitLine> = units.iter().map(UnitLine::of).collect();
        if format != Format::Table {
            let document = Document {
                summary: Summary::of(row, Utc::now()),
                units: lines,
            };
            return output::document(format, &document);
        }
        if self.units {
            output::rows(format, &lines)?;
        } else {
            output::rows(format, &by_query(units))?;
        }
        remark(&line(row, Utc::now()));
        remark(&format!(
            "it is {}{}",
            row.state,
            row.reason
                .as_deref()
                .map_or_else(String::new, |why| format!(": {why}"))
        ));
        for (what, count) in reasons(units) {
            remark(&format!("  {count} {what}"));
        }
        Ok(())
    }
}

/// Why units failed or wait, with how many each.
fn reasons(units: &[UnitRow]) -> BTreeMap<String, usize> {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for unit in units.iter().filter(|unit| !unit.is_cut) {
        let what = match &unit.state {
            Some(state @ ExtractionState::Failed(_)) => match &unit.message {
                Some(message) => format!("{state}: {message}"),
                None => state.to_string(),
            },
            Some(state @ ExtractionState::Pending(_)) => state.to_string(),
            _ => continue,
        };
        *found.entry(what).or_default() += 1;
    }
    found
}

/// A backfill. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Summary {
    id: u64,
    digest: String,
    state: String,
    reason: Option<String>,
    range: Option<String>,
    counts: BackfillCounts,
    max_failures: String,
    priority: i32,
    units_per_hour: Option<f64>,
    ends_at: Option<DateTime<Utc>>,
    planned_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
}

impl Summary {
    fn of(row: &BackfillRow, now: DateTime<Utc>) -> Self {
        let running = row.state == BackfillState::Running;
        let pace = going(row, now).filter(|_| running);
        let kept: Option<Kept> = serde_json::from_str(&row.asked).ok();
        Self {
            id: row.id.0,
            digest: row.digest.clone(),
            state: row.state.to_string(),
            reason: row.reason.clone(),
            range: kept.map(|kept| kept.asked.range.to_string()),
            counts: row.counts,
            max_failures: row.most_failed.to_string(),
            priority: row.priority,
            units_per_hour: pace.map(|pace| pace.units_per_hour),
            ends_at: pace.map(|pace| pace.ends_at),
            planned_at: row.planned_at,
            started_at: row.started_at,
        }
    }
}

impl Row for Summary {
    const HEADINGS: &'static [&'static str] = &[
        ">ID",
        "DIGEST",
        "STATE",
        "RANGE",
        ">UNITS",
        ">DONE",
        ">FAILED",
        ">WAITING",
        "ENDS ABOUT",
    ];

    fn cells(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        vec![
            self.id.to_string(),
            self.digest.chars().take(DIGEST_SHOWN).collect(),
            self.state.clone(),
            self.range.clone().unwrap_or_else(dash),
            self.counts.units.to_string(),
            self.counts.succeeded.to_string(),
            self.counts.failed.to_string(),
            self.counts.waiting.to_string(),
            self.ends_at
                .map_or_else(dash, |at| at.format("%Y-%m-%d %H:%M UTC").to_string()),
        ]
    }
}

/// `backfill show` as JSON. Part of the documented JSON.
#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    summary: Summary,
    units: Vec<UnitLine>,
}

/// A unit and how it stands. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct UnitLine {
    position: u64,
    site: String,
    query: String,
    window: String,
    reason: String,
    state: String,
    not_before: Option<DateTime<Utc>>,
    cut_from: Option<u64>,
    message: Option<String>,
}

impl UnitLine {
    fn of(unit: &UnitRow) -> Self {
        let state = match &unit.state {
            _ if unit.is_cut => "cut".to_owned(),
            Some(state) => state.to_string(),
            None => "planned".to_owned(),
        };
        Self {
            position: unit.position,
            site: unit.extraction.site.to_string(),
            query: unit.extraction.query.to_string(),
            window: unit.extraction.window.to_string(),
            reason: unit.due.to_string(),
            state,
            not_before: unit.not_before,
            cut_from: unit.cut_from,
            message: unit.message.clone(),
        }
    }
}

impl Row for UnitLine {
    const HEADINGS: &'static [&'static str] = &[
        ">UNIT",
        "SITE",
        "QUERY",
        "WINDOW",
        "REASON",
        "STATE",
        ">CUT FROM",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.position.to_string(),
            self.site.clone(),
            self.query.clone(),
            self.window.clone(),
            self.reason.clone(),
            self.state.clone(),
            self.cut_from
                .map_or_else(|| "-".to_owned(), |from| from.to_string()),
        ]
    }
}

/// A site and query of a backfill, for people.
#[derive(Debug, Default, Serialize)]
struct QueryLine {
    site: String,
    query: String,
    units: u64,
    succeeded: u64,
    failed: u64,
    running: u64,
    waiting: u64,
}

fn by_query(units: &[UnitRow]) -> Vec<QueryLine> {
    let mut lines: BTreeMap<(String, String), QueryLine> = BTreeMap::new();
    for unit in units.iter().filter(|unit| !unit.is_cut) {
        let key = (
            unit.extraction.site.to_string(),
            unit.extraction.query.to_string(),
        );
        let line = lines.entry(key.clone()).or_insert_with(|| QueryLine {
            site: key.0,
            query: key.1,
            ..QueryLine::default()
        });
        line.units += 1;
        match &unit.state {
            Some(ExtractionState::Succeeded) => line.succeeded += 1,
            Some(ExtractionState::Failed(_)) => line.failed += 1,
            Some(ExtractionState::Running(_)) => line.running += 1,
            Some(ExtractionState::Pending(_)) | None => line.waiting += 1,
            Some(_) => {}
        }
    }
    lines.into_values().collect()
}

impl Row for QueryLine {
    const HEADINGS: &'static [&'static str] = &[
        "SITE", "QUERY", ">UNITS", ">DONE", ">FAILED", ">AT WORK", ">WAITING",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.site.clone(),
            self.query.clone(),
            self.units.to_string(),
            self.succeeded.to_string(),
            self.failed.to_string(),
            self.running.to_string(),
            self.waiting.to_string(),
        ]
    }
}
