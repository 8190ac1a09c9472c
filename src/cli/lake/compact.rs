//! `output compact`: the daily objects of a month that is over become one per site and query.

use chrono::Utc;
use clap::Args;
use serde::Serialize;

use super::{About, failed, holdings};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Row};
use crate::cli::report::{Failure, remark};
use crate::domain::{Query, Site};
use crate::lake::{Compaction, Month};

/// Merge the many small objects of months that are over into one per site and query; shows first which
#[derive(Debug, Args)]
pub(crate) struct Compact {
    #[command(flatten)]
    about: About,
    /// Only of this month
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<Month>,
    /// Do it; without this the command only lists what would be merged
    #[arg(long)]
    yes: bool,
}

impl Compact {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let catalog = context.catalog(&config)?;
        let holdings = holdings(context, &config)?;
        let all = holdings.ledger.sites();
        let mut sites = all.map_err(|error| Failure::new(ExitCode::Failed, error))?;
        sites.retain(|site: &Site| self.about.site.as_ref().is_none_or(|key| *key == site.key));
        let wanted = |query: &&Query| {
            let about = self.about.query.as_ref();
            about.is_none_or(|name| *name == query.id.name)
        };
        let planning = holdings.plan_compaction(
            catalog.queries().filter(wanted),
            &sites,
            self.month,
            Utc::now(),
        );
        let planned = context.block_on(planning)?.map_err(|error| {
            failed(error).next(
                "see what else is wrong with what lies in storage: halo-extract output verify",
            )
        })?;
        let rows: Vec<Merging> = planned.iter().map(Merging::of).collect();
        output::rows(context.format(), &rows)?;
        if rows.is_empty() {
            remark(
                "nothing is to be merged: each month that is over has one object per site and query, or only snapshots",
            );
            return Ok(ExitCode::Ok);
        }
        if !self.yes {
            return Err(Failure::new(
                ExitCode::Usage,
                "nothing was merged: who reads the folder and not the views or manifests sees rows twice for a moment, and \
                 the date= of merged rows is the first day of all",
            )
            .next("if that is what you want, the same command with --yes"));
        }
        let change = context.change("compact", "objects of past months were merged");
        let compacted = context
            .block_on(holdings.compact(planned, &change))?
            .map_err(|error| {
                failed(error).next(
                    "what was begun is ended by the next run; the same command merges the rest",
                )
            })?;
        remark(&format!(
            "{} objects were merged into {}",
            compacted.merged, compacted.made
        ));
        for (extraction, why) in &compacted.left {
            remark(&format!("not merged: {extraction}: {why}"));
        }
        Ok(if compacted.left.is_empty() {
            ExitCode::Ok
        } else {
            ExitCode::Partly
        })
    }
}

/// An object to be made of several. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Merging {
    site: String,
    query: String,
    window: String,
    objects: usize,
    rows: u64,
    size_bytes: u64,
    path: String,
}

impl Merging {
    fn of(compaction: &Compaction) -> Self {
        let sizes = compaction
            .members
            .iter()
            .map(|member| member.object.size_bytes);
        Self {
            site: compaction.extraction.site.to_string(),
            query: compaction.extraction.query.to_string(),
            window: compaction.extraction.window.to_string(),
            objects: compaction.members.len(),
            rows: compaction.rows,
            size_bytes: sizes.sum(),
            path: compaction.path.clone(),
        }
    }
}

impl Row for Merging {
    const HEADINGS: &'static [&'static str] =
        &["SITE", "QUERY", "WINDOW", ">OBJECTS", ">ROWS", ">SIZE NOW"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.site.clone(),
            self.query.clone(),
            self.window.clone(),
            self.objects.to_string(),
            self.rows.to_string(),
            output::size(self.size_bytes),
        ]
    }
}
