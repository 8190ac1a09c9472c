//! `output list`: the objects that stand, as the ledger has them.

use chrono::SecondsFormat;
use clap::Args;
use serde::Serialize;

use super::About;
use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format, Row};
use crate::cli::report::Failure;
use crate::ledger::StandingObject;

/// Objects that are read from the ledger, and with `jsonl` written, in one go.
const PAGE: u32 = 1_000;

/// List the published objects that stand, as the ledger has them
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    about: About,
}

impl List {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let filter = self.about.filter();
        let mut after = 0;
        let mut rows = Vec::new();
        loop {
            let page = ledger
                .standing_after(after, PAGE, &filter)
                .map_err(|error| Failure::new(ExitCode::Failed, error))?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.number;
            rows.extend(page.iter().map(Listed::of));
            if context.format() == Format::Jsonl {
                output::rows(Format::Jsonl, &std::mem::take(&mut rows))?;
            }
        }
        output::rows(context.format(), &rows)
    }
}

/// One line of `output list`. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Listed {
    site: String,
    query: String,
    window: String,
    rows: u64,
    size_bytes: u64,
    extracted_at: String,
    sha256: String,
    etag: Option<String>,
    path: String,
}

impl Listed {
    fn of(standing: &StandingObject) -> Self {
        let (extraction, object) = (&standing.extraction, &standing.object);
        Self {
            site: extraction.site.to_string(),
            query: extraction.query.to_string(),
            window: extraction.window.to_string(),
            rows: object.rows,
            size_bytes: object.size_bytes,
            extracted_at: standing
                .extracted_at
                .to_rfc3339_opts(SecondsFormat::Secs, true),
            sha256: object.sha256.to_string(),
            etag: object.etag.clone(),
            path: object.path.clone(),
        }
    }
}

impl Row for Listed {
    const HEADINGS: &'static [&'static str] =
        &["SITE", "QUERY", "WINDOW", ">ROWS", ">SIZE", "EXTRACTED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.site.clone(),
            self.query.clone(),
            self.window.clone(),
            self.rows.to_string(),
            output::size(self.size_bytes),
            self.extracted_at.clone(),
        ]
    }
}
