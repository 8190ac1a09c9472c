//! `run`: extractions on demand, now.

use std::sync::Arc;

use chrono::{NaiveDate, Utc};
use clap::Args;
use serde::Serialize;

use crate::catalog::Catalog;
use crate::domain::{Extraction, Planned, Window};
use crate::ledger::Ledger;
use crate::plan::{self, Asked};

use super::carry_out::{carry_out, engine, enter};
use super::context::Context;
use super::exit_code::ExitCode;
use super::lake;
use super::outcome::{exit_code, show};
use super::output::{self, Row};
use super::report::{Failure, remark};
use super::selection::Selection;

/// Extract now: plan the extractions, carry them out, and say how each ended
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    selection: Selection,
    /// First day of the window of incremental queries; yesterday at the site if absent
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<NaiveDate>,
    /// First day after the window
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<NaiveDate>,
    /// The day that snapshot queries are of; today at the site if absent
    #[arg(long, value_name = "DATE")]
    snapshot_date: Option<NaiveDate>,
    /// Extract again what is published already
    #[arg(long)]
    again: bool,
    /// Let a result without rows replace an object that has rows
    #[arg(long)]
    allow_empty: bool,
    /// Only show what would be extracted
    #[arg(long)]
    dry_run: bool,
}

impl Run {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let catalog = Arc::new(context.catalog(&config)?);
        let ledger = context.ledger(&config)?;
        let planned = self.plan(&catalog, &ledger)?;
        if self.dry_run {
            let rows: Vec<PlannedRow> = planned.iter().map(PlannedRow::of).collect();
            output::rows(context.format(), &rows)?;
            return Ok(ExitCode::Ok);
        }
        let todo = enter(&ledger, &planned, self.again)?;
        let standing = planned.len() - todo.len();
        if todo.is_empty() {
            remark(&format!(
                "all {standing} extractions are published already; --again extracts them again"
            ));
            show(context, &ledger, &planned, &[])?;
            return Ok(ExitCode::Ok);
        }
        let engine = engine(
            context,
            &config,
            Arc::clone(&catalog),
            Arc::clone(&ledger),
            &todo,
            self.allow_empty,
        )?;
        let holdings = lake::holdings_with(context, &config, Arc::clone(&ledger))?;
        lake::sweep(context, &holdings)?;
        let (finished, signal) = carry_out(context, &config, engine, todo)?;
        show(context, &ledger, &planned, &finished)?;
        if signal.is_none() {
            lake::refresh(context, &holdings, &catalog)?;
        }
        Ok(signal.unwrap_or_else(|| exit_code(&finished)))
    }

    /// What is asked for, as extractions.
    fn plan(&self, catalog: &Catalog, ledger: &Ledger) -> Result<Vec<Planned>, Failure> {
        let sites = self.selection.active_sites(ledger)?;
        let queries = self.selection.queries(catalog)?;
        let window = match (self.from, self.to) {
            (Some(from), Some(to)) => Some(Window::new(from, to).ok_or_else(|| {
                Failure::new(ExitCode::Usage, format!("the window from {from} to {to} is empty"))
                    .next("--to is the first day after the window: one day is --from 2026-11-18 --to 2026-11-19")
            })?),
            _ => None,
        };
        let asked = Asked {
            sites: &sites,
            queries: &queries,
            range: window,
            max_days: None,
            snapshot_date: self.snapshot_date,
        };
        let outcome = plan::on_demand(&asked, Utc::now());
        for skipped in &outcome.skipped {
            remark(&format!(
                "not extracted: {} {}: {}",
                skipped.site, skipped.query, skipped.why
            ));
        }
        if let Some(example) = outcome.unfinished.first() {
            remark(&format!(
                "{} windows end after today, such as {example}: later changes are not in them; the nightly windows, or --again, \
                 bring those",
                outcome.unfinished.len()
            ));
        }
        Ok(outcome.planned)
    }
}

/// One line of `run --dry-run`. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct PlannedRow {
    site: String,
    query: String,
    window: String,
    reason: String,
}

impl PlannedRow {
    fn of(planned: &Planned) -> Self {
        let Extraction {
            site,
            query,
            window,
        } = &planned.extraction;
        Self {
            site: site.to_string(),
            query: query.to_string(),
            window: window.to_string(),
            reason: planned.due.to_string(),
        }
    }
}

impl Row for PlannedRow {
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
