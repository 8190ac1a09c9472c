//! `query list`: which questions there are.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::output::{self, Row};
use crate::cli::report::Failure;
use crate::domain::{Mode, Query as QueryFile};

/// One line of `query list`. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Listed {
    query: String,
    version: u32,
    current: bool,
    mode: &'static str,
    cron: Option<String>,
    columns: usize,
    measures: Vec<String>,
    fingerprint: String,
    purpose: String,
}

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let catalog = context.catalog(&context.config()?)?;
    let is_current = |query: &QueryFile| {
        let current = catalog.current(&query.id.name);
        current.is_some_and(|current| current.id == query.id)
    };
    let listed: Vec<Listed> = catalog
        .queries()
        .map(|query| Listed::of(query, is_current(query)))
        .collect();
    output::rows(context.format(), &listed)
}

impl Listed {
    fn of(query: &QueryFile, current: bool) -> Self {
        Self {
            query: query.id.name.to_string(),
            version: query.id.version.number(),
            current,
            mode: match query.mode {
                Mode::Incremental { .. } => "incremental",
                Mode::Snapshot => "snapshot",
            },
            cron: query.cron.clone(),
            columns: query.contract.columns.len(),
            measures: query.measures.clone(),
            fingerprint: query.fingerprint.to_string(),
            purpose: query.purpose.clone(),
        }
    }
}

impl Row for Listed {
    const HEADINGS: &'static [&'static str] =
        &["QUERY", ">VERSION", "MODE", "CRON", ">COLUMNS", "MEASURES"];

    fn cells(&self) -> Vec<String> {
        let star = if self.current { "" } else { " (older)" };
        vec![
            format!("{}{star}", self.query),
            format!("v{}", self.version),
            self.mode.to_owned(),
            self.cron.clone().unwrap_or_else(|| "-".to_owned()),
            self.columns.to_string(),
            self.measures.join(", "),
        ]
    }
}
