//! `output expire`: snapshots that have served their time.

use chrono::Utc;
use clap::Args;
use serde::Serialize;

use super::{About, failed, holdings};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Row};
use crate::cli::report::{Failure, remark};
use crate::domain::Query;
use crate::ledger::StandingObject;

/// Remove snapshots older than their retention, but the last of each month and the newest; shows first which
#[derive(Debug, Args)]
pub(crate) struct Expire {
    #[command(flatten)]
    about: About,
    /// Keep so many days, whatever the setting lake.keep_snapshots says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_days: Option<u32>,
    /// Do it; without this the command only lists what would go
    #[arg(long)]
    yes: bool,
}

impl Expire {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let catalog = context.catalog(&config)?;
        let holdings = holdings(context, &config)?;
        let keep = |query: &Query| {
            self.keep_days
                .or_else(|| config.lake.keep_snapshots.days(&query.id.name))
        };
        let wanted = |query: &&Query| {
            let about = self.about.query.as_ref();
            about.is_none_or(|name| *name == query.id.name)
        };
        let queries = catalog.queries().filter(wanted);
        let mut expired = context
            .block_on(holdings.plan_expiry(queries, keep, Utc::now()))?
            .map_err(failed)?;
        expired.retain(|object| {
            let about = self.about.site.as_ref();
            about.is_none_or(|site| *site == object.extraction.site)
        });
        let rows: Vec<Leaving> = expired.iter().map(Leaving::of).collect();
        output::rows(context.format(), &rows)?;
        if self.yes {
            let change = context.change("expire", "retention of snapshots");
            let gone = context
                .block_on(holdings.expire(&expired, &change))?
                .map_err(failed)?;
            remark(&format!("{gone} snapshots were removed"));
            return Ok(());
        }
        if rows.is_empty() {
            remark(
                "no snapshot has served its time; how long they are kept says the setting lake.keep_snapshots, or --keep-days",
            );
            return Ok(());
        }
        Err(Failure::new(
            ExitCode::Usage,
            "nothing was removed: what is removed cannot be extracted again, a practice knows only today",
        )
        .next("if these may go, the same command with --yes"))
    }
}

/// An object that goes. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Leaving {
    site: String,
    query: String,
    window: String,
    rows: u64,
    size_bytes: u64,
    path: String,
}

impl Leaving {
    fn of(standing: &StandingObject) -> Self {
        Self {
            site: standing.extraction.site.to_string(),
            query: standing.extraction.query.to_string(),
            window: standing.extraction.window.to_string(),
            rows: standing.object.rows,
            size_bytes: standing.object.size_bytes,
            path: standing.object.path.clone(),
        }
    }
}

impl Row for Leaving {
    const HEADINGS: &'static [&'static str] = &["SITE", "QUERY", "WINDOW", ">ROWS", ">SIZE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.site.clone(),
            self.query.clone(),
            self.window.clone(),
            self.rows.to_string(),
            output::size(self.size_bytes),
        ]
    }
}
