//! `output verify`: whether storage still holds what was published.

use std::time::Instant;

use chrono::Utc;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{About, failed, holdings};
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format, Row};
use crate::cli::report::{Failure, remark};
use crate::lake::{Sample, Verification};
use crate::objects;

/// Read the objects again and compare them with the ledger; lists what is missing, foreign, altered or stale
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    about: About,
    /// How closely each object is looked at
    #[arg(long, value_enum, default_value = "rows")]
    depth: Depth,
    /// Look into about N objects, or N% of them, chosen anew each time; that all exist is always checked
    #[arg(long, value_name = "N|N%")]
    sample: Option<Sample>,
}

/// How closely each object is looked at.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Depth {
    /// Size and ETag, as the store lists them
    Listing,
    /// Also the footer: whose object it is, and its rows
    Footer,
    /// Also SHA-256: every byte is read
    Bytes,
    /// Also every row, against the statistics of its column
    Rows,
}

impl Verify {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let holdings = holdings(context, &config)?;
        let began = Instant::now();
        let seed = Utc::now().timestamp_micros().unsigned_abs();
        let found = context
            .block_on(holdings.verify(
                &self.about.filter(),
                self.depth.of_objects(),
                self.sample.unwrap_or(Sample::All),
                seed,
            ))?
            .map_err(failed)?;
        let rows: Vec<Finding> = found.wrong.iter().map(Finding::of).collect();
        if !rows.is_empty() || context.format() != Format::Table {
            output::rows(context.format(), &rows)?;
        }
        remark(&summary(&found, began.elapsed().as_secs_f64()));
        Ok(if rows.is_empty() {
            ExitCode::Ok
        } else {
            ExitCode::Failed
        })
    }
}

impl Depth {
    fn of_objects(self) -> objects::Depth {
        match self {
            Self::Listing => objects::Depth::Listing,
            Self::Footer => objects::Depth::Footer,
            Self::Bytes => objects::Depth::Bytes,
            Self::Rows => objects::Depth::Rows,
        }
    }
}

fn summary(found: &Verification, seconds: f64) -> String {
    let seconds = seconds.max(0.001);
    let verdict = match found.wrong.len() {
        0 => "storage and ledger agree".to_owned(),
        wrong => format!("{wrong} are wrong"),
    };
    format!(
        "looked into {} of {} objects, {} in {seconds:.1} s ({:.0} objects a second, {} a second): {verdict}",
        found.looked_into,
        found.listed,
        output::size(found.size_bytes),
        found.looked_into as f64 / seconds,
        output::size((found.size_bytes as f64 / seconds) as u64),
    )
}

/// One line of `output verify`. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Finding {
    path: String,
    wrong: &'static str,
    what: String,
}

impl Finding {
    fn of((path, wrong): (&String, &objects::Wrong)) -> Self {
        Self {
            path: path.clone(),
            wrong: wrong.kind(),
            what: wrong.to_string(),
        }
    }
}

impl Row for Finding {
    const HEADINGS: &'static [&'static str] = &["PATH", "WHAT"];

    fn cells(&self) -> Vec<String> {
        vec![self.path.clone(), self.what.clone()]
    }
}
