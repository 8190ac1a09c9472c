//! `output views`: what readers are told of the lake, written again.

use chrono::Utc;
use clap::Args;
use serde::Serialize;

use super::{failed, holdings};
use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::output::{self, Row};
use crate::cli::report::{Failure, remark};
use crate::lake::{Holdings, Refreshed};

/// Write views, data dictionary, coverage, runs and manifests again, as after each night
#[derive(Debug, Args)]
pub(crate) struct Views {}

impl Views {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let catalog = context.catalog(&config)?;
        let holdings = holdings(context, &config)?;
        let refreshed = context
            .block_on(holdings.refresh(&catalog, Utc::now()))?
            .map_err(failed)?;
        output::rows(context.format(), &[Written::of(refreshed)])
    }
}

/// Before a night: ends what crashes left behind in storage.
pub(crate) fn sweep(context: &Context, holdings: &Holdings) -> Result<(), Failure> {
    let swept = context
        .block_on(holdings.sweep(Utc::now()))?
        .map_err(failed)?;
    if swept > 0 {
        remark(&format!(
            "ended {swept} uploads that a crash had left open in storage"
        ));
    }
    Ok(())
}

/// After a night: tells readers what is in the lake.
pub(crate) fn refresh(
    context: &Context,
    holdings: &Holdings,
    catalog: &Catalog,
) -> Result<(), Failure> {
    let refreshed = context.block_on(holdings.refresh(catalog, Utc::now()))?;
    refreshed.map(|_done| ()).map_err(|error| {
        failed(error).next(
            "the objects are published; only what readers are told of them is old: halo-extract output views",
        )
    })
}

/// What was written. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Written {
    manifests: u64,
    coverage_rows: u64,
    run_rows: u64,
}

impl Written {
    fn of(refreshed: Refreshed) -> Self {
        Self {
            manifests: refreshed.manifests,
            coverage_rows: refreshed.coverage_rows,
            run_rows: refreshed.run_rows,
        }
    }
}

impl Row for Written {
    const HEADINGS: &'static [&'static str] = &[">MANIFESTS", ">COVERAGE ROWS", ">RUNS"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.manifests.to_string(),
            self.coverage_rows.to_string(),
            self.run_rows.to_string(),
        ]
    }
}
